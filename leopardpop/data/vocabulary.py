"""What field teams write of an animal: its sex, flank and life stage, and that nothing is known."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leopardpop.data.covariates import MISSING_WORDS
from leopardpop.data.names import counted, did_you_mean
from leopardpop.data.notices import notice
from leopardpop.errors import DataWarning

__all__ = [
    "STAGE_WORDS",
    "animals_in",
    "flank_of",
    "is_no_label",
    "is_nothing",
    "nobody",
    "read_words",
    "seems_nothing",
    "sex_of",
    "stage_of",
]

UNKNOWN = frozenset({
    *("unknown", "unk", "unidentified", "undetermined", "undefined", "unclassified", "unspecified", "indeterminate"),
    *("not identified", "not known", "none", "null", "n/a", "na", "nan", "<na>"),
    *("unid", "indet", "undet", "unidentifiable", "unrecognised", "unrecognized", "unmarked", "no id", "not id"),
    *("未知", "不明", "不详", "不確定", "不确定", "неизвестно", "неизвестный", "неизвестная", "неизв", "не определено"),
    *("미상", "desconocido", "desconocida", "indeterminado", "indeterminada", "no identificado", "desconhecido"),
    *("inconnu", "inconnue", "indéterminé", "unbekannt", "tidak diketahui", "không rõ", "ไม่ทราบ", "тодорхойгүй"),
})  # fmt: skip
NAMELESS = re.compile(r"(unknown|unk|unid|unidentified|indet|undetermined|unmarked|no[ _-]?id)(?![a-z])", re.IGNORECASE)
BETWEEN = re.compile(r"\s*[,;&+/|]\s*|\s+and\s+")
"""What stands between two labels in one."""
SIGNS = "?-–—_.*/!()[] "
SEX = {"f": "F", "female": "F", "♀": "F", "m": "M", "male": "M", "♂": "M"}
SIDES = {"l": "L", "left": "L", "lhs": "L", "r": "R", "right": "R", "rhs": "R", "b": "LR", "both": "LR", "lr": "LR"}
FLANKS = {"L": "left", "R": "right", "LR": "both"}
BESIDE = frozenset({"and", "flank", "flanks", "side", "sides", "hand"})
"""Words that say no more beside "left" and "right"."""
STAGES = {"sub-adult": "subadult", "sub adult": "subadult", "adults": "adult", "juveniles": "juvenile", "cubs": "cub"}
STAGE_WORDS = frozenset({
    *("adult", "subadult", "juvenile", "cub", "kitten", "infant", "young", "pup", "calf", "fawn", "foal", "lamb"),
    *("kid", "piglet", "chick", "yearling", "immature", "newborn", "neonate", "old"),
})  # fmt: skip
KNOWN = {"sex": ("F", "M", "female", "male"), "flank": ("left", "right", "both"), "life stage": STAGE_WORDS}


def is_nothing(word: Any) -> bool:
    """Whether a word says that nothing is known: "unknown", "NA", or signs alone.

    Examples
    --------
    >>> [word for word in ("?", "-", "Unknown", "NA", "F07", "♀") if is_nothing(word)]
    ['?', '-', 'Unknown', 'NA']
    """
    plain = str(word).strip().lower()
    return plain in UNKNOWN or plain.strip(SIGNS) in UNKNOWN or not plain.strip(SIGNS)


def seems_nothing(word: str) -> bool:
    """Whether a label begins with a word for not knowing, and goes on: "unknown 3", "Unid male".

    Examples
    --------
    >>> [word for word in ("Unknown male", "unid_2", "unknown1", "Una", "F07") if seems_nothing(word)]
    ['Unknown male', 'unid_2', 'unknown1']
    """
    return bool(NAMELESS.match(word.strip()))


def animals_in(label: str) -> list[str]:
    """Labels that stand in one: "F1; M2" of a photograph with two animals.

    Examples
    --------
    >>> [animals_in(label) for label in ("F1; M2", "F1 and F2", "F07")]
    [['F1', 'M2'], ['F1', 'F2'], ['F07']]
    """
    return [part.strip() for part in BETWEEN.split(label)]


def is_no_label(name: str) -> bool:
    """Whether a label of captures stands for nobody; signs may be labels, and NONE is left to the readers of secr.

    Examples
    --------
    >>> [name for name in ("?", "-", "NA", "unknown", "NONE") if is_no_label(name)]
    ['?', 'NA', 'unknown']
    """
    return is_nothing(name) and name != "NONE" and (name.strip("?") == "" or any(sign.isalpha() for sign in name))


def nobody(individual: pd.Series[Any]) -> NDArray[np.object_]:
    """Say of which rows the individual is a word for not knowing it: the reason, or "" (of empty cells, too), (n,)."""
    codes, names = pd.factorize(individual.astype(object))
    said = [is_nothing(name) and str(name).strip() not in MISSING_WORDS for name in names]
    words = [f"individual '{name}' is no identity" if yes else "" for name, yes in zip(names, said, strict=True)]
    return np.array([*words, ""], dtype=object)[codes]


def sex_of(word: str) -> str | None:
    """Return "F", "M", or None if it cannot be read."""
    return SEX.get(word.lower())


def flank_of(word: str) -> str | None:
    """Return "left", "right", "both", or None if it cannot be read.

    Examples
    --------
    >>> [flank_of(word) for word in ("L", "Right flank", "left | right", "lower back")]
    ['left', 'right', 'both', None]
    """
    parts = [part for part in re.split(r"[\W_]+", word.lower()) if part and part not in BESIDE]
    sides = {SIDES.get(part, "?") for part in parts}
    return FLANKS.get("".join(sorted(set("".join(sides)))))


def stage_of(word: str) -> str | None:
    """Return a life stage in lower case and one spelling, or None if it is not one that we know."""
    lower = word.lower()
    found = STAGES.get(lower, lower)
    return found if found in STAGE_WORDS else None


READ: Mapping[str, Callable[[str], str | None]] = {"sex": sex_of, "flank": flank_of, "life stage": stage_of}


def read_words(
    column: pd.Series[Any], what: str, where: Callable[[int], str], called: str | None = None
) -> pd.Series[Any]:
    """Bring words into one spelling; None where nothing is known, and with a warning where they cannot be read.

    Parameters
    ----------
    column
        Words, (n,).
    what
        "sex", "flank" or "life stage"; a stage that we do not know is kept as it is.
    where
        Says where a row stands.
    called
        What the file calls the column.

    Returns
    -------
    (n,) Series

    Warns
    -----
    DataWarning
        Naming the first row that cannot be read, the number of such rows, and the nearest word.
    """
    codes, values = pd.factorize(column.astype(object))
    words = [str(value).strip() for value in values]
    read = [READ[what](word) for word in words]
    strange = [each is None and not is_nothing(word) for each, word in zip(read, words, strict=True)]
    rows = np.array([*strange, False], dtype=bool)[codes]
    if rows.any():
        row = int(rows.argmax())
        _say_strange(words[codes[row]], what, where(row), int(rows.sum()), called or what)
    if what == "life stage":
        read = [word.lower() if odd else each for each, word, odd in zip(read, words, strange, strict=True)]
    known: NDArray[np.object_] = np.array([*read, None], dtype=object)
    return pd.Series(known[codes], index=column.index, dtype=object)


def _say_strange(word: str, what: str, where: str, n: int, called: str) -> None:
    read = "kept as it is" if what == "life stage" else "read as unknown"
    known = ", ".join(sorted(KNOWN[what])[:6] if what != "life stage" else ("adult", "subadult", "juvenile", "cub"))
    notice(
        f"{where}: {called} is '{word}', {read} ({counted(n, 'row')} with such words). Known are {known}."
        f"{did_you_mean(word, KNOWN[what])}",
        DataWarning,
    )

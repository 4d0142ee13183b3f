"""What Wildlife Insights says an image shows: an animal and its name, a person, nothing, or nobody knows yet."""

from __future__ import annotations

import numpy as np
import pandas as pd

from leopardpop.data.readers.record_rows import row_codes
from leopardpop.data.readers.record_sheets import Sheet
from leopardpop.data.selection import Ledger

__all__ = ["drop_no_animals", "what_it_is"]

TAXON = ("is_blank", "class", "order", "family", "genus", "species", "common_name")
RANKS = ("genus", "family", "order", "class")
CLASSES = frozenset({
    *("mammalia", "aves", "reptilia", "amphibia", "actinopterygii", "chondrichthyes", "insecta", "arachnida"),
    *("gastropoda", "malacostraca", "clitellata", "chilopoda", "diplopoda", "bivalvia", "entognatha"),
})  # fmt: skip
NOBODY_KNOWS = frozenset({"unknown", "animal", "unidentified"})
YES = frozenset({"1", "1.0", "true", "yes", "t"})


def drop_no_animals(sheet: Sheet, ledger: Ledger) -> Sheet:
    """Drop images of nothing, of people, and those that nobody identified; name the species of the others.

    Parameters
    ----------
    sheet
        Rows with any of is_blank, class, order, family, genus, species (the epithet), common_name.
    ledger
        Of the rows.

    Returns
    -------
    Sheet
        With the name of the species in ``species``, without the ranks.
    """
    present = [name for name in TAXON if name in sheet]
    frame = sheet.table.frame[present]
    codes = row_codes(frame)
    first = np.unique(codes, return_index=True)[1]
    words = [sheet.words(name).iloc[first].tolist() for name in present]
    known = [what_it_is(dict(zip(present, cells, strict=True))) for cells in zip(*words, strict=True)]
    names = np.array([*(name for name, _ in known), None], dtype=object)
    reasons = np.array([*(reason for _, reason in known), ""], dtype=object)
    reason = reasons[codes]
    ledger.drop(reason != "", reason)
    table = sheet.with_column("species", pd.Series(names[codes], dtype=object)).table
    hidden = [name for name in ("is_blank", *RANKS, "fuzzed") if name in table]
    kept = table.frame.drop(columns=hidden)
    return Sheet(type(table)(kept, table.lines, table.origins, table.origin), sheet.called)


def what_it_is(kind: dict[str, str | None]) -> tuple[str | None, str]:
    """Return the name of an animal, or None and why it is none.

    Parameters
    ----------
    kind
        is_blank, class, order, family, genus, species, common_name; any may be missing.

    Examples
    --------
    >>> what_it_is({"class": "Mammalia", "genus": "Panthera", "species": "pardus"})
    ('Panthera pardus', '')
    >>> what_it_is({"is_blank": "1"}), what_it_is({"genus": "Homo", "species": "sapiens"})
    ((None, 'blank image'), (None, 'a person'))
    """
    cells = {name: word for name, word in kind.items() if isinstance(word, str) and word}
    lower = {name: word.lower() for name, word in cells.items()}
    common, group = lower.get("common_name", ""), lower.get("class", "")
    if lower.get("is_blank") in YES or "blank" in (common, group):
        return None, "blank image"
    if "genus" not in cells and "cv" in (common or group).split():  # "No CV Result", "CV Needed", in every rank
        return None, "not identified"
    if lower.get("genus") == "homo" or common.startswith("human"):
        return None, "a person"
    if "genus" in cells:
        return _binomial(cells), ""
    if " " in cells.get("species", ""):
        return cells["species"], ""
    rank = next((name for name in ("family", "order") if name in cells), "class" if group in CLASSES else None)
    if rank is not None:
        return cells[rank], ""
    if not {"class", "genus", "species"} & set(kind) and common:
        return cells["common_name"], ""
    what = cells.get("common_name") or cells.get("class") or cells.get("species")
    return None, "not identified" if what is None or what.lower() in NOBODY_KNOWS else f"no animal: {what}"


def _binomial(cells: dict[str, str]) -> str:
    """Genus and species, or what is known of them."""
    genus, species = cells["genus"], cells.get("species", "")
    return species if species.startswith(f"{genus} ") else f"{genus} {species}".strip()

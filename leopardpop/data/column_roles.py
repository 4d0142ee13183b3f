"""What people call the columns of records, and what is said of columns that no role took."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from difflib import SequenceMatcher
from typing import Any

import pandas as pd

from leopardpop.data.names import listed
from leopardpop.data.notices import notice
from leopardpop.data.vocabulary import flank_of, is_nothing, sex_of, stage_of
from leopardpop.errors import DataWarning
from leopardpop.words import joined

__all__ = ["SYNONYMS", "TOLD", "column_notes", "plain", "warn_of_unused"]

SYNONYMS: Mapping[str, tuple[str, ...]] = {
    "species": (
        *("scientificName", "species", "species_name", "name_of_species", "species_scientific_name", "latin_name"),
        *(
            "species_latin",
            "binomial",
            "taxon",
            "taxon_name",
            "taxa",
            "animal_species",
            "species_id",
            "especie",
            "espèce",
        ),
        *("common_name", "species_common_name", "common_name_of_species", "vernacular_name", "english_name"),
    ),
    "individual": (
        *("individual_id", "individual", "individual_name", "name_of_individual", "id_of_individual", "id_individual"),
        *("individual_identity", "individual_number", "individual_no", "ind_id", "animal_id", "id_animal"),
        *("name_of_animal", "ind", "leopard_id", "tiger_id", "cat_id", "animal"),
    ),
    "sex": ("sex", "gender", "animal_sex", "sex_of_animal", "sex_of_individual", "sexe", "sexo", "geschlecht"),
    "life_stage": ("lifeStage", "age", "stage", "age_class", "age_group", "age_category", "stage_of_life"),
    "flank": ("side", "flank", "body_side", "animal_side", "flank_side", "side_of_animal", "side_of_body"),
    "count": (
        *("number_of_objects", "group_size", "count", "number_of_animals", "number_of_individuals", "number_animals"),
        *("number_individuals", "individual_count", "individuals_count", "count_of_individuals", "count_of_animals"),
        *("animal_count", "no_of_animals", "no_of_individuals", "no_animals", "no_individuals", "num_animals"),
        *("num_individuals", "n_animals", "n_individuals", "nr_of_animals", "nr_of_individuals", "individuals"),
        *("animals", "quantity", "cantidad", "anzahl", "number", "n"),
    ),
}
"""Our name -> theirs, the best first."""
TOLD = tuple(SYNONYMS)
"""Roles whose lack changes results without a word."""
READS: Mapping[str, Callable[[str], str | None]] = {"sex": sex_of, "flank": flank_of, "life_stage": stage_of}
WORDS: Mapping[str, Collection[str]] = {
    "species": {"species", "taxon", "taxa", "taxonomy", "especie", "genus"},
    "individual": {"individual", "individuo", "identity"},
    "sex": {"sex", "gender"},
    "life_stage": {"age", "stage"},
    "flank": {"flank"},
    "count": {"count", "individuals", "animals", "quantity"},
}
"""Words that a column of the role has in its name, as a rule."""
NOTHING = re.compile(
    r".*(comment|remark|note|temp|moon|file|path|url|link|photo|image|observer|weather|habitat|elevation|altitude"
    r"|delta|latitude|longitude|utm|directory|folder|camera|behaviou?r|year|month|day|hour|minute|second|date|time"
    r"|session|season|source|line|project|email|sequence|media|deployment|station|battery|confidence|probability"
    r"|event|record|group|copy|tag|by|path)s?.*"
)
"""Columns (in their plain form) that are surely not the species."""
ALIKE = 0.8
MOST_LOOKED_AT = 10_000


def plain(name: str) -> str:
    """Bring a name of a column to its plain form: "Date/Time Original" and "datetimeoriginal" are the same.

    Examples
    --------
    >>> plain("Setup_date"), plain("utm.x")
    ('setupdate', 'utmx')
    """
    return re.sub(r"[\W_]+", "", name).lower()


def _words(name: str) -> set[str]:
    """Words of a name, parted by signs or capitals."""
    return {word.lower() for word in re.findall(r"[A-Z]?[^\W\d_A-Z]+|[A-Z]+(?![a-z])", name)}


def _likeness(column: str, role: str) -> float:
    """How much a name is like those of a role, up to 1."""
    forms = [plain(name) for name in (role, *SYNONYMS.get(role, ()))]
    shared = 0.9 if _words(column) & set(WORDS.get(role, ())) else 0.0
    return max(shared, *(SequenceMatcher(None, plain(column), form).ratio() for form in forms))


def _reads_as(values: pd.Series[Any], role: str) -> bool:
    """Whether all cells are words of a role: F and M, left and right."""
    read = READS.get(role)
    if read is None:
        return False
    words = [str(value).strip() for value in values.iloc[:MOST_LOOKED_AT].dropna().unique()[:50]]
    known = [word for word in words if not is_nothing(word)]
    return bool(known) and all(read(word) is not None for word in known)


def _meant(role: str, unused: Sequence[str], frame: pd.DataFrame) -> str | None:
    """The unused column that a role may be in, by its name or by its cells."""
    by_name = max(unused, key=lambda name: _likeness(name, role), default=None)
    if by_name is not None and _likeness(by_name, role) >= ALIKE:
        return by_name
    return next((name for name in unused if name in frame and _reads_as(frame[name], role)), None)


def _nearest_words(unused: Sequence[str], frame: pd.DataFrame) -> str | None:
    """The unused column of words, of those that may be names of species, whose name is most like one."""
    strange = [name for name in unused if not NOTHING.fullmatch(plain(name))]
    words = [name for name in strange if name not in frame or _has_words(frame[name])]
    return max(words, key=lambda name: _likeness(name, "species"), default=None)


def _has_words(values: pd.Series[Any]) -> bool:
    some = values.iloc[:MOST_LOOKED_AT].dropna()
    return bool(pd.to_numeric(some.map(str), errors="coerce").isna().any())


def _roles(missing: Sequence[str], unused: Sequence[str], frame: pd.DataFrame) -> dict[str, str]:
    """Unused column -> the role that it may be."""
    meant: dict[str, str] = {}
    for role in missing:
        column = _meant(role, [name for name in unused if name not in meant], frame)
        if column is not None:
            meant[column] = role
    if "species" in missing and "species" not in meant.values():
        column = _nearest_words([name for name in unused if name not in meant], frame)
        meant = meant if column is None else {column: "species"} | meant
    return meant


def warn_of_unused(
    file: str, table: str, missing: Sequence[str], unused: Sequence[str], frame: pd.DataFrame, kept: bool
) -> None:
    """Warn if a role has no column, while one that no role took may be it.

    Parameters
    ----------
    file
        What messages call the table.
    table
        Its key in ``columns=``.
    missing
        Roles without a column.
    unused
        Columns without a role.
    frame
        The columns that were read, under the file's names.
    kept
        Whether unused columns stay in the records.

    Warns
    -----
    DataWarning
        Naming the columns, and what to write.
    """
    meant = _roles(missing, unused, frame)
    if meant:
        pooled = " Without it all records count as one species." if "species" in meant.values() else ""
        stay = " (kept as columns of their own)" if kept else ""
        advice = (
            f"If {listed(meant)} {'is it' if len(meant) == 1 else 'are these'}, pass columns={{'{table}': {meant}}}."
        )
        role_words = joined([role.replace("_", " ") for role in meant.values()])
        found = f"{file} has no column that is read as {role_words}; no role was found for {listed(unused)}{stay}."
        notice(f"{found}{pooled} {advice}", DataWarning)


def column_notes(file: str, called: Mapping[str, str], unused: Sequence[str], doubles: Mapping[str, str]) -> list[str]:
    """Say which columns were taken for what under another name, and which for nothing.

    Parameters
    ----------
    file
        What messages call the table.
    called
        Our name -> the file's.
    unused
        Columns without a role.
    doubles
        Those of them that could have had one -> which.

    Examples
    --------
    >>> column_notes("records.csv", {"sex": "gender", "species": "Species"}, ["lure"], {})
    ["Columns of records.csv: 'gender' is read as sex; without a role: 'lure'."]
    """
    strange = [ours for ours in SYNONYMS if plain(called.get(ours, ours)) != plain(ours)]
    other = [f"'{called[ours]}' is read as {ours}" for ours in strange]
    other += [f"'{second}' is not read, since '{called[ours]}' is the {ours}" for second, ours in doubles.items()]
    rest = [name for name in unused if name not in doubles]
    other += [f"without a role: {listed(rest)}"] if rest else []
    return [f"Columns of {file}: {'; '.join(other)}."] if other else []

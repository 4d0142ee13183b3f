"""Which records of a survey a figure shows."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from leopardpop.data.events import independence_interval, independent_events
from leopardpop.data.names import did_you_mean
from leopardpop.data.selection import keep_identified, keep_life_stage, records_of_species
from leopardpop.errors import DataError, DataWarning
from leopardpop.words import joined

if TYPE_CHECKING:
    from typing import Any

    import pandas as pd

    from leopardpop.data.survey import Survey

__all__ = ["animals_of", "events_of", "records_of", "synthetic"]

SYNTHETIC = "Synthetic: nobody took these records."
ADULTS = ("adult", "subadult")


def records_of(survey: Survey, species: str | Sequence[str] | None) -> pd.DataFrame:
    """Records of a species, or of several; None: all.

    Raises
    ------
    DataError
        If there is none.
    """
    records = survey.records
    if species is None:
        return records
    wanted = [species] if isinstance(species, str) else list(species)
    chosen = records[records["species"].isin(wanted)]
    if chosen.empty:
        known = joined(sorted(records["species"].dropna().unique()))
        hint = did_you_mean(str(wanted[0]), records["species"].dropna().unique()) if wanted else ""
        raise DataError(f"there is no record of {joined(wanted)}; species are {known}.{hint}", offenders=wanted)
    return chosen


def events_of(survey: Survey, records: pd.DataFrame, independence: Any) -> pd.DataFrame:
    """First records of the events: within `independence` of the record before, at a station, is the same event.

    Groups are station, species and individual; a record without an individual has one of its own name.
    """
    groups = [_codes(records[name]) for name in ("station", "species", "individual")]
    first = independent_events(groups, survey.clock.instants(records["timestamp"]), independence_interval(independence))
    return records[first]


def _codes(column: pd.Series[Any]) -> NDArray[np.intp]:
    import pandas as pd

    return np.asarray(pd.factorize(column)[0], dtype=np.intp)


def animals_of(survey: Survey, species: str | Sequence[str] | None) -> pd.DataFrame:
    """Records of identified animals that are not cubs, in the order of time.

    Raises
    ------
    DataError
        If no record has an identity, or there are several species and none was named.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)  # the history that is made of them says it
        ledger = records_of_species(survey.records, species)
        keep_life_stage(ledger, ADULTS)
        keep_identified(ledger)
    return ledger.records[ledger.open].sort_values("timestamp", kind="stable", ignore_index=True)


def synthetic(survey: Survey) -> str:
    """Sentence of a caption where the survey was simulated, else nothing."""
    return SYNTHETIC if survey.is_synthetic else ""

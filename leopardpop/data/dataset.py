"""The dataset inside a capture history: sessions joined, taken apart again, and read back from a file."""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from leopardpop.data.covariates import covariate_table, from_coordinate, to_coordinate
from leopardpop.data.flanks import VARIABLES, dataset_flanks, join_flanks
from leopardpop.data.names import did_you_mean, listed
from leopardpop.data.parts import DETECTORS, CheckedParts, SessionParts, check_parts
from leopardpop.data.varying import join_varying, occasion_covariates, varying_names, visit_covariates
from leopardpop.errors import DataError

__all__ = ["adopt_dataset", "join_parts", "join_sessions", "session_parts"]

TYPES: dict[str, tuple[tuple[str, ...], type[np.generic]]] = {
    "individual": (("individual",), np.str_),
    "individual_session": (("individual",), np.str_),
    "animal": (("individual",), np.str_),
    "exposure": (("individual",), np.int64),
    "removed": (("individual",), np.bool_),
    "station": (("station",), np.str_),
    "station_session": (("station",), np.str_),
    "station_name": (("station",), np.str_),
    "x": (("station",), np.float64),
    "y": (("station",), np.float64),
    "effort": (("station", "occasion"), np.float64),
    "occasion": (("occasion",), np.str_),
    "session": (("session",), np.str_),
    "n_occasions": (("session",), np.int64),
    "occasion_label": (("session", "occasion"), np.str_),
    "detection_individual": (("detection",), np.int64),
    "detection_station": (("detection",), np.int64),
    "detection_occasion": (("detection",), np.int64),
    "detection_count": (("detection",), np.int64),
}
DATA_VARIABLES = [
    "detection_individual",
    "detection_station",
    "detection_occasion",
    "detection_count",
    "effort",
    "exposure",
    "removed",
    "n_occasions",
]
RESERVED = frozenset(TYPES) | set(VARIABLES) | {"detection", "occasion_start", "cell", "chain", "draw"}
"""Names that a covariate cannot have."""

ATTRIBUTES = ("detector", "effort_unit", "crs")


def join_parts(parts: Sequence[SessionParts], detector: str, effort_unit: str, crs: str | None) -> xr.Dataset:
    """Check sessions and join them into one dataset.

    Raises
    ------
    DataError
        If a session contradicts itself, two have the same label, there is none, or the detector is unknown.
    """
    if detector not in DETECTORS:
        hint = did_you_mean(detector, DETECTORS)
        raise DataError(f"detector='{detector}' is not known; detectors are {listed(DETECTORS)}.{hint}")
    labels = [part.session for part in parts]
    if not labels or len(set(labels)) < len(labels):
        raise DataError(f"a history needs sessions with different labels; found {listed(labels)}.", offenders=labels)
    attributes = {"detector": detector, "effort_unit": effort_unit, "crs": crs or ""}
    return join_sessions([check_parts(part, detector) for part in parts], attributes)


def join_sessions(sessions: Sequence[CheckedParts], attributes: dict[str, str]) -> xr.Dataset:
    """Join sessions into one dataset with read-only arrays.

    Parameters
    ----------
    sessions
        One or more sessions, in order.
    attributes
        ``detector``, ``effort_unit`` and ``crs`` ("" if unknown).

    Returns
    -------
    xarray.Dataset
        Dims individual, station, occasion, detection and session. Labels are "session/label" if there are several
        sessions; ``animal`` and ``station_name`` are the plain ones.
    """
    several = len(sessions) > 1
    values = _labels(sessions, several) | _numbers(sessions) | _occasions(sessions)
    variables = {name: (TYPES[name][0], np.asarray(value, TYPES[name][1])) for name, value in values.items()}
    variables |= _covariates(sessions, "station") | _covariates(sessions, "individual")
    variables |= join_varying(sessions)
    variables |= {name: (("detection",), values) for name, values in join_flanks(sessions).items()}
    _check_different(sessions)
    starts = _occasion_starts(sessions)
    if starts is not None:
        variables["occasion_start"] = (("session", "occasion"), starts)
    return _assemble(variables, attributes)


def _assemble(variables: dict[str, tuple[tuple[str, ...], NDArray[Any]]], attributes: dict[str, str]) -> xr.Dataset:
    for _, array in variables.values():
        array.flags.writeable = False
    dataset = xr.Dataset(
        {name: variables[name] for name in (*DATA_VARIABLES, *VARIABLES) if name in variables},
        coords={name: variable for name, variable in variables.items() if name not in {*DATA_VARIABLES, *VARIABLES}},
        attrs=attributes,
    )
    for name in ("individual", "station", "occasion", "session"):
        if not dataset.indexes[name].is_unique:
            twice = dataset.indexes[name][dataset.indexes[name].duplicated()][0]
            raise DataError(f"{name} '{twice}' occurs twice once the session is part of its label. Rename one.")
    for name, unit in (("x", "m"), ("y", "m"), ("effort", attributes["effort_unit"])):
        dataset[name].attrs["units"] = unit
    return dataset


def _labels(sessions: Sequence[CheckedParts], several: bool) -> dict[str, list[str]]:
    prefixes = [f"{part.session}/" if several else "" for part in sessions]
    pairs = list(zip(prefixes, sessions, strict=True))
    return {
        "individual": [prefix + label for prefix, part in pairs for label in part.individuals],
        "individual_session": [part.session for part in sessions for _ in part.individuals],
        "animal": [label for part in sessions for label in part.individuals],
        "station": [prefix + label for prefix, part in pairs for label in part.stations],
        "station_session": [part.session for part in sessions for _ in part.stations],
        "station_name": [label for part in sessions for label in part.stations],
        "session": [part.session for part in sessions],
    }


def _numbers(sessions: Sequence[CheckedParts]) -> dict[str, NDArray[Any]]:
    animals = np.cumsum([0, *(len(part.individuals) for part in sessions)])
    stations = np.cumsum([0, *(len(part.stations) for part in sessions)])
    xy = np.concatenate([part.xy for part in sessions])
    numbered = list(enumerate(sessions))
    return {
        "x": xy[:, 0],
        "y": xy[:, 1],
        "effort": _effort(sessions),
        "exposure": np.concatenate([part.exposure for part in sessions]),
        "removed": np.concatenate([part.removed for part in sessions]),
        "detection_individual": np.concatenate([part.individual + animals[i] for i, part in numbered]),
        "detection_station": np.concatenate([part.station + stations[i] for i, part in numbered]),
        "detection_occasion": np.concatenate([part.occasion for part in sessions]),
        "detection_count": np.concatenate([part.count for part in sessions]),
    }


def _effort(sessions: Sequence[CheckedParts]) -> NDArray[np.float64]:
    S = max(len(part.occasions) for part in sessions)
    padded = [np.pad(part.effort, ((0, 0), (0, S - part.effort.shape[1])), constant_values=np.nan) for part in sessions]
    return np.concatenate(padded)


def _occasions(sessions: Sequence[CheckedParts]) -> dict[str, list[Any]]:
    longest = max((part.occasions for part in sessions), key=len)
    shared = all(part.occasions == longest[: len(part.occasions)] for part in sessions)
    return {
        "occasion": list(longest) if shared else [str(s + 1) for s in range(len(longest))],
        "occasion_label": [[*part.occasions, *[""] * (len(longest) - len(part.occasions))] for part in sessions],
        "n_occasions": [len(part.occasions) for part in sessions],
    }


def _occasion_starts(sessions: Sequence[CheckedParts]) -> NDArray[np.datetime64] | None:
    if all(part.occasion_start is None for part in sessions):
        return None
    S = max(len(part.occasions) for part in sessions)
    starts = np.full((len(sessions), S), np.datetime64("NaT", "ns"))
    for row, part in zip(starts, sessions, strict=True):
        if part.occasion_start is not None:
            row[: len(part.occasions)] = part.occasion_start
    return starts


def _covariates(sessions: Sequence[CheckedParts], of: str) -> dict[str, tuple[tuple[str, ...], NDArray[Any]]]:
    frames = [getattr(part, f"{of}_covariates") for part in sessions]
    _check_names(frames, of, taken=RESERVED)
    if of == "individual":
        _check_names(frames, of, taken={str(name) for part in sessions for name in part.station_covariates})
    names = list(dict.fromkeys(str(name) for frame in frames for name in frame))
    return {name: ((of,), to_coordinate(_stack([frame.get(name) for frame in frames], frames))) for name in names}


def _check_different(sessions: Sequence[CheckedParts]) -> None:
    """Refuse a covariate of occasions or visits with the name of another covariate."""
    others = [table for part in sessions for table in (part.station_covariates, part.individual_covariates)]
    taken = {str(name) for table in others for name in table}
    occasions = [part.occasion_covariates for part in sessions]
    _check_names(occasions, "occasion", RESERVED | taken)
    taken |= {str(name) for frame in occasions for name in frame}
    _check_names([part.visit_covariates for part in sessions], "visit", RESERVED | taken)


def _check_names(frames: Sequence[Iterable[Any]], of: str, taken: Container[str]) -> None:
    for name in dict.fromkeys(str(name) for frame in frames for name in frame):
        if name in taken or "/" in name or not name:
            why = "that a file cannot hold" if "/" in name or not name else "that means something else in a history"
            better = f"{of}_{name.replace('/', '_per_')}"
            hint = " If it is the effort, pass effort='effort'." if name == "effort" else ""
            raise DataError(
                f"{of} covariate '{name}' has a name {why}. Rename it, e.g. '{better}'.{hint}", offenders=[name]
            )


def _stack(columns: Sequence[pd.Series[Any] | None], frames: Sequence[pd.DataFrame]) -> pd.Series[Any]:
    """Stack one covariate over sessions; it is missing where a session does not have it, text where any says text."""
    present = [column for column in columns if column is not None]
    text = any(column.dtype != np.float64 for column in [column for column in present if len(column)] or present)
    values: list[Any] = []
    for column, frame in zip(columns, frames, strict=True):
        if column is None:
            values += [None if text else np.nan] * len(frame)
        else:
            values += _texts(column) if text else column.tolist()
    return pd.Series(values, dtype=object if text else np.float64)


def _texts(column: pd.Series[Any]) -> list[str | None]:
    if column.dtype != np.float64:
        return list(column)
    return [None if np.isnan(value) else f"{value:.15g}" for value in column]


def session_parts(dataset: xr.Dataset, session: str) -> CheckedParts:
    """Take one session out of a dataset that :func:`join_sessions` made."""
    animals = np.flatnonzero(dataset["individual_session"].values == session)
    stations = np.flatnonzero(dataset["station_session"].values == session)
    position = int(np.flatnonzero(dataset["session"].values == session)[0])
    S = int(dataset["n_occasions"].values[position])
    rows = np.flatnonzero(np.isin(dataset["detection_station"].values, stations))
    starts = dataset["occasion_start"].values[position, :S] if "occasion_start" in dataset.coords else None
    parts = CheckedParts(
        session=session,
        individuals=tuple(dataset["animal"].values[animals].tolist()),
        stations=tuple(dataset["station_name"].values[stations].tolist()),
        xy=np.stack([dataset["x"].values[stations], dataset["y"].values[stations]], axis=1),
        effort=dataset["effort"].values[stations, :S],
        individual=np.searchsorted(animals, dataset["detection_individual"].values[rows]),
        station=np.searchsorted(stations, dataset["detection_station"].values[rows]),
        occasion=dataset["detection_occasion"].values[rows].astype(np.intp),
        count=dataset["detection_count"].values[rows],
        exposure=dataset["exposure"].values[animals].astype(np.intp),
        removed=dataset["removed"].values[animals],
        occasions=tuple(dataset["occasion_label"].values[position, :S].tolist()),
        occasion_start=None if starts is None or np.isnat(starts).all() else starts,
        station_covariates=covariates(dataset, "station", stations),
        individual_covariates=covariates(dataset, "individual", animals),
        occasion_covariates=occasion_covariates(dataset, position, S),
        visit_covariates=visit_covariates(dataset, stations, S),
        flanks=dataset_flanks(dataset, rows),
    )
    for name in ("xy", "effort", "individual", "station", "occasion", "count", "exposure", "removed"):
        getattr(parts, name).flags.writeable = False
    return parts


def covariate_names(dataset: xr.Dataset, of: str) -> list[str]:
    """Return the names of the covariates of "station" or "individual"."""
    return [str(name) for name, values in dataset.coords.items() if values.dims == (of,) and name not in RESERVED]


def covariates(dataset: xr.Dataset, of: str, rows: NDArray[np.intp] | slice = slice(None)) -> pd.DataFrame:
    """Return the covariates of some rows of "station" or "individual" as a table."""
    columns = {name: from_coordinate(dataset[name].values[rows]) for name in covariate_names(dataset, of)}
    return covariate_table(columns, len(dataset[of].values[rows]))


def adopt_dataset(dataset: xr.Dataset) -> xr.Dataset:
    """Return a dataset from elsewhere (a file) in the types that :func:`join_sessions` gives, with read-only arrays.

    Raises
    ------
    DataError
        If a variable or an attribute is missing: it is not the dataset of a capture history.
    """
    missing = [name for name in TYPES if name not in dataset.variables]
    missing += [name for name in ATTRIBUTES if name not in dataset.attrs]
    if missing:
        raise DataError(
            f"this is not the dataset of a capture history: it has no {', '.join(missing)}. "
            "Use CaptureHistory.from_tables for tables.",
            offenders=missing,
        )
    variables = {name: (dims, _typed(dataset, name, dims, dtype)) for name, (dims, dtype) in TYPES.items()}
    for of in ("station", "individual"):
        for name in covariate_names(dataset, of):
            dtype = np.float64 if np.issubdtype(dataset[name].dtype, np.number) else np.str_
            variables[name] = ((of,), _typed(dataset, name, (of,), dtype))
    for name, dims in varying_names(dataset).items():
        dtype = np.float64 if np.issubdtype(dataset[name].dtype, np.number) else np.str_
        variables[name] = (dims, _typed(dataset, name, dims, dtype))
    if set(VARIABLES) <= set(dataset.variables):
        variables |= {name: (("detection",), _typed(dataset, name, ("detection",), np.int64)) for name in VARIABLES}
    if "occasion_start" in dataset.variables:
        starts = dataset["occasion_start"].transpose("session", "occasion").values
        variables["occasion_start"] = (("session", "occasion"), starts.astype("datetime64[ns]"))
    _check_positions({name: values for name, (_, values) in variables.items()})
    return _assemble(variables, {name: str(dataset.attrs[name]) for name in ATTRIBUTES})


def _check_positions(values: dict[str, NDArray[Any]]) -> None:
    """Refuse detections of no individual, at no station, on no occasion, and sessions longer than the effort."""
    longest = values["effort"].shape[1]
    bounds = {
        "detection_individual": (0, len(values["individual"]) - 1),
        "detection_station": (0, len(values["station"]) - 1),
        "detection_occasion": (0, longest - 1),
        "detection_count": (1, np.iinfo(np.int64).max),
        "n_occasions": (0, longest),
    }
    for name, (low, high) in bounds.items():
        bad = np.flatnonzero((values[name] < low) | (values[name] > high))
        if len(bad):
            raise DataError(
                f"this is not the dataset of a capture history: {name} has {values[name][bad[0]]} at position "
                f"{bad[0]}, and goes from {low} to {high} there.",
                offenders=bad.tolist(),
            )


def _typed(dataset: xr.Dataset, name: str, dims: tuple[str, ...], dtype: type[np.generic]) -> NDArray[Any]:
    return np.array(dataset[name].transpose(*dims).values, dtype=dtype)

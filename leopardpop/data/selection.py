"""Which records of a survey count, and what becomes of the others."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from difflib import SequenceMatcher
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from leopardpop.data.names import did_you_mean, listed
from leopardpop.data.notices import notice
from leopardpop.data.vocabulary import animals_in, seems_nothing
from leopardpop.data.young import GROWN, YOUNG, check_stages
from leopardpop.errors import DataError, DataWarning
from leopardpop.words import counted

__all__ = [
    "Ledger",
    "individual_sexes",
    "keep_flank",
    "keep_identified",
    "keep_life_stage",
    "records_of_several",
    "records_of_species",
]

Booleans = NDArray[np.bool_]

SAME_SPECIES = 0.9
"""Likeness of two names of which one is probably a misspelling of the other."""
OLD = "old"
"""A life stage of grown animals, which the default leaves out all the same."""
MISSPELT = 0.8
"""Likeness above which a name that does not occur is refused, because one that occurs was probably meant."""


class Ledger:
    """What becomes of each record: decided once, with the reason.

    Parameters
    ----------
    records
        The records to account for; ``records`` numbers them from 0.

    Examples
    --------
    >>> ledger = Ledger(pd.DataFrame({"source": "a.csv", "line": [2, 3]}))
    >>> ledger.drop([True, False], "not identified")
    >>> ledger.open.tolist()
    [False, True]
    """

    def __init__(self, records: pd.DataFrame) -> None:
        self.records = records.reset_index(drop=True)
        self._action = np.full(len(records), "", dtype=object)
        self._reason = np.full(len(records), "", dtype=object)

    @property
    def open(self) -> Booleans:
        """Which records are not decided yet, (n,)."""
        return np.asarray(self._action == "")

    def drop(self, which: ArrayLike, reason: ArrayLike) -> None:
        """Drop records, if they are still open; one reason, or one for each record."""
        self._decide(which, "dropped", reason)

    def merge(self, which: ArrayLike, reason: ArrayLike) -> None:
        """Merge records with an earlier one, if they are still open."""
        self._decide(which, "merged", reason)

    def keep(self, which: ArrayLike, reason: ArrayLike = "") -> None:
        """Keep records, if they are still open."""
        self._decide(which, "kept", reason)

    def settle(self, kept: NDArray[np.intp], reasons: ArrayLike, merged: str) -> None:
        """Keep some records (positions), each for its reason in (n,), and merge all others that are still open."""
        which = np.zeros(len(self.records), dtype=bool)
        which[kept] = True
        self.keep(which, reasons)
        self.merge(~which, merged)

    def _decide(self, which: ArrayLike, action: str, reason: ArrayLike) -> None:
        rows = np.asarray(which, dtype=bool) & self.open
        self._action[rows] = action
        self._reason[rows] = np.broadcast_to(np.asarray(reason, dtype=object), len(rows))[rows]

    def audit(self) -> pd.DataFrame:
        """Return source, line, action and reason of every record."""
        return self.records[["source", "line"]].assign(action=self._action, reason=self._reason)


def records_of_species(
    records: pd.DataFrame, species: str | Sequence[str] | Mapping[str, str | Sequence[str]] | None
) -> Ledger:
    """Open a ledger of the records of a species.

    Records under a name that looks like a misspelling, or a subspecies, are in it too: dropped, with a warning.

    Parameters
    ----------
    records
        All records.
    species
        A name, or several that stand for one species; None if there is one only.

    Raises
    ------
    DataError
        If there are several species and none is named, or the name does not occur but one like it does.
    """
    _check_names(species)
    names = [name for group in _groups(species).values() for name in group] if isinstance(species, Mapping) else species
    several = names if names is None or isinstance(names, str) else {"": names}
    return records_of_several(records, several)[0]


def records_of_several(
    records: pd.DataFrame, species: str | Sequence[str] | Mapping[str, str | Sequence[str]] | None
) -> tuple[Ledger, NDArray[np.intp], list[str]]:
    """Open a ledger of the records of one or several species.

    Parameters
    ----------
    records
        All records.
    species
        A name, several, or label -> the names that stand for one species; None if there is one only.

    Returns
    -------
    ledger, kind, labels
        Records; which of the species each is of, (n,); their labels, "" if the records name no species.

    Raises
    ------
    DataError
        If there are several species and none is named, one is named twice, or a name does not occur but one like it
        does.
    """
    _check_names(species)
    found = [str(name) for name in records["species"].dropna().unique()]
    if species is None:
        if len(found) > 1:
            raise DataError(f"The records are of {len(found)} species: {listed(found)}. Say which with species=.")
        return Ledger(records), np.zeros(len(records), dtype=np.intp), found or [""]
    groups = _groups(species)
    kind_of = _kinds(groups, found)
    names = [name for group in groups.values() for name in group]
    alike = [name for name in found if name not in kind_of and any(_alike(name, ask) for ask in names)]
    ledger = Ledger(records[records["species"].isin([*kind_of, *alike])])
    _drop_alike(ledger, alike, groups)
    kind = np.array(ledger.records["species"].map(kind_of).fillna(0), dtype=np.intp)
    return ledger, kind, list(groups)


def _check_names(species: Any) -> None:
    """Refuse what are no names of species."""
    given = species.values() if isinstance(species, Mapping) else [species]
    for each in given:
        words = [each] if each is None or isinstance(each, str) else each
        if not isinstance(words, Iterable) or isinstance(words, bytes):
            raise DataError(f"species={species!r}: {each!r} is no name. Give text, or several.", offenders=[each])
        if wrong := [word for word in words if word is not None and not isinstance(word, str)]:
            raise DataError(f"species={species!r}: {wrong[0]!r} is no name. Give text, or several.", offenders=wrong)


def _groups(species: str | Sequence[str] | Mapping[str, str | Sequence[str]]) -> dict[str, list[str]]:
    """Label -> names of each species that is asked for."""
    if isinstance(species, str):
        return {species: [species]}
    asked = species if isinstance(species, Mapping) else {name: name for name in species}
    groups = {str(name): [names] if isinstance(names, str) else list(names) for name, names in asked.items()}
    if not groups or not all(groups.values()):
        raise DataError(f"species={species!r} names no species. Give a name, or several.")
    return groups


def _kinds(groups: Mapping[str, list[str]], found: list[str]) -> dict[str, int]:
    """Name in the records -> number of the species that was asked for."""
    kinds: dict[str, int] = {}
    for number, asked in enumerate(groups.values()):
        folded = {name.casefold() for name in asked}
        same = [name for name in found if name.casefold() in folded]
        _check_species(asked, same, found)
        twice = [name for name in same if name in kinds]
        if twice:
            raise DataError(f"species= names '{twice[0]}' twice. A record is of one species.", offenders=twice)
        kinds |= dict.fromkeys(same, number)
    return kinds


def _drop_alike(ledger: Ledger, alike: list[str], groups: Mapping[str, list[str]]) -> None:
    asked = [name for group in groups.values() for name in group]
    names = ledger.records["species"]
    for name in alike:
        ledger.drop(names == name, f"species '{name}'")
    if alike:
        n = int(names.isin(alike).sum())
        message = (
            f"{counted(n, 'record')} of {listed(alike)} {'is' if n == 1 else 'are'} not counted as {listed(asked)}. "
        )
        notice(f"{message}If it is the same: species={_pooled(groups, alike)}.", DataWarning)


def _pooled(groups: Mapping[str, list[str]], alike: list[str]) -> dict[str, list[str]]:
    """Label -> names of each species, with those that are like one of them: what pools them in every history."""
    pooled: dict[str, list[str]] = {}
    for label, asked in groups.items():
        new = [name for name in alike if any(_alike(name, ask) for ask in asked)]
        pooled[label or asked[0]] = [*asked, *new]
        alike = [name for name in alike if name not in new]
    return pooled


def _check_species(asked: list[str], same: list[str], found: list[str]) -> None:
    if same:
        return
    hint = did_you_mean(asked[0], [name for name in found if _ratio(name, asked[0]) > MISSPELT])
    if hint:
        raise DataError(f"No record is of '{asked[0]}'.{hint} Species: {listed(found)}.", offenders=asked)
    message = f"No record is of {listed(asked)}: the history has no animals. Species: {listed(found)}."
    notice(message, DataWarning)


def _alike(name: str, asked: str) -> bool:
    return name.casefold().startswith(f"{asked.casefold()} ") or _ratio(name, asked) > SAME_SPECIES


def _ratio(name: str, other: str) -> float:
    return SequenceMatcher(None, name.casefold(), other.casefold()).ratio()


def keep_life_stage(ledger: Ledger, stages: Sequence[str] | None) -> None:
    """Drop records of other life stages; unknown ones stay, unless all others of the animal are of such a stage."""
    if stages is None:
        return
    if isinstance(stages, str) or not isinstance(stages, Iterable):
        raise DataError(f'life_stage={stages!r} must be several words: ("{stages}",). None takes all.')
    stage = ledger.records["life_stage"]
    known = stage.notna()
    check_stages("life_stage", stages, stage)
    wanted = stage.isin([word.casefold() for word in stages])
    other = known & ~wanted
    ledger.drop(other, ("life stage " + stage.astype(object).where(known, "")).to_numpy())
    individual = ledger.records["individual"]
    dependent = set(individual[other].dropna()) - set(individual[wanted].dropna())
    ledger.drop(individual.isin(dependent), "life stage unknown, of an animal that is otherwise of another stage")


def keep_identified(ledger: Ledger, *, asked: Sequence[str] = ()) -> None:
    """Drop records without an identity.

    Parameters
    ----------
    ledger
        Records of the wanted life stages are open.
    asked
        Life stages that were asked for by name.

    Raises
    ------
    DataError
        If there are records, but none has one.

    Warns
    -----
    DataWarning
        If animals are left that are known as young only, or only in stages that nobody asked for by name; if a label
        says that nobody knows the animal, or holds the labels of others.
    """
    missing = ledger.records["individual"].isna().to_numpy(bool)
    left = ledger.open
    if left.any() and missing[left].all():
        raise DataError(
            f"individual is empty in all of {counted(int(left.sum()), 'record')}: occupancy is possible, "
            "capture-recapture is not. Identify the animals and fill in individual."
        )
    ledger.drop(missing, "not identified")
    _say_young(ledger, {word.casefold() for word in asked} - set(YOUNG))
    _say_doubtful(ledger)


def _say_young(ledger: Ledger, asked: Collection[str]) -> None:
    rows = ledger.records.loc[ledger.open, ["individual", "life_stage"]].dropna()
    grown = rows["life_stage"].isin([*GROWN, OLD, *asked])
    small = rows[~rows["individual"].isin(set(rows["individual"][grown]))]
    cubs = sorted(set(small["individual"]))
    if cubs:
        are = "is counted as an individual" if len(cubs) == 1 else "are counted as individuals"
        stages = ", ".join(sorted(set(small["life_stage"])))
        notice(
            f"{counted(len(cubs), 'animal')} known as young only ({stages}) {are}: {listed(cubs, 20)}. "
            "Young are where their mother is, and N would count them beside her: the default life_stage has none.",
            DataWarning,
        )


def _say_doubtful(ledger: Ledger) -> None:
    """Warn of labels that are counted as one animal and are none, or several."""
    labels = sorted(set(map(str, ledger.records.loc[ledger.open, "individual"].dropna())))
    nobody = [label for label in labels if seems_nothing(label)]
    several = [label for label in labels if len(parts := animals_in(label)) > 1 and set(parts) & set(labels)]
    if nobody:
        notice(
            f"{listed(nobody)} {'is' if len(nobody) == 1 else 'are'} counted as animals: if the label says that nobody "
            "knows who it was, leave individual empty.",
            DataWarning,
        )
    if several:
        notice(
            f"{listed(several)} {'is' if len(several) == 1 else 'are'} counted beside the animals that the label "
            "names. Give each animal a row of its own, with the same time.",
            DataWarning,
        )


def keep_flank(ledger: Ledger, flank: str | None) -> None:
    """Keep the records by which an animal can be told from all others.

    Parameters
    ----------
    ledger
        Records with an identity are open.
    flank
        "left" or "right": records of that flank and of both. None: whole identities; those known from one flank only
        are dropped if left ones and right ones occur, since one animal may then be in twice. "each": all of them,
        for :class:`leopardpop.TwoFlanks`.
    """
    side = ledger.records["flank"]
    if flank is None:
        _keep_whole(ledger)
    elif flank == "each" and side[ledger.open].notna().any():
        return
    elif ledger.open.any() and side[ledger.open].isna().all():
        raise DataError(f"flank={flank!r} is asked for, but no record says which flank it shows.")
    else:
        ledger.drop(~side.isin([flank, "both"]), ("flank " + side.astype(object).fillna("unknown")).to_numpy())


def _keep_whole(ledger: Ledger) -> None:
    rows = ledger.records.loc[ledger.open, ["individual", "flank"]].dropna().drop_duplicates()
    sides = rows.groupby("individual", sort=False)["flank"].agg(frozenset)
    one_sided = {side: set(sides.index[sides == frozenset({side})]) for side in ("left", "right")}
    if not all(one_sided.values()):
        return
    individual = ledger.records["individual"]
    for side, animals in one_sided.items():
        ledger.drop(individual.isin(animals), f"{side} flank only, never linked")
    left, right = (len(one_sided[side]) for side in ("left", "right"))
    unknown = set(individual[ledger.open]) - set(sides.index)
    also = f" {_of_no_flank(len(unknown))}" if unknown else ""
    notice(
        f"{left + right} identities are left out: {left} known from the left flank only, {right} from the right only, "
        f'as one animal may be among both. flank="left" (or "right") counts every animal once.{also}',
        DataWarning,
    )


def _of_no_flank(n: int) -> str:
    are = f"{n} identities whose flank is not told are" if n > 1 else "1 identity whose flank is not told is"
    return f"{are} counted as whole: say the flank if it is from one side."


def individual_sexes(ledger: Ledger) -> pd.Series[str]:
    """Sex of each animal among the open records: label -> "F", "M" or None.

    Raises
    ------
    DataError
        If an animal is recorded as both.
    """
    rows = ledger.records.loc[ledger.open, ["individual", "sex", "source", "line"]]
    known = rows.dropna(subset=["sex"]).drop_duplicates(["individual", "sex"])
    both = known["individual"].duplicated(keep=False)
    if both.any():
        offenders = known[both].sort_values("individual")
        name = offenders["individual"].iloc[0]
        where = ", ".join(
            f"{row.sex} in {row.source} line {row.line}"
            for row in offenders[offenders["individual"] == name].itertuples()
        )
        raise DataError(
            f"Animal '{name}' has two sexes: {where} ({counted(int(both.sum() // 2), 'animal')} in all). Correct it.",
            offenders=offenders,
        )
    sexes = pd.Series(None, index=pd.Index(sorted(rows["individual"].unique()), dtype=object), dtype=object)
    sexes[known["individual"].to_list()] = known["sex"].to_list()
    return sexes

"""What became of the known answers, as a person holds it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import Any

import pandas as pd

from leopardpop._version import __version__
from leopardpop.checks.known.answer import Answer
from leopardpop.words import counted, whole

__all__ = ["Checked", "Verification"]

COLUMNS = ["source", "survey", "what", "expected", "found", "difference", "verdict", "note"]
WITHOUT_DATA = (
    "Published surveys were not asked: their data are not here. Set LEOPARDPOP_SHARED to the folder that has them."
)


@dataclass(frozen=True)
class Checked:
    """A question with its answers, or with the reason why there are none.

    Parameters
    ----------
    source, name
        Where the answers come from, and which survey and model.
    answers
        What was known and found.
    note
        Why there are no answers.
    failed
        Whether they should have been there.
    """

    source: str
    name: str
    answers: tuple[Answer, ...]
    note: str = ""
    failed: bool = False

    @property
    def holds(self) -> bool:
        """Whether nothing differs."""
        return not self.failed and all(answer.holds for answer in self.answers)

    def rows(self) -> list[tuple[object, ...]]:
        """Rows of the table."""
        head = (self.source, self.name)
        if not self.answers:
            nothing = (float("nan"),) * 3
            return [(*head, "", *nothing, "fails" if self.failed else "not asked", self.note)]
        return [
            (*head, a.what, a.expected, a.found, a.difference, "holds" if a.holds else "DIFFERS", "")
            for a in self.answers
        ]


@dataclass(frozen=True, repr=False)
class Verification:
    """Known answers beside what this installation says; made by :func:`leopardpop.verify`.

    Parameters
    ----------
    checked
        Each question with its answers.
    quick
        Whether searches and chains were left out.
    shared
        Whether there was a folder of published data.

    Examples
    --------
    >>> import leopardpop as lp
    >>> lp.verify(quick=True, shared="").table().columns.tolist()[2:6]
    ['what', 'expected', 'found', 'difference']
    """

    checked: tuple[Checked, ...]
    quick: bool
    shared: bool

    @property
    def holds(self) -> bool:
        """Whether no answer differs and none failed; what could not be asked for want of data does not count."""
        return all(each.holds for each in self.checked)

    def table(self) -> pd.DataFrame:
        """Every answer.

        Returns
        -------
        pandas.DataFrame
            Columns source, survey, what, expected, found, difference, verdict ("holds", "DIFFERS", "fails", "not
            asked") and note.
        """
        return pd.DataFrame([row for each in self.checked for row in each.rows()], columns=COLUMNS)

    def __repr__(self) -> str:
        """Print the table and what it comes to."""
        shown = self.table()
        lines = []
        for (source, survey), part in shown.groupby(["source", "survey"], sort=False):
            lines.append(f"{survey}   ({source})")
            lines += [f"   {_line(row)}" for row in part.to_dict("records")]
        return "\n".join([f"leopardpop {__version__}: known answers", "", *lines, "", self._foot()])

    def _repr_html_(self) -> str:
        body = self.table().to_html(index=False, border=0, escape=True, float_format=_number)
        return f"{body}<p>{escape(self._foot())}</p>"

    def _foot(self) -> str:
        answers = [answer for each in self.checked for answer in each.answers]
        wrong = sum(not answer.holds for answer in answers)
        failed = sum(each.failed for each in self.checked)
        missing = sum(not each.answers for each in self.checked) - failed
        said = f"{whole(len(answers) - wrong)} of {counted(len(answers), 'answer')} hold"
        said += f"; {counted(failed, 'question')} failed" if failed else ""
        said += f"; {counted(missing, 'question')} not asked" if missing else ""
        parts = [f"{said}.", *([] if self.shared else [WITHOUT_DATA])]
        if not self.holds:
            parts.append("THIS INSTALLATION DIFFERS from the one that was tested: do not trust its numbers; report it.")
        return " ".join(parts)


def _line(row: Mapping[Any, Any]) -> str:
    if row["note"]:
        return f"{row['verdict']:<9} {row['note']}"
    numbers = f"expected {_number(row['expected'])}, found {_number(row['found'])}"
    return f"{row['verdict']:<9} {row['what']}: {numbers} (difference {row['difference']:.1e})"


def _number(value: float) -> str:
    return f"{value:.9g}"

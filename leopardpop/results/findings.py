"""One row of the table that says whether a fit can be trusted, and the warnings that come of it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Literal

import pandas as pd

from leopardpop import errors
from leopardpop.data.notices import notice

__all__ = ["Finding", "Verdict", "findings_from_json", "findings_table", "findings_to_json", "warn_of"]

type Verdict = Literal["ok", "note", "warn", "fail"]

COLUMNS = ["quantity", "value", "limit", "verdict", "advice"]


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One quantity that was looked at."""

    quantity: str
    value: float
    limit: float
    """The value at which the verdict changes."""
    verdict: Verdict
    """``"ok"``; ``"note"``: good to know; ``"warn"``: the answer may mislead; ``"fail"``: it was not computed."""
    advice: str
    """What it means and what to do, in words."""
    warning: str = ""
    """Name of the class of warning that is issued for ``"warn"`` and ``"fail"``."""


def findings_table(findings: Iterable[Finding]) -> pd.DataFrame:
    """Table with the columns quantity, value, limit, verdict, advice."""
    return pd.DataFrame([asdict(finding) for finding in findings], columns=[*COLUMNS, "warning"])[COLUMNS]


def findings_to_json(findings: Iterable[Finding]) -> str:
    """Text from which :func:`findings_from_json` makes the same findings."""
    return json.dumps([asdict(finding) for finding in findings])


def findings_from_json(text: str) -> tuple[Finding, ...]:
    """Findings from the text of :func:`findings_to_json`."""
    return tuple(Finding(**record) for record in json.loads(text))


def warn_of(findings: Iterable[Finding]) -> None:
    """Issue one warning for each class that has a finding with the verdict "warn" or "fail"."""
    by_class: dict[str, list[str]] = {}
    for finding in findings:
        if finding.warning and finding.verdict in ("warn", "fail"):
            by_class.setdefault(finding.warning, []).append(finding.advice)
    for name, sentences in by_class.items():
        notice(" ".join(sentences), getattr(errors, name))

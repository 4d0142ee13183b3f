"""Tables of results: parameters, animals by class, diagnostics, provenance."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from leopardpop.models.flank_problem import FlankProblem
from leopardpop.models.states.community import CommunityProblem
from leopardpop.report.blocks import Block, Bullets, Heading, Paragraph, Table
from leopardpop.report.citations import references
from leopardpop.report.quantities import in_units, meaning, symbol
from leopardpop.words import change, estimate, joined, number, probability, trimmed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from leopardpop.report.context import Context, FitContext
    from leopardpop.report.figures import Pictures

__all__ = [
    "check_blocks",
    "class_table",
    "diagnostic_blocks",
    "effect_text",
    "match_blocks",
    "parameter_table",
    "reference_blocks",
]


def parameter_table(context: Context) -> Table:
    """Posterior of every parameter.

    Parameters
    ----------
    context
        What the report is about.
    """
    whole = all(row.whole for row in context.rows)
    rows = []
    for name, row in context.fit.summary().iterrows():
        parameter, bracket, inside = str(name).partition("[")
        if parameter in ("E_N", "N") and not whole:
            continue  # of the whole mask: with a buffer it would grow, and be quoted
        values, unit = in_units([row["median"], row["eti95_lb"], row["eti95_ub"]], str(row["unit"]))
        what = effect_text(parameter, inside[:-1], row) if str(row["unit"]).endswith("scale") else meaning(parameter)
        rows.append([f"{symbol(parameter)}{f' [{inside}' if bracket else ''}", what, values, unit or "–"])
    columns = ["Parameter", "What it is", "Median and 95 %", "Unit"]
    return Table(columns, rows, numeric=(2,), caption="Posterior of the parameters.")


def effect_text(parameter: str, covariate: str, row: object) -> str:
    """Effect of a covariate; with a logarithmic link as a percentage."""
    values: dict[str, float] = dict(row)  # type: ignore[call-overload]
    if not str(values["unit"]).startswith("log scale"):
        return f"effect of {covariate} on {symbol(parameter)}"
    middle, low, high = (float(np.expm1(values[name])) for name in ("median", "eti95_lb", "eti95_ub"))
    return f"one more of {covariate}: {symbol(parameter)} {change(middle, low, high)}"


def class_table(context: Context) -> list[Block]:
    """Animals by class, where the model has classes.

    Parameters
    ----------
    context
        What the report is about.
    """
    column = context.problem.column
    if column is None:
        return []
    realised, expected = context.population.realised, context.population.expected
    rows = []
    for row in context.rows:
        for level in context.problem.levels:
            at = {**row.place, column: level}
            rows.append([*row.place.values(), level, number(realised.sel(at)), estimate(expected.sel(at))])
    names = [*(name.capitalize() for name in context.rows[0].place), column.capitalize()]
    caption = f"Animals by {column} in {context.where}: median and 95 % interval."
    return [Table([*names, "N", "Expected, E[N]"], rows, numeric=(len(names), len(names) + 1), caption=caption)]


# -- trust ------------------------------------------------------------------------------------------------------------
def diagnostic_blocks(context: FitContext) -> list[Block]:
    """Everything that decides whether the fit can be trusted.

    Parameters
    ----------
    context
        What the report is about.
    """
    rows = [
        [each.verdict, each.quantity, _shown(each.value), _shown(each.limit), each.advice]
        for each in context.fit.findings
    ]
    columns = ["Verdict", "Quantity", "Value", "Limit", "In words"]
    words = "note: good to know; warn: the answer may mislead; fail: the posterior was not computed."
    return [
        Heading("Can it be trusted?", "trust"),
        Paragraph(_certificate(context)),
        Table(columns, rows, numeric=(2, 3), verdicts=0, caption=f"Diagnostics. {words}"),
    ]


def check_blocks(context: FitContext) -> list[Block]:
    """Whether the model could have made these data, where that was asked for.

    Parameters
    ----------
    context
        What the report is about.
    """
    if not context.checks or isinstance(context.problem, FlankProblem | CommunityProblem):
        return []
    check = context.fit.check()
    rows = [
        [
            row["verdict"],
            row["statistic"],
            trimmed(row["observed"]),
            _expected(row),
            probability(row["p"]),
            row["advice"],
        ]
        for _, row in check.table().iterrows()
    ]
    columns = ["Verdict", "Statistic", "Observed", "Expected (95 %)", "p", "In words"]
    caption = (
        f"The survey beside {check.replicates} replicates of it at one draw from the posterior. If the model is right, "
        "one such table in ten has a warning."
    )
    return [
        Heading("Could the model have made these data?", "checks"),
        Table(columns, rows, numeric=(2, 3, 4), verdicts=0, caption=caption),
    ]


def sensitivity_blocks(context: FitContext, pictures: Pictures) -> list[Block]:
    """What moves the answer, where that was asked for; without names of animals and stations if they are hidden.

    Parameters
    ----------
    context
        What the report is about.
    pictures
        Draws the tornado.
    """
    if not context.sensitivity:
        return []
    found = context.fit.sensitivity()
    lines = found.summary()
    single = lines["kind"].isin(["animal", "station", "site"])
    lines = lines[~single] if context.hidden else lines
    rows = [
        [row["verdict"], f"{abs(row['sds']):.2f}" if np.isfinite(row["sds"]) else "–", row["words"]]
        for _, row in lines.iterrows()
    ]
    caption = f"What moves {found.quantity}, in posterior sds: refits and importance weights."
    if context.hidden and single.any():
        caption += " What single animals and stations move is left out, since their names may tell places."
    table = Table(["Verdict", "Moves it by", "In words"], rows, numeric=(1,), verdicts=0, caption=caption)
    drawn = [] if context.hidden else [pictures.picture(found.plot(), "sensitivity")]
    return [Heading("What does it hang on?", "sensitivity"), table, *drawn]


def _shown(value: float) -> str:
    return trimmed(value) if np.isfinite(value) else "–"


def _expected(row: Any) -> str:
    return f"{trimmed(row['expected'])} ({trimmed(row['lower'])} to {trimmed(row['upper'])})"


def _certificate(context: FitContext) -> str:
    rest = f"The other rows are about {joined(list(context.looked_at))}."
    if "pareto_k" in context.fit.data_tree.attrs:
        return (
            "The certificate of importance sampling: Pareto k tells how heavy the tail of the weights is. Below its "
            "limit, the weighted draws are draws from the posterior itself and not from an approximation of it; their "
            "worth in independent draws tells how noisy the intervals are. It does not see a mode that no proposal "
            f"visited. {rest}"
        )
    return (
        "R-hat compares the Markov chains with each other and is close to 1 where they agree; effective draws are what "
        f"the chains are worth. {rest}"
    )


# -- who is who -------------------------------------------------------------------------------------------------------
MOST_PAIRS = 20


def match_blocks(context: Context) -> list[Block]:
    """Chances that a left and a right identity are one animal; nothing where identities are animals.

    Parameters
    ----------
    context
        What the report is about.
    """
    if context.problem.knows_animals:
        return []
    matches, seen = context.fit.matches, context.fit.photographed()
    pairs = [[*row[:-1], probability(row[-1])] for row in matches.head(MOST_PAIRS).itertuples(index=False)]
    bounds = [[str(s), *(f"{value:.3g}" for value in row)] for s, *row in seen.itertuples()]
    caption = "Different animals in the photographs: from as many matched as can be to none."
    likeliest = f"The likeliest of {len(matches):,} pairs that may be one animal."
    return [
        Heading("Who is who?", "flanks"),
        Table(["Session", "Least", "Mean", "2.5 %", "97.5 %", "Most"], bounds, numeric=range(1, 6), caption=caption),
        Table(["Session", "Left", "Right", "Pr(one animal)"], pairs, numeric=(3,), caption=likeliest),
    ]


# -- where it comes from ----------------------------------------------------------------------------------------------
PROVENANCE = {
    "leopardpop_version": "leopardpop",
    "code_hash": "Its code, SHA-256",
    "python": "Python",
    "platform": "Platform",
    "numpy_version": "NumPy",
    "scipy_version": "SciPy",
    "inference_library": "Draws by",
    "inference_library_version": "its version",
    "pymc_version": "PyMC (installed)",
    "arviz_version": "ArviZ (installed)",
    "engine": "Engine",
    "seed": "Seed",
    "options_json": "Options",
    "created_at": "Fitted",
    "data_hash": "Data, SHA-256",
    "mask_hash": "Mask, SHA-256",
}


def reference_blocks(context: FitContext) -> list[Block]:
    """References and the versions of the software.

    Parameters
    ----------
    context
        What the report is about.
    """
    attrs = context.fit.data_tree.attrs
    options = {} if "options_json" not in attrs else json.loads(str(attrs["options_json"]))
    shown = {name: label for name, label in PROVENANCE.items() if name in attrs and (name != "options_json" or options)}
    if not context.hidden and attrs.get("crs"):
        shown["crs"] = "Coordinate reference system"
    rows = [[label, str(attrs[name])] for name, label in shown.items()]
    return [
        Heading("References and software", "references"),
        Bullets([reference.text for reference in references(context.fit)]),
        Table(["Provenance", ""], rows, caption=_same(attrs)),
    ]


def _same(attrs: Mapping[str, Any]) -> str:
    needed = ["data", *(["mask"] if "mask_hash" in attrs else []), "model", "seed", "versions"]
    return f"The same {joined(needed)} give the same draws."

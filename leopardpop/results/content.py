"""What a sealed file holds, looked at before it is called a fit.

A seal proves that a file is as it was written, not who wrote it: a stranger can seal whatever he likes. So everything
that a fit reads of itself is read once, here, and an error comes when the file is loaded and not in the middle of work.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from leopardpop.errors import DataError
from leopardpop.words import joined

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["check_content"]

GROUPS = ("posterior", "log_likelihood", "log_prior", "sample_stats", "observed_data", "constant_data")
OF_DRAWS = GROUPS[:4]
NUMBERS = ("seed", "pareto_k", "importance_ess")
VERDICTS = ("ok", "note", "warn", "fail")
ASKED = ("engine", "draws", "chains", "seed")
"""What a fit is asked for that has a place of its own in a file, and is no option."""
JSON_KINDS = {"model_json": dict, "diagnostics_json": list, "audit_json": list, "options_json": dict}


def check_content(fit: Any, components: Iterable[type] = ()) -> None:
    """Read all that a fit says of itself.

    Parameters
    ----------
    fit
        As it was made of a tree from a file.
    components
        Classes of one's own that it may be made of.

    Raises
    ------
    DataError
        If something is not there, or of another kind than it is in a fit.
    ModelError
        If it holds a model that cannot be.
    Exception
        Whatever else the content makes the code stumble over; the caller says that the file is damaged.
    """
    tree = fit.data_tree
    _check_groups(tree)
    _check_attrs(tree.attrs)
    _check_findings(fit.findings)
    _ = fit.history
    if tree.attrs.get("coordinates") != "hidden" and hasattr(fit, "masks"):
        _ = fit.masks
    _check_model(fit, components)
    repr(fit)  # what anybody looks at first


def _check_groups(tree: xr.DataTree) -> None:
    missing = [name for name in GROUPS if name not in tree.children]
    if missing:
        raise DataError(f"the file has no group {joined(missing)}: it does not hold a fit.", offenders=missing)
    sizes = tree["posterior"].sizes
    for name in OF_DRAWS:
        bad = [dim for dim in ("chain", "draw") if tree[name].sizes.get(dim) != sizes.get(dim) or not sizes.get(dim)]
        if bad:
            raise DataError(f"the group {name} has not the {joined(bad)} of a posterior.", offenders=[name])


def _check_attrs(attrs: dict[str, Any]) -> None:
    numbers = [name for name in NUMBERS if name in attrs and not isinstance(attrs[name], int | float)]
    others = [name for name, value in attrs.items() if name not in NUMBERS and not isinstance(value, str | int | float)]
    wrong = [name for name, kind in JSON_KINDS.items() if not isinstance(_json(attrs, name), kind)]
    wrong += ["options_json"] if not wrong and set(ASKED) & set(_json(attrs, "options_json")) else []
    if bad := [*numbers, *others, *wrong]:
        raise DataError(f"the attributes {joined(bad)} are not those of a fit.", offenders=bad)


def _json(attrs: dict[str, Any], name: str) -> Any:
    """Content of a text; what an older version did not write is empty."""
    return json.loads(str(attrs[name])) if name in attrs else JSON_KINDS[name]()


def _check_findings(findings: Any) -> None:
    if not len(findings):
        raise DataError("it has no diagnostics: no engine leaves a fit without a word on its draws.")
    for each in findings:
        texts = (each.quantity, each.advice, each.warning)
        if not (all(isinstance(text, str) for text in texts) and each.verdict in VERDICTS):
            raise DataError(f"a row of the diagnostics is none: {each!r:.200}.")
        _ = float(each.value), float(each.limit)


def _check_model(fit: Any, components: Iterable[type]) -> None:
    """Make the model, unless it needs the class of a component of one's own, which may come later."""
    from leopardpop.results.model_json import FAMILIES, describe_model, foreign_components

    text = str(fit.data_tree.attrs["model_json"])
    family = json.loads(text)["family"]
    if family not in FAMILIES:
        raise DataError(f"{family!r:.60} is no family of models of this version; there are {joined(list(FAMILIES))}.")
    describe_model(text)
    if foreign_components(text) <= {kind.__name__ for kind in components}:
        _ = fit.model

"""A saved fit, made again from what it says of itself."""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Iterable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from leopardpop.data.mask import Mask
from leopardpop.errors import DataError, LeopardpopWarning, ModelError
from leopardpop.results.fit_base import BaseFit
from leopardpop.results.provenance import fingerprint_of
from leopardpop.results.reproduction import Reproduction, compared
from leopardpop.results.storage import load_fit

if TYPE_CHECKING:
    from leopardpop.data.detection_history import DetectionHistory
    from leopardpop.data.history import CaptureHistory

__all__ = ["reproduce"]

ENGINES = ("laplace", "nuts")


def reproduce(
    fit: str | os.PathLike[str] | BaseFit,
    history: CaptureHistory | DetectionHistory | None = None,
    mask: Mask | Mapping[str, Mask] | None = None,
    *,
    components: Iterable[type] = (),
) -> Reproduction:
    """Fit again from what a saved fit says of itself, and compare.

    The model with its formulas and priors, the engine with its options, the seed and the number of draws are those of
    the file. With the same versions on one machine the draws are the same to the last digit; elsewhere the estimates
    agree within Monte Carlo error.

    Parameters
    ----------
    fit
        A file of ``fit.save(...)``, or a fit.
    history
        The data; None: those in the file. They must be the ones that the fit was made of: their fingerprint tells.
    mask
        The mask, or masks by session; None: those in the file. A file with hidden coordinates needs both.
    components
        Classes of one's own that the model is made of.

    Returns
    -------
    Reproduction
        ``identical``, ``agrees``, ``table()``, ``changed``; printed it says so in words.

    Raises
    ------
    DataError
        If history or mask are not those of the fit.
    ModelError
        For draws that were made elsewhere, or a file with hidden coordinates without its data.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import numpy as np
    >>> import leopardpop as lp
    >>> design = lp.DetectionHistory.from_tables(np.ones((50, 4)))
    >>> sim = lp.Occupancy().simulate(design, parameters={"psi": 0.6, "p": 0.4}, seed=1)
    >>> fit = lp.Occupancy().fit(sim.history, draws=200, seed=1)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     again = lp.reproduce(fit.save(Path(folder) / "fit.nc"))
    >>> again.identical
    True
    """
    recorded: Any = fit if isinstance(fit, BaseFit) else load_fit(fit, components=components)
    if recorded.engine not in ENGINES:
        raise ModelError(
            f"these draws were made elsewhere (engine {recorded.engine!r}), by a program that the file does not have: "
            "sample again with it, and compare with lp.compare.",
            offenders=[recorded.engine],
        )
    data = _data(recorded, history, mask)
    sizes = recorded.posterior.sizes
    asked = {"engine": recorded.engine, "draws": sizes["draw"], "chains": sizes["chain"], "seed": recorded.seed}
    options = json.loads(str(recorded.data_tree.attrs["options_json"]))
    with warnings.catch_warnings(), TemporaryDirectory() as folder:
        if options.get("folder"):  # blocks of draws were kept; these are not
            options["folder"] = Path(folder) / "draws"
        warnings.simplefilter("ignore", LeopardpopWarning)  # they were told when the fit was made, and are in it
        again = recorded.model.fit(*data, **asked, **options)
    return compared(recorded, again)


def _data(recorded: Any, history: Any, mask: Any) -> tuple[Any, ...]:
    """Positional arguments of the model's ``fit``, after a look at whether they are the ones of the fit."""
    of_animals = "mask_hash" in recorded.data_tree.attrs
    if recorded.data_tree.attrs.get("coordinates") == "hidden" and (history is None or (of_animals and mask is None)):
        what = "history and mask" if of_animals else "history"
        raise ModelError(
            f"the positions were removed from this file before it was shared: give its {what}, as in "
            f"lp.reproduce(path, history{', mask' if of_animals else ''}), or ask its owner to make it again."
        )
    given = recorded.history if history is None else history
    _need_same("history", recorded.data_hash, getattr(given, "data_hash", type(given).__name__))
    if not of_animals:
        return (given,)
    masks = recorded.masks if mask is None else mask
    by_session = masks if isinstance(masks, Mapping) else dict.fromkeys(given.sessions, masks)
    _need_same("mask", str(recorded.data_tree.attrs["mask_hash"]), fingerprint_of(by_session))
    return given, masks


def _need_same(what: str, recorded: str, found: str) -> None:
    if recorded != found:
        raise DataError(
            f"this is not the {what} of the fit: its fingerprint is {found[:16]}…, that of the fit {recorded[:16]}…. "
            f"Give the {what} that the fit was made of; a fit of other data is no reproduction.",
            offenders=[what],
        )

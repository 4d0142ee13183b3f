"""One scenario of a study: what is assumed, what is set out, and how the data would be analysed."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from leopardpop._version import __version__
from leopardpop.data.detection_history import DetectionHistory
from leopardpop.data.mask import Mask
from leopardpop.design.expectation import check_design
from leopardpop.design.parameters import parameter_points
from leopardpop.design.reality import Reality
from leopardpop.design.virtual import virtual_survey
from leopardpop.errors import DataError, ModelError
from leopardpop.models.occupancy_model import OccupancyModel
from leopardpop.models.scr import SCR
from leopardpop.models.two_flanks import TwoFlanks
from leopardpop.priors import Prior
from leopardpop.results.fit_base import BaseFit
from leopardpop.results.model_json import model_to_json

if TYPE_CHECKING:
    from leopardpop.data.history import CaptureHistory
    from leopardpop.design.parameters import Assumed, Point

    type Model = SCR | TwoFlanks | OccupancyModel
    type Design = CaptureHistory | DetectionHistory

__all__ = ["Scenario"]


TAILS = (0.01, 0.99)
"""Of a prior, that must be possible; replicates beyond them fail and are counted."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Scenario:
    """What is assumed, what is set out, and how the data would be analysed.

    Parameters
    ----------
    model
        The model that is fitted: :class:`SCR`, :class:`TwoFlanks`, or one of occupancy.
    design
        Stations or sites with their effort, occasions or visits; what was seen in them is ignored.
    mask
        For capture-recapture: one mask, or one a session.
    parameters
        What is assumed: as for :func:`expected`. Priors, a table or the fit of a pilot give each replicate a point of
        its own, so that the study is over all that is thought possible.
    generator
        The model that the data are drawn from, if it is another one: what does it cost to leave something out?
    reality
        For capture-recapture: what happens between model and data, such as failures and misread identities.

    Raises
    ------
    ModelError
        If there is no such model, or a prior draws what a parameter cannot be.
    DataError
        If model, design and mask do not go together, or no station is ever on.

    Examples
    --------
    >>> import leopardpop as lp, pandas as pd
    >>> stations = pd.DataFrame({"station": list("abcd"), "x": [0, 2000] * 2, "y": [0, 0, 2000, 2000]})
    >>> design = lp.CaptureHistory.from_tables(None, stations, occasions=10)
    >>> assumed = {"D": 0.2, "lambda0": 0.1, "sigma": 1_000}
    >>> mask = lp.Mask.around(design, buffer=4_000, spacing=500)
    >>> lp.design.Scenario(model=lp.SCR(), design=design, mask=mask, parameters=assumed)
    Scenario: SCR, 4 stations × 10 occasions
    """

    model: Model
    design: Design
    parameters: Assumed
    mask: Mask | Mapping[str, Mask] | None = None
    generator: Model | None = None
    reality: Reality | None = None

    def __post_init__(self) -> None:
        """Check that the parts go together."""
        for name, model in (("model", self.model), ("generator", self.generator)):
            if model is not None and not isinstance(model, SCR | TwoFlanks | OccupancyModel):
                raise ModelError(
                    f"{name}={model!r}: give an lp.SCR, an lp.TwoFlanks or a model of occupancy.", offenders=[name]
                )
        if isinstance(self.model, OccupancyModel) is not isinstance(self.source, OccupancyModel):
            raise ModelError("model and generator: both are of capture-recapture, or both of occupancy.")
        if not isinstance(self.model, OccupancyModel):
            check_design(self.design)
            if self.reality is not None and not isinstance(self.reality, Reality):
                raise ModelError(f"reality={self.reality!r}: give lp.design.Reality(...).", offenders=["reality"])
            if self.mask is None:
                raise DataError("mask: capture-recapture needs one. Make it with lp.Mask.around(design, ...).")
            self._check_flanks()
        elif self.reality is not None:
            raise ModelError("reality: it is for capture-recapture.", offenders=["reality"])
        elif not isinstance(self.design, DetectionHistory):
            raise DataError(f"design: occupancy needs a DetectionHistory, and this is a {type(self.design).__name__}.")
        self._check_priors()

    def _check_priors(self) -> None:
        """Refuse priors that draw what a parameter cannot be: each replicate would fail, or only some."""
        given = self.parameters if isinstance(self.parameters, Mapping) else {}
        priors = {str(name): prior for name, prior in given.items() if isinstance(prior, Prior)}
        if not priors:
            return
        table = self.source.parameters(*self.where)
        links = table[table["coefficient"] == "Intercept"].set_index("name")["link"]
        for name in priors.keys() & set(links.index):
            low, high = (float(priors[name].quantile(q)) for q in TAILS)
            if low < 0 or (links[name] != "log" and high > 1):
                kind = "above 0" if links[name] == "log" else "a probability"
                raise ModelError(
                    f"parameters: {name} is {kind}, and its prior {priors[name]} draws from {low:.3g} to {high:.3g}.",
                    offenders=[name],
                )

    def _check_flanks(self) -> None:
        """Refuse two flanks of data that do not show them."""
        drawn = isinstance(self.source, TwoFlanks) if self.reality is None else self.reality.both_flanks is not None
        if isinstance(self.model, TwoFlanks) and not drawn:
            raise ModelError(
                "lp.TwoFlanks needs data that show flanks: give reality=lp.design.Reality(both_flanks=0.7), the chance "
                "that a record shows both.",
                offenders=["reality"],
            )

    @property
    def source(self) -> Model:
        """The model that the data are drawn from."""
        return self.model if self.generator is None else self.generator

    @property
    def where(self) -> tuple[Any, ...]:
        """Design and mask, as the methods of the models take them."""
        return (self.design,) if self.mask is None else (self.design, self.mask)

    def point(self, seed: int) -> Point:
        """What one replicate takes for the truth.

        Parameters
        ----------
        seed
            Of the draw; a scenario with one point does not need it.
        """
        assumed = self.parameters
        if isinstance(assumed, Mapping):
            return parameter_points(assumed, draws=1, seed=seed)[0]
        return self._points[int(np.random.default_rng(seed).integers(len(self._points)))]

    @cached_property
    def _points(self) -> list[Point]:
        return parameter_points(self.parameters, draws=1_000)

    def simulate(self, point: Point, seed: int) -> Any:
        """One survey of a population with these parameters."""
        if self.reality is None:
            return self.source.simulate(*self.where, parameters=point, seed=seed)
        made: Any = virtual_survey(*self._made_of, parameters=point, reality=self.reality, seed=seed)
        return made

    @property
    def _made_of(self) -> tuple[Any, ...]:
        source = self.source
        return (source.model if isinstance(source, TwoFlanks) else source, *self.where)

    def constants(self) -> dict[str, str]:
        """Parameters of the generator that are the same everywhere, with their link."""
        table = self.source.parameters(*self.where)
        rows = table[table["link"] != ""].groupby("name", sort=False)
        return {str(n): str(p["link"].iloc[0]) for n, p in rows if p["coefficient"].tolist() == ["Intercept"]}

    def fingerprint(self) -> str:
        """SHA-256 of everything that a replicate's result hangs on, but its seed."""
        digest = hashlib.sha256(f"leopardpop {__version__}".encode())
        for part in (
            model_to_json(self.model),
            model_to_json(self.source),
            _text_of(self.parameters),
            repr(self.reality),
        ):
            digest.update(f"|{len(part)}|{part}".encode())
        digest.update(_text_of_dataset(self.design.dataset).encode())
        masks = self.mask if isinstance(self.mask, Mapping) else {"": self.mask}
        digest.update("|".join(f"{k}:{m.mask_hash}" for k, m in masks.items() if m is not None).encode())
        return digest.hexdigest()

    def __repr__(self) -> str:
        """Say what is set out."""
        told = repr(self.design).splitlines()[0] if isinstance(self.design, DetectionHistory) else self._stations()
        drawn = "" if self.generator is None else f", data from {type(self.generator).__name__}"
        return f"Scenario: {type(self.model).__name__}, {told}{drawn}"

    def _stations(self) -> str:
        design: Any = self.design
        occasions = "/".join(map(str, dict.fromkeys(design.n_occasions.values())))
        return f"{design.n_stations} stations × {occasions} occasions"


def _text_of(assumed: Any) -> str:
    """What is assumed, to the last digit."""
    if isinstance(assumed, BaseFit):
        return f"fit {assumed.data_hash} {assumed.engine} {assumed.seed} {assumed.theta.tobytes().hex()}"
    if isinstance(assumed, pd.DataFrame | pd.Series):
        return str(assumed.to_json(double_precision=15))
    return repr([(k, v if isinstance(v, Prior) else float(v)) for k, v in assumed.items()])


def _text_of_dataset(dataset: Any) -> str:
    """Everything in a dataset, in its order: the animals of a simulation depend on the order of the stations."""
    digest = hashlib.sha256(repr(sorted(dataset.attrs.items())).encode())
    for name in sorted(map(str, dataset.variables)):
        values = dataset[name].values
        content = values.tobytes() if values.dtype.kind in "biufM" else repr(values.tolist()).encode()
        digest.update(f"|{name}|{dataset[name].dims}|".encode() + content)
    return digest.hexdigest()

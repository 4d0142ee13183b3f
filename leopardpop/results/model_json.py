"""A model as text and back: components by name, never by an address in a file.

A component of one's own is found again among the classes given to :func:`leopardpop.load_fit`. Nothing is imported
because a file says so.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import fields
from typing import Any

import pandas as pd

from leopardpop.components.classes import Mixture, class_column
from leopardpop.components.density import LogLinear
from leopardpop.components.detection import Exponential, HalfNormal, HazardRate
from leopardpop.components.detection_probability import (
    ProbabilityExponential,
    ProbabilityHalfNormal,
    ProbabilityHazardRate,
)
from leopardpop.data.mask import Mask
from leopardpop.errors import ModelError, PriorError
from leopardpop.models.abundance import CountOccupancy, NMixture, RoyleNichols
from leopardpop.models.community import CommunityOccupancy
from leopardpop.models.distance import Barriers, LeastCost
from leopardpop.models.false_positive import FalsePositiveOccupancy
from leopardpop.models.occupancy import (
    DynamicMultistateOccupancy,
    DynamicOccupancy,
    MultistateOccupancy,
    Occupancy,
)
from leopardpop.models.occupancy_model import OccupancyModel
from leopardpop.models.scr import SCR
from leopardpop.models.two_flanks import TwoFlanks
from leopardpop.priors import Prior, PriorSet

__all__ = [
    "FAMILIES",
    "UnsavedPrior",
    "describe_model",
    "foreign_components",
    "model_from_json",
    "model_to_json",
    "without_places",
]

SHIPPED = (
    Exponential,
    HalfNormal,
    HazardRate,
    LogLinear,
    ProbabilityExponential,
    ProbabilityHalfNormal,
    ProbabilityHazardRate,
)
OCCUPANCY = {
    each.__name__: each
    for each in (
        CommunityOccupancy,
        CountOccupancy,
        DynamicMultistateOccupancy,
        DynamicOccupancy,
        FalsePositiveOccupancy,
        MultistateOccupancy,
        NMixture,
        Occupancy,
        RoyleNichols,
    )
}
FAMILIES = (SCR.__name__, TwoFlanks.__name__, *OCCUPANCY)
OPTIONS = ("parametrisation", "certain", "distribution")
"""What a model of sites has beside formulas, link and priors."""


class UnsavedPrior:
    """Stands for a prior that was an object of the user's own, which a file cannot hold.

    Parameters
    ----------
    key
        Parameter or coefficient.
    description
        What it looked like.
    """

    def __init__(self, key: str, description: str) -> None:
        self.key, self.description = key, description

    def create_variable(self, name: str) -> Any:
        """Refuse: the object is not here."""
        raise PriorError(
            f"the prior of {self.key!r} ({self.description}) was not lp.Prior, so that the file holds only its name. "
            "What was drawn is complete; make the model anew with that prior to fit again.",
            offenders=[self.key],
        )

    def __repr__(self) -> str:
        """Show what it was."""
        return f"<unsaved prior {self.description}>"


def model_to_json(model: SCR | TwoFlanks | OccupancyModel) -> str:
    """Text from which :func:`model_from_json` makes the same model."""
    if isinstance(model, TwoFlanks):
        return json.dumps({**json.loads(model_to_json(model.model)), "family": "TwoFlanks"})
    if isinstance(model, OccupancyModel):
        formulas = {name: getattr(model, name) for name in model.structure.homes}
        record = {"family": type(model).__name__, "formulas": formulas, "link": model.link}
        record |= {name: getattr(model, name) for name in OPTIONS if hasattr(model, name)}
        return json.dumps({**record, "priors": _priors(model.priors)})
    return json.dumps(
        {
            "family": type(model).__name__,
            "density": _component(model.density),
            "detection": _component(model.detection),
            "classes": class_column(model.classes),
            **({"mixture": model.classes.n} if isinstance(model.classes, Mixture) else {}),
            "distance": None if model.distance is None else _distance(model.distance),
            **({"counts": model.counts, "size": model.size} if model.counts != "poisson" else {}),
            **({"ghosts": True} if model.ghosts else {}),
            "distribution": model.distribution,
            "priors": _priors(model.priors),
        }
    )


def model_from_json(text: str, components: Iterable[type] = ()) -> Any:
    """Make a model from the text of :func:`model_to_json`.

    Parameters
    ----------
    text
        The text.
    components
        Classes of one's own that it may name.

    Raises
    ------
    ModelError
        If it names a component that is neither shipped nor given.
    """
    record = json.loads(text)
    if record["family"] in OCCUPANCY:
        kind = OCCUPANCY[record["family"]]
        chosen = {name: record[name] for name in ("link", *OPTIONS) if name in record}
        return kind(**record["formulas"], **chosen, priors=_priors_back(record["priors"]))
    known = {each.__name__: each for each in (*SHIPPED, *components)}
    made = SCR(
        density=_make(record["density"], known),
        detection=_make(record["detection"], known),
        classes=Mixture(record["mixture"]) if "mixture" in record else record["classes"],
        distance=_distance_back(record.get("distance")),
        counts=record.get("counts", "poisson"),
        size=record.get("size", "~ 1"),
        ghosts=record.get("ghosts", False),
        distribution=record["distribution"],
        priors=_priors_back(record["priors"]),
    )
    return TwoFlanks(model=made) if record["family"] == "TwoFlanks" else made


def describe_model(text: str) -> str:
    """One line on a model, for people, from its text: no class is needed."""
    record = json.loads(text)
    if record["family"] in OCCUPANCY:
        told = ", ".join(f"{name} {formula}" for name, formula in record["formulas"].items())
        multinomial = " (multinomial)" if record.get("parametrisation") == "multinomial" else ""
        certain = f" (certain: {record['certain']})" if record.get("certain") else ""
        return f"{record['family']}, {told}{multinomial}{certain}" + (
            "" if record["link"] == "logit" else f" ({record['link']} link)"
        )
    detection = record["detection"]
    formulas = ", ".join(f"{name} {formula}" for name, formula in detection["fields"].items())
    classes = f", classes by {record['classes']}" if record["classes"] else ""
    classes = ", two latent classes, h2" if "mixture" in record else classes
    distance = f"; distance by {record['distance']['component']}" if record.get("distance") else ""
    counts = f", negative-binomial counts, size {record['size']}" if "counts" in record else ""
    ghosts = "; animals detected once left out" if record.get("ghosts") else ""
    flanks = "two flanks; " if record["family"] == "TwoFlanks" else ""
    density = record["density"]["fields"]["D"]
    return (
        f"{flanks}density {density}; {detection['component']} detection, {formulas}{counts}{classes}{distance}{ghosts}"
    )


def foreign_components(text: str) -> set[str]:
    """Names of the components in the text of a model that are not part of leopardpop."""
    record = json.loads(text)
    named = {record[role]["component"] for role in ("density", "detection") if role in record}
    return named - {each.__name__ for each in SHIPPED}


def _distance(distance: LeastCost) -> dict[str, Any]:
    """A distance with all that it rests on: a file must be enough to work it out again."""
    land, barriers = distance.landscape, distance.barriers
    return {
        "component": type(distance).__name__,
        "resistance": distance.resistance,
        "barriers": None if barriers is None else {"wkt": barriers.wkt, "crs": barriers.crs},
        "landscape": None if land is None else {"table": land.table.to_dict("list"), "crs": land.crs},
    }


def without_places(text: str) -> str:
    """The text of a model without where its barriers and its landscape are."""
    record = json.loads(text)
    if not record.get("distance"):
        return text
    kept = {"resistance": record["distance"]["resistance"] or "hidden", "barriers": None, "landscape": None}
    return json.dumps({**record, "distance": {**record["distance"], **kept}})


def _distance_back(record: Mapping[str, Any] | None) -> LeastCost | None:
    if record is None:
        return None
    land = record["landscape"]
    return LeastCost(
        resistance=record["resistance"],
        barriers=None if record["barriers"] is None else Barriers(**record["barriers"]),
        landscape=None if land is None else Mask(pd.DataFrame(land["table"]), crs=land["crs"]),
    )


def _component(component: Any) -> dict[str, Any]:
    return {
        "component": type(component).__name__,
        "fields": {each.name: getattr(component, each.name) for each in fields(component)},
    }


def _make(record: Mapping[str, Any], known: Mapping[str, type]) -> Any:
    name = record["component"]
    if name not in known:
        raise ModelError(
            f"the fit uses {name}, which is not part of leopardpop: pass components=[{name}]. "
            "What was drawn (posterior, summary, diagnostics) is there without it.",
            offenders=[name],
        )
    return known[name](**record["fields"])


def _priors(priors: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if priors is None:
        return None
    own = {key: prior for key, prior in priors.items() if isinstance(prior, Prior)}
    foreign = {key: repr(prior) for key, prior in priors.items() if key not in own}
    if not isinstance(priors, PriorSet):
        return {"foreign": foreign, "priors": {key: prior.to_dict() for key, prior in own.items()}}
    rest = PriorSet(own, effort_unit=priors.effort_unit, optional=priors.optional) if foreign else priors
    return {"foreign": foreign, "set": rest.to_dict()}


def _priors_back(record: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    if record is None:
        return None
    foreign = {key: UnsavedPrior(key, text) for key, text in record["foreign"].items()}
    if "set" in record:
        made = PriorSet.from_dict(record["set"])
        return made | foreign if foreign else made
    return {key: Prior.from_dict(each) for key, each in record["priors"].items()} | foreign

"""How many animals are there, and how good is that number?

`leopardpop` turns detection histories across camera stations into spatial capture-recapture models and estimates
population size with Bayesian inference. Names load where they are first used, so that the import stays light.

Examples
--------
>>> import leopardpop as lp
>>> lp.SCR(detection=lp.HalfNormal(sigma="~ sex"), classes="sex").classes
'sex'
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from leopardpop._version import __version__

if TYPE_CHECKING:
    from leopardpop import design, errors, priors, testing
    from leopardpop.checks.calibration import calibrate
    from leopardpop.checks.calibration_result import Calibration
    from leopardpop.checks.model_check import ModelCheck
    from leopardpop.checks.sensitivity_result import Sensitivity
    from leopardpop.checks.verification import Verification
    from leopardpop.checks.verify import verify
    from leopardpop.components.classes import Mixture
    from leopardpop.components.density import LogLinear
    from leopardpop.components.detection import (
        DetectionFunction,
        Exponential,
        HalfNormal,
        HazardRate,
        parameter,
    )
    from leopardpop.components.detection_probability import (
        ProbabilityExponential,
        ProbabilityHalfNormal,
        ProbabilityHazardRate,
    )
    from leopardpop.data.detection_history import DetectionHistory
    from leopardpop.data.example import load_example
    from leopardpop.data.history import CaptureHistory
    from leopardpop.data.mask import Mask
    from leopardpop.data.readers.camtrap_dp import read_camtrap_dp
    from leopardpop.data.readers.camtrapr import read_camtrapr
    from leopardpop.data.readers.density import read_density
    from leopardpop.data.readers.oscr import read_oscr
    from leopardpop.data.readers.records import read_records
    from leopardpop.data.readers.secr import read_secr
    from leopardpop.data.readers.spacecap import read_spacecap
    from leopardpop.data.readers.unmarked import read_unmarked
    from leopardpop.data.readers.wildlife_insights import read_wildlife_insights
    from leopardpop.data.survey import Survey
    from leopardpop.inference.generic import laplace
    from leopardpop.models.abundance import CountOccupancy, NMixture, RoyleNichols
    from leopardpop.models.community import CommunityOccupancy
    from leopardpop.models.distance import LeastCost
    from leopardpop.models.false_positive import FalsePositiveOccupancy
    from leopardpop.models.occupancy import (
        DynamicMultistateOccupancy,
        DynamicOccupancy,
        MultistateOccupancy,
        Occupancy,
    )
    from leopardpop.models.scr import SCR
    from leopardpop.models.two_flanks import TwoFlanks
    from leopardpop.plots.comparison import plot_comparison
    from leopardpop.priors import Prior
    from leopardpop.results.average import AveragedPopulation, average
    from leopardpop.results.community_fit import CommunityFit
    from leopardpop.results.community_states import CommunityStates
    from leopardpop.results.compare import compare
    from leopardpop.results.fit import Fit
    from leopardpop.results.flank_fit import TwoFlankFit
    from leopardpop.results.many import fit_many
    from leopardpop.results.many_fits import ManyFits
    from leopardpop.results.mask_choice import suggest_buffer, suggest_spacing
    from leopardpop.results.maximum import MaximumLikelihood
    from leopardpop.results.occupancy_fit import OccupancyFit
    from leopardpop.results.occupancy_maximum import OccupancyMaximum
    from leopardpop.results.population import Population
    from leopardpop.results.reproduce import reproduce
    from leopardpop.results.reproduction import Reproduction
    from leopardpop.results.site_states import SiteStates
    from leopardpop.results.storage import load_fit
    from leopardpop.results.transboundary import transboundary

__all__ = [
    "SCR",
    "AveragedPopulation",
    "Calibration",
    "CaptureHistory",
    "CommunityFit",
    "CommunityOccupancy",
    "CommunityStates",
    "CountOccupancy",
    "DetectionFunction",
    "DetectionHistory",
    "DynamicMultistateOccupancy",
    "DynamicOccupancy",
    "Exponential",
    "FalsePositiveOccupancy",
    "Fit",
    "HalfNormal",
    "HazardRate",
    "LeastCost",
    "LogLinear",
    "ManyFits",
    "Mask",
    "MaximumLikelihood",
    "Mixture",
    "ModelCheck",
    "MultistateOccupancy",
    "NMixture",
    "Occupancy",
    "OccupancyFit",
    "OccupancyMaximum",
    "Population",
    "Prior",
    "ProbabilityExponential",
    "ProbabilityHalfNormal",
    "ProbabilityHazardRate",
    "Reproduction",
    "RoyleNichols",
    "Sensitivity",
    "SiteStates",
    "Survey",
    "TwoFlankFit",
    "TwoFlanks",
    "Verification",
    "__version__",
    "average",
    "calibrate",
    "compare",
    "design",
    "errors",
    "fit_many",
    "laplace",
    "load_example",
    "load_fit",
    "parameter",
    "plot_comparison",
    "priors",
    "read_camtrap_dp",
    "read_camtrapr",
    "read_density",
    "read_oscr",
    "read_records",
    "read_secr",
    "read_spacecap",
    "read_unmarked",
    "read_wildlife_insights",
    "reproduce",
    "suggest_buffer",
    "suggest_spacing",
    "testing",
    "transboundary",
    "verify",
]

_HOMES = {
    "SCR": "models.scr",
    "AveragedPopulation": "results.average",
    "Calibration": "checks.calibration_result",
    "CaptureHistory": "data.history",
    "CommunityFit": "results.community_fit",
    "CommunityOccupancy": "models.community",
    "CommunityStates": "results.community_states",
    "CountOccupancy": "models.abundance",
    "DetectionFunction": "components.detection",
    "DetectionHistory": "data.detection_history",
    "DynamicMultistateOccupancy": "models.occupancy",
    "DynamicOccupancy": "models.occupancy",
    "Exponential": "components.detection",
    "FalsePositiveOccupancy": "models.false_positive",
    "Fit": "results.fit",
    "HalfNormal": "components.detection",
    "HazardRate": "components.detection",
    "LeastCost": "models.distance",
    "LogLinear": "components.density",
    "ManyFits": "results.many_fits",
    "Mask": "data.mask",
    "MaximumLikelihood": "results.maximum",
    "Mixture": "components.classes",
    "ModelCheck": "checks.model_check",
    "MultistateOccupancy": "models.occupancy",
    "NMixture": "models.abundance",
    "Occupancy": "models.occupancy",
    "OccupancyFit": "results.occupancy_fit",
    "OccupancyMaximum": "results.occupancy_maximum",
    "Population": "results.population",
    "Prior": "priors",
    "ProbabilityExponential": "components.detection_probability",
    "ProbabilityHalfNormal": "components.detection_probability",
    "ProbabilityHazardRate": "components.detection_probability",
    "Reproduction": "results.reproduction",
    "RoyleNichols": "models.abundance",
    "Sensitivity": "checks.sensitivity_result",
    "SiteStates": "results.site_states",
    "Survey": "data.survey",
    "TwoFlankFit": "results.flank_fit",
    "TwoFlanks": "models.two_flanks",
    "Verification": "checks.verification",
    "average": "results.average",
    "calibrate": "checks.calibration",
    "compare": "results.compare",
    "fit_many": "results.many",
    "laplace": "inference.generic",
    "load_example": "data.example",
    "load_fit": "results.storage",
    "parameter": "components.detection",
    "plot_comparison": "plots.comparison",
    "read_camtrap_dp": "data.readers.camtrap_dp",
    "read_camtrapr": "data.readers.camtrapr",
    "read_density": "data.readers.density",
    "read_oscr": "data.readers.oscr",
    "read_records": "data.readers.records",
    "read_secr": "data.readers.secr",
    "read_spacecap": "data.readers.spacecap",
    "read_unmarked": "data.readers.unmarked",
    "read_wildlife_insights": "data.readers.wildlife_insights",
    "reproduce": "results.reproduce",
    "suggest_buffer": "results.mask_choice",
    "suggest_spacing": "results.mask_choice",
    "transboundary": "results.transboundary",
    "verify": "checks.verify",
}
_MODULES = frozenset({"design", "errors", "priors", "testing"})


def __getattr__(name: str) -> Any:
    """Load a public name from its home the first time that it is asked for."""
    if name in _MODULES:
        value: Any = import_module(f"leopardpop.{name}")
    elif name in _HOMES:
        value = getattr(import_module(f"leopardpop.{_HOMES[name]}"), name)
    else:
        raise AttributeError(f"module 'leopardpop' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """Return the public names."""
    return sorted(__all__)

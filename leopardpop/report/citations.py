"""References of what a fit really used."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from leopardpop.components.detection import HazardRate
from leopardpop.components.detection_probability import ProbabilityHazardRate
from leopardpop.models.occupancy_model import OccupancyModel
from leopardpop.report.bibliography import article, software
from leopardpop.report.site_citations import SURFACES, site_references

if TYPE_CHECKING:
    from leopardpop.report.bibliography import Reference

__all__ = ["bibtex", "references"]


SCR = article(
    "borchers2008",
    "Borchers, D. L. and Efford, M. G.",
    2008,
    "Spatially explicit maximum likelihood methods for capture--recapture studies",
    "Biometrics",
    "64",
    "377--385",
    "10.1111/j.1541-0420.2007.00927.x",
)
PASSIVE = article(
    "efford2009",
    "Efford, M. G. and Dawson, D. K. and Borchers, D. L.",
    2009,
    "Population density estimated from locations of individuals on a passive detector array",
    "Ecology",
    "90",
    "2676--2682",
    "10.1890/08-1735.1",
)
REALISED = article(
    "efford2013",
    "Efford, M. G. and Fewster, R. M.",
    2013,
    "Estimating population size by spatially explicit capture--recapture",
    "Oikos",
    "122",
    "918--928",
    "10.1111/j.1600-0706.2012.20440.x",
)
HAZARD_RATE = article(
    "hayes1983",
    "Hayes, R. J. and Buckland, S. T.",
    1983,
    "Radial-distance models for the line-transect method",
    "Biometrics",
    "39",
    "29--42",
    "10.2307/2530804",
)
GHOSTS = article(
    "kodi2024",
    "Kodi, A. R. and Howard, J. and Borchers, D. L. and Worthington, H. and Alexander, J. S. and others",
    2024,
    "Ghostbusting---reducing bias due to identification errors in spatial capture-recapture histories",
    "Methods in Ecology and Evolution",
    "15",
    "1060--1070",
    "10.1111/2041-210X.14326",
)
FLANKS = article(
    "augustine2018",
    "Augustine, B. C. and Royle, J. A. and Kelly, M. J. and Satter, C. B. and Alonso, R. S. and others",
    2018,
    "Spatial capture-recapture with partial identity: an application to camera traps",
    "Annals of Applied Statistics",
    "12",
    "67--95",
    "10.1214/17-AOAS1091",
)
PSIS = article(
    "vehtari2024",
    "Vehtari, A. and Simpson, D. and Gelman, A. and Yao, Y. and Gabry, J.",
    2024,
    "{Pareto} smoothed importance sampling",
    "Journal of Machine Learning Research",
    "25(72)",
    "1--58",
    "https://jmlr.org/papers/v25/19-556.html",
)
NUTS = article(
    "hoffman2014",
    "Hoffman, M. D. and Gelman, A.",
    2014,
    "The {No-U-Turn} sampler: adaptively setting path lengths in {Hamiltonian Monte Carlo}",
    "Journal of Machine Learning Research",
    "15",
    "1593--1623",
    "https://jmlr.org/papers/v15/hoffman14a.html",
)
PYMC = article(
    "pymc2023",
    "Abril-Pla, O. and Andreani, V. and Carroll, C. and Dong, L. and Fonnesbeck, C. J. and Kochurov, M. and Kumar, R. "
    "and Lao, J. and Luhmann, C. C. and Martin, O. A. and Osthege, M. and Vieira, R. and Wiecki, T. and Zinkov, R.",
    2023,
    "{PyMC}: a modern, and comprehensive probabilistic programming framework in {Python}",
    "PeerJ Computer Science",
    "9",
    "e1516",
    "10.7717/peerj-cs.1516",
)
R_HAT = article(
    "vehtari2021",
    'Vehtari, A. and Gelman, A. and Simpson, D. and Carpenter, B. and B{\\"u}rkner, P.-C.',
    2021,
    "Rank-normalization, folding, and localization: an improved {R-hat} for assessing convergence of {MCMC}",
    "Bayesian Analysis",
    "16",
    "667--718",
    "10.1214/20-BA1221",
)
ARVIZ = article(
    "arviz2019",
    "Kumar, R. and Carroll, C. and Hartikainen, A. and Martin, O.",
    2019,
    "{ArviZ} a unified library for exploratory analysis of {Bayesian} models in {Python}",
    "Journal of Open Source Software",
    "4(33)",
    "1143",
    "10.21105/joss.01143",
)
NUMPY = article(
    "numpy2020",
    "Harris, C. R. and Millman, K. J. and van der Walt, S. J. and others",
    2020,
    "Array programming with {NumPy}",
    "Nature",
    "585",
    "357--362",
    "10.1038/s41586-020-2649-2",
)


def references(fit: Any) -> list[Reference]:
    """References of the software and the methods that made a fit.

    Parameters
    ----------
    fit
        The fit.

    Returns
    -------
    list of Reference
        The software first.
    """
    attrs = fit.data_tree.attrs
    engine = str(attrs["engine"])
    found = [software("leopardpop", str(attrs["leopardpop_version"]), "The leopardpop developers")]
    found += site_references(fit) if isinstance(fit.model, OccupancyModel) else _of_animals(fit)
    if "pareto_k" in attrs:
        return [*found, PSIS, NUMPY]
    library = str(attrs["inference_library"])
    found += [NUTS] if engine == "nuts" else []
    # PyMC writes the graph whichever sampler walks on it.
    found += [PYMC] if engine == "nuts" or library == "pymc" else []
    if library not in ("pymc", "leopardpop", "unknown"):
        found.append(software(library, str(attrs.get("inference_library_version", "unknown"))))
    return [*found, R_HAT, ARVIZ]


def _of_animals(fit: Any) -> list[Reference]:
    """References of a capture-recapture model."""
    two_flanks, detector = hasattr(fit.model, "model"), str(fit.data_tree["observed_data"].attrs["detector"])
    model = fit.model.model if two_flanks else fit.model
    found = [SCR, *([] if detector == "multi" else [PASSIVE]), REALISED]
    found += [HAZARD_RATE] if isinstance(model.detection, HazardRate | ProbabilityHazardRate) else []
    found += [FLANKS] if two_flanks else []
    density = getattr(model, "density", None)
    found += SURFACES if "gp(" in str(getattr(density, "D", density)) else []
    return found + ([GHOSTS] if getattr(model, "ghosts", False) else [])


def bibtex(fit: Any) -> str:
    """References of a fit as BibTeX; see :func:`leopardpop.report.cite`."""
    return "\n\n".join(reference.bibtex for reference in references(fit)) + "\n"

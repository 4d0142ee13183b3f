"""References of what a fit really used."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from leopardpop.components.detection import HazardRate

__all__ = ["Reference", "bibtex", "references"]


@dataclass(frozen=True)
class Reference:
    """One entry of a bibliography."""

    key: str
    kind: str
    fields: Mapping[str, str]

    @property
    def text(self) -> str:
        """The entry as a line of a list."""
        get = {name: value.replace("{", "").replace("}", "").replace("--", "–") for name, value in self.fields.items()}
        authors = get["author"].replace(" and others", " et al.").replace(" and ", ", ")
        place = get.get("journal") or get.get("booktitle") or get.get("publisher") or ""
        number = f" {get['volume']}" if "volume" in get else ""
        pages = f", {get['pages']}" if "pages" in get else ""
        year = f" ({get['year']})" if "year" in get else ""
        version = f", version {get['version']}" if "version" in get else ""
        link = f" https://doi.org/{get['doi']}" if "doi" in get else f" {get['url']}" if "url" in get else ""
        return f"{authors}{year}: {get['title']}{version}.{f' {place}{number}{pages}.' if place else ''}{link}"

    @property
    def bibtex(self) -> str:
        """The entry for BibTeX."""
        lines = "".join(f"  {name} = {{{value}}},\n" for name, value in self.fields.items())
        return f"@{self.kind}{{{self.key},\n{lines}}}"


def _article(
    key: str, author: str, year: int, title: str, journal: str, volume: str, pages: str, doi: str
) -> Reference:
    fields = {"author": author, "year": str(year), "title": title, "journal": journal, "volume": volume}
    link = {"doi": doi} if doi.startswith("10.") else {"url": doi}
    return Reference(key, "article", {**fields, "pages": pages, **link})


SCR = _article(
    "borchers2008",
    "Borchers, D. L. and Efford, M. G.",
    2008,
    "Spatially explicit maximum likelihood methods for capture--recapture studies",
    "Biometrics",
    "64",
    "377--385",
    "10.1111/j.1541-0420.2007.00927.x",
)
PASSIVE = _article(
    "efford2009",
    "Efford, M. G. and Dawson, D. K. and Borchers, D. L.",
    2009,
    "Population density estimated from locations of individuals on a passive detector array",
    "Ecology",
    "90",
    "2676--2682",
    "10.1890/08-1735.1",
)
REALISED = _article(
    "efford2013",
    "Efford, M. G. and Fewster, R. M.",
    2013,
    "Estimating population size by spatially explicit capture--recapture",
    "Oikos",
    "122",
    "918--928",
    "10.1111/j.1600-0706.2012.20440.x",
)
HAZARD_RATE = _article(
    "hayes1983",
    "Hayes, R. J. and Buckland, S. T.",
    1983,
    "Radial-distance models for the line-transect method",
    "Biometrics",
    "39",
    "29--42",
    "10.2307/2530804",
)
GHOSTS = _article(
    "kodi2024",
    "Kodi, A. R. and Howard, J. and Borchers, D. L. and Worthington, H. and Alexander, J. S. and others",
    2024,
    "Ghostbusting---reducing bias due to identification errors in spatial capture-recapture histories",
    "Methods in Ecology and Evolution",
    "15",
    "1060--1070",
    "10.1111/2041-210X.14326",
)
FLANKS = _article(
    "augustine2018",
    "Augustine, B. C. and Royle, J. A. and Kelly, M. J. and Satter, C. B. and Alonso, R. S. and others",
    2018,
    "Spatial capture-recapture with partial identity: an application to camera traps",
    "Annals of Applied Statistics",
    "12",
    "67--95",
    "10.1214/17-AOAS1091",
)
PSIS = _article(
    "vehtari2024",
    "Vehtari, A. and Simpson, D. and Gelman, A. and Yao, Y. and Gabry, J.",
    2024,
    "{Pareto} smoothed importance sampling",
    "Journal of Machine Learning Research",
    "25(72)",
    "1--58",
    "https://jmlr.org/papers/v25/19-556.html",
)
NUTS = _article(
    "hoffman2014",
    "Hoffman, M. D. and Gelman, A.",
    2014,
    "The {No-U-Turn} sampler: adaptively setting path lengths in {Hamiltonian Monte Carlo}",
    "Journal of Machine Learning Research",
    "15",
    "1593--1623",
    "https://jmlr.org/papers/v15/hoffman14a.html",
)
PYMC = _article(
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
R_HAT = _article(
    "vehtari2021",
    'Vehtari, A. and Gelman, A. and Simpson, D. and Carpenter, B. and B{\\"u}rkner, P.-C.',
    2021,
    "Rank-normalization, folding, and localization: an improved {R-hat} for assessing convergence of {MCMC}",
    "Bayesian Analysis",
    "16",
    "667--718",
    "10.1214/20-BA1221",
)
ARVIZ = _article(
    "arviz2019",
    "Kumar, R. and Carroll, C. and Hartikainen, A. and Martin, O.",
    2019,
    "{ArviZ} a unified library for exploratory analysis of {Bayesian} models in {Python}",
    "Journal of Open Source Software",
    "4(33)",
    "1143",
    "10.21105/joss.01143",
)
NUMPY = _article(
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
    two_flanks, engine = hasattr(fit.model, "model"), str(attrs["engine"])
    model = fit.model.model if two_flanks else fit.model
    detector = str(fit.data_tree["observed_data"].attrs["detector"])
    found = [_software("leopardpop", str(attrs["leopardpop_version"]), "The leopardpop developers"), SCR]
    found += [] if detector == "multi" else [PASSIVE]
    found += [REALISED]
    found += [HAZARD_RATE] if isinstance(model.detection, HazardRate) else []
    found += [FLANKS] if two_flanks else []
    found += [GHOSTS] if getattr(model, "ghosts", False) else []
    if "pareto_k" in attrs:
        return [*found, PSIS, NUMPY]
    library = str(attrs["inference_library"])
    found += [NUTS] if engine == "nuts" else []
    # PyMC writes the graph whichever sampler walks on it.
    found += [PYMC] if engine == "nuts" or library == "pymc" else []
    if library not in ("pymc", "leopardpop", "unknown"):
        found.append(_software(library, str(attrs.get("inference_library_version", "unknown"))))
    return [*found, R_HAT, ARVIZ]


def _software(name: str, version: str, authors: str = "") -> Reference:
    """Entry of a package; its name and version come from a file and are cut to what BibTeX can bear."""
    clean, number = (re.sub(r"[^\w.+ -]", "", text)[:60] for text in (name, version))
    title = f"{clean}: Bayesian spatial capture-recapture for camera traps" if authors else clean
    fields = {"author": f"{{{authors or f'The {clean} developers'}}}", "title": f"{{{title}}}", "version": number}
    return Reference(re.sub(r"\W", "", clean) or "software", "software", fields)


def bibtex(fit: Any) -> str:
    """References of a fit as BibTeX; see :func:`leopardpop.report.cite`."""
    return "\n\n".join(reference.bibtex for reference in references(fit)) + "\n"

"""Write a report."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from leopardpop.errors import ModelError
from leopardpop.report.answer import answer_blocks, title_of
from leopardpop.report.blocks import Block, Heading, Picture, Report
from leopardpop.report.community import CommunityContext, community_blocks, community_title
from leopardpop.report.context import Context, FitContext
from leopardpop.report.data import data_blocks, station_blocks
from leopardpop.report.estimates import (
    check_blocks,
    class_table,
    diagnostic_blocks,
    match_blocks,
    parameter_table,
    reference_blocks,
    sensitivity_blocks,
)
from leopardpop.report.figures import Album
from leopardpop.report.html import to_html
from leopardpop.report.limits import limit_blocks
from leopardpop.report.markdown import to_markdown
from leopardpop.report.methods import method_blocks
from leopardpop.report.site_answer import site_answer_blocks, site_title
from leopardpop.report.site_context import SiteContext
from leopardpop.report.site_data import site_blocks, site_data_blocks
from leopardpop.report.site_figures import SiteAlbum
from leopardpop.report.site_limits import site_limit_blocks
from leopardpop.report.site_methods import site_method_blocks, site_parameter_table
from leopardpop.results.community_fit import CommunityFit
from leopardpop.results.occupancy_fit import OccupancyFit

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["compose", "compose_sites", "write_composed", "write_report"]


def write_report(
    fit: Any,
    path: str | os.PathLike[str],
    coordinates: Literal["hidden", "exact"] = "hidden",
    *,
    title: str | None = None,
    note: str | None = None,
    claim: tuple[float, float] | None = None,
    truth: float | Mapping[str, float] | None = None,
    regions: Any = None,
    by: str | None = None,
    decline: float | None = None,
    checks: bool = False,
    sensitivity: bool = False,
) -> Path:
    """Write a report of a fit: the answer first, then data, model, estimates, trust and limits.

    That of an occupancy model has no claim, truth, regions or by, that of capture-recapture no decline.

    Parameters
    ----------
    fit
        The fit.
    path
        File to write: ``.html`` (one page that needs nothing else) or ``.md`` (figures in a folder beside it). One that
        exists is replaced.
    coordinates
        "hidden": no position of a camera or an animal can be read from it (no names or map of stations, density
        averaged over large squares); "exact".
    title
        Title; None: the question that the report answers.
    note
        Text to be shown before the answer, for instance that the survey is synthetic.
    claim
        Range of N, ends included, whose probability is reported, the prior's beside it. Where the prior alone gives it
        more than one half, the report refuses.
    truth
        True number of a simulated survey; a mapping from session or region if there are several.
    regions, by
        As for :meth:`Fit.population`.
    decline
        Of seasons: the probability is reported that sites fell by more than this share, from the first to the last.
    checks
        Whether the fit is checked against replicates of the survey, as by :meth:`Fit.check`.
    sensitivity
        Whether it is told what the answer hangs on, as by :meth:`Fit.sensitivity`; up to a minute more.

    Returns
    -------
    pathlib.Path
        The file.

    Raises
    ------
    ModelError
        If the ending of the file is another, an option is wrong, or the fit came from a file without positions.
    """
    target = _writable(Path(path))
    common = {"fit": fit, "coordinates": coordinates, "title": title, "note": note, "checks": checks}
    common["sensitivity"] = sensitivity
    of_animals = {"claim": claim, "truth": truth, "regions": regions, "by": by}
    if isinstance(fit, OccupancyFit):
        _refuse(fit, of_animals)
        if isinstance(fit, CommunityFit):
            report = compose_community(CommunityContext(**common, decline=decline))
        else:
            report = compose_sites(SiteContext(**common, decline=decline))
    else:
        _refuse(fit, {"decline": decline})
        report = compose(Context(**common, **of_animals))
    return write_composed(report, target)


def write_composed(report: Report, target: Path) -> Path:
    """Write a report that is put together.

    Parameters
    ----------
    report
        The report.
    target
        File to write, ``.html`` or ``.md``.

    Returns
    -------
    pathlib.Path
        The file.
    """
    write = _write_markdown if _writable(target).suffix.lower() == ".md" else _write_html
    write(report, target)
    return target


def _writable(target: Path) -> Path:
    """Refuse other kinds of files than reports are written as."""
    if target.suffix.lower() not in (".html", ".htm", ".md"):
        raise ModelError(f"{target.name}: a report is written as .html or .md.")
    if not target.absolute().parent.is_dir():
        raise ModelError(f"{target}: there is no folder {target.parent}. Make it first, or write elsewhere.")
    return target


def _refuse(fit: Any, options: Mapping[str, Any]) -> None:
    for name, value in options.items():
        if value is not None:
            family = type(fit.model).__name__
            raise ModelError(f"{name}={value!r}: the report of {family} has no such option. Leave it out.")


def compose_sites(context: SiteContext) -> Report:
    """Put a report of an occupancy model together.

    Parameters
    ----------
    context
        What it is about.

    Returns
    -------
    Report
    """
    album = SiteAlbum(context)
    blocks: list[Block] = [*site_answer_blocks(context), *album.states()]
    blocks += [*site_data_blocks(context), *album.survey()]
    blocks += [*site_method_blocks(context), Heading("Estimates", "estimates"), site_parameter_table(context)]
    blocks += album.effects()
    blocks += [*diagnostic_blocks(context), *check_blocks(context), *sensitivity_blocks(context, album)]
    blocks += site_limit_blocks(context)
    blocks += [*site_blocks(context), *reference_blocks(context)]
    return Report(site_title(context), blocks, _footer(context))


def compose_community(context: CommunityContext) -> Report:
    """Put a report of a community together.

    Parameters
    ----------
    context
        What it is about.

    Returns
    -------
    Report
    """
    return Report(community_title(context), community_blocks(context), _footer(context))


def compose(context: Context) -> Report:
    """Put a report of a capture-recapture model together.

    Parameters
    ----------
    context
        What it is about.

    Returns
    -------
    Report
    """
    album = Album(context)
    blocks: list[Block] = [*answer_blocks(context), *album.population()]
    blocks += [*data_blocks(context), *album.survey()]
    blocks += method_blocks(context)
    blocks += [Heading("Estimates", "estimates"), parameter_table(context), *class_table(context)]
    blocks += [*album.detection(), *album.density()]
    blocks += [
        *diagnostic_blocks(context),
        *match_blocks(context),
        *check_blocks(context),
        *sensitivity_blocks(context, album),
        *limit_blocks(context),
        *station_blocks(context),
        *reference_blocks(context),
    ]
    return Report(title_of(context), blocks, _footer(context))


def _footer(context: FitContext) -> str:
    return f"{_shown(context)} leopardpop {context.fit.data_tree.attrs['leopardpop_version']}."


def _shown(context: FitContext) -> str:
    """What the report shows of positions."""
    if context.synthetic:
        return "Synthetic survey: no position is real."
    return "Positions are hidden." if context.hidden else "This report shows exact positions: do not pass it on."


def _write_html(report: Report, target: Path) -> None:
    _replace(target, to_html(report).encode())


def _write_markdown(report: Report, target: Path) -> None:
    folder = target.with_name(f"{target.stem}_figures")
    folder.mkdir(exist_ok=True)
    for block in report.blocks:
        if isinstance(block, Picture):
            _replace(folder / f"{block.name}.png", block.png)
    _replace(target, to_markdown(report, folder.name).encode())


def _replace(target: Path, content: bytes) -> None:
    """Write a file so that it is complete or not there: beside its place, then moved."""
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        part.write_bytes(content)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)

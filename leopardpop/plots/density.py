"""Figure 3: density over the mask, how sure it is, and where it is only extrapolated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Normalize

from leopardpop.errors import ModelError
from leopardpop.models.flank_lists import labelled
from leopardpop.plots.derived import captioned, counted_population, surface_of
from leopardpop.plots.ground import Cells, cells_of, draw_edge, draw_values, hatch
from leopardpop.plots.style import INK, PAGE, SMALL, describe, figure_of, new_axes, panels_of, plain, styled
from leopardpop.plots.survey_map import alike
from leopardpop.results.surface import density_surface
from leopardpop.words import counted, number, rounded, trimmed

if TYPE_CHECKING:
    import xarray as xr
    from numpy.typing import NDArray

    from leopardpop.data.mask import Mask
    from leopardpop.plots.ground import Coordinates, Frame
    from leopardpop.plots.style import Panels

    type Floats = NDArray[np.float64]

__all__ = ["density_figure"]

FAR = 0.1
"""Probability of detection below which density is extrapolated."""
MOST_ROWS = 6
WIDEST = 0.62
"""Share of the map's width up to which a text stands in a corner; a wider one stands above."""
PER = 100.0
"""Area that density is told for, km²."""


@dataclass(frozen=True, eq=False)
class Field:
    """One quantity over the cells of every row of the figure."""

    label: str
    values: list[Floats]
    cmap: str
    percent: bool = False

    def norm(self) -> Normalize:
        """One scale for all rows; a constant field has a scale too."""
        everything = np.concatenate(self.values)
        low, high = float(np.nanmin(everything)), float(np.nanmax(everything))
        if high - low < 1e-3 * abs(high):
            low, high = 0.0, 2.0 * high if high > 0 else 1.0
        return Normalize(low, high)


@dataclass(frozen=True, eq=False)
class Row:
    """One session, or all of them where they share mask and density."""

    label: str
    sessions: list[str]
    cells: Cells
    far: NDArray[np.bool_]
    stations: Floats
    part: slice
    """Its cells among those of the surface."""


@styled
def density_figure(
    fit: Any,
    *,
    session: str | None = None,
    exceeds: float | None = None,
    coordinates: Coordinates = "hidden",
    block: float | None = None,
    ax: Any = None,
) -> Axes | Panels:
    """Map the posterior mean of density and its coefficient of variation.

    Parameters
    ----------
    fit
        The fit.
    session
        Label of one session; None: a row each, at most 6, or one row if all have the same mask and density.
    exceeds
        Animals per km²: a third map shows the probability that density is larger.
    coordinates
        "hidden": a scale bar and no coordinates on the axes; "exact".
    block
        For publishing: side in metres of squares that the map is averaged over. Stations and the hatching around them
        are then left out, so that no position can be read from the figure.
    ax
        Axes to draw on, one a map; a single one gets the mean alone.

    Returns
    -------
    array of matplotlib Axes, or the Axes that was given
        Row by row: mean, coefficient of variation[, probability of exceedance].
    """
    if coordinates not in ("hidden", "exact"):
        raise ModelError(f'coordinates={coordinates!r}: it is "hidden" or "exact".')
    surface = surface_of(fit) if exceeds is None else density_surface(fit, exceeds=exceeds, draws=80)
    rows = _rows(fit, surface, session)
    fields = _fields(surface, rows, exceeds)[: 1 if isinstance(ax, Axes) else None]
    if block is not None:
        rows, fields = _coarse(rows, fields, block)
    frames = alike([row.cells.frame for row in rows])
    axes = _axes(ax, frames[0], (len(rows), len(fields)), coordinates)
    north = fit.problem.history.crs is not None and block is None
    for row, frame, panels in zip(rows, frames, axes, strict=True):
        for field, panel in zip(fields, panels, strict=True):
            frame.apply(panel, coordinates, north=north)
            image = draw_values(
                panel, row.cells, field.values[rows.index(row)], frame, cmap=field.cmap, norm=field.norm(), zorder=1
            )
            _overlay(panel, row, frame)
            if row is rows[-1]:
                _bar(panel, image, field)
        _tell_number(panels[0], fit, row, frame)
    drawn = [panel for panels in axes for panel in panels]
    describe(drawn, _caption(fit, rows, fields, block), _alt(fields))
    return ax if isinstance(ax, Axes) else panels_of(drawn)


# -- what is shown ----------------------------------------------------------------------------------------------------
def _rows(fit: Any, surface: xr.Dataset, session: str | None) -> list[Row]:
    problem, labels = fit.problem, surface["cell_session"].to_numpy()
    if session is not None:
        groups = [list(problem.history[session].sessions)]
    elif len({problem.masks[d.session].mask_hash for d in problem.data}) == 1 and not problem.density_by_session:
        groups = [[d.session for d in problem.data]]
    else:
        groups = [[d.session] for d in problem.data][:MOST_ROWS]
    rows = []
    for sessions in groups:
        at = np.flatnonzero(labels == sessions[0])
        xy = np.concatenate([d.xy for d in problem.data if d.session in sessions])
        part = slice(int(at[0]), int(at[-1]) + 1)
        pdot = np.max([surface["pdot"].to_numpy()[labels == s] for s in sessions], axis=0)
        mask: Mask = problem.masks[sessions[0]]
        rows.append(Row(sessions[0] if len(sessions) == 1 else "", sessions, cells_of(mask), pdot < FAR, xy, part))
    return rows


def _fields(surface: xr.Dataset, rows: list[Row], exceeds: float | None) -> list[Field]:
    def of(name: str, scale: float) -> list[Floats]:
        values = surface[name].to_numpy().reshape(-1, surface.sizes["cell"])[0]
        return [scale * values[row.part] for row in rows]

    fields = [
        Field(f"Animals per {PER:g} km²", of("D_mean", PER), "viridis"),
        Field("Coefficient of variation (%)", of("D_cv", 100.0), "cividis"),
    ]
    if exceeds is not None:
        label = f"P(more than {trimmed(PER * exceeds)} per {PER:g} km²)"
        fields.append(Field(label, of("exceedance", 1.0), "viridis"))
    return fields


def _coarse(rows: list[Row], fields: list[Field], block: float) -> tuple[list[Row], list[Field]]:
    """Average over squares; stations and the reach of the cameras are dropped."""
    new_rows, values = [], [[] for _ in fields]  # type: ignore[var-annotated]
    for r, row in enumerate(rows):
        place = np.floor(np.column_stack([row.cells.x, row.cells.y]) / block)
        squares, at = np.unique(place, axis=0, return_inverse=True)
        weight = row.cells.side**2
        total = np.bincount(at.reshape(-1), weight)
        for field, into in zip(fields, values, strict=True):
            into.append(np.bincount(at.reshape(-1), weight * field.values[r]) / total)
        x, y = ((squares + 0.5) * block).T
        column, index = (np.rint(v - v.min()).astype(np.intp) for v in squares.T)
        cells = Cells(x, y, np.full(len(x), block), column, index)
        nothing = np.zeros(len(x), bool)
        new_rows.append(Row(row.label, row.sessions, cells, nothing, np.empty((0, 2)), row.part))
    return new_rows, [Field(f.label, v, f.cmap) for f, v in zip(fields, values, strict=True)]


# -- drawing ----------------------------------------------------------------------------------------------------------
def _axes(ax: Any, frame: Frame, shape: tuple[int, int], coordinates: Coordinates) -> list[list[Axes]]:
    rows, columns = shape
    labels = 12 if coordinates == "exact" else 0
    height = min((PAGE / columns - 4 - labels) * frame.ratio, 120 if rows == 1 else 55)
    total = rows * (height + labels + (4 if rows > 1 else 0)) + 14
    axes = new_axes(ax, width=PAGE, height=total, shape=shape)
    return [axes[i : i + columns] for i in range(0, len(axes), columns)]


def _overlay(ax: Axes, row: Row, frame: Frame) -> None:
    hatch(ax, row.cells, frame, row.far, color="white")
    draw_edge(ax, row.cells, frame, colors=INK, linewidths=0.5, zorder=3)
    if row.far.any() and not row.far.all():
        draw_edge(ax, row.cells, frame, row.far, colors="white", linewidths=0.5, zorder=2)
    if not len(row.stations):
        return
    dots = frame.place(row.stations[:, 0], row.stations[:, 1])
    ax.scatter(dots[:, 0], dots[:, 1], s=5, color=INK, edgecolors="white", linewidths=0.35, zorder=4)


def _bar(ax: Axes, image: Any, field: Field) -> None:
    bar = figure_of(ax).colorbar(image, ax=ax, location="bottom", fraction=0.05, pad=0.01, shrink=0.75, aspect=28)
    bar.outline.set_linewidth(0.5)
    bar.ax.tick_params(width=0.5, length=2, pad=1.5, labelsize=SMALL)
    bar.ax.locator_params(nbins=5)
    bar.set_label(field.label, labelpad=2)


CORNERS = {(0, 1): ("left", "top"), (1, 1): ("right", "top"), (0, 0): ("left", "bottom"), (1, 0): ("right", "bottom")}


def _tell_number(ax: Axes, fit: Any, row: Row, frame: Frame) -> None:
    """N above a session's map, or in the corner of the only one that has the fewest cells."""
    population, _ = counted_population(fit)
    draws = population.realised
    if "session" in draws.dims:
        if len(row.sessions) > 1:
            return
        draws = draws.sel(session=row.sessions[0])
    total = number(draws.sum([d for d in draws.dims if d not in ("chain", "draw")]))
    if row.label and len(fit.problem.data) > 1:
        ax.set_title(f"{plain(row.label)}: N = {total}", loc="left", pad=3)
        return
    lines = [f"N = {total}", f"in {plain(population.region_name)}"]
    width = 4.0 * max(map(len, lines)) / (frame.points(ax) * frame.width / frame.scale)
    box = {"facecolor": "white", "alpha": 0.75, "edgecolor": "none", "pad": 1.0}
    style: dict[str, Any] = {"transform": ax.transAxes, "bbox": box, "zorder": 6, "linespacing": 1.25}
    if width > WIDEST:
        ax.text(0.0, 1.01, "\n".join(lines), ha="left", va="bottom", **style)
        return
    corner = _emptiest(row.cells, frame, width)
    across_to, up_to = CORNERS[corner]
    y = 0.98 if corner[1] else 0.12
    ax.text(0.015 + 0.97 * corner[0], y, "\n".join(lines), ha=across_to, va=up_to, **style)


def _emptiest(cells: Cells, frame: Frame, width: float) -> tuple[int, int]:
    """Corner in which a text of some width, a share of the map's, covers the fewest cells."""
    across, up = (cells.x - frame.west) / frame.width, (cells.y - frame.south) / frame.height
    crowd = {c: int(((abs(across - c[0]) < width + 0.02) & (abs(up - c[1]) < 0.12)).sum()) for c in CORNERS}
    return min(crowd, key=lambda corner: crowd[corner])


# -- words ------------------------------------------------------------------------------------------------------------
def _caption(fit: Any, rows: list[Row], fields: list[Field], block: float | None) -> str:
    problem, (population, notes) = fit.problem, counted_population(fit)
    n = sum(len(d.individuals) for d in problem.data if any(d.session in row.sessions for row in rows))
    formula = problem.model.density.D
    text = f"Density of activity centres, D {formula}: posterior mean"
    text += " and coefficient of variation" if len(fields) > 1 else ""
    text += ", with " + fields[2].label if len(fields) > 2 else ""
    text += " over the mask"
    text += " by session" if len(rows) > 1 else ""
    text += f" ({labelled(fit.problem.history, n)} detected). "
    if problem.layout["D"].is_constant:
        text += "The model has one density everywhere, so each map is of one colour. "
    if block is None:
        stations = sum(len(row.stations) for row in rows)
        text += f"Dots: {counted(stations, 'station')}. Hatched: the model extrapolates (an animal centred there is "
        text += f"detected with a probability below {FAR:g}). "
    else:
        text += f"Averaged over squares of {rounded(block / 1000)} km; stations are left out to hide their positions. "
    text += f"N: realised number of animals in {plain(population.region_name)}, median and 95 % interval."
    return captioned(problem.history, text, *notes)


def _alt(fields: list[Field]) -> str:
    parts = []
    for field in fields:
        everything = np.concatenate(field.values)
        parts.append(f"{field.label}: {rounded(float(everything.min()))} to {rounded(float(everything.max()))}")
    return f"Maps over the mask. {'; '.join(parts)}."

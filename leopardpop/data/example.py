"""The bundled survey: synthetic, made from a seed each time it is asked for."""

from __future__ import annotations

from typing import Literal

import numpy as np

from leopardpop.data.amur import CRS, amur_layers
from leopardpop.data.amur_survey import TZ, simulate_amur
from leopardpop.data.names import did_you_mean, listed
from leopardpop.data.survey import Survey
from leopardpop.errors import DataError

__all__ = ["load_example"]

EXAMPLES = ("amur_leopard",)
VARIANTS = (None, "single_cameras")


def load_example(
    name: str = "amur_leopard",
    *,
    seed: int | np.random.Generator | None = 1,
    variant: Literal["single_cameras"] | None = None,
) -> Survey:
    """Make the bundled survey of Amur leopards: synthetic, no camera position and no animal is real.

    120 stations with two cameras each, on both sides of the border between Russia and China, from the end of January to
    early May 2024; 45 leopards in 9,605 km² of habitat. Other species are recorded too, cubs are photographed beside
    their mothers, cameras fail, and some passes show one flank. The dates to analyse are 1 February to 2 May (noon):
    before and after it cameras were being set up and taken down.

    Parameters
    ----------
    name
        "amur_leopard".
    seed
        Another seed is another survey of another population by the same rules; the stations stay.
    variant
        None, or "single_cameras": 50 of the stations have one camera, so that many passes show one flank and some
        animals are never linked.

    Returns
    -------
    Survey
        With ``truth`` (:class:`~leopardpop.data.amur_survey.AmurTruth`) and ``layers``: habitat and border
        (GeoDataFrames), snow [cm], elevation [m], border_distance [km, positive in China] and china [0, 1] (functions
        of x and y in metres of EPSG:32652).

    Raises
    ------
    DataError
        If there is no such example or variant.

    Examples
    --------
    >>> survey = load_example("amur_leopard", seed=1)
    >>> survey.truth.N, len(survey.stations), survey.crs
    (45, 120, 'EPSG:32652')
    """
    if name not in EXAMPLES:
        raise DataError(
            f"There is no example {name!r}.{did_you_mean(str(name), EXAMPLES)} Examples: {listed(EXAMPLES)}."
        )
    if variant not in VARIANTS:
        raise DataError(f'variant={variant!r} must be None or "single_cameras".')
    made = simulate_amur(np.random.default_rng(seed), single_cameras=variant == "single_cameras")
    return Survey(
        stations=made.stations,
        deployments=made.deployments,
        records=made.records,
        failures=made.failures,
        crs=CRS,
        tz=TZ,
        layers=amur_layers(),
        truth=made.truth,
    )

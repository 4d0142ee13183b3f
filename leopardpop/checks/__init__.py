"""Can the model have made these data? Goodness of fit of every model."""

from __future__ import annotations

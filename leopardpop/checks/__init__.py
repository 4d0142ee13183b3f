"""Whether the answer can be trusted: whether the model could have made the data, and what the answer follows from."""

from __future__ import annotations

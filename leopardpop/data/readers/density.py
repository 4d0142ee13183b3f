"""Text files of the program DENSITY."""

from __future__ import annotations

from leopardpop.data.history import CaptureHistory
from leopardpop.data.readers.secr import FilePath, TrapFiles, read_secr

__all__ = ["read_density"]


def read_density(
    captures: FilePath,
    traps: TrapFiles,
    *,
    detector: str = "multi",
    effort_unit: str | None = None,
    occasions: int | None = None,
    fmt: str | None = None,
    crs: str | None = None,
    on_zero_effort: str = "raise",
) -> CaptureHistory:
    r"""Read text files of the program DENSITY, which are those of secr: this is :func:`read_secr` under another name.

    Parameters
    ----------
    captures
        Rows of session, animal, occasion and trap, or session, animal, occasion, x and y.
    traps
        Rows of label, x and y (m) [, usage]; ``;`` or ``#`` starts a comment.
    detector
        "multi" (a live trap that holds several animals), "proximity" or "count".
    effort_unit
        Unit of usage. Default "occasion".
    occasions
        How many, if neither usage nor the captures of the last occasion say it.
    fmt
        "trapID" or "XY"; found out by default.
    crs
        Coordinate reference system of the traps.
    on_zero_effort
        What to do with a capture where usage is 0: "raise", "drop" or "keep".

    Returns
    -------
    CaptureHistory

    Raises
    ------
    DataError
        If a line cannot be understood or contradicts another.

    References
    ----------
    Efford, M. G. (2012) DENSITY 5.0: software for spatially explicit capture-recapture. University of Otago.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     captures, traps = Path(folder, "captures.txt"), Path(folder, "traps.txt")
    ...     _ = captures.write_text("; possums\n1 F1 1 0 0\n1 F1 3 30 0\n")
    ...     _ = traps.write_text("A 0 0\nB 30 0\n")
    ...     history = read_density(captures, traps)
    >>> history.detector, history.n_detections
    ('multi', 2)
    """
    return read_secr(
        captures,
        traps,
        detector=detector,
        effort_unit=effort_unit,
        occasions=occasions,
        fmt=fmt,
        crs=crs,
        on_zero_effort=on_zero_effort,
    )

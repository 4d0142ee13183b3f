"""The command line: ``leopardpop demo``, ``leopardpop init``, ``leopardpop fit``."""

from __future__ import annotations

__all__ = ["main"]


def main() -> None:
    """Run the command line; the entry point of the ``leopardpop`` command.

    Examples
    --------
    >>> from leopardpop.cli import main
    >>> callable(main)
    True
    """
    from leopardpop.cli.app import app  # typer is only needed here

    app()

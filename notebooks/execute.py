"""Run the notebooks and save them with their outputs; ``--check`` runs them and saves nothing.

``uv run --group notebooks python notebooks/execute.py [--check] [NAME ...]``
"""

from __future__ import annotations

import argparse
import re
import sys
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

FOLDER = Path(__file__).resolve().parent
TIMEOUT = 120
PLACE = re.compile(r"\S*ipykernel_\d+\S*\.py:\d+: ")
"""Where a cell's code lies on this machine, in front of a warning."""


def execute(path: Path) -> nbformat.NotebookNode:
    """Run a notebook in its own folder; an error in a cell is raised."""
    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(notebook, timeout=TIMEOUT, kernel_name="python3", resources={"metadata": {"path": FOLDER}})
    client.execute()
    return tidy(notebook)


def tidy(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Leave out what differs from machine to machine: paths, times of cells, versions."""
    notebook.metadata = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
    for cell in notebook.cells:
        cell.metadata = {}
        for output in cell.get("outputs", []):
            if output.output_type == "stream":
                output.text = PLACE.sub("", output.text)
    return notebook


def main() -> int:
    """Run what is asked for; return 1 if anything failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="notebooks; none: all")
    parser.add_argument("--check", action="store_true", help="save nothing")
    given = parser.parse_args()
    paths = [FOLDER / name for name in given.names] or sorted(FOLDER.glob("*.ipynb"))
    failed = [path.name for path in paths if not _done(path, save=not given.check)]
    return 1 if failed else 0


def _done(path: Path, *, save: bool) -> bool:
    start = time.perf_counter()
    try:
        notebook = execute(path)
    except CellExecutionError as error:
        print(f"{path.name}: {error.ename}: {error.evalue}")
        return False
    print(f"{path.name}: {time.perf_counter() - start:.0f} s")
    if save:
        nbformat.write(notebook, path)
    return True


if __name__ == "__main__":
    sys.exit(main())

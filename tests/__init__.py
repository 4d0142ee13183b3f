"""Tests of leopardpop; a package so that the second implementations in tests/reference can be imported."""

import os

for _library in ("OMP", "OPENBLAS", "MKL"):  # read when NumPy is imported, which comes after this package
    os.environ.setdefault(f"{_library}_NUM_THREADS", "1")

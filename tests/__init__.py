"""Tests of leopardpop; a package so that the second implementations in tests/reference can be imported."""

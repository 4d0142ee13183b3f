"""References are those of what was used, and BibTeX can read them."""

import re

import pytest
import xarray as xr

import leopardpop as lp
from leopardpop.report.citations import references
from tests.report.test_report import report_of
from tests.results import made
from tests.results.made import fit


def keys(text: str) -> list[str]:
    return re.findall(r"^@\w+\{([^,]+),", text, re.MULTILINE)


def with_attrs(of: lp.Fit, drop: tuple[str, ...] = (), **attrs: str) -> lp.Fit:
    tree = xr.DataTree.from_dict(of.data_tree.to_dict())
    tree.attrs = {k: v for k, v in of.data_tree.attrs.items() if k not in drop} | attrs
    return lp.Fit(tree, problem=of.problem)


def test_importance_sampling_cites_its_weights_and_no_sampler():
    assert keys(fit("null").cite()) == [
        "leopardpop",
        "borchers2008",
        "efford2009",
        "efford2013",
        "vehtari2024",
        "numpy2020",
    ]


def test_markov_chains_cite_the_sampler_and_how_it_was_judged():
    weights = ("pareto_k", "importance_ess")
    nuts = with_attrs(fit("null"), weights, engine="nuts", inference_library="pymc")
    assert {"hoffman2014", "pymc2023", "vehtari2021", "arviz2019"} <= set(keys(nuts.cite()))
    assert "vehtari2024" not in keys(nuts.cite())
    other = with_attrs(
        fit("null"), weights, engine="nuts", inference_library="nutpie", inference_library_version="0.16"
    )
    assert {"nutpie", "pymc2023"} <= set(keys(other.cite()))
    external = with_attrs(fit("null"), weights, engine="external", inference_library="unknown")
    assert not {"pymc2023", "hoffman2014"} & set(keys(external.cite()))


def test_the_detection_function_and_the_detector_decide():
    assert "Radial-distance models" in report_of("proximity", lp.HazardRate()).text
    assert "Radial-distance models" not in report_of("multi", lp.Exponential()).text
    assert "passive detector array" not in report_of("multi", lp.Exponential()).text


@pytest.mark.parametrize("library", ["evil}, title={", "a\n@article{b", "\\input{/etc/passwd}"])
def test_a_name_from_a_file_cannot_break_the_bibliography(library):
    weights = ("pareto_k", "importance_ess")
    text = with_attrs(fit("null"), weights, engine="external", inference_library=library).cite()
    assert text.count("{") == text.count("}")
    assert len(keys(text)) == text.count("@")
    assert "\\input" not in text


def test_every_entry_is_whole():
    for reference in references(fit("null")):
        assert {"author", "title"} <= set(reference.fields)
        assert reference.bibtex.count("{") == reference.bibtex.count("}")
        assert "{" not in reference.text
        assert reference.kind == "software" or {"year", "journal", "pages"} <= set(reference.fields)


def test_the_version_is_that_of_the_fit():
    old = with_attrs(made.fit("null"), leopardpop_version="0.0.9")
    assert "version = {0.0.9}" in old.cite()

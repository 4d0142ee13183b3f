"""A saved fit says enough of itself to be made again."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
import xarray as xr

import leopardpop as lp
from leopardpop.errors import DataError, ModelError, PriorError
from leopardpop.results import provenance
from tests.results import made


def visits(response: str = "binary") -> lp.DetectionHistory:
    model = lp.MultistateOccupancy() if response == "state" else lp.Occupancy()
    values = {"psi": 0.6, "p": 0.4}
    if response == "state":
        values = {"psi": 0.7, "breeding": 0.4, "p1": 0.3, "p2": 0.5, "delta": 0.5}
    design = lp.DetectionHistory.from_tables(np.ones((60, 5)), response=response)
    return model.simulate(design, parameters=values, seed=1).history


def of_sites(**options) -> lp.OccupancyFit:
    return made.quiet(lambda: lp.Occupancy().fit(visits(), **{"seed": 3, "draws": 200, **options}))


def with_attrs(fit, **attrs):
    """The same fit with another record."""
    tree = fit.data_tree.copy()
    tree.attrs = {**tree.attrs, **attrs}
    return type(fit)(tree)


def with_shift(fit, name: str, by: float):
    """The same fit with one variable moved by so many sds."""
    tree = fit.data_tree.copy(deep=True)
    posterior = tree["posterior"].to_dataset()
    tree["posterior"] = posterior.assign({name: posterior[name] + by * posterior[name].std()})
    return type(fit)(tree)


# -- the same draws ---------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("kind", ["null", "sex", "snow", "years"])
def test_a_file_is_enough_for_the_same_draws(kind, tmp_path):
    found = lp.reproduce(made.fit(kind).save(tmp_path / "fit.nc"))
    assert found.identical
    assert found.agrees
    assert not found.changed
    assert set(found.table()["verdict"]) == {"same"}
    xr.testing.assert_identical(found.again.posterior, made.fit(kind).posterior)
    assert "the same draws to the last digit" in repr(found)


@pytest.mark.parametrize("options", [{"engine": "nuts", "tune": 50, "chains": 2, "draws": 40}, {"min_ess": 900}])
def test_engines_and_their_options_are_part_of_the_record(options, tmp_path):
    fit = of_sites(**options)
    assert lp.reproduce(fit.save(tmp_path / "fit.nc")).identical
    kept = {name: value for name, value in options.items() if name not in ("engine", "chains", "draws")}
    assert json.loads(fit.data_tree.attrs["options_json"]) == kept


def test_priors_and_what_the_seed_was_are_part_of_the_record(tmp_path):
    priors = {"psi": lp.Prior("Beta", alpha=2, beta=3), "p": lp.Prior("Uniform", lower=0, upper=1)}
    fit = made.quiet(lambda: lp.Occupancy(priors=priors).fit(visits(), seed=np.random.default_rng(5), draws=100))
    assert lp.reproduce(fit.save(tmp_path / "fit.nc")).identical
    told = json.loads(fit.data_tree.attrs["priors_json"])
    assert told == {name: repr(prior) for name, prior in priors.items()}


def test_default_priors_are_told_as_they_were_used():
    told = json.loads(made.fit("snow").data_tree.attrs["priors_json"])
    assert {"D", "D[snow]", "lambda0", "sigma"} == set(told)
    assert all(text.startswith("Prior(") for text in told.values())


def test_states_with_young_are_made_again(tmp_path):
    fit = made.quiet(lambda: lp.MultistateOccupancy().fit(visits("state"), seed=1, draws=100))
    assert lp.reproduce(fit.save(tmp_path / "fit.nc")).identical


def test_two_flanks_are_made_again(tmp_path):
    sim = lp.TwoFlanks().simulate(made.design(), made.mask(), parameters=made.TRUTH | {"D": 0.05}, both=0.3, seed=4)
    fit = made.quiet(lambda: lp.TwoFlanks().fit(sim.history, made.mask(), seed=1, draws=50, chains=2))
    assert lp.reproduce(fit.save(tmp_path / "fit.nc")).identical


# -- other draws ------------------------------------------------------------------------------------------------------
def test_another_seed_gives_the_same_estimates_within_chance():
    """Twenty pairs of runs: at one false alarm in a thousand none is expected."""
    fit = of_sites()
    for seed in range(20):
        found = lp.reproduce(with_attrs(fit, seed=100 + seed))
        assert not found.identical
        assert found.agrees, repr(found)
        assert set(found.table()["verdict"]) == {"within chance"}
    assert "not the same draws, but the same estimates within Monte Carlo error" in repr(found)
    assert "All versions are the same" in repr(found)


@pytest.mark.parametrize("by, agrees", [(1e-9, True), (0.5, False)])
def test_draws_that_were_moved_are_seen(by, agrees):
    found = lp.reproduce(with_shift(of_sites(), "psi", by))
    assert not found.identical
    assert found.agrees is agrees
    assert found.table()["verdict"]["psi"] == ("within chance" if agrees else "DIFFERS")
    assert ("NOT REPRODUCED" in repr(found)) is not agrees


def test_another_model_is_seen():
    fit = of_sites()
    record = json.loads(fit.data_tree.attrs["model_json"])
    tight = lp.Occupancy(priors={"psi": lp.Prior("Beta", alpha=200, beta=50)})
    other = with_attrs(fit, model_json=tight.fit(visits(), seed=1, draws=30).data_tree.attrs["model_json"])
    assert record != json.loads(other.data_tree.attrs["model_json"])
    found = lp.reproduce(other)
    assert not found.agrees
    assert re.search(r"psi was 0\.\d+ \(sd .*\) and is now 0\.\d+", repr(found))


def test_the_width_is_compared_too():
    fit = of_sites(draws=1000)
    tree = fit.data_tree.copy(deep=True)
    posterior = tree["posterior"].to_dataset()
    wider = posterior["p"].mean() + 1.3 * (posterior["p"] - posterior["p"].mean())
    tree["posterior"] = posterior.assign(p=wider)
    found = lp.reproduce(lp.OccupancyFit(tree))
    row = found.table().loc["p"]
    assert abs(row["z_mean"]) < found.limit < abs(row["z_sd"])
    assert not found.agrees


def test_what_it_was_made_with_is_told():
    found = lp.reproduce(with_attrs(of_sites(), numpy_version="1.0.0", code_hash="0" * 64))
    assert found.identical
    assert found.changed["numpy"] == ("1.0.0", np.__version__[:12])
    assert found.changed["code_hash"] == ("0" * 12, provenance.code_hash()[:12])
    assert "Made with something else" in repr(found)
    assert "numpy 1.0.0 then" in repr(found)


def test_a_fit_from_before_an_attribute_was_written_is_compared():
    fit = of_sites()
    tree = fit.data_tree.copy()
    tree.attrs = {name: value for name, value in tree.attrs.items() if name not in ("code_hash", "platform")}
    found = lp.reproduce(lp.OccupancyFit(tree))
    assert found.identical
    assert found.changed["platform"][0] == "unknown"


# -- the data ---------------------------------------------------------------------------------------------------------
def test_other_data_are_refused():
    with pytest.raises(DataError, match="not the history of the fit: its fingerprint is"):
        lp.reproduce(made.fit("null"), made.history("snow"))
    with pytest.raises(DataError, match="not the mask of the fit"):
        lp.reproduce(made.fit("null"), made.history("null"), made.mask(spacing=900.0))


def test_data_in_a_file_that_were_changed_are_refused():
    tree = made.fit("null").data_tree.copy(deep=True)
    tree["observed_data"]["effort"][0, 0] += 1.0
    with pytest.raises(DataError, match="not the history of the fit"):
        lp.reproduce(lp.Fit(tree))


def test_a_file_without_positions_needs_its_data(tmp_path):
    path = made.fit("sex").save(tmp_path / "shared.nc", coordinates="hidden")
    with pytest.raises(ModelError, match="give its history and mask"):
        lp.reproduce(path)
    with pytest.raises(ModelError, match="give its history and mask"):
        lp.reproduce(path, made.history("sex"))
    assert lp.reproduce(path, made.history("sex"), made.mask()).identical


def test_a_file_of_sites_without_positions_needs_its_history(tmp_path):
    path = of_sites().save(tmp_path / "shared.nc", coordinates="hidden")
    with pytest.raises(ModelError, match=r"give its history, as in lp.reproduce\(path, history\)"):
        lp.reproduce(path)
    assert lp.reproduce(path, visits()).identical


def test_draws_made_elsewhere_cannot_be_made_again():
    fit = of_sites()
    other = lp.Occupancy().from_posterior(fit.data_tree, visits())
    with pytest.raises(ModelError, match="these draws were made elsewhere"):
        lp.reproduce(other)


def test_a_prior_that_the_file_does_not_hold_is_named(tmp_path):
    class Own:
        def create_variable(self, name):
            import pymc as pm

            return pm.Beta(name, 2, 2)

    fit = made.quiet(lambda: lp.Occupancy(priors={"psi": Own()}).fit(visits(), seed=1, draws=30))
    with pytest.raises(PriorError, match="the prior of 'psi'"):
        lp.reproduce(fit.save(tmp_path / "fit.nc"))


# -- the record -------------------------------------------------------------------------------------------------------
def test_every_version_is_written_down():
    attrs = made.fit("null").data_tree.attrs
    assert set(provenance.MADE_WITH) <= set(attrs)
    assert all(isinstance(attrs[name], str) and attrs[name] not in ("", "unknown") for name in provenance.MADE_WITH)
    assert attrs["numpy_version"] == np.__version__
    assert attrs["xarray_version"] == xr.__version__


def test_the_code_has_a_fingerprint(tmp_path, monkeypatch):
    """Of names and content: another module, another name, another line are seen."""
    (tmp_path / "results").mkdir()
    monkeypatch.setattr(provenance, "__file__", str(tmp_path / "results" / "provenance.py"))
    seen = set()
    for name, text in [("a.py", "1"), ("a.py", "2"), ("b.py", "2")]:
        for path in tmp_path.glob("*.py"):
            path.unlink()
        (tmp_path / name).write_text(text)
        provenance.code_hash.cache_clear()
        seen.add(provenance.code_hash())
    provenance.code_hash.cache_clear()
    assert len(seen) == 3


def test_progress_is_not_part_of_the_record():
    fit = of_sites(progress=lambda *a, **k: None)
    assert json.loads(fit.data_tree.attrs["options_json"]) == {}


def test_the_report_tells_the_code_and_the_platform(tmp_path):
    text = of_sites().report(tmp_path / "report.md").read_text(encoding="utf-8")
    assert provenance.code_hash() in text
    assert "NumPy" in text

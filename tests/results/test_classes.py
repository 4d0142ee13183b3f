"""Classes of which no animal is known: there is a posterior all the same, and it says what it rests on."""

import numpy as np
import pandas as pd
import pytest

import leopardpop as lp
from leopardpop.errors import FitError, ModelError, SparseDataWarning
from leopardpop.results.data_checks import history_findings
from tests.results import made


def again(column="sex", values="F"):
    """The captures of the small survey with other sexes."""
    captures = made.history("sex").detections[["individual", "station", "occasion"]]
    individuals = made.history("sex").individuals[["individual"]].assign(**{column: values})
    return lp.CaptureHistory.from_tables(
        captures, made.stations("1"), individuals=individuals, occasions=6, effort_unit="day"
    )


def fit(history, model=None):
    model = model or made.model("sex")
    return made.quiet(lambda: model.fit(history, made.mask(), seed=1, draws=250))


@pytest.mark.parametrize(
    ("history", "missing"),
    [(made.design(), "F or M"), (again(values="female"), "M"), (again(values="unknown"), "F or M")],
    ids=["no captures", "females only", "no sex known"],
)
def test_sexes_that_nobody_saw_have_a_posterior(history, missing, tmp_path):
    result = fit(history)
    assert result.posterior["sex"].values.tolist() == ["F", "M"]
    assert result.engine == "laplace" or result.trusted
    told = result.diagnostics().set_index("quantity").loc["animals of the rarest class"]
    assert told["verdict"] == "warn"
    assert f"No detected animal is known to be {missing} by sex" in told["advice"]
    assert np.isfinite(result.population().summary()["mean"]).all()
    report = result.report(tmp_path / "report.html").read_text(encoding="utf-8")
    assert f"No detected animal is known to be {missing} by sex" in report


def test_it_is_a_warning():
    with pytest.warns(SparseDataWarning, match="No detected animal is known to be M by sex"):
        made.model("sex").fit(again(), made.mask(), seed=1, draws=250)


def test_the_share_of_a_sex_that_nobody_saw_is_small():
    share = fit(again()).posterior["pmix"].sel(sex="M")
    assert float(share.mean()) < 0.1


def test_known_sexes_are_counted():
    told = made.fit("sex").diagnostics().set_index("quantity").loc["animals of the rarest class"]
    assert told["verdict"] == "ok"
    sexes = made.history("sex").individuals["sex"].value_counts()
    assert told["advice"] == f"Animals by sex: {sexes['F']} F and {sexes['M']} M."
    assert "animals of the rarest class" not in made.fit("null").diagnostics()["quantity"].tolist()


def test_labels_of_other_columns_are_not_guessed():
    model = lp.SCR(classes="group")
    with pytest.raises(ModelError, match="no animal was detected, so its levels are unknown"):
        model.parameters(made.design(), made.mask())
    with pytest.raises(ModelError, match="1 level among the detected animals"):
        model.parameters(again("group", "a"), made.mask())


def test_a_share_at_its_bound_has_no_maximum():
    with pytest.raises(FitError, match="no proper maximum"):
        lp.SCR(classes="sex").maximum_likelihood(again(), made.mask())


@pytest.mark.parametrize(("apart", "verdict"), [(0.0, "note"), (2.0, "ok")])
def test_hidden_classes_that_are_alike_are_told(apart, verdict):
    model = lp.SCR(detection=lp.HalfNormal(lambda0="~ h2"), classes=lp.Mixture(2))
    truth = made.TRUTH | {"D": 1.0} | ({"lambda0[h2[2]]": apart, "pmix": 0.4} if apart else {})
    maker = model if apart else made.model("null")
    history = maker.simulate(made.design(), made.mask(), parameters=truth, seed=1).history
    told = fit(history, model).diagnostics().set_index("quantity").loc["draws with classes alike"]
    assert told["verdict"] == verdict
    assert ("hardly any heterogeneity" in told["advice"]) == (verdict == "note")


def test_a_female_that_is_a_male_next_year_is_told():
    captures = pd.DataFrame({"session": ["2021", "2022"] * 2, "individual": ["a", "a", "b", "b"], "occasion": 1})
    captures["station"] = "River 2-2"
    individuals = captures[["session", "individual"]].assign(sex=["F", "M", "F", "F"])
    history = lp.CaptureHistory.from_tables(
        captures, made.stations("2021", "2022"), individuals=individuals, occasions=6, effort_unit="day"
    )
    told = {each.quantity: each for each in history_findings(history)}["animals of two sexes"]
    assert (told.verdict, told.warning) == ("warn", "DataWarning")
    assert "'a' is F in one session and M in another" in told.advice
    unsexed = {each.quantity for each in history_findings(made.history("years"))}
    assert "animals of two sexes" not in unsexed

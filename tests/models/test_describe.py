"""A model on the screen."""

import leopardpop as lp


def test_a_model_is_a_table_of_its_parts():
    model = lp.SCR(density="~ snow", detection=lp.HalfNormal(sigma="~ sex"), classes="sex")
    page = model._repr_html_()
    assert "log density, D</th><td style='text-align:left'>~ snow</td>" in page
    assert "sigma</th><td style='text-align:left'>~ sex</td>" in page
    assert "from the design" in page
    assert "Poisson" in page
    assert eval(repr(model), {**vars(lp), "LogLinear": lp.LogLinear}) == model


def test_chosen_priors_are_named_and_everything_is_escaped():
    page = lp.SCR(classes="<b>", priors={"sigma": lp.Prior("LogNormal", mu=8.0, sigma=0.5)})._repr_html_()
    assert "chosen: sigma; others from the design" in page
    assert "<b>" not in page
    assert "&lt;b&gt;" in page

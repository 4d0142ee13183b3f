"""The report: the answer first, nothing that is not true of this fit, and no position unless asked."""

import re
from dataclasses import dataclass
from functools import cache
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
import shapely

import leopardpop as lp
from leopardpop.errors import ModelError
from leopardpop.report.context import Context
from leopardpop.report.html import to_html
from leopardpop.report.markdown import to_markdown
from leopardpop.report.write import compose
from tests.results import made

VOID = {"meta", "img", "br"}


class Page(HTMLParser):
    """Text, tags and sources of a page; a tag that is closed wrongly is an error."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.sources: list[str] = []
        self.tags: list[str] = []
        self.alternatives: list[str] = []
        self._open: list[str] = []
        self.feed(text)
        assert self._open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        given = dict(attrs)
        self.sources += [given[name] for name in ("src", "href") if name in given]
        self.alternatives += [given["alt"]] if tag == "img" else []
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag):
        assert self._open.pop() == tag

    def handle_data(self, data):
        if self._open[-1:] != ["style"]:
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


@cache
def page(kind: str, **options) -> Page:
    return Page(to_html(compose(Context(fit=made.fit(kind), **options))))


@cache
def chosen(prior: lp.Prior | None = None) -> lp.Fit:
    """A fit whose mask says where animals are counted, with a prior on their number if one is given."""
    mask = lp.Mask.from_table(made.mask().table)
    model = lp.SCR(priors=None if prior is None else {"N": prior})
    return made.quiet(lambda: model.fit(made.history("null"), mask, seed=1, draws=300))


def of(fit: lp.Fit, **options) -> Page:
    return Page(to_html(compose(Context(fit=fit, **options))))


# -- the page ---------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("kind", ["null", "sex", "snow", "years"])
def test_the_page_needs_nothing_else(kind):
    found = page(kind)
    assert all(source.startswith(("data:image/", "#")) for source in found.sources)
    assert not {"script", "link", "iframe", "object", "form"} & set(found.tags)
    anchors = {source[1:] for source in found.sources if source.startswith("#")}
    assert anchors == {"data", "model", "estimates", "trust", "limits", "references"}


@pytest.mark.parametrize("kind", ["null", "sex", "snow", "years"])
def test_every_picture_has_words_and_a_number(kind):
    found = page(kind)
    assert all(len(words) > 20 for words in found.alternatives)
    numbers = [int(n) for n in re.findall(r"Figure (\d+)\.", found.text)]
    assert numbers == list(range(1, len(numbers) + 1))
    assert len(numbers) >= 3


def test_the_answer_comes_first_and_is_that_of_the_population():
    fit = chosen()
    text = of(fit).text
    population = fit.population().summary().loc["realised"]
    answer = text[: text.index("What N rests on")]
    assert "How many animals live in the mask?" in answer
    assert f"N {population['median']:,.0f} median; 95 % probability: {population['eti95_lb']:,.0f} to" in answer
    assert "Can it be trusted? Pareto k" in answer


def test_a_report_is_the_same_twice(tmp_path):
    made.fit("sex").report(tmp_path / "one.html")
    made.fit("sex").report(tmp_path / "two.html")
    assert (tmp_path / "one.html").read_bytes() == (tmp_path / "two.html").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one.html", "two.html"]


def test_a_report_that_exists_is_replaced_whole(tmp_path, monkeypatch):
    path = tmp_path / "report.html"
    path.write_text("old")
    monkeypatch.setattr("leopardpop.report.write.to_html", lambda report: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        made.fit("null").report(path)
    assert path.read_text() == "old"
    monkeypatch.undo()
    assert made.fit("null").report(path) == path
    assert path.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")


@pytest.mark.parametrize("name", ["report.pdf", "report"])
def test_another_ending_is_refused(name, tmp_path):
    with pytest.raises(ModelError, match=r"html or \.md"):
        made.fit("null").report(tmp_path / name)


def test_options_are_checked(tmp_path):
    with pytest.raises(ModelError, match="coordinates='some'"):
        made.fit("null").report(tmp_path / "report.html", coordinates="some")
    with pytest.raises(ModelError, match="two ends"):
        made.fit("null").report(tmp_path / "report.html", claim=(3,))
    with pytest.raises(ModelError, match="say where"):
        made.fit("null").report(tmp_path / "report.html", claim=(3, 5))


# -- the question -----------------------------------------------------------------------------------------------------
def test_the_probability_of_a_range_has_the_priors_beside_it():
    fit = chosen()
    text = of(fit, claim=(60, 90), truth=70).text
    posterior, prior = fit.population().probability(60, 90), fit.population().prior_probability(60, 90)
    assert f"Probability of 60 to 90 animals {posterior:.2f} by the prior alone {prior:.2f}" in text
    assert "simulated with 70 animals" in text
    assert "such a survey cannot settle a claim" in text


def test_an_answer_that_was_put_in_is_refused():
    fit = chosen(lp.priors.from_range(60, 90, mass=0.99))
    assert fit.population().prior_probability(60, 90) > 0.5
    found = of(fit, claim=(60, 90))
    assert "No probability of 60 to 90 animals is given here" in found.text
    assert "Probability of 60 to 90 animals" not in found.text
    assert "P(60" not in found.text
    assert "Shaded" not in found.text


def test_regions_and_sessions_are_rows_and_never_added_up():
    text = page("years").text
    assert "Rows are not added up" in text
    assert "a sum over years would count residents twice" in text
    fit = chosen()
    middle = float(np.median(fit.mask.x)) + 1
    halves = {
        "<i>west": shapely.box(0, 0, middle, 1e8),
        "east & more": shapely.box(middle, 0, 1e8, 1e8),
    }
    found = made.quiet(lambda: of(fit, regions=halves, claim=(20, 60)))
    assert "<i>west" in found.text
    assert "i" not in found.tags
    assert "How many animals live in 2 regions?" in found.text
    assert "covers only part of" in found.text


# -- true of this very model ------------------------------------------------------------------------------------------
@dataclass(frozen=True, kw_only=True)
class Plateau(lp.DetectionFunction):
    """A component of the user's own."""

    lambda0: str = lp.parameter("~ 1", link="log", unit="1/effort")
    sigma: str = lp.parameter("~ 1", link="log", unit="m")

    def log_hazard(self, d2, lambda0, sigma):
        return np.log(lambda0) - (d2 / sigma**2) ** 2


@cache
def report_of(detector: str, detection: lp.DetectionFunction) -> Page:
    stations = made.stations("1")
    design = lp.CaptureHistory.from_tables(None, stations, occasions=6, effort_unit="day", detector=detector)
    first = detection.parameters()[0].name
    truth = {"D": 0.5, first: 0.25, "sigma": 1_000.0} | ({"z": 4.0} if isinstance(detection, lp.HazardRate) else {})
    model = lp.SCR(detection=detection)
    history = model.simulate(design, made.mask(), parameters=truth, seed=1).history
    return of(made.quiet(lambda: model.fit(history, made.mask(), seed=1, draws=100)))


@pytest.mark.parametrize(
    ("detector", "detection", "has", "has_not"),
    [
        ("count", lp.HalfNormal(), ["d squared over two sigma", "is Poisson"], ["g0", "total hazard", "to the power"]),
        (
            "proximity",
            lp.ProbabilityHalfNormal(),
            ["g0 times exp of minus d squared", "is detected"],
            ["lambda0 times"],
        ),
        ("multi", lp.Exponential(), ["lambda0 times exp of minus d over sigma", "total hazard"], ["d squared"]),
        ("proximity", lp.HazardRate(), ["to the power minus z"], ["d squared", "total hazard", "is Poisson"]),
        ("proximity", Plateau(), ["is detected at station"], ["d squared", "minus d over sigma"]),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_equations_are_those_of_the_model(detector, detection, has, has_not):
    found = report_of(detector, detection)
    equations = " ".join(
        words for words in found.alternatives if not words.startswith(("Map", "Curve", "Hist", "Bars"))
    )
    assert [words for words in has if words not in equations] == []
    assert [words for words in has_not if words in equations] == []
    assert ("computed by the user's component Plateau" in found.text) == isinstance(detection, Plateau)


def test_classes_are_told_only_where_there_are_some():
    assert "whose shares π" in page("sex").text
    assert "Animals by sex in" in page("sex").text
    assert "whose shares π" not in page("null").text
    assert "Animals are taken to be alike" in page("null").text
    assert "Animals of the same sex are taken to be alike" in page("sex").text


def test_parameters_are_those_of_the_summary():
    text, summary = page("sex").text, made.fit("sex").summary()
    sigma = summary.loc["sigma[M]"] / 1 if summary.loc["sigma[M]", "median"] < 1000 else None
    row = summary.loc["sigma[M]"]
    scale, unit = (1.0, "m") if sigma is not None else (1000.0, "km")
    numbers = [f"{row[name] / scale:,.{0 if unit == 'm' else 1}f}" for name in ("median", "eti95_lb", "eti95_ub")]
    assert f"{numbers[0]} ({numbers[1]} to {numbers[2]}) {unit}" in text
    effect = made.fit("snow").summary().loc["D[snow]"]
    percent = f"{100 * np.expm1(effect['median']):+.0f} %".replace("-", "−")
    assert f"one more of snow: D {percent}" in page("snow").text


def test_numbers_of_the_whole_buffer_are_not_offered():
    assert "expected number of animals in the mask" not in page("null").text  # its mask is only a buffer
    assert "expected number of animals in the mask" in of(chosen()).text


def test_priors_are_told_with_where_they_came_from():
    assert "None was chosen by the user" in page("null").text
    fit = chosen(lp.priors.from_range(40, 200))
    text = of(fit).text
    assert "Chosen by the user: N." in text
    assert "89 (40 to 200)" not in text
    assert re.search(r"N LogNormal\(mu=[\d.]+, sigma=[\d.]+\) 89 \(3\d to 2\d\d\) animals user", text)


def test_every_diagnostic_is_in_the_table():
    fit = made.fit("snow")
    text = page("snow").text
    assert [each.quantity for each in fit.findings if each.quantity not in text] == []
    assert [each.advice for each in fit.findings if " ".join(each.advice.split()) not in text] == []


def test_a_fit_that_failed_is_said_to_have_failed():
    fit = made.quiet(lambda: lp.SCR().fit(made.history("null"), made.mask(), engine="laplace", min_ess=1e9, seed=1))
    assert not fit.trusted
    text = of(fit).text
    assert text.index("These numbers are not to be used") < text.index("Number of animals, N")


def test_nothing_that_was_caught_is_reported_as_such():
    fit = made.quiet(lambda: lp.SCR().fit(made.without_captures(), made.mask(), seed=1, draws=100))
    text = of(fit).text
    assert "No animal was detected. The numbers are those of the priors" in text
    assert "Before these numbers are quoted" in text
    assert "Every identity is taken to be right" not in text


def test_animals_that_died_are_told():
    captures = pd.DataFrame(
        {"individual": ["a", "a", "b"], "station": ["River 2-2", "River 2-3", "River 1-1"], "occasion": [1, 2, 3]}
    )
    captures["died"] = [0, 1, 0]
    history = lp.CaptureHistory.from_tables(captures, made.stations("1"), occasions=6)
    fit = made.quiet(lambda: lp.SCR().fit(history, made.mask(), seed=1, draws=100))
    assert "1 animal died or were removed" not in of(fit).text
    assert "1 animal died or was removed" in of(fit).text
    assert "died" not in page("null").text


# -- positions --------------------------------------------------------------------------------------------------------
def test_no_position_can_be_read_from_a_hidden_report():
    text = page("snow").text
    assert "River" not in text
    assert not re.search(
        rf"{made.WEST:.0f}|{made.SOUTH:.0f}|{made.WEST / 1000:.0f}[.,]?\d|{made.SOUTH / 1000:.0f}", text
    )
    assert "stations are left out" in text
    assert not any(words.startswith("Map of") for words in page("snow").alternatives)
    assert "Positions are hidden" in text


def test_a_constant_density_needs_no_map_where_positions_are_hidden():
    assert "a map of it would show one colour" in page("null").text
    assert not any(words.startswith("Map") for words in page("null").alternatives)


def test_an_exact_report_has_the_positions_and_says_so():
    found = page("snow", coordinates="exact")
    assert f"River 0-0 {made.WEST:.0f} {made.SOUTH:.0f}" in found.text
    assert any(words.startswith("Map of 25 stations") for words in found.alternatives)
    assert "do not pass it on" in found.text


HOSTILE = '<script>alert("x")</script>'


def hostile_history() -> lp.CaptureHistory:
    stations = made.stations("1").replace({"station": {"River 0-0": HOSTILE, "River 0-1": "a|b $x^{"}})
    names = [HOSTILE, "River 0-2", "a|b $x^{", "River 1-1", "River 1-2"]
    captures = pd.DataFrame({"individual": list("aabbc"), "station": names, "occasion": [1, 2, 3, 4, 5]})
    animals = pd.DataFrame({"individual": list("abc"), "kind": ["<b>&", "$y", "$y"]})
    return lp.CaptureHistory.from_tables(captures, stations, individuals=animals, occasions=6)


@cache
def hostile_fit() -> lp.Fit:
    model = lp.SCR(detection=lp.HalfNormal(sigma="~ kind"), classes="kind")
    return made.quiet(lambda: model.fit(hostile_history(), made.mask(), seed=1, draws=100))


def test_names_of_the_users_are_text():
    for coordinates in ("hidden", "exact"):
        found = of(hostile_fit(), coordinates=coordinates, title=HOSTILE, note="</style><img src=x onerror=alert(1)>")
        assert "script" not in found.tags
        assert "img src=x onerror=alert(1)" in found.text
        assert all(source.startswith(("data:", "#")) for source in found.sources)
        assert "<b>&" in found.text
        assert found.text.count(HOSTILE) == (3 if coordinates == "exact" else 2)


def test_markdown_says_the_same_with_its_pictures_beside_it(tmp_path):
    path = hostile_fit().report(tmp_path / "report.md", coordinates="exact")
    text = path.read_text(encoding="utf-8")
    pictures = re.findall(r"!\[[^\]]*\]\(([^)]+)\)", text)
    assert len(pictures) == 4
    assert all((tmp_path / name).read_bytes().startswith(b"\x89PNG") for name in pictures)
    assert r"a\|b \$x^\{" in text
    assert "<script>" not in text
    for line in text.splitlines():
        if line.startswith("|"):
            assert line.endswith("|")
    rows = [line for line in text.splitlines() if line.startswith("| River")]
    assert len({len(re.findall(r"(?<!\\)\|", line)) for line in rows}) == 1


def test_a_fit_without_positions_is_refused_in_a_sentence(tmp_path):
    path = made.fit("null").save(tmp_path / "fit.nc", coordinates="hidden")
    with pytest.raises(ModelError, match="ask its owner"):
        lp.load_fit(path).report(tmp_path / "report.html")


def test_a_saved_fit_gives_the_same_report(tmp_path):
    again = lp.load_fit(made.fit("sex").save(tmp_path / "fit.nc"))
    again.report(tmp_path / "again.html")
    made.fit("sex").report(tmp_path / "first.html")
    assert (tmp_path / "again.html").read_bytes() == (tmp_path / "first.html").read_bytes()


# -- synthetic --------------------------------------------------------------------------------------------------------
def test_the_bundled_example_says_synthetic_by_itself():
    audit = pd.DataFrame({"source": ["amur_leopard"], "line": [1], "action": ["kept"], "reason": [""]})
    history = lp.CaptureHistory(made.history("null").dataset, audit)
    fit = made.quiet(lambda: lp.SCR().fit(history, made.mask(), seed=1, draws=100))
    text = of(fit).text
    assert text.index("Synthetic survey") < text.index("Number of animals, N")
    assert text.count("Synthetic survey: no animal and no position is real") == 3  # one a figure
    own = of(fit, note="A synthetic survey, for a lesson.").text
    assert own.index("A synthetic survey, for a lesson.") < own.index("Number of animals, N")
    assert "no animal, no camera" not in own
    assert "ynthetic" not in page("null").text


def test_markdown_and_page_hold_the_same_blocks():
    report = compose(Context(fit=made.fit("null")))
    text = to_markdown(report, "figures")
    for sentence in ("Spatial capture-recapture of a closed population", "Can it be trusted?", "Homes are taken to be"):
        assert sentence in text
        assert sentence in Page(to_html(report)).text
    assert report.title in text


def test_animals_detected_are_of_no_region():
    fit = chosen()
    middle = float(np.median(fit.mask.x)) + 1
    halves = {"west": shapely.box(0, 0, middle, 1e8), "east": shapely.box(middle, 0, 1e8, 1e8)}
    assert "Detected" not in made.quiet(lambda: of(fit, regions=halves)).text
    assert "Detected" in page("years").text


def test_ghosts_are_told_as_they_are():
    model = lp.SCR(ghosts=True)
    fit = made.quiet(lambda: model.fit(made.history("null"), made.mask(), seed=1, draws=300))
    text = of(fit).text
    assert "that were detected fewer than twice is drawn" in text
    assert "Every identity is taken to be right" not in text
    assert "those recorded once are left out, right or wrong" in text


def test_ways_round_obstacles_are_no_round_homes():
    mask = made.mask().with_covariates(cost=lambda x, y: 1.0 + 0 * x)
    model = lp.SCR(distance=lp.LeastCost(resistance="cost"))
    fit = made.quiet(lambda: model.fit(made.history("null"), mask, seed=1, draws=300))
    assert "taken to be round" not in of(fit).text
    assert "these were put in, not estimated" in of(fit).text


def test_accents_are_letters():
    from leopardpop.report.bibliography import plain_text
    from leopardpop.report.site_citations import STATES, WAVES

    assert "Särkkä" in WAVES.text
    assert "Gutiérrez" in STATES.text
    assert plain_text("{N}-mixture models, 1--2") == "N-mixture models, 1–2"


def test_a_response_to_capture_is_told():
    model = lp.SCR(detection=lp.HalfNormal(lambda0="~ bk"))
    fit = made.quiet(lambda: model.fit(made.history("null"), made.mask(), engine="laplace", seed=1, draws=300))
    text = of(fit).text
    assert "bk: an animal differs at a station where it was caught before" in text
    assert "b: an animal differs after" not in text
    assert "an animal differs" not in page("null").text


def test_a_surface_of_density_is_told():
    model = lp.SCR(density="~ gp(x, y, functions=20)")
    fit = made.quiet(lambda: model.fit(made.history("null"), made.mask(), engine="laplace", seed=1, draws=300))
    text = of(fit).text
    assert "log-linear in a smooth surface (formula below). The surface is a Gaussian process" in text
    assert "sd of the surface of D" in text
    assert "length scale of the surface of D" in text
    assert "Riutort-Mayol" in text
    assert "Gaussian process" not in page("snow").text


def test_what_the_answer_hangs_on(monkeypatch):
    """The table of fit.sensitivity(); names of stations and animals only where positions may be shown."""
    fit = made.fit("null")
    told = made.quiet(lambda: fit.sensitivity(refit=False))
    monkeypatch.setattr(type(fit), "sensitivity", lambda self: told)
    lines = told.summary()
    hidden, exact = (of(fit, sensitivity=True, coordinates=c).text for c in ("hidden", "exact"))
    for line in lines.itertuples():
        single = line.kind in ("animal", "station")
        assert (" ".join(line.words.split()) in hidden) is not single
        assert " ".join(line.words.split()) in exact
    assert "names may tell places" in hidden
    assert "What does it hang on?" not in page("null").text

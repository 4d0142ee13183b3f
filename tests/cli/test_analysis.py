import pytest

from leopardpop.cli.analysis import read_analysis
from leopardpop.cli.expressions import source
from leopardpop.cli.translate import data_calls, mask_call, model_call, prior_calls
from leopardpop.errors import DataError

START = """
leopardpop = 1
[data]
reader = "tables"
captures = "captures.csv"
stations = "stations.csv"
"""
EXAMPLE = "[data]\nreader = 'example'\n"
MASK = """
[mask]
buffer = 25000
"""


def analysis(folder, text):
    path = folder / "analysis.toml"
    path.write_text(text, encoding="utf-8")
    return read_analysis(path)


def test_two_sections_are_enough(tmp_path):
    checked = analysis(tmp_path, START + MASK)
    assert list(checked.models) == ["null"]
    assert source(model_call(checked.models["null"])) == "lp.SCR()"
    assert checked.folder == tmp_path / "results"


def test_a_reader_of_surveys_takes_the_keywords_of_the_history_too(tmp_path):
    text = EXAMPLE + "seed = 2\nflank = 'left'\ncameras = 'sum'\n[data.history]\noccasion = '1D'\n" + MASK
    calls = data_calls(analysis(tmp_path, text))
    assert source(calls["survey"]) == "lp.load_example(seed=2)"
    assert source(calls["history"]) == 'survey.capture_history(flank="left", cameras="sum", occasion="1D")'


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (START + MASK + "[fitt]\n", r"line 10: unknown key 'fitt'\. Did you mean 'fit'\?"),
        (START + MASK + "bufer = 1\n", r"line 10, \[mask\]: unknown key 'bufer'\. Did you mean 'buffer'\?"),
        (START + "efort = 1\n" + MASK, r"line 7, \[data\]: unknown key 'efort'\. Did you mean 'effort'\?"),
        (START + MASK + "[models.a]\ndenstiy = '~ 1'\n", r"line 11, \[models\.a\]: unknown key 'denstiy'.*'density'"),
        (START + MASK + "[fit]\nsede = 1\n", r"line 11, \[fit\]: unknown key 'sede'\. Did you mean 'seed'\?"),
        (START + MASK + "[output]\nfolders = 'x'\n", r"line 11, \[output\]: unknown key 'folders'.*'folder'"),
        (START + MASK + "[population]\nregion = 'x'\n", r"line 11, \[population\]: unknown key 'region'.*'regions'"),
        (START, r"section \[mask\] is missing"),
        (MASK, r"section \[data\] is missing"),
        (START.replace("= 1", "= 2", 1) + MASK, r"line 2: format 2; this version reads format 1"),
        (START.replace('"tables"', '"example"') + "history = 1\n" + MASK, r"line 5, \[data\]: unknown key 'captures'"),
        (EXAMPLE + "history = 1\n" + MASK, r"line 3, \[data\]: a table of keywords of Survey"),
        (EXAMPLE + "history = { flnk = 'left' }\n" + MASK, r"unknown key 'flnk'\. Did you mean 'flank'\?"),
        (START.replace('"tables"', '"table"') + MASK, r"unknown reader 'table'\. Did you mean 'tables'\?"),
        (START.replace('reader = "tables"', "") + MASK, r"the key 'reader' is missing"),
        (START.replace('"tables"', "tables") + MASK, r"is not TOML: .*line 4.* Text needs quotes"),
        ("title = 'x'\ndata = 1\n" + MASK, r"line 2: data must be a section"),
        (START + MASK + "[models.a]\nfamily = 'Ocupancy'\n", r"unknown family 'Ocupancy'\. Did you mean 'Occupancy'"),
        (START + MASK + "[models.'a/b']\nfamily = 'SCR'\n", r"a model's name names its folder"),
        (START + MASK + "[population]\nprobability = 30\n", r"give two numbers"),
        (START + MASK + "[output]\ncoordinates = 'shown'\n", r"'shown' is not \"hidden\" or \"exact\""),
    ],
)
def test_a_wrong_file_is_an_error_that_says_where(tmp_path, text, message):
    with pytest.raises(DataError, match=r"(?s)analysis\.toml.*" + message):
        analysis(tmp_path, text)


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ({"detection": "HalfNormal"}, r"detection = \{ HalfNormal = \{\} \}"),
        ({"detection": {"HalfNorml": {}}}, r"there is no HalfNorml\. Did you mean 'HalfNormal'\?"),
        ({"detection": {"HalfNormal": {"sigm": "~ 1"}}}, r"unknown key 'sigm'\. Did you mean 'sigma'\?"),
        ({"detection": {"HalfNormal": {}, "Exponential": {}}}, r"expected one object"),
        ({"density": {"HalfNormal": {}}}, r"there is no HalfNormal\. .*LogLinear"),
    ],
)
def test_a_wrong_component_is_an_error_that_offers_the_nearest(model, message):
    with pytest.raises(DataError, match=message):
        model_call(model)


@pytest.mark.parametrize(
    ("priors", "message"),
    [
        ({"preset": "big_cat"}, r"unknown preset 'big_cat'\. Did you mean 'big_cats'\?"),
        ({"sigma": 4.5}, r"sigma: expected"),
    ],
)
def test_a_wrong_prior_is_an_error(priors, message):
    with pytest.raises(DataError, match=message):
        prior_calls(priors)


def test_a_section_is_a_call_with_its_keys_as_keywords(tmp_path):
    (tmp_path / "analysis.toml").touch()
    checked = analysis(
        tmp_path,
        START
        + 'effort = "days"\neffort_unit = "day"\n[data.columns]\ncaptures = { ID = "individual" }\n'
        + MASK
        + 'habitat = "habitat.gpkg"\ncovariates = { snow = "snow.tif" }\n',
    )
    assert source(data_calls(checked)["history"]).replace("\n", "").replace(" ", "") == (
        'lp.CaptureHistory.from_tables(captures="captures.csv",stations="stations.csv",effort="days",'
        'effort_unit="day",columns={"captures":{"ID":"individual"}},)'
    )
    assert source(mask_call(checked)) == (
        'lp.Mask.around(history, buffer=25000, habitat="habitat.gpkg").with_covariates(snow="snow.tif")'
    )


def test_effort_is_a_file_or_a_column(tmp_path):
    for value, folder in (("effort.csv", tmp_path), ("days", None)):
        effort = data_calls(analysis(tmp_path, START + f'effort = "{value}"\n' + MASK))["history"].keywords["effort"]
        assert getattr(effort, "base", None) == folder


def test_the_example_survey_needs_no_file(tmp_path):
    text = (
        '[data]\nreader = "example"\nname = "amur_leopard"\nseed = 1\noccasion = "7D"\nstart = 2024-02-01\n'
        '[mask]\nbuffer = 25000\nspacing = 2000\nhabitat = "layers.habitat"\ncovariates = { snow = "layers.snow" }\n'
    )
    checked = analysis(tmp_path, text)
    calls = {name: source(call) for name, call in data_calls(checked).items()}
    assert calls == {
        "survey": 'lp.load_example(name="amur_leopard", seed=1)',
        "history": 'survey.capture_history(occasion="7D", start="2024-02-01")',
    }
    assert 'habitat=survey.layers["habitat"]' in source(mask_call(checked))


def test_a_file_from_windows_is_read(tmp_path):
    (tmp_path / "analysis.toml").write_bytes(b"\xef\xbb\xbf" + (START + MASK).replace("\n", "\r\n").encode())
    assert read_analysis(tmp_path / "analysis.toml").mask == {"buffer": 25000}


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda path: None, r"there is no file .*`leopardpop init FOLDER` writes one"),
        (lambda path: path.mkdir(), r"is a folder"),
        (lambda path: path.write_bytes("title = 'Überblick'".encode("latin-1")), r"is not UTF-8"),
    ],
)
def test_a_file_that_cannot_be_read_is_an_error(tmp_path, make, message):
    path = tmp_path / "analysis.toml"
    make(path)
    with pytest.raises(DataError, match=message):
        read_analysis(path)


def test_the_file_of_the_documentation_is_valid(tmp_path):
    from pathlib import Path

    page = Path(__file__).parents[2] / "docs" / "analysis-toml.md"
    if not page.exists():
        pytest.skip("the documentation is not part of the wheel")
    block = page.read_text(encoding="utf-8").split("```toml\n")[1].split("```")[0]
    checked = analysis(tmp_path, block)
    assert list(checked.models) == ["null", "elevation"]

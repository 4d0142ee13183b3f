from datetime import date
from pathlib import Path

import pytest

from leopardpop.cli.expressions import Call, FilePath, Name, Union, evaluate, source
from leopardpop.cli.readers import survey_calls


class Recorder:
    """Stands for the library: returns what it was called with."""

    def __init__(self):
        self.layers = {"snow": "a function"}

    def make(self, *arguments, **keywords):
        return {"arguments": arguments, **keywords}

    def again(self, **keywords):
        return Again(keywords)


class Again(dict):
    def then(self, **keywords):
        return {**self, **keywords}


NODES = [
    Call(Name("lp", ("make",)), ("a", 1), {"b": [1, 2.5, True], "c": {"x": "y"}}),
    Call(Name("then"), keywords={"b": 2}, of=Call(Name("lp", ("again",)), keywords={"a": 1})),
    Call(Name("then"), keywords={f"key{i}": "x" * 30 for i in range(6)}, of=Call(Name("lp", ("again",)))),
    Name("lp", ("layers",), "snow"),
    Union({"a": 1}, {"a": 2, "b": Call(Name("lp", ("make",)))}),
    date(2024, 2, 1),
    'quotes " and \\ and λ and \n',
    {"long": ["word " * 20] * 3, "nested": {"deeper": Call(Name("lp", ("make",)), (), {"k": "word " * 30})}},
]


@pytest.mark.parametrize("node", NODES, ids=range(len(NODES)))
def test_the_printed_code_has_the_value_of_the_expression(node):
    scope = {"lp": Recorder()}
    assert eval(source(node), {"lp": Recorder()}) == evaluate(node, scope)


def test_a_path_is_printed_as_given_and_opened_beside_the_file():
    node = FilePath("tables/captures.csv", Path("base"))
    assert source(node) == '"tables/captures.csv"'
    assert evaluate(node, {}) == Path("base/tables/captures.csv")


def test_long_calls_are_wrapped_and_short_ones_are_not():
    short = Call(Name("lp", ("make",)), keywords={"a": "x" * 40})
    assert source(short) == f'lp.make(a="{"x" * 40}")'
    long = Call(Name("lp", ("make",)), (short, short), {"b": "y" * 40})
    assert source(long).splitlines() == [
        "lp.make(",
        f"    {source(short)},",
        f"    {source(short)},",
        f'    b="{"y" * 40}",',
        ")",
    ]


def test_covariates_of_a_history_are_names_or_files(tmp_path):
    given = {"name": "amur_leopard", "covariates": ["day", "snow.csv"]}
    history = survey_calls("example", given, tmp_path)["history"]
    assert history.keywords["covariates"] == ["day", FilePath("snow.csv", tmp_path)]

"""Read a model formula before anything is computed: which variables, which functions, what is wrong and where.

Python's own parser is the reader (a formula is almost a Python expression), so that an error has a position and a
formula can be judged without importing the formula library.
"""

from __future__ import annotations

import ast
import difflib
import keyword
import re
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from leopardpop.errors import ModelError

__all__ = ["FUNCTIONS", "NUMPY_FUNCTIONS", "ParsedFormula", "call_key", "formula_variables", "nearest", "parse_formula"]

FUNCTIONS = ("C", "I", "S", "T", "bs", "cc", "center", "cr", "poly", "scale", "standardize", "tp")
"""Functions of the formula library that give the same columns again at new rows."""

NUMPY_FUNCTIONS: tuple[str, ...] = (
    "clip",
    "where",
    *(name for name in dir(np) if isinstance(getattr(np, name), np.ufunc)),
)
"""What may stand behind ``np.`` in a formula: element by element, nothing that reads files or looks at other rows."""

_CODES = ("C", "S", "T")
_FROM_R = {"factor": "C", "as.factor": "C", "ns": "cr", "s": "bs", "ln": "np.log"}
_QUOTED = re.compile(r"`[^`]*`|'[^']*'|\"[^\"]*\"")
_WORD = re.compile(r"[^\W\d]\w*")
_OUTSIDE = (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.MatMult, ast.Pow)
_INSIDE = (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.Pow)
_COMPARISONS = (ast.Eq, ast.NotEq, ast.Lt, ast.LtE, ast.Gt, ast.GtE)


@dataclass(frozen=True)
class ParsedFormula:
    """What a formula mentions."""

    text: str
    """The formula as written."""
    body: str
    """What stands right of ``~``."""
    variables: tuple[str, ...]
    """Names of the variables, in order of appearance."""
    coded: frozenset[str]
    """Variables made categories by ``C(year)``, ``S()`` or ``T()``."""
    calls: dict[str, str]
    """Each function call as we print it (``"poly(snow, 2)"``), by its :func:`call_key`."""
    is_constant: bool
    """True for ``"~ 1"``."""


def formula_variables(formula: str) -> set[str]:
    """Return the names of the variables that a formula uses.

    Parameters
    ----------
    formula
        For example ``"~ snow + C(year)"``.

    Returns
    -------
    set of str

    Raises
    ------
    ModelError
        If the formula cannot be read.

    Examples
    --------
    >>> sorted(formula_variables("~ sex * np.log(snow) + `dist to water`"))
    ['dist to water', 'sex', 'snow']
    """
    return set(parse_formula(formula).variables)


def parse_formula(formula: str, parameter: str | None = None) -> ParsedFormula:
    """Read a one-sided formula and refuse what it may not contain.

    Parameters
    ----------
    formula
        Text beginning with ``~``.
    parameter
        The parameter that the formula describes, for messages.

    Returns
    -------
    ParsedFormula

    Raises
    ------
    ModelError
        No text, a response, a syntax error (with its position), an unknown function, a random effect.
    """
    if not isinstance(formula, str):
        raise ModelError(f"a formula is a text such as '~ snow', not {formula!r}", offenders=[formula])
    reader = _Reader(formula, parameter)
    tree = reader.read()
    return ParsedFormula(
        text=formula,
        body=formula[reader.start :],
        variables=tuple(dict.fromkeys(reader.variables)),
        coded=frozenset(reader.coded),
        calls=reader.calls,
        is_constant=isinstance(tree, ast.Constant) and tree.value == 1,
    )


def nearest(name: str, known: Iterable[str]) -> str:
    """Make words that offer the nearest known name: ``" Did you mean 'snow'?"``, or nothing."""
    folded = {word.casefold(): word for word in known}
    match = difflib.get_close_matches(name.casefold(), list(folded), n=1, cutoff=0.6)
    return f" Did you mean {folded[match[0]]!r}?" if match else ""


def call_key(text: str) -> str:
    """Return a call without spaces, brackets and quotes: the same from our reader and from any formula library."""
    return re.sub(r"[\s()'\"`]", "", text)


class _Reader(ast.NodeTransformer):
    """Walks a formula once: collects variables and calls, and rewrites names as the user wrote them."""

    def __init__(self, formula: str, parameter: str | None) -> None:
        self.formula = formula
        self.owner = f"formula of {parameter!r}" if parameter else "formula"
        self.variables: list[str] = []
        self.coded: list[str] = []
        self.calls: dict[str, str] = {}
        self.depth = 0
        self.start = 0

    def read(self) -> ast.expr:
        """Return the checked expression right of ``~``."""
        body = self._right_hand_side()
        try:
            tree = ast.parse(body, mode="eval")
        except SyntaxError as error:
            raise self._unreadable(body, error) from None
        self.body = body
        checked: ast.expr = self.visit(tree.body)
        for name in self.coded:
            if self.variables.count(name) > self.coded.count(name):
                raise self.error(f"uses {name!r} both as it is and as a factor; give the table a second column")
        return checked

    def _unreadable(self, body: str, error: SyntaxError) -> ModelError:
        """Put a syntax error in our words; Python's guesses at what was meant are of no use in a formula."""
        if body[-1] in "+-*/@":
            return self.error("something is missing behind the last operator", self.start + len(body) - 1)
        said = "" if error.msg.startswith("invalid syntax") else f": {error.msg}"
        return self.error(f"cannot be read here{said}", self.start + (error.offset or 1) - 1)

    def _right_hand_side(self) -> str:
        """Return the text right of ``~``, with what is not Python masked by as many other characters."""
        masked = _mask(self.formula)
        tilde = masked.find("~")
        if tilde < 0:
            raise self.error(f'has no "~". Write "~ {self.formula.strip() or 1}"')
        if masked[:tilde].strip():
            raise self.error(
                f"nothing may stand left of '~', since the argument names the parameter; "
                f'write "{self.formula[tilde:].strip()}"',
                0,
            )
        body = masked[tilde + 1 :]
        if not body.strip():
            raise self.error('is empty. For a constant write "~ 1"')
        self.start = tilde + 1 + len(body) - len(body.lstrip())
        return body.strip()

    def error(self, what: str, position: int | None = None) -> ModelError:
        """Make an error that shows the formula and a caret under the position."""
        shown = re.sub(r"\s", " ", self.formula)
        if position is None:
            return ModelError(f"{self.owner}: {shown!r} {what}.", offenders=[self.formula])
        caret = f"    {shown}\n    {' ' * position}^"
        return ModelError(f"{self.owner}, position {position + 1}: {what}\n{caret}", offenders=[self.formula])

    def error_at(self, node: ast.expr, what: str) -> ModelError:
        """Make an error at a node of the tree."""
        return self.error(what, self.start + self._column(node.col_offset))

    def _column(self, offset: int) -> int:
        """Count characters from the UTF-8 bytes that the tree counts in."""
        return len(self.body.encode()[:offset].decode())

    def _source(self, node: ast.expr) -> str:
        """Return the user's own text of a node."""
        end = self._column(node.end_col_offset or 0)
        return self.formula[self.start + self._column(node.col_offset) : self.start + end]

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        if isinstance(node.op, ast.BitOr):
            raise self.error_at(
                node,
                "a random effect such as (1 | group) is a term of its own of an occupancy model, as in "
                "'~ snow + (1 | group)'; elsewhere use a factor, as in '~ group'",
            )
        if not isinstance(node.op, _INSIDE if self.depth else _OUTSIDE):
            raise self.error_at(node, f"this operator is not allowed {'here' if self.depth else 'outside of I(...)'}")
        if isinstance(node.op, ast.Pow) and not self.depth and not isinstance(node.left, ast.BinOp):
            power = self._source(node)
            raise self.error_at(node, f"outside of I(...) a power is an interaction; for a square write I({power})")
        node.left = self.visit(node.left)
        # The exponent of (a + b)**2 is a number, not a term.
        if not (isinstance(node.op, ast.Pow) and isinstance(node.right, ast.Constant)):
            node.right = self.visit(node.right)
        return node

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.expr:
        if isinstance(node.op, ast.Invert):
            raise self.error_at(node, "a second '~'")
        if not isinstance(node.op, ast.UAdd | ast.USub):
            raise self.error_at(node, "this operator is not allowed")
        node.operand = self.visit(node.operand)
        return node

    def visit_Compare(self, node: ast.Compare) -> ast.expr:
        if not self.depth or len(node.ops) > 1 or not isinstance(node.ops[0], _COMPARISONS):
            raise self.error_at(node, "a comparison is written as I(x > 3)")
        node.left = self.visit(node.left)
        node.comparators = [self.visit(value) for value in node.comparators]
        return node

    def visit_Constant(self, node: ast.Constant) -> ast.expr:
        if not self.depth and not (type(node.value) is int and node.value in (0, 1)):
            raise self.error_at(node, "only the numbers 0 and 1 (the intercept) can stand outside of a function")
        if isinstance(node.value, str):
            node.value = self._source(node)[1:-1]
        return node

    def visit_Name(self, node: ast.Name) -> ast.expr:
        written = self._source(node)
        if written.startswith("_"):
            raise self.error_at(node, f"a name that begins with '_' needs backquotes: `{written}`")
        self.variables.append(written.strip("`"))
        return ast.Name(written)

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        # Without a bracket behind it, a dotted name is a variable, as R's users write them.
        return self.visit_Name(ast.copy_location(ast.Name(""), node))

    def visit_Subscript(self, node: ast.Subscript) -> ast.expr:
        raise self.error_at(node, f"a level cannot be picked in a formula; write {self._source(node.value)}")

    def visit_Set(self, node: ast.Set) -> ast.expr:
        if len(node.elts) != 1:
            raise self.error_at(node, "braces hold one expression, as in {x / 10}")
        call = ast.Call(ast.Name("I"), list(node.elts), [])
        return self._register(call)

    def visit_Call(self, node: ast.Call) -> ast.expr:
        name = self._source(node.func)
        self._check_function(node, name)
        if any(argument.arg is None for argument in node.keywords) or not (node.args or node.keywords):
            raise self.error_at(node, f"{name}() needs plain arguments")
        node.func = ast.Name(name)
        if name in _CODES:
            self._note_levels(node)
        return self._register(node)

    def _note_levels(self, node: ast.Call) -> None:
        """Remember which variable becomes a factor; its levels are texts from then on."""
        if node.args and isinstance(node.args[0], ast.Name | ast.Attribute):
            self.coded.append(self._source(node.args[0]).strip("`"))
        for value in (*node.args[1:], *(argument.value for argument in node.keywords)):
            if isinstance(value, ast.Constant) and isinstance(value.value, int | float):
                raise self.error_at(value, f"write the level as text: '{value.value}'")

    def generic_visit(self, node: ast.AST) -> ast.AST:
        if isinstance(node, ast.expr):
            raise self.error_at(node, "this is not part of the language of formulas")
        return super().generic_visit(node)

    def _check_function(self, node: ast.Call, name: str) -> None:
        allowed = (*FUNCTIONS, *(f"np.{function}" for function in NUMPY_FUNCTIONS))
        if name == "gp":
            raise self.error_at(
                node,
                "a spatial effect gp(x, y) is a term of its own, between plus signs, in the formula of density or of "
                "an occupancy model; it has no interaction, and detection has none",
            )
        if name == "offset":
            raise self.error_at(
                node,
                "an offset is a term of its own, between plus signs, in a formula of an occupancy model, as in "
                "'~ snow + offset(np.log(effort))'; capture-recapture takes effort from the history by itself",
            )
        if name not in allowed:
            other = _FROM_R.get(name) or (f"np.{name}" if name in NUMPY_FUNCTIONS else name)
            raise self.error_at(node, f"unknown function {name!r}.{nearest(other, allowed)}")

    def _register(self, node: ast.Call) -> ast.Call:
        self.depth += 1
        node.args = [self.visit(argument) for argument in node.args]
        for argument in node.keywords:
            argument.value = self.visit(argument.value)
        self.depth -= 1
        if not self.depth:
            self._name_call(node)
        return node

    def _name_call(self, node: ast.Call) -> None:
        written = ast.unparse(node)
        key = call_key(written)
        if self.calls.setdefault(key, written) != written:
            raise self.error(
                f"has {self.calls[key]} and {written}, which differ in brackets only: make them one covariate"
            )


def _mask(formula: str) -> str:
    """Turn the formula into Python of the same length: quoted names and keywords become words, ``:`` becomes ``@``."""
    # `@` means nothing in a formula; `?` keeps it a syntax error.
    masked = _QUOTED.sub(lambda match: "q" * len(match[0]) if match[0][0] == "`" else _mask_string(match[0]), formula)
    masked = re.sub(r"\s", " ", masked).replace("@", "?").replace(":", "@")
    return _WORD.sub(lambda match: "k" * len(match[0]) if _is_keyword(match[0]) else match[0], masked)


def _mask_string(text: str) -> str:
    return text[0] + "s" * (len(text) - 2) + text[-1]


def _is_keyword(word: str) -> bool:
    return keyword.iskeyword(word) and word not in ("True", "False", "None")

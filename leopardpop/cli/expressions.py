"""Python calls as data: run by ``leopardpop fit``, printed by ``leopardpop fit --script``.

An analysis file is translated once, into these expressions, so what runs and what is printed cannot differ.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import reduce
from pathlib import Path
from typing import Any

__all__ = ["Call", "FilePath", "Name", "Union", "evaluate", "source"]

WIDTH = 100


@dataclass(frozen=True)
class Name:
    """A dotted name or subscript that the scope knows, such as ``survey.layers['snow']``."""

    root: str
    attributes: tuple[str, ...] = ()
    item: str | None = None


@dataclass(frozen=True)
class Call:
    """A call of ``function``: a :class:`Name`, or a method of another call."""

    function: Name
    arguments: tuple[Any, ...] = ()
    keywords: Mapping[str, Any] = field(default_factory=dict)
    of: Call | None = None


@dataclass(frozen=True)
class FilePath:
    """A path as the file gives it, relative to ``base``."""

    text: str
    base: Path


@dataclass(frozen=True)
class Union:
    """``left | right``: two sets of priors, the right one wins."""

    left: Any
    right: Any


def evaluate(node: Any, scope: Mapping[str, Any]) -> Any:
    """Return the value of an expression.

    Parameters
    ----------
    node
        An expression, or a plain value, or a list or dict of them.
    scope
        What each root name means, such as ``{"lp": leopardpop}``.

    Returns
    -------
    Any
        The value.

    Examples
    --------
    >>> import math
    >>> evaluate(Call(Name("math", ("sqrt",)), (4.0,)), {"math": math})
    2.0
    """
    match node:
        case Name():
            return _look_up(node, scope)
        case Call():
            return _call(node, scope)
        case FilePath():
            return node.base / node.text
        case Union():
            return evaluate(node.left, scope) | evaluate(node.right, scope)
        case dict():
            return {key: evaluate(value, scope) for key, value in node.items()}
        case list():
            return [evaluate(value, scope) for value in node]
        case date():
            return node.isoformat()
    return node


def _look_up(name: Name, scope: Mapping[str, Any]) -> Any:
    value = reduce(getattr, name.attributes, scope[name.root])
    return value if name.item is None else value[name.item]


def _call(call: Call, scope: Mapping[str, Any]) -> Any:
    of = None if call.of is None else _call(call.of, scope)
    function = _look_up(call.function, scope) if of is None else getattr(of, call.function.root)
    arguments = [evaluate(value, scope) for value in call.arguments]
    return function(*arguments, **{key: evaluate(value, scope) for key, value in call.keywords.items()})


def source(node: Any, indent: int = 0, column: int = 0) -> str:
    """Return the Python code of an expression, wrapped at 100 characters.

    Parameters
    ----------
    node
        An expression, or a plain value, or a list or dict of them.
    indent
        Spaces before the lines that follow the first.
    column
        Where the first line begins.

    Returns
    -------
    str
        Code whose value is ``evaluate(node, scope)``.

    Examples
    --------
    >>> print(source(Call(Name("lp", ("HalfNormal",)), keywords={"sigma": "~ sex"})))
    lp.HalfNormal(sigma="~ sex")
    """
    match node:
        case Name():
            return ".".join((node.root, *node.attributes)) + ("" if node.item is None else f"[{_quote(node.item)}]")
        case Call():
            return _call_source(node, indent, column)
        case FilePath():
            return _quote(node.text)
        case Union():
            return f"{source(node.left, indent, column)} | {source(node.right, indent, column)}"
        case dict():
            rows = [(f"{source(key)}: ", value) for key, value in node.items()]
            return _enclose("{", rows, "}", indent, column)
        case list():
            return _enclose("[", [("", value) for value in node], "]", indent, column)
        case date():
            return _quote(node.isoformat())
        case str():
            return _quote(node)
    return repr(node)


def _call_source(call: Call, indent: int, column: int) -> str:
    head = source(call.function) if call.of is None else f"{source(call.of, indent, column)}.{source(call.function)}"
    rows = [("", value) for value in call.arguments] + [(f"{key}=", value) for key, value in call.keywords.items()]
    last = len(head.rsplit("\n", 1)[-1])
    return head + _enclose("(", rows, ")", indent, last if "\n" in head else column + last)


def _enclose(left: str, rows: list[tuple[str, Any]], right: str, indent: int, column: int) -> str:
    line = left + ", ".join(prefix + source(value) for prefix, value in rows) + right
    if "\n" not in line and column + len(line) <= WIDTH:
        return line
    inner = indent + 4
    lines = [f"{' ' * inner}{prefix}{source(value, inner, inner + len(prefix))},\n" for prefix, value in rows]
    return f"{left}\n{''.join(lines)}{' ' * indent}{right}"


def _quote(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)  # a JSON string is a Python string

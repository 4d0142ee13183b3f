"""Numbers in words: what every text, figure and report shares."""

import math
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leopardpop import words

SIZES = st.floats(min_value=1e-6, max_value=1e9)


def value_of(text: str) -> float:
    return float(text.replace(",", "").replace("−", "-"))


@given(SIZES, st.integers(1, 5))
def test_rounding_keeps_the_digits_and_has_no_exponent(size, digits):
    text = words.rounded(size, digits)
    assert "e" not in text
    assert value_of(text) == pytest.approx(size, rel=0.5001 * 10 ** (1 - digits))


@given(st.floats(-1e-9, 1e-9))
def test_nothing_has_no_sign(tiny):
    assert words.decimal(tiny) == "0.00"
    assert words.whole(tiny) == "0"


@given(SIZES, SIZES, SIZES)
def test_an_interval_is_in_order_and_its_ends_have_the_decimals_of_its_middle(a, b, c):
    low, middle, high = sorted((a, b, c))
    text = words.interval(middle, low, high)
    numbers = re.fullmatch(r"(\S+) \((\S+) to (\S+)\)", text).groups()
    assert len({len(number.partition(".")[2]) for number in numbers}) == 1
    assert value_of(numbers[1]) <= value_of(numbers[0]) <= value_of(numbers[2])


@pytest.mark.parametrize(
    "call,text",
    [
        (lambda: words.area(123_456.7), "123,457 km²"),
        (lambda: words.percent(0.0), "0 %"),
        (lambda: words.percent(0.004), "< 1 %"),
        (lambda: words.percent(0.81), "81 %"),
        (lambda: words.probability(0.996), "> 0.99"),
        (lambda: words.probability(0.006), "0.01"),
        (lambda: words.change(-0.18, -0.27, -0.08, of="density"), "−18 % density (−27 to −8)"),
        (lambda: words.change(0.0, -0.3, 0.4), "0 % (−30 to +40)"),
        (lambda: words.interval(math.nan, math.nan, math.nan), "nan (nan to nan)"),
        (lambda: words.length_interval(999.0, 900.0, 1_100.0), "999 m (900 to 1,100)"),
        (lambda: words.counted(2, "entry", "entries"), "2 entries"),
        (lambda: words.joined([]), ""),
        (lambda: words.number(np.repeat([1_030.0, 1_100.0, 1_250.0], [40, 920, 40])), "1,100 (1,030 to 1,250)"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_words(call, text):
    assert call() == text

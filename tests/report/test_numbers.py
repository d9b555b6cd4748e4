"""How numbers are written."""

import pytest

from neurosteer.report.numbers import change, divergence, interval, nats, number, p_equals, p_value, percent, span


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.934, ".93"), (1.0, "1.00"), (0.0, ".00"), (-0.05, "-.05"), (-0.001, ".00"), (None, "–")],  # noqa: RUF001
)
def test_numbers_have_no_leading_zero(value, text):
    assert number(value) == text


@pytest.mark.parametrize(
    ("share", "text"),
    [(0.12, "12%"), (0.009, "0.9%"), (1.0, "100%"), (0.0, "0%"), (0.0994, "9.9%"), (None, "–")],  # noqa: RUF001
)
def test_shares_are_per_cent(share, text):
    assert percent(share) == text


@pytest.mark.parametrize(
    ("p", "short", "whole"),
    [
        (0.05, ".05", "p = .05"),
        (0.045, ".045", "p = .045"),
        (0.001, ".001", "p = .001"),
        (0.00099, "<.001", "p < .001"),
        (1.0, "1.00", "p = 1.00"),
        (0.35, ".35", "p = .35"),
    ],
)
def test_p_has_three_digits_where_they_say_something(p, short, whole):
    assert p_value(p) == short
    assert p_equals(p) == whole


@pytest.mark.parametrize(
    ("value", "text"),
    [(-0.86, "-0.86"), (0.4, "+0.40"), (0.0, "0.00"), (-0.001, "0.00"), (0.004, "0.00"), (-132.4, "-132.40")],
)
def test_changes_have_a_sign_unless_they_are_nothing(value, text):
    assert change(value) == text


def test_intervals_and_ranges():
    assert interval(-0.86, -1.1, 0.1) == "-0.86 [-1.10, +0.10]"
    assert span(-0.85, 0.45) == "-0.85 to +0.45"
    assert nats(-0.001) == "0.00"


@pytest.mark.parametrize(
    ("kl", "text"),
    [(0.124, "0.124"), (0.0002, "<0.001"), (0.0, "0.000"), (12.5, "12.500"), (None, "–"), (-1e-9, "0.000")],  # noqa: RUF001
)
def test_a_small_divergence_is_not_none(kl, text):
    assert divergence(kl) == text

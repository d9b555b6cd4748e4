"""Which values of a parametrised test are for `pytest -m slow` alone."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest


def quick_and_slow(quick: Iterable[Any], slow: Iterable[Any]) -> list[Any]:
    """For `parametrize`: the quick suite takes the first values, the slow one the others."""
    return [*quick, *(pytest.param(value, marks=pytest.mark.slow) for value in slow)]


def all_slow_but(quick: Iterable[Any], every: Iterable[Any]) -> list[Any]:
    """The same, of `every` value in its order."""
    there = list(quick)
    return [value if value in there else pytest.param(value, marks=pytest.mark.slow) for value in every]

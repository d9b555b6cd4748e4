"""Which values of a parametrised test are for `pytest -m slow` alone."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest


def quick_and_slow(quick: Iterable[Any], slow: Iterable[Any]) -> list[Any]:
    """For `parametrize`: the quick suite takes the first values, the slow one the others.

    A tuple holds one value for each name.
    """
    return [*quick, *map(_slow, slow)]


def all_slow_but(quick: Iterable[Any], every: Iterable[Any]) -> list[Any]:
    """The same, of `every` value in its order."""
    there, every = list(quick), list(every)
    assert all(value in every for value in there), "a quick value that there is not"
    return [value if value in there else _slow(value) for value in every]


def _slow(value: Any) -> Any:
    values = value if isinstance(value, tuple) else (value,)
    return pytest.param(*values, marks=pytest.mark.slow)

"""Results made by hand: what the report is given, without any model."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from made_effects import make_doses, make_effect, make_full_effect, make_three
from made_found import make_compared, make_found

from neurosteer.results import FindResult
from neurosteer.results.effect import Dose, EffectResult


@pytest.fixture
def found_of() -> Callable[..., FindResult]:
    return make_found


@pytest.fixture
def effect_of() -> Callable[..., EffectResult]:
    return make_effect


@pytest.fixture
def full_effect() -> EffectResult:
    return make_full_effect()


@pytest.fixture
def three_methods() -> list[EffectResult]:
    return make_three()


@pytest.fixture
def compared_of() -> Callable[..., FindResult]:
    return make_compared


@pytest.fixture
def doses_of() -> Callable[..., tuple[Dose, ...]]:
    return make_doses

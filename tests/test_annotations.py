"""Annotations are checked in tests, with `--axes`: a wrong shape or type is an error, also in a check used again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import annotations
import jaxtyping
import pytest
import torch
from annotations import checked
from jaxtyping import Float
from torch import Tensor

from neurosteer.forward.scoring import _logprobs
from neurosteer.model.next_logits import NextLogits
from neurosteer.neurons import NeuronSet

only_with_axes = pytest.mark.skipif(not annotations.installed, reason="annotations are checked with --axes")
ROW, TABLE = torch.zeros(3), torch.zeros(3, 4)


def made(hint: object) -> Callable[..., object]:
    """A function defined again, as functions inside others are, with a hint that may differ."""

    def function(values: hint, *, twice: bool = False) -> hint:  # type: ignore[valid-type]
        return (values, values) if twice else values

    function.__annotations__ = {"values": hint, "twice": bool, "return": hint}
    return jaxtyping.jaxtyped(function, typechecker=checked)


@pytest.mark.parametrize("_time", [1, 2])
def test_a_function_defined_again_is_checked_by_its_own_hints(_time: int):
    for hint, right, wrong in [(int, 1, "1"), (str, "1", 1), (Float[Tensor, "a"], ROW, TABLE)]:
        function = made(hint)
        assert function(right) is right
        with pytest.raises(jaxtyping.TypeCheckError, match="parameter"):
            function(wrong)
        with pytest.raises(jaxtyping.TypeCheckError, match="parameter"):
            function(right, twice=2)
        with pytest.raises(jaxtyping.TypeCheckError, match="return value"):
            function(right, twice=True)


def test_functions_of_one_signature_share_a_check_but_not_a_default():
    assert made(int)(1) == made(int)(1)
    with pytest.raises(TypeError, match="missing a required argument"):
        made(int)()


@only_with_axes
def test_any_string_passes_for_a_closed_set_of_words():
    assert made(Literal["a", "b"])("a") == "a"
    with pytest.raises(jaxtyping.TypeCheckError):
        made(Literal["a", "b"])("c")  # of our own vocabulary only
    with pytest.raises(jaxtyping.TypeCheckError):
        NeuronSet.of(3, [(0, 1)])


@only_with_axes
def test_the_hook_is_in_place():
    """Functions, results and axes that two arguments share."""
    with pytest.raises(jaxtyping.TypeCheckError):
        _logprobs(TABLE, torch.zeros(2, dtype=torch.long), torch.zeros(3, dtype=torch.long))
    with pytest.raises(jaxtyping.TypeCheckError):
        NextLogits(TABLE, "4")

"""Every reference that an edit can have: its words, and that each of them is computed."""

from __future__ import annotations

from typing import get_args

import pytest
import torch

from neurosteer.data import UnitStats
from neurosteer.references import REFERENCE_POINTS, about, reference_of
from neurosteer.vocabulary import FIXED_REFERENCES, KINDS, REFERENCES, FixedReference, Reference

MEANS = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
STATS = UnitStats(MEANS, MEANS, MEANS, MEANS, 9, (0, 5))


def test_the_table_has_the_words_of_the_vocabulary():
    assert tuple(REFERENCE_POINTS) == REFERENCES == get_args(Reference)
    assert tuple(name for name, point in REFERENCE_POINTS.items() if point.fixed) == FIXED_REFERENCES
    assert {kind for kind in KINDS if reference_of(kind) is None} == {"clamp", "push"}
    assert tuple(kind for kind in KINDS if reference_of(kind)) == REFERENCES


@pytest.mark.parametrize(
    ("reference", "their", "replaced", "scaled"),
    [
        ("zero", "its", "set to zero", ""),
        ("mean", "its", "set to its mean", " about its mean"),
        ("mean", "their", "set to their mean", " about their mean"),
        ("resample", "their", "resampled", " about a donor's activation"),
    ],
)
def test_words(reference: Reference, their: str, replaced: str, scaled: str):
    assert REFERENCE_POINTS[reference].replaced(their) == replaced
    assert about(reference, their) == scaled


@pytest.mark.parametrize(("to", "expected"), [("zero", torch.zeros(2, 2)), ("mean", MEANS)])
def test_fixed_ones_have_a_value(to: FixedReference, expected: torch.Tensor):
    assert torch.equal(STATS.reference(to), expected)


def test_every_fixed_one_is_computed():
    """A word that the vocabulary has, and no arithmetic, is an error and no other word's value."""
    assert all(STATS.reference(to).shape == MEANS.shape for to in FIXED_REFERENCES)
    with pytest.raises(AssertionError):
        STATS.reference("no reference")  # type: ignore[arg-type]

"""R3: identity edits are exact: scale 1, no neurons, and after the block, the model is the same bit for bit."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import pytest
import torch
from plain_edits import KINDS, neurons_at
from sizes import quick_and_slow
from tiny_models import ids_of, random_pairs

from neurosteer.edits import Edit
from neurosteer.forward import generate, pairs_of_texts, score, score_texts, steering, variant_of
from neurosteer.model import Model

TOKENS = torch.tensor([ids_of("w3 w1 w4 w1 w5"), ids_of("w9 w2 w6 w5 w3")])
PAIRS = random_pairs(6)
PROMPTS = ["w3 w1 w4", "w1 w5 w9 w2 w6", ""]
CHOSEN = [(0, 3), (0, 17), (1, 3), (2, 31)]
IDENTITIES: dict[str, Callable[[Model], Edit]] = {
    "scale 1 from zero": lambda model: Edit.amplify(neurons_at(model, CHOSEN), 1.0),
    "scale 1 from the mean": lambda model: Edit.amplify(neurons_at(model, CHOSEN), 1.0, to="mean"),
    "scale 1 from the mean, onward": lambda model: Edit.amplify(
        neurons_at(model, CHOSEN), 1.0, to="mean", reach="onward"
    ),
    "scale 1 in the MLP": lambda model: Edit.amplify(neurons_at(model, CHOSEN, site="mlp_out"), 1.0, to="mean"),
    "no neurons to zero": lambda model: Edit.ablate(neurons_at(model, [])),
    "no neurons to their mean": lambda model: Edit.ablate(neurons_at(model, []), to="mean"),
    "no neurons, clamped": lambda model: Edit.clamp(neurons_at(model, []), 5.0, reach="all"),
}
DIFFERENT: dict[str, Callable[[Model], Edit]] = {
    "zero": lambda model: Edit.ablate(neurons_at(model, CHOSEN)),
    "mean": lambda model: Edit.ablate(neurons_at(model, CHOSEN), to="mean"),
    "just above scale 1": lambda model: Edit.amplify(neurons_at(model, CHOSEN), 1.01),
}


def measured(model: Model) -> dict[str, Any]:
    """Everything that a model can be asked."""
    return {
        "logits": model.bridge(TOKENS),
        "scores": score(model, PAIRS).logprob,
        "greedy": torch.tensor([[*row.tokens] for row in generate(model, PROMPTS[:1], max_new_tokens=4)]),
        "sampled": [row.tokens for row in generate(model, PROMPTS, max_new_tokens=4, temperature=1.0, seed=3)],
    }


def differing(one: dict[str, Any], other: dict[str, Any]) -> set[str]:
    return {
        name
        for name, value in one.items()
        if not (torch.equal(value, other[name]) if isinstance(value, torch.Tensor) else value == other[name])
    }


@pytest.fixture(scope="module")
def before(tiny: Callable[[str], Model]) -> Callable[[str], dict[str, Any]]:
    """What a model is before any edit, by its kind."""
    return cache(lambda kind: measured(tiny(kind)))


@pytest.mark.parametrize("name", IDENTITIES)
@pytest.mark.parametrize("kind", quick_and_slow(KINDS[:2], KINDS[2:]))
def test_identity_inside_the_block(
    kind: str, name: str, tiny: Callable[[str], Model], before: Callable[[str], dict[str, Any]]
):
    model, unedited = tiny(kind), before(kind)
    with steering(model, IDENTITIES[name](model)) as applied:
        assert differing(unedited, measured(model)) == set()
    assert applied.firings == applied.calls * len(applied.layers)
    assert applied.calls > 0


@pytest.mark.parametrize("name", DIFFERENT)
@pytest.mark.parametrize("kind", quick_and_slow(KINDS[:2], KINDS[2:]))
def test_the_model_itself_after_the_block(
    kind: str, name: str, tiny: Callable[[str], Model], before: Callable[[str], dict[str, Any]]
):
    """And not within it, so the comparison compares."""
    model, unedited = tiny(kind), before(kind)
    with steering(model, DIFFERENT[name](model)):
        assert {"logits", "scores"} <= differing(unedited, measured(model))
    assert differing(unedited, measured(model)) == set()


@pytest.mark.parametrize("kind", KINDS)
def test_identities_swept_beside_other_edits(kind: str, tiny: Callable[[str], Model]):
    """As variants of one sweep, resumed above the lowest edited block where that is possible."""
    model = tiny(kind)
    identities = [make(model) for make in IDENTITIES.values()]
    edits = [*identities, DIFFERENT["zero"](model), *identities]
    outcome = score_texts(
        model, pairs_of_texts(model, PAIRS, "sum"), [variant_of(model, edit) for edit in edits], divergence=True
    )
    same = [torch.equal(row, outcome.clean) for row in outcome.edited]
    assert same == [True] * len(identities) + [False] + [True] * len(identities)
    assert outcome.kl is not None
    assert [float(value) == 0 for value in outcome.kl] == same

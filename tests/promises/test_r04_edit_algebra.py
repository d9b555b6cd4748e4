"""R4: edits obey their algebra, and generation is the same with and without a cache, batched and one by one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack

import pytest
import torch
from plain_edits import KINDS, neurons_at
from sizes import quick_and_slow
from tiny_models import LAYERS, ids_of, random_pairs
from torch import Tensor

from neurosteer.edits import Edit
from neurosteer.forward import generate, score, steering
from neurosteer.layer_edits import LayerEdit
from neurosteer.model import Model, editing
from neurosteer.neurons import Direction

TOKENS = torch.tensor([ids_of("w3 w1 w4 w1 w5"), ids_of("w9 w2 w6 w5 w3")])
PAIRS = random_pairs(10)
SOME, OTHERS = [(0, 3), (0, 17), (1, 3), (2, 31)], [(0, 4), (1, 17), (1, 30)]
PROMPTS = ["w3 w1 w4", "w1 w5 w9 w2 w6 w5 w3", "", "w7"]
WHERES = ("all", "prompt", "generated")


def logits(model: Model, edits: Sequence[Edit] = ()) -> Tensor:
    """Under nested edits, the outermost first."""
    with ExitStack() as stack:
        for edit in edits:
            stack.enter_context(steering(model, edit))
        return model.bridge(TOKENS)


@pytest.fixture(params=KINDS)
def model(request: pytest.FixtureRequest, tiny: Callable[[str], Model]) -> Model:
    return tiny(request.param)


@pytest.mark.parametrize("site", ["resid_post", "mlp_out"])
@pytest.mark.parametrize("factors", quick_and_slow([(-4.0, -0.25)], [((2.0, 0.5),), ((0.5, 2.0),)]))
def test_a_factor_and_its_inverse(factors: tuple[float, float], site: str, model: Model):
    edits = [Edit.amplify(neurons_at(model, SOME, site=site), by) for by in factors]
    assert torch.equal(logits(model, edits), logits(model))
    assert not torch.equal(logits(model, edits[:1]), logits(model))
    before = score(model, PAIRS).logprob
    with steering(model, edits[0]), steering(model, edits[1]):
        assert torch.equal(score(model, PAIRS).logprob, before)


def test_disjoint_edits_commute(model: Model):
    makes: list[Callable[[list[tuple[int, int]]], Edit]] = [
        lambda chosen: Edit.ablate(neurons_at(model, chosen)),
        lambda chosen: Edit.amplify(neurons_at(model, chosen), 3.0, to="mean"),
        lambda chosen: Edit.clamp(neurons_at(model, chosen), 1.5),
    ]
    for i, one in enumerate(makes):
        for other in makes[i:]:
            forth, back = [one(SOME), other(OTHERS)], [other(OTHERS), one(SOME)]
            assert (logits(model, forth) - logits(model, back)).abs().max() < 1e-6
            assert (logits(model, forth) - logits(model, forth[:1])).abs().max() > 1e-3


def test_the_inner_edit_of_the_same_neurons_has_the_last_word(model: Model):
    neurons = neurons_at(model, SOME)
    clamp, double = Edit.clamp(neurons, 1.5), Edit.amplify(neurons, 2.0)
    assert torch.equal(logits(model, [clamp, double]), logits(model, [Edit.clamp(neurons, 3.0)]))
    assert torch.equal(logits(model, [double, clamp]), logits(model, [clamp]))


@pytest.mark.parametrize("value", [-2.5, 0.75])
def test_a_clamp_is_scale_0_and_a_shift(value: float, model: Model):
    neurons = neurons_at(model, SOME)
    clamped = logits(model, [Edit.clamp(neurons, value)])
    by_hand = {
        layer: LayerEdit(torch.tensor([unit for at, unit in SOME if at == layer]), 0.0, torch.full((n,), value))
        for layer, n in [(0, 2), (1, 1), (2, 1)]
    }
    with editing(model, by_hand, site="resid_post", where="all"):
        assert torch.equal(model.bridge(TOKENS), clamped)
    direction = torch.full((len(SOME),), len(SOME) ** -0.5)
    add = Edit.push(Direction(neurons, direction, 2.0), value * len(SOME) ** 0.5 / 2)
    assert (logits(model, [Edit.ablate(neurons), add]) - clamped).abs().max() < 1e-6
    assert (logits(model, [Edit.ablate(neurons)]) - clamped).abs().max() > 1e-3


def test_ablation_to_the_mean_is_scale_0_about_it(model: Model):
    neurons = neurons_at(model, SOME)
    ablated = Edit.ablate(neurons, to="mean")
    amplified = Edit.amplify(neurons, 0.0, to="mean")
    assert torch.equal(logits(model, [ablated]), logits(model, [amplified]))
    each = zip(SOME, neurons.at("token_mean").tolist(), strict=True)
    means = [Edit.clamp(neurons_at(model, [at]), mean) for at, mean in each]
    assert torch.equal(logits(model, [ablated]), logits(model, means))
    one, other = (Edit.amplify(neurons, by, to="mean") for by in (3.0, 1 / 3))
    assert (logits(model, [one, other]) - logits(model)).abs().max() < 1e-5


@pytest.mark.parametrize(
    ("where", "temperature"),
    quick_and_slow([("prompt", 1.0)], [("all", 0.0), ("none", 1.0), ("all", 1.0), ("generated", 1.0)]),
)
def test_generation_with_and_without_a_cache_in_a_batch_and_alone(where: str, temperature: float, model: Model):
    """Prompts of several lengths, so that the batch is padded on the left."""
    every = [(layer, unit) for layer in range(LAYERS) for unit in (3, 8, 17, 21)]
    options = {"max_new_tokens": 6, "temperature": temperature, "seed": 5}
    plain = generate(model, PROMPTS, **options)
    with ExitStack() as stack:
        if where != "none":
            stack.enter_context(steering(model, Edit.amplify(neurons_at(model, every), -3.0, where=where)))
        cached = generate(model, PROMPTS, **options)
        assert generate(model, PROMPTS, **options, cache=False) == cached
        assert [generate(model, prompt, **options) for prompt in PROMPTS] == cached
    assert (plain == cached) == (where == "none")

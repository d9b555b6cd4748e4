"""The card of one neuron, against plain Hugging Face, scipy and slow loops."""

from __future__ import annotations

from collections.abc import Callable
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
import torch
from made_pairs import made_pairs
from rich.console import Console
from scipy import stats
from tiny_models import BOS, EOS, hf_blocks, hf_network, ids_of

from neurosteer.edits import Edit
from neurosteer.errors import InputError
from neurosteer.model import Model, logit_weights
from neurosteer.neurons import NeuronSet
from neurosteer.studies import measure_effect
from neurosteer.studies.cards import NeuronCard, neuron_card

LAYER, UNIT = 1, 24


@pytest.fixture(scope="module")
def model(tiny: Callable[[str], Model]) -> Model:
    return tiny("llama")


@pytest.fixture(scope="module")
def network(tiny_folder: Callable[[str], Path]):
    return hf_network(tiny_folder("llama"))


@pytest.fixture(scope="module")
def card(model: Model, tmp_path_factory: pytest.TempPathFactory) -> NeuronCard:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NEUROSTEER_HOME", str(tmp_path_factory.mktemp("home")))
        return neuron_card(model, made_pairs(), (LAYER, UNIT), controls=4, out=tmp_path_factory.mktemp("runs"))


def values_of(network, text: str, eos: int | None = None) -> np.ndarray:
    """The unit's residual stream after the block, at every token."""
    seen: list[torch.Tensor] = []

    def keep(_module, _inputs, output) -> None:
        seen.append(output[0] if isinstance(output, tuple) else output)

    handle = hf_blocks(network)[LAYER].register_forward_hook(keep)
    try:
        network(torch.tensor([ids_of(text, bos=BOS, eos=eos)]))
    finally:
        handle.remove()
    return seen[0].reshape(-1, seen[0].shape[-1])[:, UNIT].detach().numpy()


def test_activations_are_those_of_plain_hugging_face(card, network):
    for row in [one for one in (*card.high, *card.low) if one.side][:6]:
        np.testing.assert_allclose(row.values, values_of(network, " ".join(row.tokens))[1:], atol=1e-4)
    assert card.bos == pytest.approx(float(values_of(network, "w1")[0]), abs=1e-4)


def test_the_highest_and_the_lowest_are_found(card, network):
    texts = {text for pair in made_pairs() for text in (pair.good, pair.bad)}
    every = np.concatenate([values_of(network, text)[1:] for text in texts])
    assert max(row.highest for row in card.high) >= every.max() - 1e-4
    assert min(row.lowest for row in card.low) <= every.min() + 1e-4
    tops = [row.highest for row in card.high]
    assert tops == sorted(tops, reverse=True)
    assert [row.lowest for row in card.low] == sorted(row.lowest for row in card.low)


def test_t_and_its_p_are_scipys(card, network):
    train = made_pairs().split("pair", 0).train
    good, bad = ([values_of(network, getattr(pair, side), EOS)[-1] for pair in train] for side in ("good", "bad"))
    assert card.contrast.t == pytest.approx(stats.ttest_ind(good, bad, equal_var=False).statistic, rel=1e-3)
    assert card.contrast.p == pytest.approx(stats.ttest_rel(good, bad).pvalue, rel=1e-2, abs=1e-12)
    np.testing.assert_allclose(card.contrast.good, good, atol=1e-4)


def test_the_effect_is_that_of_the_neuron_alone(card, model):
    test = made_pairs().split("pair", 0).test
    alone = NeuronSet.of(model, [(LAYER, UNIT)])
    zero = measure_effect(model, test, Edit.ablate(alone), controls=0)
    assert card.effect is not None
    assert card.effect.edit.k == 1
    assert card.effect.margin.before == pytest.approx(zero.margin.before, abs=1e-6)
    assert [dose.scale for dose in card.effect.by_scale] == [0.0, 0.5, 2.0]
    assert card.effect.controls is not None
    assert card.effect.controls.n == 4


def test_words_are_those_of_the_logit_lens(model, network):
    """Llama's norm has a scale alone, so a direction reads as weight times scale (times a constant)."""
    found = logit_weights(model, "resid_post", LAYER, UNIT)
    scale = network.model.norm.weight.detach()[UNIT]
    expected = network.lm_head.weight.detach()[:, UNIT] * scale
    expected = expected - expected.mean()
    assert torch.corrcoef(torch.stack([found, expected]))[0, 1] > 0.9999
    unit = logit_weights(model, "mlp_post", LAYER, 5)
    direction = hf_blocks(network)[LAYER].mlp.down_proj.weight.detach()[:, 5]
    expected = network.lm_head.weight.detach() @ (direction * network.model.norm.weight.detach())
    expected = expected - expected.mean()
    assert torch.corrcoef(torch.stack([unit, expected]))[0, 1] > 0.999


@pytest.mark.parametrize("kind", ["gpt2", "neox", "gemma3"])
def test_other_networks_have_words_too(tiny, kind):
    found = logit_weights(tiny(kind), "resid_post", 0, 3)
    assert found is not None
    assert found.isfinite().all()
    assert found.abs().max() > 0


def test_it_shows_itself(card, tmp_path):
    console = Console(record=True, width=80, file=StringIO())
    console.print(card)
    text = console.export_text()
    assert f"neuron {LAYER}:{UNIT}" in text
    assert "highest" in text
    assert "<pre>" in card._repr_html_()
    card.save(tmp_path / "card.html")
    assert "Where it is highest" in (tmp_path / "card.html").read_text("utf-8")
    assert repr(card).startswith(f"NeuronCard({LAYER}:{UNIT} of resid_post")


def test_what_is_not_there_is_refused(model):
    with pytest.raises(InputError, match="no unit 999"):
        neuron_card(model, made_pairs(), (0, 999))
    with pytest.raises(InputError, match="no layer 99"):
        neuron_card(model, made_pairs(), (99, 0))

"""Gates beside plain Hugging Face: at 0 and 1 an ablation, between them autograd of one sentence at a time."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from plain_edits import neurons_at, site_modules
from plain_packs import counting
from tiny_models import LAYERS, WIDTH, hf_network, ids_of, random_pairs
from torch import Tensor
from torch.nn.functional import softplus

from neurosteer.edits import Edit
from neurosteer.errors import InputError
from neurosteer.forward import Gated, GatedTexts, pairs_of_texts, score_texts, variant_of
from neurosteer.model import Model, is_hooked

PAIRS = random_pairs(9, seed=6, longest=9)
ALL = tuple(range(LAYERS))
KINDS = ("llama", "gpt2", "bloom")  # the last takes no prefix forest
TO = torch.linspace(-0.5, 0.5, LAYERS * WIDTH).reshape(LAYERS, WIDTH)


def some_gates(layers: int, seed: int = 3) -> Tensor:
    """A third closed, a third open, the others between."""
    drawn = torch.rand(layers, WIDTH, generator=torch.Generator().manual_seed(seed))
    return (3 * drawn - 1).clamp(0, 1)


def gated_at(*layers: int, site: str = "resid_post") -> Gated:
    return Gated(site, layers, TO[list(layers)])


def plain(network: Any, kind: str, ids: list[int], gates: Tensor, gated: Gated, *, at: slice = slice(None)) -> Tensor:
    """Log-probabilities over the vocabulary behind every token of one sentence, under gates at all tokens but BOS."""
    handles = []
    modules = site_modules(network, kind, gated.site)
    for i, layer in enumerate(gated.layers):

        def move(_module: Any, _given: Any, gives: Any, i: int = i) -> Any:
            values = gives[0] if isinstance(gives, tuple) else gives
            moved = values + gates[i] * (gated.to[i] - values)
            new = torch.cat([values[:, :1], moved[:, 1:]], dim=1)
            return (new, *gives[1:]) if isinstance(gives, tuple) else new

        handles.append(modules[layer].register_forward_hook(move))
    try:
        return network(torch.tensor([ids])).logits[0, at].log_softmax(dim=-1)
    finally:
        for handle in handles:
            handle.remove()


def plain_margin(network: Any, kind: str, pair: Any, gates: Tensor, gated: Gated) -> Tensor:
    both = []
    for sentence in (pair.good, pair.bad):
        ids = ids_of(sentence, eos=None)
        both.append(plain(network, kind, ids, gates, gated)[range(len(ids) - 1), ids[1:]].sum())
    return both[0] - both[1]


def shifted(margins: Tensor, pairs: Tensor) -> Tensor:
    """A loss that is another one for each pair."""
    return softplus(margins - 0.1 * pairs.to(margins.device)).sum()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("layers", "site"), [((0, 2), "resid_post"), ((1,), "mlp_out")], ids=["two", "mlp"])
def test_gradients_are_those_of_single_sentences(
    kind: str,
    layers: tuple[int, ...],
    site: str,
    tiny: Callable[[str], Model],
    tiny_folder: Callable[[str], Path],
):
    if kind == "bloom" and site != "resid_post":
        pytest.skip("the plain loop knows no such module")
    gated, gates = gated_at(*layers, site=site), some_gates(len(layers))
    network = hf_network(tiny_folder(kind))
    leaf = gates.clone().requires_grad_()
    margins = torch.stack([plain_margin(network, kind, pair, leaf, gated) for pair in PAIRS])
    expected = shifted(margins, torch.arange(len(PAIRS)))
    [slope] = torch.autograd.grad(expected, [leaf])

    texts = GatedTexts(tiny(kind), pairs_of_texts(tiny(kind), PAIRS, "sum"), gated)
    value, found = texts.loss(gates, shifted)
    assert value == pytest.approx(float(expected.detach()), rel=1e-5)
    assert slope.abs().max() > 1e-2
    assert (found - slope).abs().max() < 1e-5 * slope.abs().max()
    assert torch.allclose(texts.margins(gates), margins.detach().double(), atol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_divergence_and_its_gradient(kind: str, tiny: Callable[[str], Model], tiny_folder: Callable[[str], Path]):
    gated, gates = gated_at(1, 2), some_gates(2)
    network = hf_network(tiny_folder(kind))
    groups = [[text] for group in pairs_of_texts(tiny(kind), PAIRS, "sum") for text in group]
    leaf, total, tokens = gates.clone().requires_grad_(), torch.zeros(()), 0
    for [text] in groups:
        ids = list(text.tokens)
        clean, moved = (plain(network, kind, ids, one, gated, at=slice(-1)) for one in (torch.zeros(2, WIDTH), leaf))
        total, tokens = total + (clean.exp() * (clean - moved)).sum(), tokens + len(ids) - 1
    [slope] = torch.autograd.grad(total / tokens, [leaf])
    texts = GatedTexts(tiny(kind), groups, gated, divergence=True)
    value, found = texts.divergence_loss(gates)
    assert value == pytest.approx(float(total.detach()) / tokens, rel=1e-4)
    assert texts.divergence(gates) == pytest.approx(value, rel=1e-6)
    assert (found - slope).abs().max() < 1e-5 * slope.abs().max()
    assert texts.divergence(torch.zeros(2, WIDTH)) == pytest.approx(0, abs=1e-7)


@pytest.mark.parametrize("to", ["zero", "mean"])
@pytest.mark.parametrize("kind", ["llama", "gpt2"])
def test_gates_at_0_and_1_are_an_ablation(kind: str, to: str, tiny: Callable[[str], Model]):
    """Of the units that are open; without any the model is the clean one to the bit."""
    model = tiny(kind)
    chosen = [(1, 3), (1, 20), (2, 3), (2, 31)]
    neurons = neurons_at(model, chosen)
    mean = neurons.stats.token_mean[1:]
    gated = Gated("resid_post", (1, 2), mean if to == "mean" else torch.zeros_like(mean))
    gates = torch.zeros(2, WIDTH)
    for layer, unit in chosen:
        gates[layer - 1, unit] = 1.0
    groups = pairs_of_texts(model, PAIRS, "sum")
    texts = GatedTexts(model, groups, gated)
    ablated = score_texts(model, groups, [variant_of(model, Edit.ablate(neurons, to))]).edited[0]
    assert torch.allclose(texts.margins(gates), ablated[::2] - ablated[1::2], atol=1e-6)
    assert (texts.margins(gates) - (texts.clean[::2] - texts.clean[1::2])).abs().max() > 1e-2
    assert torch.equal(texts.margins(torch.zeros(2, WIDTH)), texts.clean[::2] - texts.clean[1::2])
    assert not is_hooked(model)


def test_blocks_below_the_first_gated_layer_run_once(tiny: Callable[[str], Model]):
    model = tiny("llama")
    with counting(model) as counted:
        texts = GatedTexts(model, pairs_of_texts(model, PAIRS, "sum"), gated_at(1, 2))
        once = dict(counted.blocks)
        for _ in range(3):
            texts.loss(some_gates(2), shifted)
            texts.margins(some_gates(2))
        assert counted.blocks == {0: once[0], 1: once[1], 2: once[2] + 6 * once[2]}


@pytest.mark.parametrize("kind", ["llama", "bloom"])
def test_packs_that_do_not_fit_run_in_halves(
    kind: str, tiny: Callable[[str], Model], monkeypatch: pytest.MonkeyPatch
):
    """With the same loss, divergence and gradients; the sentences of a pair are never parted."""
    groups = pairs_of_texts(tiny(kind), random_pairs(60 if kind == "llama" else 12, seed=2, longest=11), "sum")
    texts, text = (GatedTexts(tiny(kind), groups, gated_at(1), divergence=some) for some in (False, True))
    whole, prose = texts.loss(some_gates(1), shifted), text.divergence_loss(some_gates(1))
    run, tried = GatedTexts._pass, []

    def crowded(self: Any, job: Any, *given: Any, **named: Any) -> Any:
        tried.append(len(job.pack))
        if len(job.pack) > 2:
            raise MemoryError
        return run(self, job, *given, **named)

    monkeypatch.setattr(GatedTexts, "_pass", crowded)
    halved, again = texts.loss(some_gates(1), shifted), text.divergence_loss(some_gates(1))
    assert max(tried) > 2
    for one, other in ((whole, halved), (prose, again)):
        assert one[0] == pytest.approx(other[0], rel=1e-5)
        assert torch.allclose(one[1], other[1], atol=1e-5 * float(one[1].abs().max()))


def test_a_site_that_is_lacking(tiny: Callable[[str], Model]):
    texts = GatedTexts(tiny("neox"), pairs_of_texts(tiny("neox"), PAIRS, "sum"), gated_at(0, site="resid_mid"))
    with pytest.raises(InputError, match="no site 'resid_mid' at layer 0"):
        texts.margins(some_gates(1))

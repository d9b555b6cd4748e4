"""Heads: what is done to them is what a plain Hugging Face loop does to their slices before W_O."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from plain_edits import hf_greedy, hf_logprobs
from scipy import stats
from sizes import all_slow_but
from tiny_models import LAYERS, hf_blocks, hf_network, ids_of, random_pairs, read_from, sentences_of
from torch import Tensor

from neurosteer.data import UnitStats
from neurosteer.edits import Edit
from neurosteer.errors import InputError
from neurosteer.forward import attribute, eos_states, generate, score, steering
from neurosteer.model import Model, head_width
from neurosteer.neurons import NeuronSet, Ranking, matched_controls
from neurosteer.neurons.head_controls import head_blocks
from neurosteer.neurons.orders import order_of, shuffled_orders
from neurosteer.probes import L0
from neurosteer.studies import find, rank_neurons

PAIRS = random_pairs(5)
HEADS, HEAD = 4, 8  # of a layer, and units of one
W_O = {
    "llama": "self_attn.o_proj",
    "qwen3": "self_attn.o_proj",
    "gemma3": "self_attn.o_proj",
    "gpt2": "attn.c_proj",
    "neox": "attention.dense",
}
CHOSEN = [(0, 1), (1, 0), (1, 3), (2, 2)]
every_kind = pytest.mark.parametrize("kind", all_slow_but(["llama", "gpt2"], W_O))


@contextmanager
def slices_changed(network: Any, kind: str, heads: list[tuple[int, int]], new: Callable[..., Any]) -> Iterator[None]:
    """Inside the block the slice of each head before W_O takes a new value, at every token but BOS."""

    def changer(layer: int) -> Callable[..., Any]:
        def change(_module: Any, given: tuple[Tensor, ...]) -> Any:
            values = given[0].clone()
            for head in (head for at, head in heads if at == layer):
                own = slice(head * HEAD, (head + 1) * HEAD)
                for depth in range(1, values.shape[1]):
                    values[0, depth, own] = new(layer, own, values[0, depth, own])
            return (values, *given[1:])

        return change

    with ExitStack() as stack:
        for layer, block in enumerate(hf_blocks(network)):
            handle = block.get_submodule(W_O[kind]).register_forward_pre_hook(changer(layer))
            stack.callback(handle.remove)
        yield


def plain_scores(network: Any) -> Tensor:
    rows = [hf_logprobs(network, ids_of(one, eos=None)).sum() for one in sentences_of(PAIRS)]
    return torch.stack(rows).reshape(-1, 2)


def made_stats(seed: int = 3, layers: int = LAYERS, width: int = HEADS * HEAD) -> UnitStats:
    source = torch.Generator().manual_seed(seed)
    mean, other = (torch.randn(layers, width, generator=source) for _ in range(2))
    return UnitStats(mean, other.square(), mean, other.square(), 99, tuple(range(layers)))


@every_kind
def test_edits_of_heads_are_those_of_a_plain_loop(
    kind: str, tiny: Callable[[str], Model], tiny_folder: Callable[[str], Path]
):
    model, network, known = tiny(kind), hf_network(tiny_folder(kind)), made_stats()
    chosen = NeuronSet.of(model, CHOSEN, by="head", stats=known)
    assert (chosen.site, chosen.group, len(chosen), chosen.members) == ("z", HEAD, HEAD * len(CHOSEN), CHOSEN)
    cases = [
        (Edit.ablate(chosen), lambda _layer, _own, old: 0 * old),
        (Edit.amplify(chosen, 3.0), lambda _layer, _own, old: 3 * old),
        (Edit.ablate(chosen, "mean"), lambda layer, own, _old: known.token_mean[layer, own]),
    ]
    clean = plain_scores(network)
    for edit, new in cases:
        with slices_changed(network, kind, CHOSEN, new):
            expected = plain_scores(network)
            written = hf_greedy(network, ids_of("w3 w1 w4", eos=None), 5)
        assert (expected - clean).abs().max() > 1e-2
        with steering(model, edit):
            assert (score(model, PAIRS).logprob - expected).abs().max() < 1e-4
            assert list(generate(model, ["w3 w1 w4"], max_new_tokens=5)[0].tokens) == written


def test_grouped_queries_have_a_head_for_each_query(tiny: Callable[[str], Model]):
    """Two heads of keys and values serve four of queries in this model."""
    assert tiny("llama").bridge.cfg.n_key_value_heads == 2
    assert (head_width(tiny("llama"), [0, 2]), tiny("llama").site_width("z", [1])) == (HEAD, HEADS * HEAD)


@every_kind
def test_states_are_the_input_of_the_output_projection(
    kind: str, tiny: Callable[[str], Model], tiny_folder: Callable[[str], Path]
):
    network = hf_network(tiny_folder(kind))
    modules = [block.get_submodule(W_O[kind]) for block in hf_blocks(network)]
    with read_from(modules, inputs=True) as seen:
        for one in sentences_of(PAIRS):
            network(torch.tensor([ids_of(one)]))
    expected = torch.stack([torch.stack([one[0, -1] for one in layer]) for layer in seen], dim=1)
    states = eos_states(tiny(kind), PAIRS, site="z", cache=False).values.flatten(0, 1)
    assert (states - expected).abs().max() < 1e-5


def test_attribution_of_a_head_is_the_slope_of_the_margin(llama: Model, tiny_folder: Callable[[str], Path]):
    """The change of the mean margin per change of a factor on the head, by a finite difference."""
    network = hf_network(tiny_folder("llama")).double()
    found = attribute(llama, PAIRS, site="z", layers=range(LAYERS), cache=False).drop()
    ranked = rank_neurons(llama, PAIRS, method="attribution", by="head").member_scores

    def margin(layer: int, head: int, factor: float) -> float:
        with slices_changed(network, "llama", [(layer, head)], lambda _layer, _own, old: factor * old):
            scores = plain_scores(network)
        return float((scores[:, 0] - scores[:, 1]).mean())

    for layer, head in [(0, 2), (1, 1), (2, 3)]:
        wide, narrow = ((margin(layer, head, 1 + h) - margin(layer, head, 1 - h)) / (2 * h) for h in (0.02, 0.01))
        slope = (4 * narrow - wide) / 3  # Richardson: the network's norms are float32, so steps cannot be small
        assert float(ranked[layer, head]) == pytest.approx(slope, rel=1e-3, abs=1e-5)
        assert float(found[layer, head * HEAD : (head + 1) * HEAD].sum()) == pytest.approx(slope, rel=1e-3, abs=1e-5)


def test_welch_of_a_head_is_the_root_mean_square_of_its_units(llama: Model):
    pairs = random_pairs(30)
    states = eos_states(llama, pairs, site="z", cache=False).values.double().numpy()
    t = stats.ttest_ind(states[:, 0], states[:, 1], equal_var=False).statistic
    expected = np.sqrt(np.nanmean(t.reshape(LAYERS, HEADS, HEAD) ** 2, axis=2))
    ranking = rank_neurons(llama, pairs, by="head")
    assert (ranking.by, ranking.site) == ("head", "z")
    assert ranking.member_scores.numpy() == pytest.approx(expected, rel=1e-4)
    best = sorted((int(i) // HEADS, int(i) % HEADS) for i in np.argsort(-expected.ravel())[:3])
    assert ranking.top(3, layers="all").members == best
    assert len(ranking.top("50%", layers=1)) == 2 * HEAD


def test_masks_have_one_gate_a_head(llama: Model):
    """A head is open or shut as a whole; the gates themselves are held against autograd in `test_l0`."""
    pairs = random_pairs(40)
    train, validation, _ = pairs.split("pair")
    asked = {"method": "l0", "validation": validation, "lam": 0.9, "topk": 1, "l0": replace(L0, steps=150)}
    found, units = (rank_neurons(llama, train, **asked, **more) for more in ({"by": "head"}, {"site": "z"}))
    shut, alone = (one.scores.unflatten(1, (HEADS, HEAD)) == 0 for one in (found, units))
    assert bool((shut.all(dim=2) | ~shut.any(dim=2)).all())
    assert bool(shut.any()) and not bool(shut.all())  # noqa: PT018
    assert not bool((alone.all(dim=2) | ~alone.any(dim=2)).all())


def test_controls_are_whole_heads_of_the_blocks_of_the_set():
    """Layers are joined until ten heads are together, and halved by norm where both halves keep ten."""
    known = made_stats(layers=7, width=HEADS * HEAD)
    blocks = head_blocks(known, HEAD)
    assert sorted(head for block in blocks for head in block) == [(i, j) for i in range(7) for j in range(HEADS)]
    assert [sorted({layer for layer, _ in block}) for block in blocks] == [[0, 1, 2], [3, 4, 5, 6]]
    apart = replace(known, layers=(0, 1, 2, 3, 9, 14, 15))
    parted = [sorted({layer for layer, _ in block}) for block in head_blocks(apart, HEAD)]
    assert parted == [[0, 1, 2, 3], [9], [14, 15]]
    norms = (known.token_mean.square() + known.token_var).unflatten(1, (HEADS, HEAD)).sum(dim=2)
    wide = made_stats(layers=1, width=24 * HEAD)
    low, high = head_blocks(wide, HEAD)
    size = (wide.token_mean.square() + wide.token_var).unflatten(1, (24, HEAD)).sum(dim=2)[0]
    assert max(float(size[head]) for _, head in low) <= min(float(size[head]) for _, head in high)
    assert (len(low), len(high)) == (12, 12)

    chosen = [(0, 1), (2, 3), (4, 0)]
    units = [(layer, head * HEAD + i) for layer, head in chosen for i in range(HEAD)]
    layers, columns = torch.tensor(units).unbind(1)
    neurons = NeuronSet(layers, columns, torch.ones(len(units)), known, "m", "z", {}, HEAD)
    controls = matched_controls(neurons, 40, seed=1)
    assert controls[3].members == matched_controls(neurons, 4, seed=1)[3].members
    for control in controls:
        assert len(control) == len(neurons)
        assert sum(layer < 3 for layer, _ in control.members) == 2
        assert control.metadata["overlap"] == pytest.approx(len(set(control.members) & set(chosen)) / 3)
    assert len({tuple(one.members) for one in controls}) > 30
    assert norms.shape == (7, HEADS)


def test_a_set_of_heads_drawn_by_lot_is_one_draw_among_its_controls():
    """Each head has a made-up effect; over many sets, p <= .05 as often as it says."""
    known = made_stats(layers=6)
    source = np.random.default_rng(0)
    effect = source.standard_normal((6, HEADS))
    ranks = []
    for i in range(150):
        heads = [divmod(int(one), HEADS) for one in source.choice(6 * HEADS, 5, replace=False)]
        units = torch.tensor([(layer, head * HEAD + j) for layer, head in sorted(heads) for j in range(HEAD)])
        neurons = NeuronSet(units[:, 0], units[:, 1], torch.ones(len(units)), known, "m", "z", {}, HEAD)
        sums = [sum(effect[one] for one in part.members) for part in (neurons, *matched_controls(neurons, 19, i))]
        ranks.append(sum(one > sums[0] for one in sums[1:]))
    assert stats.kstest(np.array(ranks) + source.random(150), stats.uniform(0, 20).cdf).pvalue > 0.01


def test_shuffled_orders_move_whole_heads():
    scores = torch.arange(LAYERS * HEADS).reshape(LAYERS, HEADS).float().repeat_interleave(HEAD, dim=1)
    ranking = Ranking(scores, 1, "given", made_stats(), "m", "z", {}, HEAD)
    order = order_of(ranking, [0, 1, 2])
    assert order[0].tolist() == [2, 3]
    mixed, other = shuffled_orders(order, ranking.top(2), 2, seed=0)
    assert sorted(mixed.tolist()) == sorted(order.tolist()) == sorted(other.tolist())
    assert mixed.tolist() != other.tolist()


def test_sets_and_rankings_of_heads_are_kept(llama: Model, tmp_path: Path):
    scores = torch.rand(LAYERS, HEADS, generator=torch.Generator().manual_seed(0))
    ranking = Ranking.from_scores(llama, scores, by="head", stats=made_stats(), best_layer=1)
    ranking.save(tmp_path / "ranking.safetensors")
    again = Ranking.load(tmp_path / "ranking.safetensors")
    assert (again.group, again.metadata) == (HEAD, ranking.metadata)
    top = again.top(2)
    top.save(tmp_path / "set.safetensors")
    assert NeuronSet.load(tmp_path / "set.safetensors").members == top.members
    assert (repr(top), list(top.to_frame().columns)) == (
        "NeuronSet(2 heads at z, layer 1)",
        ["layer", "head", "score", "massive"],
    )
    row = top.listed()[0]
    assert row.unit == HEAD * row.head
    assert (top | again.pick([(0, 0)])).by == "head"
    single = NeuronSet.of(llama, [(1, 0)], site="z")
    assert ((top - single).by, len(top - single)) == ("unit", 2 * HEAD - ((1, 0) in top))


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda m: NeuronSet.of(m, [(0, 4)], by="head"), "no head 4: z has heads 0 to 3 at layer 0"),
        (lambda m: find(m, PAIRS, by="head", site="mlp_post"), "heads are groups of units of the site z, not of"),
        (lambda m: find(m, PAIRS, by="haed"), "by 'haed' is not one of unit, head; did you mean 'head'?"),
        (lambda m: find(m, PAIRS, by="head", methods=["localizer"]), "method 'localizer' ranks units one by one"),
        (lambda m: find(m, PAIRS, by="head", topk=5), "topk 5 is more than the 4 heads of a layer"),
        (
            lambda m: Edit.ablate(NeuronSet.of(m, [(0, 1)], by="head"), reach="onward"),
            "reach 'onward' is for coordinates that layers share; a head is at its own layer",
        ),
    ],
)
def test_refusals(make: Callable[[Model], object], said: str, llama: Model):
    with pytest.raises(InputError) as error:
        make(llama)
    assert said in str(error.value)

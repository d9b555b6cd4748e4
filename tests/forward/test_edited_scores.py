"""Scores under an edit equal those of a slow plain loop over Hugging Face's own modules."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
from plain_edits import SOME_KINDS, Neurons, New, beyond_bos, hf_edited, hf_logprobs, neurons_at, site_modules
from sizes import quick_and_slow
from tiny_models import LAYERS, hf_blocks, hf_network, ids_of, random_pairs, read_from, sentences_of
from torch import Tensor

from neurosteer.edits import Edit
from neurosteer.errors import InputError
from neurosteer.forward import pairs_of_texts, score, score_texts, states_and_stats, steering, variant_of
from neurosteer.model import Model, load_model
from neurosteer.neurons import Direction, NeuronSet
from neurosteer.pairs import Pairs, load_pairs
from neurosteer.seeds import generator

PAIRS = random_pairs(5, seed=2)
DONORS = random_pairs(5, seed=9, longest=9, task="donors")
ONE_LAYER: Neurons = [(1, 3), (1, 17), (1, 30)]
POOLED: Neurons = [(0, 3), (0, 12), (1, 3), (2, 31)]
DIRECTION = torch.tensor([0.6, -0.64, 0.48])

Make = Callable[[NeuronSet], tuple[Edit, New]]  # an edit, and what it does to one number


def mean_of(neurons: NeuronSet, layer: int, unit: int) -> float:
    return float(neurons.stats.token_mean[layer, unit])


EDITS: dict[str, Make] = {
    "zero": lambda neurons: (Edit.ablate(neurons), lambda *_given: 0.0),
    "mean": lambda neurons: (
        Edit.ablate(neurons, to="mean"),
        lambda layer, unit, _depth, _old: mean_of(neurons, layer, unit),
    ),
    "amplify": lambda neurons: (Edit.amplify(neurons, -2.5), lambda _layer, _unit, _depth, old: -2.5 * old),
    "about the mean": lambda neurons: (
        Edit.amplify(neurons, 3.0, to="mean"),
        lambda layer, unit, _depth, old: mean_of(neurons, layer, unit) + 3 * (old - mean_of(neurons, layer, unit)),
    ),
    "clamp": lambda neurons: (Edit.clamp(neurons, 1.5), lambda *_given: 1.5),
    "prompt": lambda neurons: (Edit.clamp(neurons, 1.5, where="prompt"), lambda *_given: 1.5),
    "onward": lambda neurons: (Edit.amplify(neurons, -2.5, reach="onward"), lambda _l, _u, _d, old: -2.5 * old),
    "all layers, to the mean": lambda neurons: (
        Edit.ablate(neurons, to="mean", reach="all"),
        lambda layer, unit, _depth, _old: mean_of(neurons, layer, unit),
    ),
}


def reached(chosen: Neurons, reach: str) -> Neurons:
    first = {"own": lambda layer: layer, "onward": lambda layer: layer, "all": lambda _layer: 0}[reach]
    last = {"own": lambda layer: layer, "onward": lambda _: LAYERS - 1, "all": lambda _: LAYERS - 1}[reach]
    return sorted({(at, unit) for layer, unit in chosen for at in range(first(layer), last(layer) + 1)})


def plain(
    network: Any, kind: str, edit: Edit, chosen: Neurons, new: New, acts: Callable[[int], bool] = beyond_bos
) -> Tensor:
    """`[pair, side]`."""
    with hf_edited(network, kind, reached(chosen, edit.reach), new, site=edit.neurons.site, acts=acts):
        rows = [hf_logprobs(network, ids_of(sentence, eos=None)).sum() for sentence in sentences_of(PAIRS)]
    return torch.stack(rows).reshape(-1, 2)


def swept(model: Model, *edits: Edit) -> Tensor:
    """`[edit, pair, side]`, as variants of one sweep."""
    variants = [variant_of(model, edit) for edit in edits]
    return score_texts(model, pairs_of_texts(model, PAIRS, "sum"), variants).edited.unflatten(-1, (-1, 2))


def steered(model: Model, edit: Edit) -> Tensor:
    with steering(model, edit):
        return score(model, PAIRS).logprob


@pytest.mark.parametrize(("chosen", "site"), [(ONE_LAYER, "resid_post"), (POOLED, "resid_post"), (POOLED, "mlp_out")])
@pytest.mark.parametrize("kind", SOME_KINDS)
def test_edits(
    kind: str, chosen: Neurons, site: str, tiny: Callable[[str], Model], tiny_folder: Callable[[str], Path]
):
    model, network = tiny(kind), hf_network(tiny_folder(kind))
    neurons = neurons_at(model, chosen, site=site)
    edits, news = zip(*(make(neurons) for make in EDITS.values()), strict=True)
    clean = score(model, PAIRS).logprob
    for edit, new, ours in zip(edits, news, swept(model, *edits), strict=True):
        theirs = plain(network, kind, edit, chosen, new)
        assert (theirs - clean).abs().max() > 1e-2
        assert (ours - theirs).abs().max() < 1e-4
        assert (steered(model, edit) - theirs).abs().max() < 1e-4


@pytest.mark.parametrize("kind", SOME_KINDS)
def test_push(kind: str, tiny: Callable[[str], Model], tiny_folder: Callable[[str], Path]):
    model, network = tiny(kind), hf_network(tiny_folder(kind))
    edit = Edit.push(Direction(neurons_at(model, ONE_LAYER), DIRECTION, 0.8), -3.0)
    move = {unit: -3 * 0.8 * float(share) for (_, unit), share in zip(ONE_LAYER, DIRECTION, strict=True)}
    theirs = plain(network, kind, edit, ONE_LAYER, lambda _layer, unit, _depth, old: old + move[unit])
    assert (theirs - score(model, PAIRS).logprob).abs().max() > 1e-2
    assert (swept(model, edit)[0] - theirs).abs().max() < 1e-4
    assert (steered(model, edit) - theirs).abs().max() < 1e-4


@pytest.mark.parametrize("reach", quick_and_slow(["onward"], ["own", "all"]))
@pytest.mark.parametrize(("kind", "site"), [("llama", "resid_post"), ("gpt2", "mlp_out"), ("gemma3", "resid_post")])
def test_resample(kind: str, site: str, reach: str, tiny: Callable[[str], Model], tiny_folder: Callable[[str], Path]):
    """Each depth takes its values from one donor, drawn among those with a word so deep; beyond them the last."""
    model, network = tiny(kind), hf_network(tiny_folder(kind))
    sequences = [ids_of(sentence, eos=None) for sentence in sorted(set(sentences_of(DONORS)))]
    longest = max(map(len, sequences))
    assert max(len(ids_of(sentence)) for sentence in sentences_of(PAIRS)) > longest + 2
    rows = []
    with read_from(site_modules(network, kind, site)) as seen:
        for depth in range(longest):
            deep = [ids for ids in sequences if len(ids) > depth]
            network(torch.tensor([deep[int(torch.randint(len(deep), (), generator=generator(4, "donor", depth)))]]))
            rows.append([values.pop()[0, depth] for values in seen])

    def taken(layer: int, unit: int, depth: int, _old: Tensor) -> Tensor:
        return rows[min(depth, longest - 1)][layer][unit]

    edit = Edit.ablate(neurons_at(model, POOLED, site=site), to="resample", donors=DONORS, reach=reach, seed=4)
    theirs = plain(network, kind, edit, POOLED, taken)
    assert (theirs - score(model, PAIRS).logprob).abs().max() > 1e-2
    assert (swept(model, edit)[0] - theirs).abs().max() < 1e-4
    assert (steered(model, edit) - theirs).abs().max() < 1e-4
    other = Edit.ablate(edit.neurons, to="resample", donors=DONORS, reach=reach, seed=5)
    assert (swept(model, other)[0] - theirs).abs().max() > 1e-2


def test_resampling_reads_the_unedited_model(tiny: Callable[[str], Model]):
    neurons = neurons_at(tiny("llama"), POOLED)
    resample = Edit.ablate(neurons, to="resample", donors=DONORS)
    with (
        steering(tiny("llama"), Edit.ablate(neurons)),
        pytest.raises(InputError, match="take other edits and hooks off first"),
        steering(tiny("llama"), resample),
    ):
        pass


def test_bos_is_left_as_it_is_unless_there_is_none(tiny: Callable[[str], Model], tiny_folder: Callable[[str], Path]):
    model, network = tiny("llama"), hf_network(tiny_folder("llama"))
    double = Edit.amplify(neurons_at(model, POOLED), 2.0)
    with_bos = plain(network, "llama", double, POOLED, lambda _l, _u, _d, old: 2 * old, acts=lambda _depth: True)
    assert (swept(model, double)[0] - with_bos).abs().max() > 1e-2
    without = load_model(tiny_folder("llama"), bos="none")
    with steering(without, double):
        ours = score(without, PAIRS.take([3])).logprob[0]
    with hf_edited(network, "llama", POOLED, lambda _l, _u, _d, old: 2 * old, acts=lambda _depth: True):
        pair = PAIRS.pairs[3]
        theirs = [hf_logprobs(network, ids_of(text, bos=None, eos=None)).sum() for text in (pair.good, pair.bad)]
    assert (ours - torch.stack(theirs)).abs().max() < 1e-4


def test_edits_of_another_model_layer_or_unit(tiny: Callable[[str], Model]):
    llama, gpt2 = tiny("llama"), tiny("gpt2")
    for neurons, message in [
        (neurons_at(gpt2, POOLED), "these neurons were found in another model than"),
        (neurons_at(llama, [(3, 0)]), "no layer 3: .* has layers 0 to 2"),
        (neurons_at(llama, [(1, 32)]), "no unit 32: the site resid_post has units 0 to 31"),
        (neurons_at(llama, [(1, 3)], site="resid_pots"), "did you mean 'resid_post'"),
        (neurons_at(llama, [(1, 3)], site="mlp_post"), "these neurons are of 32 units, and mlp_post of .* has "),
    ]:
        with pytest.raises(InputError, match=message), steering(llama, Edit.ablate(neurons)):
            pass


@dataclass(frozen=True)
class Real:
    """What Hugging Face computes in float64 of the built-in model on four pairs, and 40 neurons of layer 14.

    Without a massive unit the states are small, and in float32 Hugging Face's own error is already 2e-4.
    """

    pairs: Pairs
    network: Any
    ids: list[list[int]]
    clean: Tensor  # `[pair, side]`
    mean: Tensor  # of every unit of layer 14, over all tokens but BOS and EOS
    neurons: NeuronSet

    def logprobs(self) -> Tensor:
        return torch.stack([hf_logprobs(self.network, ids[:-1]).sum() for ids in self.ids]).reshape(-1, 2)


@pytest.fixture(scope="module")
def real(builtin: Model, builtin_network: Any, blimp_sample: Path) -> Real:
    """The neurons are those that differ most between good and bad sentences."""
    pairs, network = load_pairs("intransitive", source=str(blimp_sample)).limit(4), deepcopy(builtin_network).double()
    words = builtin.tokenizer(sentences_of(pairs), add_special_tokens=False)["input_ids"]
    ids = [[0, *some, 0] for some in words]
    with read_from([hf_blocks(network)[14]]) as [block]:
        clean = torch.stack([hf_logprobs(network, some)[:-1].sum() for some in ids]).reshape(-1, 2)
        tokens = torch.cat([values[0, 1:-1] for values in block])
    states, stats = states_and_stats(builtin, pairs, range(4), site="resid_post", layers=[14], position="eos")
    gap = (states.values[:, 0, 0] - states.values[:, 1, 0]).mean(0).abs()
    units = gap.topk(40).indices.sort().values
    neurons = NeuronSet(
        torch.full((40,), 14), units, gap[units], stats, builtin.fingerprint, "resid_post", {"task": "intransitive"}
    )
    return Real(pairs, network, ids, clean, tokens.mean(0), neurons)


@pytest.mark.slow
@pytest.mark.parametrize("to", ["mean", "zero"])
def test_built_in_model(to: str, real: Real, builtin: Model):
    value = real.mean[real.neurons.units] * (to == "mean")

    def ablate(_module: Any, _given: Any, gives: Tensor) -> Tensor:
        gives = gives.clone()
        gives[:, 1:, real.neurons.units] = value
        return gives

    handle = hf_blocks(real.network)[14].register_forward_hook(ablate)
    theirs = real.logprobs()
    handle.remove()
    edit = Edit.ablate(real.neurons, to=to)
    outcome = score_texts(builtin, pairs_of_texts(builtin, real.pairs, "sum"), [variant_of(builtin, edit)])
    with steering(builtin, edit):
        steered = score(builtin, real.pairs).logprob
    assert (theirs - real.clean).abs().max() > 0.1
    assert (outcome.clean.reshape(-1, 2) - real.clean).abs().max() < 2e-4
    assert (outcome.edited[0].reshape(-1, 2) - theirs).abs().max() < 2e-4
    assert (steered - theirs).abs().max() < 2e-4

"""Attribution equals Hugging Face's gradients, one sentence at a time: sums of activation times margin gradient."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from plain_edits import SOME_KINDS, neurons_at, site_modules
from sizes import quick_and_slow
from tiny_models import LAYERS, WIDTH, hf_blocks, hf_network, ids_of, random_pairs
from torch import Tensor

from neurosteer.edits import Edit
from neurosteer.errors import InputError
from neurosteer.forward import (
    Attribution,
    attribute,
    attribute_pairs,
    pairs_of_texts,
    score_texts,
    steering,
    variant_of,
)
from neurosteer.model import Model, load_model
from neurosteer.pairs import Pair, Pairs

PAIRS = random_pairs(5, seed=6, longest=9)  # they fit one row of the forest
MORE = random_pairs(15, seed=6)
SHARED = Pairs(
    "shared",
    "hand",
    tuple(Pair(f"w1 w2 w{3 + i % 2} w{5 + i}", f"w1 w2 w{3 + i % 2} w{9 + i}", str(i)) for i in range(6)),
)
ALL = list(range(LAYERS))


def entering(network: Any, ids: Sequence[int]) -> Tensor:
    """`[token, unit]`: what enters the first block."""
    seen: list[Tensor] = []
    handle = hf_blocks(network)[0].register_forward_pre_hook(lambda _module, given: seen.append(given[0][0].clone()))
    network(torch.tensor([list(ids)]))
    handle.remove()
    return seen[0]


def slopes(
    network: Any, kind: str, site: str, ids: Sequence[int], share: float, base: Tensor, skip: int
) -> tuple[Tensor, Tensor]:
    """`[layer, token, unit]`: activations, and the gradients of the sentence's log-probability.

    All tokens but the first `skip` enter the first block a share of the way from the base to what they are.
    """
    seen: list[Tensor] = []

    def move(_module: Any, given: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        values = given[0].clone()
        values[0, skip:] = base + share * (values[0, skip:] - base)
        return (values.requires_grad_(), *given[1:])

    def keep(_module: Any, _given: Any, gives: Any) -> None:
        seen.append(gives[0] if isinstance(gives, tuple) else gives)
        seen[-1].retain_grad()

    handles = [hf_blocks(network)[0].register_forward_pre_hook(move)]
    handles += [module.register_forward_hook(keep) for module in site_modules(network, kind, site)]
    try:
        logprobs = network(torch.tensor([list(ids)])).logits[0, :-1].log_softmax(dim=-1)
        logprobs[range(len(ids) - 1), list(ids[1:])].sum().backward()
    finally:
        for handle in handles:
            handle.remove()
    return torch.stack([at.detach()[0] for at in seen]), torch.stack([at.grad[0] for at in seen])


def plain(
    folder: Path,
    kind: str,
    pairs: Pairs,
    *,
    site: str = "resid_post",
    steps: int = 1,
    base: Tensor | None = None,
    bos: int | None = 62,
) -> tuple[Tensor, Tensor]:
    """`[layer, unit]`: activation times gradient, and the gradient, summed over positions, averaged over pairs."""
    network, skip = hf_network(folder), 0 if bos is None else 1
    base = torch.zeros(WIDTH) if base is None else base
    product, gradient = torch.zeros(2, LAYERS, WIDTH, dtype=torch.float64)
    for pair in pairs:
        for sign, sentence in [(1, pair.good), (-1, pair.bad)]:
            ids = ids_of(sentence, bos=bos, eos=None)
            real, _ = slopes(network, kind, site, ids, 1.0, base, skip)
            for step in range(1, steps + 1):
                _, slope = slopes(network, kind, site, ids, step / steps, base, skip)
                product += sign * (real * slope)[:, skip:].sum(1) / steps / len(pairs)
                gradient += sign * slope[:, skip:].sum(1) / steps / len(pairs)
    return product, gradient


def mean_entering(folder: Path, pairs: Pairs) -> Tensor:
    """The mean over all tokens of all sentences, BOS and the last words left out, of what enters block 0."""
    network = hf_network(folder)
    words = [sentence.split() for pair in pairs for sentence in (pair.good, pair.bad)]
    runs = [" ".join(some[:-1]) for some in words if len(some) > 1]
    return torch.cat([entering(network, ids_of(text, eos=None))[1:] for text in runs]).mean(0)


def check(found: Attribution, expected: tuple[Tensor, Tensor]) -> None:
    for ours, theirs in zip((found.product, found.gradient), expected, strict=True):
        assert ours.dtype == torch.float64
        assert theirs.abs().max() > 1e-2
        assert (ours - theirs).abs().max() < 1e-5 * theirs.abs().max()


@pytest.fixture(params=[True, False], ids=["forest", "batches"])
def arranged(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a prefix forest, and in batches of equal length."""
    if not request.param:
        monkeypatch.setattr("neurosteer.forward.check.forest_is_exact", lambda _model, _progress: False)


@pytest.mark.parametrize("kind", SOME_KINDS)
@pytest.mark.parametrize("steps", quick_and_slow([1], [3]))
@pytest.mark.usefixtures("arranged")
def test_to_zero(steps: int, kind: str, tiny: Callable[[str], Model], tiny_folder: Callable[[str], Path]):
    found = attribute(tiny(kind), PAIRS, site="resid_post", layers=ALL, steps=steps)
    check(found, plain(tiny_folder(kind), kind, PAIRS, steps=steps))


@pytest.mark.parametrize(("kind", "pairs"), quick_and_slow([("llama", PAIRS)], [("gpt2", SHARED)]))
@pytest.mark.usefixtures("arranged")
def test_to_the_mean(kind: str, pairs: Pairs, tiny: Callable[[str], Model], tiny_folder: Callable[[str], Path]):
    """However sentences are arranged, a beginning counts once for each sentence that has it."""
    found = attribute(tiny(kind), pairs, site="resid_post", layers=ALL, to="mean", steps=3)
    base = mean_entering(tiny_folder(kind), pairs)
    check(found, plain(tiny_folder(kind), kind, pairs, steps=3, base=base))


def test_to_the_mean_in_several_rows(tiny: Callable[[str], Model], tiny_folder: Callable[[str], Path]):
    """Beginnings that two rows of the forest both hold."""
    found = attribute(tiny("llama"), MORE, site="resid_post", layers=ALL, to="mean", steps=2)
    base = mean_entering(tiny_folder("llama"), MORE)
    check(found, plain(tiny_folder("llama"), "llama", MORE, steps=2, base=base))


@pytest.mark.parametrize("site", quick_and_slow(["resid_post"], ["mlp_out", "attn_out"]))
@pytest.mark.usefixtures("arranged")
def test_shared_beginnings_and_sites(site: str, tiny: Callable[[str], Model], tiny_folder: Callable[[str], Path]):
    found = attribute(tiny("llama"), SHARED, site=site, layers=ALL)
    check(found, plain(tiny_folder("llama"), "llama", SHARED, site=site))


def test_many_pairs_and_some_layers(tiny: Callable[[str], Model], tiny_folder: Callable[[str], Path]):
    found = attribute(tiny("llama"), MORE, site="resid_post", layers=[0, 2])
    product, gradient = plain(tiny_folder("llama"), "llama", MORE)
    check(found, (product[[0, 2]], gradient[[0, 2]]))


def test_bos_counts_only_where_there_is_none(tiny_folder: Callable[[str], Path]):
    """Without BOS the first word is a word as any other."""
    pairs = Pairs("longer", "hand", tuple(pair for pair in PAIRS if " " in pair.good and " " in pair.bad))
    found = attribute(load_model(tiny_folder("llama"), bos="none"), pairs, site="resid_post", layers=ALL, steps=2)
    check(found, plain(tiny_folder("llama"), "llama", pairs, steps=2, bos=None))


def test_the_predicted_drop_is_that_of_a_small_ablation(tiny: Callable[[str], Model]):
    """A hundredth of the way to zero, or to the mean, costs a hundredth of the prediction."""
    model, unit = tiny("llama"), (1, 17)
    found = attribute(model, PAIRS, site="resid_post", layers=ALL)
    neurons = neurons_at(model, [unit])
    edits = [Edit.amplify(neurons, 0.99, to=about) for about in ("zero", "mean")]
    outcome = score_texts(model, pairs_of_texts(model, PAIRS, "sum"), [variant_of(model, edit) for edit in edits])
    sign = torch.tensor([1.0, -1.0]).double()
    clean = (outcome.clean.reshape(-1, 2) @ sign).mean()
    drops = [float(clean - (row.reshape(-1, 2) @ sign).mean()) for row in outcome.edited]
    for drop, predicted in zip(drops, (found.drop(), found.drop(neurons.stats.token_mean)), strict=True):
        assert drop == pytest.approx(0.01 * float(predicted[unit]), rel=0.05)
    assert abs(drops[0] - drops[1]) > 1e-4


def test_the_second_time_nothing_is_computed(tiny: Callable[[str], Model]):
    model, passes = tiny("llama"), []
    here = {"site": "resid_post", "layers": ALL}
    first = attribute(model, PAIRS, **here)
    embedding = model.bridge.original_model.get_input_embeddings()
    handle = embedding.register_forward_pre_hook(lambda *_given: passes.append(1))
    try:
        again = attribute(model, PAIRS, **here)
        assert passes == []
        assert torch.equal(first.product, again.product)
        assert torch.equal(first.gradient, again.gradient)
        attribute(model, PAIRS, **here, to="mean")  # which matters only for several steps
        assert passes == []
        zero = attribute(model, PAIRS, **here, steps=2)
        assert not torch.equal(zero.product, first.product)
        assert not torch.equal(attribute(model, PAIRS, **here, steps=3).product, zero.product)
        mean = attribute(model, PAIRS, **here, to="mean", steps=2)
        assert not torch.equal(zero.product, mean.product)
        passes.clear()
        with steering(model, Edit.amplify(neurons_at(model, [(0, 3)]), 2.0)):
            edited = attribute(model, PAIRS, **here)
        assert passes
        assert not torch.equal(edited.product, first.product)
        assert torch.equal(attribute(model, PAIRS, **here).product, first.product)
    finally:
        handle.remove()


def test_a_site_or_layer_that_is_lacking(tiny: Callable[[str], Model], neurosteer_home: Path):
    for site, layers, message in [
        ("resid_mid", [0], "no site 'resid_mid' at layer 0"),
        ("resid_post", [3], "no layer 3: .* has layers 0 to 2"),
    ]:
        with pytest.raises(InputError, match=message):
            attribute(tiny("neox"), PAIRS, site=site, layers=layers)
    assert not list(neurosteer_home.rglob("*.safetensors"))


@pytest.mark.parametrize(
    ("kind", "pairs", "steps", "to"),
    [
        pytest.param("llama", SHARED, 1, "zero", id="shared"),
        pytest.param("gpt2", MORE, 1, "zero", id="many", marks=pytest.mark.slow),
        pytest.param("llama", SHARED, 2, "mean", id="steps"),
    ],
)
@pytest.mark.usefixtures("arranged")
def test_each_pair_by_itself(
    kind: str, pairs: Pairs, steps: int, to: str, tiny: Callable[[str], Model], tiny_folder: Callable[[str], Path]
):
    """Plain gradients of one pair at a time; their mean is the attribution of all."""
    asked = {"site": "resid_post", "layers": ALL, "to": to, "steps": steps}
    found = attribute_pairs(tiny(kind), pairs, **asked)
    base = mean_entering(tiny_folder(kind), pairs) if to == "mean" else None
    for i in range(len(pairs)):
        expected = plain(tiny_folder(kind), kind, pairs.take([i]), steps=steps, base=base)
        check(Attribution(found.product[i], found.gradient[i]), expected)
    whole = attribute(tiny(kind), pairs, **asked)
    check(Attribution(found.product.mean(0), found.gradient.mean(0)), (whole.product, whole.gradient))
    mean = torch.arange(LAYERS * WIDTH).reshape(LAYERS, WIDTH) / 10
    assert torch.allclose(found.drop(mean).mean(0), whole.drop(mean), atol=1e-4)
    assert torch.allclose(found.drop().mean(0), whole.drop(), atol=1e-5)


def test_a_pair_whose_sentences_change_places(tiny: Callable[[str], Model]):
    """Has the negative of its attribution."""
    turned = Pairs("turned", "hand", tuple(Pair(pair.bad, pair.good, pair.id) for pair in SHARED))
    first, second = (
        attribute_pairs(tiny("llama"), pairs, site="resid_post", layers=[1]) for pairs in (SHARED, turned)
    )
    assert first.product.abs().max() > 1e-2
    assert torch.allclose(first.product, -second.product, atol=1e-6)

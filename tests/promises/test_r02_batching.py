"""R2: batching changes nothing: packs of 64, 256 and 512 nodes, in any order of the pairs, give the EOS states and
log-probabilities of one sentence at a time (by plain Hugging Face) within 1e-5, and the same decisions.

On real weights within 1e-4 of the size of what is compared.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from plain_edits import KINDS, hf_logprobs
from sizes import all_slow_but
from tiny_models import hf_network, hf_states, ids_of, random_pairs, sentences_of
from torch import Tensor

from neurosteer.forward import eos_states, score
from neurosteer.forward.check import forest_is_exact
from neurosteer.forward.forest import Packing
from neurosteer.model import Model
from neurosteer.pairs import Pairs, load_pairs
from neurosteer.progress import QUIET

PACKS = {
    "64": Packing(rows=1, nodes=64),
    "256": Packing(rows=2, nodes=128),
    "512": Packing(rows=4, nodes=128),
    "512 in one row": Packing(rows=1, nodes=512),
}
PAIRS = random_pairs(60, seed=6)
REAL = load_pairs("intransitive", source="builtin", limit=6)


@dataclass(frozen=True)
class OneByOne:
    """What Hugging Face computes, one sentence at a time."""

    states: Tensor  # `[pair, side, layer, unit]`
    logprobs: Tensor  # `[pair, side]`

    @classmethod
    def of(cls, network: Any, ids: list[list[int]]) -> OneByOne:
        """From token ids with BOS and EOS."""
        logprobs = [hf_logprobs(network, some[:-1]).sum() for some in ids]
        return cls(hf_states(network, ids).unflatten(0, (-1, 2)), torch.stack(logprobs).reshape(-1, 2))


@pytest.fixture(scope="module")
def plain(tiny_folder: Callable[[str], Path]) -> dict[str, OneByOne]:
    """By architecture."""
    ids = [ids_of(sentence) for sentence in sentences_of(PAIRS)]
    return {kind: OneByOne.of(hf_network(tiny_folder(kind)), ids) for kind in KINDS}


@pytest.fixture
def packed(monkeypatch: pytest.MonkeyPatch) -> Callable[[Packing], None]:
    """Has all that follows run in packs of a size; a pass over packs of any other would be noticed."""

    def pack(packing: Packing) -> None:
        for room in ("request", "scoring"):
            monkeypatch.setattr(f"neurosteer.forward.{room}.packing_for", lambda _model, memory_factor=1: packing)

    return pack


def shuffled(pairs: Pairs, seed: int) -> list[int]:
    return np.random.default_rng(seed).permutation(len(pairs)).tolist()


def same_decisions(margins: Tensor, theirs: Tensor, pairs: Pairs) -> bool:
    """Of every pair; one sentence twice is a tie."""
    ties = torch.tensor([pair.good == pair.bad for pair in pairs])
    decided = theirs[:, 0] - theirs[:, 1]
    return torch.equal((margins > 0)[~ties], (decided > 0)[~ties]) and not bool((margins > 0)[ties].any())


@pytest.mark.parametrize("size", all_slow_but(["256", "512 in one row"], PACKS))
@pytest.mark.parametrize("kind", KINDS)
def test_tiny_models(
    kind: str,
    size: str,
    tiny: Callable[[str], Model],
    plain: dict[str, OneByOne],
    packed: Callable[[Packing], None],
):
    packed(PACKS[size])
    model, expected = tiny(kind), plain[kind]
    assert forest_is_exact(model, QUIET)  # else batches of equal length, which are exact, hide what is wrong with it
    for order in (list(range(len(PAIRS))), shuffled(PAIRS, 1)):
        pairs = PAIRS.take(order)
        states, scores = eos_states(model, pairs, cache=False).values, score(model, pairs)
        assert (states - expected.states[order]).abs().max() < 1e-5
        assert (scores.logprob - expected.logprobs[order]).abs().max() < 1e-5
        assert same_decisions(scores.margin, expected.logprobs[order], pairs)
    assert expected.states.abs().mean() > 0.1
    assert 0.2 < scores.accuracy < 0.8


def test_the_packs_are_of_these_sizes(tiny: Callable[[str], Model], packed: Callable[[Packing], None]):
    """Some hold one row, some many; every pack of the sentences is as large as it may be but the last."""
    model, sizes = tiny("llama"), {}
    for name, packing in PACKS.items():
        packed(packing)
        shapes: list[tuple[int, ...]] = []
        handle = model.bridge.original_model.register_forward_pre_hook(
            lambda _network, given, shapes=shapes: shapes.append(tuple(given[0].shape))
        )
        eos_states(model, PAIRS, cache=False)
        handle.remove()
        sizes[name] = [rows * nodes for rows, nodes in shapes[:-1]]
        assert sizes[name], name
    for name, size in (("64", 64), ("256", 256), ("512", 512), ("512 in one row", 512)):
        assert all(0.6 * size <= given <= size for given in sizes[name])


@pytest.fixture(scope="module")
def really(builtin: Model, builtin_network: Any) -> OneByOne:
    words = builtin.tokenizer(sentences_of(REAL), add_special_tokens=False)["input_ids"]
    return OneByOne.of(builtin_network, [[0, *some, 0] for some in words])


@pytest.mark.slow
@pytest.mark.parametrize("size", ["512", "64"])
def test_real_weights(size: str, builtin: Model, really: OneByOne, packed: Callable[[Packing], None]):
    packed(PACKS[size])
    assert forest_is_exact(builtin, QUIET)
    order = shuffled(REAL, 2)
    pairs, expected = REAL.take(order), really.states[order]
    states, scores = eos_states(builtin, pairs, cache=False).values, score(builtin, pairs)
    assert ((states - expected).norm(dim=-1) / expected.norm(dim=-1)).max() < 1e-4
    assert ((scores.logprob - really.logprobs[order]) / really.logprobs[order]).abs().max() < 1e-4
    assert same_decisions(scores.margin, really.logprobs[order], pairs)

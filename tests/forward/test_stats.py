"""Unit statistics against a plain loop over sentences."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from sizes import quick_and_slow
from tiny_models import LAYERS, hf_blocks, hf_network, ids_of, random_pairs, read_from
from torch import Tensor

from neurosteer.data import UnitStats
from neurosteer.forward import eos_states, states_and_stats
from neurosteer.forward.device_copy import DeviceCopies
from neurosteer.forward.forest import Packing, plan
from neurosteer.forward.stats import TokenMoments
from neurosteer.model import Model, load_model
from neurosteer.pairs import Pairs

PAIRS = random_pairs(60, seed=3)
TRAIN = [1, 2, 3, 5, 8, 13, 21, 34, 55, 4]


def plain_tokens(folder: Path, pairs: Pairs, train: list[int], *, bos: int | None) -> Tensor:
    """`[layer, token, unit]`: every token of the train sentences but BOS and EOS, one sentence after the other."""
    network = hf_network(folder)
    rows = []
    with read_from(hf_blocks(network)) as seen:
        for i in train:
            for sentence in (pairs.pairs[i].good, pairs.pairs[i].bad):
                network.base_model(torch.tensor([ids_of(sentence, bos=bos)]))
                rows.append(torch.stack([block.pop()[0, 0 if bos is None else 1 : -1] for block in seen]))
    return torch.cat(rows, dim=1).double()


def check(stats: UnitStats, tokens: Tensor) -> None:
    assert stats.tokens == tokens.shape[1]
    assert (stats.token_mean - tokens.mean(1)).abs().max() < 1e-5
    variance = tokens.var(1, correction=0)
    assert ((stats.token_var - variance).abs() / variance).max() < 1e-4


@pytest.mark.parametrize("bos", quick_and_slow(["<s>"], ["none"]))
@pytest.mark.parametrize("kind", ["llama", "bloom"])
def test_token_statistics(kind: str, bos: str, tiny_folder: Callable[[str], Path]):
    """In a forest and in batches of equal length; together with the states, and later for themselves."""
    model = load_model(tiny_folder(kind), bos=bos)
    tokens = plain_tokens(tiny_folder(kind), PAIRS, TRAIN, bos=62 if bos == "<s>" else None)
    options = {"site": "resid_post", "layers": range(LAYERS), "position": "eos"}
    states, together = states_and_stats(model, PAIRS, TRAIN, **options)
    check(together, tokens)
    assert torch.equal(states.values, eos_states(model, PAIRS, cache=False).values)

    others = [0, 6, 7]
    _, later = states_and_stats(model, PAIRS, others, **options)
    check(later, plain_tokens(tiny_folder(kind), PAIRS, others, bos=62 if bos == "<s>" else None))


def test_eos_statistics(tiny: Callable[[str], Model]):
    states, stats = states_and_stats(tiny("llama"), PAIRS, TRAIN, site="resid_post", layers=[1], position="eos")
    of_train = torch.stack([states.values[i, side, 0] for i in TRAIN for side in (0, 1)]).double()
    assert (stats.eos_mean[0] - of_train.mean(0)).abs().max() < 1e-6
    assert (stats.eos_var[0] - of_train.var(0, correction=0)).abs().max() < 1e-5


def test_variance_survives_a_large_mean():
    """Merged in two passes per pack; the sum of squares would lose everything here. What is not committed is lost."""
    generator = torch.Generator().manual_seed(0)
    values = 4096 + torch.randn(7, 3, 50, 5, generator=generator)
    counts = torch.randint(0, 3, (7, 3, 50), generator=generator)
    packs = plan([[(i,)] for i in range(len(values))], Packing(1, 1))
    weights = dict(zip(packs, counts.numpy(), strict=True))
    moments, copies = TokenMoments(1, 5, weights.__getitem__), DeviceCopies()
    for pack, at_nodes in zip(weights, values, strict=True):
        moments.add(pack, 0, at_nodes + 1)  # begun, and begun again
        moments.add(pack, 0, at_nodes)
        copies.drop()
        moments.send(pack, copies)
        copies.drop()  # it did not get through, and comes again
        moments.add(pack, 0, at_nodes)
        moments.send(pack, copies)
        copies.next_pack()
    copies.finish()
    repeated = torch.cat([row.expand(n, 5) for row, n in zip(values.flatten(0, 2), counts.flatten(), strict=True)])
    stats = moments.finish()
    assert stats.tokens == len(repeated) == counts.sum()
    assert (stats.mean[0] - repeated.double().mean(0)).abs().max() < 1e-2
    assert (stats.var[0] / repeated.double().var(0, correction=0) - 1).abs().max() < 1e-3

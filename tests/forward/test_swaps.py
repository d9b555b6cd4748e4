"""Values swapped between sequences, beside plain Hugging Face with hooks of our own, one sequence at a time."""

from __future__ import annotations

from itertools import count

import numpy as np
import pytest
import torch
from plain_edits import site_modules
from sizes import quick_and_slow
from tiny_models import LAYERS, WIDTH, hf_network

from neurosteer.forward.swaps import NextToken, Places, Swap, preferences
from neurosteer.model import without_hooks

KINDS = ("llama", "gpt2", "bloom")


def readings(groups=7, seed=0):
    """Pairs that share their first tokens and then differ, of one length in every other group."""
    rng = np.random.default_rng(seed)
    made = []
    for i in range(groups):
        head = [62, *rng.integers(0, 3, size=i % 3).tolist()]
        length = int(rng.integers(2, 6))
        tails = [rng.integers(0, 60, size=length + (i % 2) * side).tolist() for side in range(2)]
        tails[0][0], tails[1][0] = 60, 61
        first, second = rng.choice(60, size=2, replace=False).tolist()
        made.append([NextToken((*head, *tail), first, second) for tail in tails])
    return made


def flat(groups):
    return [one for group in groups for one in group]


def partner(i):
    return i + 1 - 2 * (i % 2)


def at_the_end(groups, donor=partner):
    every = flat(groups)
    return [
        Places((len(one.tokens) - 1,), donor(i), (len(every[donor(i)].tokens) - 1,)) for i, one in enumerate(every)
    ]


def whole_regions(groups):
    """From the first difference on, where both are of one length; nowhere else."""
    places, start = [], count()
    for group in groups:
        first, second = (one.tokens for one in group)
        where = next(i for i, both in enumerate(zip(first, second, strict=False)) if both[0] != both[1])
        span = tuple(range(where, len(first))) if len(first) == len(second) else ()
        for _ in group:
            places.append(Places(span, partner(next(start)), span))
    return places


def everything(*layers):
    return {layer: torch.arange(WIDTH) for layer in layers}


def slow(network, kind, every, swap, site="resid_post"):
    """Every sequence by itself: the donor is read in a pass of its own, at every layer."""
    found = []
    modules = site_modules(network, kind, site)
    for reading, places in zip(every, swap.places, strict=True):
        values = {}

        def read(layer, into):
            def hook(_module, _given, gives):
                into[layer] = (gives[0] if isinstance(gives, tuple) else gives).detach().clone()

            return hook

        handles = [module.register_forward_hook(read(i, values)) for i, module in enumerate(modules)]
        network(torch.tensor([every[places.donor].tokens]))
        for handle in handles:
            handle.remove()

        def write(layer, values=values, places=places):
            def hook(_module, _given, gives):
                own = (gives[0] if isinstance(gives, tuple) else gives).clone()
                for here, there in zip(places.positions, places.donor_positions, strict=True):
                    for j, unit in enumerate(swap.units[layer].tolist()):
                        own[0, here, unit] = values[layer][0, there, unit] if swap.to is None else swap.to[layer][j]
                return (own, *gives[1:]) if isinstance(gives, tuple) else own

            return hook

        handles = [modules[layer].register_forward_hook(write(layer)) for layer in swap.units]
        logits = network(torch.tensor([reading.tokens])).logits[0, -1].double().log_softmax(-1)
        for handle in handles:
            handle.remove()
        found.append(float(logits[reading.first] - logits[reading.second]))
    return np.array(found)


@pytest.mark.parametrize("kind", quick_and_slow(KINDS[:1], KINDS[1:]))
def test_swaps_equal_a_slow_loop(tiny, tiny_folder, kind):
    model, network, groups = tiny(kind), hf_network(tiny_folder(kind)), readings()
    some = torch.tensor([1, 5, 30])
    swaps = [
        Swap({1: some}, at_the_end(groups)),
        Swap({0: some, 2: torch.tensor([7])}, whole_regions(groups)),
        Swap({1: some}, at_the_end(groups), to={1: torch.tensor([0.5, -2.0, 3.0])}),
        Swap({1: some}, at_the_end(groups, donor=lambda i: (i + 4) % 14)),
    ]
    found = preferences(model, groups, swaps, site="resid_post")
    clean = Swap({}, [Places()] * 14)
    np.testing.assert_allclose(found.clean, slow(network, kind, flat(groups), clean), atol=2e-5)
    for swap, values in zip(swaps, found.swapped, strict=True):
        np.testing.assert_allclose(values, slow(network, kind, flat(groups), swap), atol=2e-5)
        assert np.abs(values - found.clean).max() > 1e-3


@pytest.mark.parametrize("site", ["attn_out", "mlp_out"])
def test_other_sites_equal_a_slow_loop(tiny, tiny_folder, site):
    model, network, groups = tiny("llama"), hf_network(tiny_folder("llama")), readings()
    swap = Swap({0: torch.tensor([3, 4]), 1: torch.arange(20)}, whole_regions(groups))
    found = preferences(model, groups, [swap], site=site)
    np.testing.assert_allclose(found.swapped[0], slow(network, "llama", flat(groups), swap, site), atol=2e-5)


def test_a_sequence_that_is_its_own_donor_keeps_its_bits(tiny):
    groups = readings()
    places = [Places(one.positions, i, one.positions) for i, one in enumerate(whole_regions(groups))]
    own_end = at_the_end(groups, donor=lambda i: i)
    found = preferences(
        tiny("llama"), groups, [Swap(everything(1), places), Swap(everything(0, 2), own_end)], site="resid_post"
    )
    np.testing.assert_array_equal(found.swapped, np.stack([found.clean, found.clean]))


@pytest.mark.parametrize("kind", ["llama", "gpt2"])
def test_a_whole_layer_swapped_from_the_first_difference_on_gives_the_donors_preference(tiny, kind):
    groups = readings()
    places = whole_regions(groups)
    aligned = [i for i, one in enumerate(places) if one.positions]
    swaps = [Swap(everything(layer), places) for layer in range(LAYERS)]
    found = preferences(tiny(kind), groups, swaps, site="resid_post")
    donors = found.clean[[partner(i) for i in aligned]]
    assert np.abs(donors - found.clean[aligned]).max() > 0.1
    for values in found.swapped:
        np.testing.assert_allclose(values[aligned], donors, atol=1e-4)


def test_a_swap_at_shared_tokens_is_refused(tiny):
    groups = readings(1)
    places = [Places((0,), partner(i), (0,)) for i in range(2)]
    with pytest.raises(ValueError, match="share"):
        preferences(tiny("llama"), groups, [Swap(everything(1), places)], site="resid_post")


def test_groups_do_not_touch_one_another(tiny):
    """Sequences of several groups may be the same up to the swapped token."""
    one, other = readings(2)
    twice = [one, [NextToken(reading.tokens, 1, 2) for reading in one], other]
    swap = Swap(everything(1), at_the_end(twice))
    alone = preferences(tiny("llama"), [one], [Swap(everything(1), at_the_end([one]))], site="resid_post")
    kept = [Places() if i in (2, 3) else places for i, places in enumerate(swap.places)]
    found = preferences(tiny("llama"), twice, [swap, Swap(everything(1), kept)], site="resid_post")
    np.testing.assert_allclose(found.swapped[:, :2], np.stack([alone.swapped[0]] * 2), atol=1e-5)
    np.testing.assert_array_equal(found.swapped[1, 2:4], found.clean[2:4])


def test_the_model_is_as_before(tiny):
    model, groups = tiny("llama"), readings()
    before = preferences(model, groups, [], site="resid_post").clean
    preferences(model, groups, [Swap(everything(1), at_the_end(groups))], site="resid_post")
    with without_hooks(model):
        np.testing.assert_array_equal(preferences(model, groups, [], site="resid_post").clean, before)

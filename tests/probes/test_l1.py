"""The order in which units enter the L1 path: against a plain proximal gradient loop."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from plain_probes import plain_l1_order
from sizes import quick_and_slow

from neurosteer.probes import l1_order


def problem(seed: int, samples: int = 60, units: int = 9) -> tuple[torch.Tensor, torch.Tensor]:
    """Standardised examples: three units tell, one more stands for the first, the rest is noise."""
    rng = np.random.default_rng(seed)
    y = np.tile([1.0, -1.0], samples // 2)
    x = rng.normal(size=(samples, units))
    x[:, 0] += 1.2 * y
    x[:, 3] += 0.8 * y
    x[:, 5] -= 0.6 * y
    x[:, 7] = x[:, 0] + 0.4 * rng.normal(size=samples)
    x = (x - x.mean(axis=0)) / x.std(axis=0)
    return torch.from_numpy(x)[None].float(), torch.from_numpy(y).float()


@pytest.mark.parametrize("seed", quick_and_slow([0], [1]))
def test_against_a_plain_loop(seed):
    x, y = problem(seed)
    order = l1_order(x, y)[0].numpy()
    expected = plain_l1_order(x[0].double().numpy(), y.double().numpy())
    assert np.abs(order - expected).max() < 5e-3
    assert list(np.argsort(-order)[:2]) == list(np.argsort(-expected)[:2])


def test_layers_are_apart_and_a_twin_is_kept_out():
    """A unit that repeats what another says more clearly enters late, though it tells much by itself."""
    x, y = problem(2)
    both = torch.cat([x, problem(3)[0]])
    assert torch.equal(l1_order(both, y)[0], l1_order(x, y)[0])
    first, twin = l1_order(x, y)[0][[0, 7]].tolist()
    alone = l1_order(x[..., [7, 3, 5]], y)[0][0].item()
    assert first > twin + 3
    assert alone > twin


def test_the_bits_do_not_depend_on_the_number_of_threads():
    x, y = problem(4)
    x = torch.cat([x, x.flip(2), x * 0.9])
    whole, threads = l1_order(x, y), torch.get_num_threads()
    torch.set_num_threads(max(1, 3 - threads))
    again = l1_order(x, y)
    torch.set_num_threads(threads)
    assert torch.equal(whole, again)


def test_units_that_do_not_differ_never_enter():
    assert not l1_order(torch.zeros(2, 20, 5), torch.tensor([1.0, -1.0]).repeat(10)).any()

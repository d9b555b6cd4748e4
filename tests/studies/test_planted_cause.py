"""What causes a contrast is found to cause it, and what does not is not: p-values against matched controls.

A tiny Llama in which three units of the residual stream alone say whether a subject is singular, and the unembedding
reads them to choose the verb; and a random one, in which no set of units is more than any other.

More repeats: `pytest tests/studies/test_planted_cause.py -m slow`
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from planted_cause import PLANTED, UNITS, agreement_pairs
from scipy import stats
from sizes import quick_and_slow
from tiny_models import WIDTH, hf_blocks, hf_network, ids_of, read_from
from torch import Tensor

from neurosteer.edits import Edit
from neurosteer.model import Model
from neurosteer.neurons import Ranking, matched_controls
from neurosteer.pairs import Pairs
from neurosteer.studies import Found, find, measure_effect, rank_neurons
from neurosteer.studies.effects.controls import empirical_p

CONTROLS = 19
LAST = 2


@pytest.fixture(scope="module")
def agreed(planted: Model, apart: Callable[[], AbstractContextManager[None]]) -> Found:
    with apart():
        return find(planted, agreement_pairs(), methods=("attribution",), topk=3, draws=1)


def test_the_cause_is_found(agreed: Found):
    """By attribution, at every layer; the prediction comes from gradients alone."""
    ranking = agreed.ranking("attribution")
    for layer in range(3):
        assert list(ranking.top(3, layers=layer)) == [(layer, unit) for unit in UNITS]


@pytest.mark.parametrize("to", ["zero", "mean"])
def test_ablating_the_cause_breaks_the_contrast(planted: Model, agreed: Found, neutral: Path, to: str):
    """The drop stands alone among those of 19 matched sets; those without a planted unit do next to nothing."""
    cause = agreed.ranking("attribution").pick(PLANTED)
    effect = measure_effect(planted, agreed.test, Edit.ablate(cause, to), controls=CONTROLS, neutral=neutral)
    margin, controls = effect.margin, effect.controls
    assert effect.accuracy.before == 1.0
    assert abs(effect.accuracy.after - 0.5) < 0.2
    assert margin.high < -1
    assert margin.p < 0.001
    assert controls.p == pytest.approx(1 / 20)
    sets = agreed.ranking("attribution").controls(cause, CONTROLS)
    apart = [abs(delta) for delta, one in zip(controls.deltas, sets, strict=True) if not set(one) & set(PLANTED)]
    assert len(apart) > CONTROLS / 3
    assert max(apart) < 0.1 * abs(margin.delta)
    assert max(map(abs, controls.deltas)) < 0.5 * abs(margin.delta)
    assert controls.accuracy > 0.99
    assert effect.flipped.gained == 0
    assert (controls.verdict, controls.direction) == ("stands out", "more")
    assert "These neurons stand out: they lower it more than all of these (p = .05)" in effect.reading


def test_amplifying_the_cause_strengthens_it(planted: Model, agreed: Found, neutral: Path):
    cause = agreed.ranking("attribution").pick(PLANTED)
    edit = Edit.amplify(cause, 2.0)
    effect = measure_effect(planted, agreed.test, edit, scales=[0.0, 0.5, 1.5], neutral=neutral)
    assert effect.margin.low > 0.3
    assert effect.controls.p == pytest.approx(1 / 20)
    curve = [dose.delta for dose in effect.by_scale]
    assert curve == sorted(curve)
    assert curve[0] < -1


def test_another_set_does_next_to_nothing(planted: Model, agreed: Found, neutral: Path):
    """Of units that are no cause; their controls may hold some of it."""
    ranking, units = agreed.ranking("attribution"), [unit for unit in range(WIDTH) if unit not in UNITS]
    cause = measure_effect(planted, agreed.test, Edit.ablate(ranking.pick(PLANTED)), controls=0, neutral=neutral)
    for chosen in (units[:3], units[12:15]):
        edit = Edit.ablate(ranking.pick((1, unit) for unit in chosen))
        effect = measure_effect(planted, agreed.test, edit, controls=0, neutral=neutral)
        assert abs(effect.margin.delta) < 0.1 * abs(cause.margin.delta)


class Margins:
    """The mean margin of some pairs under ablation of units of the last block, by plain torch."""

    def __init__(self, network: Any, pairs: Pairs, mean: Tensor) -> None:
        rows, targets, signs, first = [], [], [], []
        with read_from([hf_blocks(network)[LAST]]) as [seen]:
            for pair in pairs:
                for sign, sentence in ((1.0, pair.good), (-1.0, pair.bad)):
                    ids = ids_of(sentence, eos=None)
                    network(torch.tensor([ids]))
                    rows += list(seen.pop()[0][:-1])
                    targets += ids[1:]
                    signs += [sign] * (len(ids) - 1)
                    first += [True] + [False] * (len(ids) - 2)
        self.states, self.targets, self.signs = torch.stack(rows), torch.tensor(targets), torch.tensor(signs).double()
        self.inner, self.network, self.pairs, self.mean = ~torch.tensor(first), network, len(pairs), mean
        self.at = cache(self._at)

    def drop(self, units: Sequence[int], to: str) -> float:
        return self.at(tuple(units), to) - self.at((), to)

    def _at(self, units: tuple[int, ...], to: str) -> float:
        states = self.states.clone()
        new = self.mean[list(units)] if to == "mean" else torch.zeros(len(units))
        states[:, list(units)] = torch.where(self.inner[:, None], new, states[:, list(units)])
        logprobs = self.network.lm_head(self.network.model.norm(states)).double().log_softmax(dim=-1)
        return float((logprobs[range(len(states)), self.targets] * self.signs).sum()) / self.pairs


@pytest.fixture(scope="module")
def wide(tiny: Callable[[str], Model]) -> Model:
    """Wide enough for sets that are a small part of it, as those of a real model are."""
    return tiny("llama-wide")


@pytest.fixture(scope="module")
def ranking(wide: Model, few: Pairs, apart: Callable[[], AbstractContextManager[None]]) -> Ranking:
    with apart():
        return rank_neurons(wide, few.split("pair", 5).train)


@pytest.fixture(scope="module")
def plain(tiny_folder: Callable[[str], Path], few: Pairs, ranking: Ranking) -> Margins:
    return Margins(hf_network(tiny_folder("llama-wide")), few.split("pair", 5).test, ranking.stats.token_mean[LAST])


def some(rng: np.random.Generator, k: int) -> list[int]:
    return sorted(rng.choice(8 * WIDTH, k, replace=False).tolist())


def against_matched(
    plain: Margins, ranking: Ranking, units: list[int], to: str, seed: int
) -> tuple[float, list[float]]:
    """The drop of some units, and those of their matched controls."""
    sets = matched_controls(ranking.pick((LAST, unit) for unit in units), CONTROLS, seed)
    return plain.drop(units, to), [plain.drop(control.units.tolist(), to) for control in sets]


@pytest.mark.parametrize("to", ["zero", "mean"])
def test_the_plain_margins_below_are_what_is_measured(
    wide: Model, few: Pairs, plain: Margins, ranking: Ranking, neutral: Path, to: str
):
    test = few.split("pair", 5).test
    for seed in range(2):
        units = some(np.random.default_rng(seed), 3)
        edit = Edit.ablate(ranking.pick((LAST, unit) for unit in units), to)
        effect = measure_effect(wide, test, edit, neutral=neutral, seed=seed)
        delta, controls = against_matched(plain, ranking, units, to, seed)
        assert effect.margin.delta == pytest.approx(delta, rel=1e-4, abs=5e-6)
        assert effect.controls.deltas == pytest.approx(controls, rel=1e-4, abs=5e-6)
        assert effect.controls.p == empirical_p(delta, controls)


def counts_of(ps: Sequence[float]) -> np.ndarray:
    """How often each of the 20 values comes, the smallest first."""
    return np.bincount([round(20 * p) for p in ps], minlength=21)[1:]


@pytest.mark.slow
@pytest.mark.parametrize("to", quick_and_slow(["zero"], ["mean"]))
def test_among_sets_of_one_kind_every_p_is_as_likely(plain: Margins, to: str):
    """Real margins, in which some units do much and most do little: of 20 random sets, each is like the others."""
    rng = np.random.default_rng(2)
    ps = []
    for _ in range(200):
        delta, *others = (plain.drop(some(rng, 3), to) for _ in range(CONTROLS + 1))
        ps.append(empirical_p(delta, others))
    assert stats.chisquare(counts_of(ps)).pvalue > 0.001


def matched_ps(plain: Margins, ranking: Ranking, repeats: int, *, k: int, to: str) -> list[float]:
    """The p-values of random sets of k units, each against matched controls of its own."""
    rng = np.random.default_rng([k, repeats])
    return [empirical_p(*against_matched(plain, ranking, some(rng, k), to, seed)) for seed in range(repeats)]


@pytest.mark.slow
def test_random_sets_are_as_likely_to_have_any_p(plain: Margins, ranking: Ranking):
    """A set that was drawn by lot does not stand out among its matched controls."""
    counts = counts_of(matched_ps(plain, ranking, 200, k=3, to="mean"))
    assert stats.chisquare(counts).pvalue > 0.001


@pytest.mark.slow
@pytest.mark.parametrize("k", [1, 3, 5])
@pytest.mark.parametrize("to", ["zero", "mean"])
def test_random_sets_are_as_likely_to_have_any_p_in_full(plain: Margins, ranking: Ranking, k: int, to: str):
    counts = counts_of(matched_ps(plain, ranking, 2000, k=k, to=to))
    assert stats.chisquare(counts).pvalue > 0.001

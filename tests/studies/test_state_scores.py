"""Rankings from states alone: against SciPy and NumPy."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import stats

from neurosteer.errors import InputError
from neurosteer.neurons import spearman
from neurosteer.pairs import Pairs
from neurosteer.probes import welch
from neurosteer.rankings import RANKINGS
from neurosteer.studies import find, rank_neurons
from neurosteer.studies.finding.state_scores import state_scores
from neurosteer.vocabulary import METHODS

TRAIN = range(5, 45)


@pytest.fixture(scope="module")
def values() -> torch.Tensor:
    rng = torch.Generator().manual_seed(0)
    made = torch.randn(60, 2, 3, 12, generator=rng) * torch.linspace(0.2, 4, 12) - 0.5
    made[:, 0] *= torch.linspace(0.5, 2, 12)
    made[:, 0, :, 3] += 2
    return made


def test_against_scipy_and_numpy(values):
    scores = state_scores(values, TRAIN, welch(values, TRAIN), METHODS)
    good, bad = (values[list(TRAIN), side].double().numpy() for side in (0, 1))
    t = stats.ttest_ind(np.abs(good), np.abs(bad), axis=0, equal_var=False).statistic
    pooled = np.sqrt((good.var(axis=0, ddof=1) + bad.var(axis=0, ddof=1)) / 2)
    expected = {
        "welch": np.abs(stats.ttest_ind(good, bad, axis=0, equal_var=False).statistic),
        "mean-diff": np.abs(good.mean(axis=0) - bad.mean(axis=0)) / pooled,
        "localizer": t,
    }
    assert set(scores) == set(expected)
    for method, wanted in expected.items():
        assert np.abs(scores[method].numpy() - wanted).max() < 1e-5 * np.abs(wanted).max()
    assert (scores["localizer"] < 0).any()
    assert spearman(scores["welch"][0], scores["mean-diff"][0]) == pytest.approx(1.0)


def test_only_what_is_asked_for(values):
    assert set(state_scores(values, TRAIN, welch(values, TRAIN), ["mean-diff", "l0"])) == {"mean-diff"}


def test_the_table_has_every_method():
    assert set(RANKINGS) == set(METHODS)


@pytest.fixture(scope="module")
def pairs() -> Pairs:
    from made_pairs import made_pairs

    return made_pairs()


@pytest.mark.parametrize("method", ["mean-diff", "l1", "localizer"])
def test_find_and_rank_neurons_agree(llama, pairs, method):
    found = find(llama, pairs, methods=(method,), topk=3, layers=[0, 2], draws=1, cache=False)
    own = rank_neurons(llama, found.train, method=method, layers=[0, 2], topk=3)
    assert torch.allclose(own.scores, found.ranking(method).scores, atol=1e-6)
    assert own.best_layer is None
    chosen = rank_neurons(llama, found.train, method=method, validation=found.validation, layers=[0, 2], topk=3)
    assert chosen.best_layer == found.result.best_layer
    with pytest.raises(InputError, match="no best layer"):
        own.top(2)
    assert len(found.ranking(method).top(3)) <= 3
    assert found.result.at(0).topk_by_method.keys() == {method}


def test_a_method_that_chooses_no_unit_reads_nothing(llama, pairs, monkeypatch):
    """Half of the sentences are right, and the text says that none is chosen."""
    from neurosteer.studies.finding import state_scores as module

    real = module.welch

    def all_smaller(states, train):
        found = real(states, train)
        return type(found)(-found.t.abs() - 1, found.p, found.q)

    monkeypatch.setattr(module, "welch", all_smaller)  # only the localizer's
    found = find(llama, pairs, methods=("localizer",), topk=3, layers=[0, 1], draws=1, cache=False).result
    assert [layer.topk for layer in found.layers] == [0.5, 0.5]
    assert found.neurons["localizer"] == ()
    assert found.interpretation == "By localizer no unit scores above 0 at layer 0: none is chosen."

"""The six questions about a direction: every number again by plain Hugging Face loops, one sentence at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from made_pairs import made_pairs
from plain_edits import hf_logprobs
from planted_cause import PLANTED, UNITS, agreement_pairs, planted_model
from showing import printed
from sklearn.linear_model import LogisticRegression
from tiny_models import WIDTH, hf_blocks, hf_network, hf_states, ids_of
from torch import Tensor

import neurosteer as ns
from neurosteer.errors import InputError
from neurosteer.forward import donor_of
from neurosteer.model import Model
from neurosteer.neurons import Direction
from neurosteer.pairs import Pairs
from neurosteer.seeds import seed_of
from neurosteer.studies import Found, find
from neurosteer.studies.effects.direction_controls import random_directions
from neurosteer.studies.evidence import Evidence, evidence
from neurosteer.studies.evidence import work as work_room
from neurosteer.studies.evidence.encoded import best_baseline
from neurosteer.studies.evidence.selective import exchanges, resplits

CLOSE = {"rel": 2e-4, "abs": 2e-4}
LAYER, NULLS = 1, 19
Change = Callable[[Tensor, int], Tensor]  # a state and its depth -> the state that takes its place


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("planted")


@pytest.fixture(scope="module")
def model(folder: Path) -> Model:
    return planted_model(folder)


@pytest.fixture(scope="module")
def network(model: Model, folder: Path) -> Any:
    return hf_network(folder)


@pytest.fixture(scope="module")
def searched(model: Model, apart: Callable[[], AbstractContextManager[None]]) -> Found:
    with apart():
        return find(model, agreement_pairs(), methods=("welch",), topk=3, directions=("mean", "probe"), draws=1)


def elsewhere() -> list[Pairs]:
    every = made_pairs(verbs=4, subjects=5, nouns=4).pairs
    return [Pairs(f"other{i}", "made up", every[20 * i : 20 * i + 20]) for i in range(3)]


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    prose = tmp_path_factory.mktemp("prose") / "prose.txt"
    prose.write_text(" ".join(f"w{(7 * i * i + 3 * i) % 62}" for i in range(40)))
    return {"others": elsewhere(), "meaning": [], "neutral": prose, "nulls": NULLS}


@pytest.fixture(scope="module")
def planted(model: Model, searched: Found) -> Direction:
    """Along the units that say the number, so that the preference hangs on it."""
    vector = torch.zeros(WIDTH)
    vector[UNITS] = torch.tensor([1.0, 2.0, 1.5])
    return Direction.of(model, vector, LAYER, stats=searched.ranking("welch").stats)


@pytest.fixture(scope="module")
def answer(
    model: Model,
    searched: Found,
    planted: Direction,
    asked: dict[str, Any],
    apart: Callable[[], AbstractContextManager[None]],
) -> Evidence:
    with apart():
        return evidence(model, searched, direction=planted, **asked)


@pytest.fixture(scope="module")
def of_means(
    model: Model, searched: Found, asked: dict[str, Any], apart: Callable[[], AbstractContextManager[None]]
) -> Evidence:
    with apart():
        own = searched.direction("mean", LAYER)
        return evidence(model, searched, direction=own, only=["encoded", "necessary", "selective"], **asked)


@contextmanager
def changed(network: Any, change: Change) -> Iterator[None]:
    """With the output of the block changed at every token but BOS, one at a time."""

    def edit(_module: Any, _given: Any, gives: Any) -> Any:
        values = (gives[0] if isinstance(gives, tuple) else gives).clone()
        for depth in range(1, values.shape[1]):
            values[0, depth] = change(values[0, depth], depth)
        return (values, *gives[1:]) if isinstance(gives, tuple) else values

    handle = hf_blocks(network)[LAYER].register_forward_hook(edit)
    yield
    handle.remove()


def margins(network: Any, pairs: Pairs, change: Change = lambda state, _depth: state) -> np.ndarray:
    """log P(good) - log P(bad), one sentence at a time."""
    with changed(network, change):
        rows = [
            float(hf_logprobs(network, ids_of(pair.good, eos=None)).sum())
            - float(hf_logprobs(network, ids_of(pair.bad, eos=None)).sum())
            for pair in pairs
        ]
    return np.array(rows)


def unit(vector: Tensor) -> Tensor:
    return (vector.double() / vector.double().norm()).float()


def mean_of(found: Found) -> Tensor:
    return found.ranking("welch").stats.token_mean[LAYER]


def out_to(mean: Tensor, v: Tensor) -> Change:
    """The component along a vector becomes that of the mean."""
    return lambda state, _depth: state + ((mean - state) @ v) * v


def alone_at(mean: Tensor, v: Tensor) -> Change:
    """The component along it stays, and all else becomes the mean."""
    return lambda state, _depth: mean + ((state - mean) @ v) * v


@pytest.fixture(scope="module")
def clean(network: Any, searched: Found) -> np.ndarray:
    return margins(network, searched.test)


@pytest.fixture(scope="module")
def states(network: Any, searched: Found) -> Tensor:
    """At EOS, of all pairs `[pair side unit]`."""
    both = [
        hf_states(network, [ids_of(getattr(pair, side)) for pair in searched.pairs])[:, LAYER]
        for side in ("good", "bad")
    ]
    return torch.stack(both, dim=1).double()


@pytest.fixture(scope="module")
def random(states: Tensor, searched: Found) -> list[Tensor]:
    """The controls: within the covariance of the find's train states (tested beside `random_directions`)."""
    train = states[list(searched.split.train_indices)]
    return [unit(one) for one in random_directions(train, 19, searched.split.seed)]


def test_necessary_without_the_component(
    answer: Evidence, network: Any, searched: Found, clean: np.ndarray, random: list[Tensor], planted: Direction
):
    own, mean, found = planted.vector, mean_of(searched), answer.tests["necessary"]
    lost = [
        (clean - margins(network, searched.test, out_to(mean, v))).sum() / clean.sum() for v in (own, *random[:2])
    ]
    assert [found.value, *found.controls[:2]] == pytest.approx(lost, **CLOSE)
    assert lost[0] > 0.5
    assert (found.n, found.p, found.holds) == (19, 0.05, True)
    assert found.overlap == pytest.approx(np.mean([float(own @ one) ** 2 for one in random]), rel=1e-3)
    assert "the direction" in found.sentence
    assert "random directions" in found.sentence


def test_sufficient_is_the_component_alone(
    answer: Evidence, network: Any, searched: Found, clean: np.ndarray, random: list[Tensor], planted: Direction
):
    own, mean, found = planted.vector, mean_of(searched), answer.tests["sufficient"]
    none = margins(network, searched.test, lambda _state, _depth: mean)
    kept = [
        (margins(network, searched.test, alone_at(mean, v)) - none).sum() / (clean - none).sum()
        for v in (own, *random[:2])
    ]
    assert [found.value, *found.controls[:2]] == pytest.approx(kept, **CLOSE)
    assert kept[0] > 0.5
    assert (answer.curve, answer.cpr, answer.cmd) == ((), None, None)


def test_the_rest_may_take_a_donors_activations(
    answer: Evidence, model: Model, network: Any, searched: Found, clean: np.ndarray, planted: Direction
):
    """Each fifth of the pairs has a donor of its own, whose states at each depth a slow loop puts in place."""
    test, seed, v = searched.test, searched.split.seed, planted.vector
    found = {name: np.empty(len(test)) for name in ("own", "none")}
    for turn in range(5):
        pairs = [i for i in range(len(test)) if i % 5 == turn]  # each pair is a group by itself
        draw = seed_of(seed, searched.task, "donors", turn)
        values = donor_of(model, ns.Edit.keep_only(planted, "resample", donors=searched.train, seed=draw)).values

        def donor(depth: int, values: Tensor = values) -> Tensor:
            return values[min(depth, len(values) - 1), LAYER]

        found["own"][pairs] = margins(
            network, test.take(pairs), lambda state, depth, of=donor: of(depth) + ((state - of(depth)) @ v) * v
        )
        found["none"][pairs] = margins(network, test.take(pairs), lambda _state, depth, of=donor: of(depth))
    f = (found["own"] - found["none"]).sum() / (clean - found["none"]).sum()
    assert answer.tests["sufficient"].beside[0].value == pytest.approx(f, **CLOSE)


def test_encoded_is_read_along_it_alone(
    of_means: Evidence, model: Model, searched: Found, states: Tensor, random: list[Tensor]
):
    """The difference of the means of other train pairs, and scikit-learn's probe of one number a sentence."""
    found, split = of_means.tests["encoded"], searched.split  # its words allow no lexical one
    train, test = (states[list(split.indices[part])] for part in ("train", "test"))
    own = train[:, 0].mean(dim=0) - train[:, 1].mean(dim=0)
    accuracies = []
    for vector in (own, *random_directions(train, 3, searched.split.seed)):
        x = (train @ unit(vector).double()).T.reshape(-1, 1).numpy()
        scale = x.std(axis=0)
        probe = LogisticRegression(C=1.0).fit((x - x.mean(axis=0)) / scale, [1] * len(train) + [0] * len(train))
        seen = ((test @ unit(vector).double()).T.reshape(-1, 1).numpy() - x.mean(axis=0)) / scale
        accuracies.append(probe.score(seen, [1] * len(test) + [0] * len(test)))
    _, baseline = best_baseline(model, split)
    above = [one - baseline.mean() for one in accuracies]
    assert [found.value, *found.controls[:3]] == pytest.approx(above, abs=1.01 / len(test))  # at most two sentences
    assert len(set(found.controls)) > 3


def test_selective_computes_it_again_on_exchanged_labels(
    of_means: Evidence, network: Any, searched: Found, clean: np.ndarray, states: Tensor
):
    found, mean, seed = of_means.tests["selective"], mean_of(searched), searched.split.seed
    train = list(searched.split.train_indices)
    flips = exchanges(searched.train, NULLS, seed)
    lost = []
    for i in (0, 5):
        turned = torch.where(flips[i][:, None, None], states[train].flip(1), states[train])
        v = unit(turned[:, 0].mean(dim=0) - turned[:, 1].mean(dim=0))
        lost.append((clean - margins(network, searched.test, out_to(mean, v))).sum() / clean.sum())
    known = found.beside[1].value
    assert known is not None
    assert [found.controls[i] + known for i in (0, 5)] == pytest.approx(lost, **CLOSE)
    assert found.n == NULLS
    assert found.value == pytest.approx(of_means.tests["necessary"].value - known)
    both = [*train, *searched.split.indices["validation"]]
    own, overlaps = unit(searched.direction("mean", LAYER).vector), []
    for part in resplits(searched.pairs.take(both), seed):
        again = states[both][part]
        overlaps.append(float(unit(again[:, 0].mean(dim=0) - again[:, 1].mean(dim=0)) @ own) ** 2)
    assert found.beside[2].value == pytest.approx(np.mean(overlaps), rel=1e-3)


@pytest.mark.slow
def test_isolated_on_other_tasks(
    answer: Evidence, network: Any, searched: Found, clean: np.ndarray, random: list[Tensor], planted: Direction
):
    mean, statistics = mean_of(searched), []
    counted = {row.task for row in answer.elsewhere if row.effect is not None}
    assert len(counted) == 3
    for v in (planted.vector, random[0]):
        here = (clean - margins(network, searched.test, out_to(mean, v))).mean() / np.std(clean, ddof=1)
        sizes = []
        for pairs in elsewhere():
            before = margins(network, pairs)
            fall = (before - margins(network, pairs, out_to(mean, v))).mean()
            sizes.append(abs(fall / np.std(before, ddof=1)))
        statistics.append(here - np.mean(sizes))
    found = answer.tests["isolated"]
    assert [found.value, found.controls[0]] == pytest.approx(statistics, rel=2e-3, abs=2e-3)


def test_one_unit_as_a_direction_is_that_unit(model: Model, searched: Found, asked: dict[str, Any]):
    """Necessary and sufficient alike, of another search's unit."""
    stats, which = searched.ranking("welch").stats, PLANTED[0][1]
    axis = Direction.of(model, torch.eye(WIDTH)[which], LAYER, stats=stats)
    neurons = ns.NeuronSet.of(model, [(LAYER, which)], stats=stats)
    few: dict[str, Any] = {**asked, "only": ["necessary", "sufficient", "selective"], "controls": 2}
    along, alone = evidence(model, searched, direction=axis, **few), evidence(model, searched, neurons=neurons, **few)
    for question in ("necessary", "sufficient"):
        assert along.tests[question].value == pytest.approx(alone.tests[question].value, **CLOSE)
    assert along.tests["sufficient"].beside[0].value == pytest.approx(
        alone.tests["sufficient"].beside[0].value, **CLOSE
    )
    assert along.tests["selective"].why == "no find has searched the direction, so there is no search to repeat"


def test_it_is_saved_shown_and_refused(
    answer: Evidence, model: Model, searched: Found, asked: dict[str, Any], tmp_path: Path
):
    assert (answer.by, answer.k, answer.neurons, answer.method) == ("direction", 1, (), "given")
    assert isinstance(answer.neuron_set, Direction)
    answer.save(tmp_path / "six")
    again = Evidence.load(tmp_path / "six")
    assert again.to_json() == answer.to_json()
    assert isinstance(again.neuron_set, Direction)
    assert torch.equal(again.neuron_set.vector, answer.neuron_set.vector)
    shown = printed(answer)
    assert "given direction of layer 1 (resid_post), its component moved to the mean" in shown
    assert "1 direction" not in shown
    answer.figure()
    along = searched.direction("mean", LAYER)
    for given, said in [
        ({"method": "welch"}, "direction= already says what is asked about"),
        ({"layers": LAYER}, "direction= already says what is asked about"),
    ]:
        with pytest.raises(InputError, match=said):
            evidence(model, searched, direction=along, **asked, **given)
    with pytest.raises(InputError, match="direction must be Direction, not a NeuronSet"):
        evidence(model, searched, direction=along.neurons, **asked)  # type: ignore[arg-type]


def test_controls_that_are_nearly_the_direction_are_said_so(
    model: Model, searched: Found, asked: dict[str, Any], states: Tensor, monkeypatch: pytest.MonkeyPatch
):
    """Where one unit varies far more than all others, random directions lie along it."""
    few: dict[str, Any] = {**asked, "only": ["necessary"], "direction": searched.direction("mean", LAYER)}
    assert not [one for one in evidence(model, searched, **few).notices if "random directions" in one]
    heavy = states.float()[:, :, None].clone()
    heavy[..., 3] *= 1000
    monkeypatch.setattr(work_room.AskedSet, "states", lambda _self, _layers: heavy)
    axis = Direction.of(model, torch.eye(WIDTH)[3], LAYER, stats=searched.ranking("welch").stats)
    answer = evidence(model, searched, **{**few, "direction": axis})
    assert answer.tests["necessary"].overlap > 0.99
    assert [one for one in answer.notices if "the random directions are 100 % this one" in one]
    assert "a control has 100 % of the direction too" in printed(answer)

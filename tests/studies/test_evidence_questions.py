"""The six questions on tiny models: every number again by plain Hugging Face loops, one sentence at a time."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from made_pairs import made_pairs
from plain_edits import hf_edited, hf_logprobs
from plain_probes import plain_l1_order
from planted_cause import PLANTED, agreement_pairs, planted_model
from scipy import stats
from showing import printed
from tiny_models import WIDTH, hf_network, hf_states, ids_of

import neurosteer as ns
from neurosteer.edits import Edit
from neurosteer.errors import InputError
from neurosteer.forward import attribute, donor_of
from neurosteer.forward import steering as steered
from neurosteer.model import Model
from neurosteer.neurons import matched_controls, order_of, shuffled_orders
from neurosteer.neurons.controls import unit_blocks
from neurosteer.pairs import Pair, Pairs
from neurosteer.seeds import seed_of
from neurosteer.studies import Found, find
from neurosteer.studies.evidence import Evidence, evidence
from neurosteer.studies.evidence.numbers import GRID, shares_of
from neurosteer.studies.evidence.selective import exchanges, resplits
from neurosteer.vocabulary import Method

CLOSE = {"rel": 2e-4, "abs": 2e-4}
LAYER, K = 1, 3
Neurons = Sequence[tuple[int, int]]


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
        return find(model, agreement_pairs(), methods=("attribution", "welch"), topk=K, draws=1)


def elsewhere() -> list[Pairs]:
    """Four tasks that have nothing to do with number, the last without a clean preference."""
    every = made_pairs(verbs=4, subjects=5, nouns=4).pairs
    tasks = [Pairs(f"other{i}", "made up", every[20 * i : 20 * i + 20]) for i in range(3)]
    undecided = [pair if i % 2 else Pair(pair.bad, pair.good, pair.id) for i, pair in enumerate(every[60:])]
    return [*tasks, Pairs("undecided", "made up", tuple(undecided))]


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    prose = tmp_path_factory.mktemp("prose") / "prose.txt"
    prose.write_text(" ".join(f"w{(7 * i * i + 3 * i) % 62}" for i in range(40)))
    return {"layers": LAYER, "others": elsewhere(), "meaning": [], "neutral": prose}


@pytest.fixture(scope="module")
def answer(
    model: Model, searched: Found, asked: dict[str, Any], apart: Callable[[], AbstractContextManager[None]]
) -> Evidence:
    with apart():
        return evidence(model, searched, method="attribution", **asked)


def margins(network: Any, pairs: Pairs) -> np.ndarray:
    """log P(good) - log P(bad), one sentence at a time."""
    rows = [
        float(hf_logprobs(network, ids_of(pair.good, eos=None)).sum())
        - float(hf_logprobs(network, ids_of(pair.bad, eos=None)).sum())
        for pair in pairs
    ]
    return np.array(rows)


def without(network: Any, pairs: Pairs, neurons: Neurons, found: Found) -> np.ndarray:
    """Margins with neurons at their means over the tokens of the find's train sentences."""
    mean = found.ranking("welch").stats.token_mean
    with hf_edited(network, "llama", neurons, lambda layer, unit, _depth, _old: mean[layer, unit]):
        return margins(network, pairs)


def kept(network: Any, pairs: Pairs, neurons: Neurons, found: Found) -> np.ndarray:
    """Margins with every other unit of the layer at its mean."""
    rest = [(LAYER, unit) for unit in range(WIDTH) if (LAYER, unit) not in set(neurons)]
    return without(network, pairs, rest, found)


@pytest.fixture(scope="module")
def clean(network: Any, searched: Found) -> np.ndarray:
    return margins(network, searched.test)


def test_necessary_is_the_share_lost(answer: Evidence, network: Any, searched: Found, clean: np.ndarray):
    chosen = searched.ranking("attribution").top(K, LAYER)
    assert list(answer.neuron_set) == list(chosen)
    assert set(chosen) <= set(PLANTED)
    found = answer.tests["necessary"]
    assert answer.margin == pytest.approx(clean.mean(), **CLOSE)
    lost = (clean - without(network, searched.test, list(chosen), searched)).sum() / clean.sum()
    assert found.value == pytest.approx(lost, **CLOSE)
    assert lost > 0.5
    controls = matched_controls(chosen, 19, searched.split.seed)
    for one, value in zip(controls[:2], found.controls[:2], strict=True):
        own = (clean - without(network, searched.test, list(one), searched)).sum() / clean.sum()
        assert value == pytest.approx(own, **CLOSE)
    at_least = sum(value >= found.value for value in found.controls)
    assert (found.n, found.p) == (19, (1 + at_least) / 20)
    assert found.low < found.value < found.high
    assert found.holds is (found.p <= 0.05 and found.low > 0)
    assert found.overlap == pytest.approx(np.mean([len(set(one) & set(chosen)) / K for one in controls]))


def test_sufficient_is_the_share_kept(answer: Evidence, network: Any, searched: Found, clean: np.ndarray):
    chosen, found = list(answer.neuron_set), answer.tests["sufficient"]
    none = kept(network, searched.test, [], searched)
    whole = (clean - none).sum()
    own = (kept(network, searched.test, chosen, searched) - none).sum() / whole
    assert found.value == pytest.approx(own, **CLOSE)
    order = order_of(searched.ranking("attribution"), [LAYER])
    assert set(map(tuple, order[:K].tolist())) == set(chosen)
    shuffled = shuffled_orders(order, answer.neuron_set, 19, searched.split.seed)
    for one, value in zip(shuffled[:1], found.controls[:1], strict=True):
        units = [tuple(row) for row in one[:K].tolist()]
        theirs = (kept(network, searched.test, units, searched) - none).sum() / whole
        assert value == pytest.approx(theirs, **CLOSE)
    for point in answer.curve[6:8]:
        best, last = ([tuple(row) for row in line[: point.units].tolist()] for line in (order, order.flip(0)))
        assert point.f == pytest.approx((kept(network, searched.test, best, searched) - none).sum() / whole, **CLOSE)
        other = (kept(network, searched.test, last, searched) - none).sum() / whole
        assert point.reverse == pytest.approx(other, **CLOSE)
    mixed = [tuple(row) for row in shuffled[1][: answer.curve[7].units].tolist()]
    theirs = (kept(network, searched.test, mixed, searched) - none).sum() / whole
    assert answer.curve[7].controls[1] == pytest.approx(theirs, **CLOSE)


def test_the_ends_of_the_curve_are_exact(answer: Evidence):
    """f of all is 1 and f of none 0, to the bit, of every order."""
    first, last = answer.curve[0], answer.curve[-1]
    assert [point.share for point in answer.curve] == list(GRID)
    assert [point.units for point in answer.curve] == shares_of(GRID, WIDTH)
    assert (first.units, first.f, first.reverse, set(first.controls)) == (0, 0.0, 0.0, {0.0})
    assert (last.units, last.f, last.reverse, set(last.controls)) == (WIDTH, 1.0, 1.0, {1.0})
    assert (last.low, last.high) == (1.0, 1.0)
    shares, f = [point.share for point in answer.curve], [point.f for point in answer.curve]
    steps = list(zip(shares, shares[1:], f, f[1:], strict=False))
    assert answer.cpr == pytest.approx(sum((b - a) * (y + z) / 2 for a, b, y, z in steps), abs=1e-6)
    assert answer.cmd == pytest.approx(sum((b - a) * (abs(1 - y) + abs(1 - z)) / 2 for a, b, y, z in steps), abs=1e-6)


def test_others_may_take_a_donors_activations(
    answer: Evidence, model: Model, network: Any, searched: Found, clean: np.ndarray
):
    """Each fifth of the pairs has a donor of its own, whose values at each depth a slow loop puts in place."""
    test, seed = searched.test, searched.split.seed
    found = {name: np.empty(len(test)) for name in ("own", "none")}
    for turn in range(5):
        pairs = [i for i in range(len(test)) if i % 5 == turn]  # each pair is a group by itself
        edit = Edit.ablate(
            answer.neuron_set,
            "resample",
            donors=searched.train,
            seed=seed_of(seed, searched.task, "donors", turn),
        )
        values = donor_of(model, edit).values

        def new(layer: int, unit: int, depth: int, _old: Any, values: Any = values) -> Any:
            return values[min(depth, len(values) - 1), layer, unit]

        for name, chosen in (("own", set(answer.neuron_set)), ("none", set())):
            rest = [(LAYER, unit) for unit in range(WIDTH) if (LAYER, unit) not in chosen]
            with hf_edited(network, "llama", rest, new):
                found[name][pairs] = margins(network, test.take(pairs))
    f = (found["own"] - found["none"]).sum() / (clean - found["none"]).sum()
    beside = answer.tests["sufficient"].beside[0]
    assert beside.value == pytest.approx(f, **CLOSE)
    assert beside.low < beside.value < beside.high
    p = answer.tests["sufficient"].p
    assert p is not None
    assert p >= beside.p


def test_selective_searches_on_exchanged_labels(
    answer: Evidence, model: Model, network: Any, searched: Found, clean: np.ndarray
):
    """An attribution of pairs that really are exchanged, and the margins without what it finds."""
    train, found = searched.train, answer.tests["selective"]
    flips = exchanges(train, 39, searched.split.seed)
    lost = {}
    for i in (0, 5):
        pairs = tuple(
            Pair(pair.bad, pair.good, pair.id) if flip else pair for pair, flip in zip(train, flips[i], strict=True)
        )
        scores = attribute(model, replace(train, pairs=pairs), site="resid_post", layers=[LAYER], cache=False).drop()[
            0
        ]
        best = [int(unit) for unit in scores.sort(descending=True).indices[:K] if scores[unit] > 0]
        after = without(network, searched.test, [(LAYER, unit) for unit in best], searched)
        lost[i] = (clean - after).sum() / clean.sum()
    assert found.n == 39
    assert found.controls[5] - found.controls[0] == pytest.approx(lost[5] - lost[0], **CLOSE)
    mean = found.beside[1].value
    assert mean is not None
    assert found.controls[0] + mean == pytest.approx(lost[0], **CLOSE)
    own = answer.tests["necessary"].value
    assert own is not None
    assert found.beside[0].value == pytest.approx(own)
    assert found.value == pytest.approx(own - mean)
    assert found.p == pytest.approx((1 + sum(one + mean >= own - 1e-12 for one in found.controls)) / 40)


def t_of_sizes(good: np.ndarray, bad: np.ndarray) -> np.ndarray:
    found: np.ndarray = stats.ttest_ind(np.abs(good), np.abs(bad), equal_var=False).statistic
    return found


def t_either_way(good: np.ndarray, bad: np.ndarray) -> np.ndarray:
    found: np.ndarray = np.abs(stats.ttest_ind(good, bad, equal_var=False).statistic)
    return found


def standard_deviations(good: np.ndarray, bad: np.ndarray) -> np.ndarray:
    pooled = np.sqrt((good.var(axis=0, ddof=1) + bad.var(axis=0, ddof=1)) / 2)
    found: np.ndarray = np.abs(good.mean(axis=0) - bad.mean(axis=0)) / pooled
    return found


def entering(good: np.ndarray, bad: np.ndarray) -> np.ndarray:
    x = np.concatenate([good, bad])
    return plain_l1_order((x - x.mean(axis=0)) / x.std(axis=0), np.repeat([1.0, -1.0], len(good)))


@pytest.fixture(scope="module")
def by_states(model: Model, apart: Callable[[], AbstractContextManager[None]]) -> Found:
    with apart():
        return find(model, agreement_pairs(), methods=("welch", "mean-diff", "localizer", "l1"), topk=K, draws=1)


@pytest.mark.parametrize(
    ("method", "score"),
    [
        ("welch", t_either_way),
        *(
            pytest.param(*one, marks=pytest.mark.slow)
            for one in (("mean-diff", standard_deviations), ("localizer", t_of_sizes), ("l1", entering))
        ),
    ],
)
def test_selective_by_what_a_probe_reads(
    method: Method,
    score: Callable[[np.ndarray, np.ndarray], np.ndarray],
    model: Model,
    network: Any,
    by_states: Found,
    asked: dict[str, Any],
    clean: np.ndarray,
):
    """SciPy's t, Cohen's d and a plain L1 path, of states that are exchanged."""
    found = evidence(model, by_states, method=method, only=["selective"], nulls=8, **asked).tests["selective"]
    train = by_states.train
    flips = exchanges(train, 8, by_states.split.seed)
    sides = [
        hf_states(network, [ids_of(getattr(pair, side)) for pair in train])[:, LAYER] for side in ("good", "bad")
    ]
    for i in (0, 7) if method != "l1" else (0,):
        good, bad = (torch.where(flips[i][:, None], *pair) for pair in (sides[::-1], sides))
        scores = score(good.double().numpy(), bad.double().numpy())
        best = [(LAYER, int(unit)) for unit in np.argsort(-scores, kind="stable")[:K] if scores[unit] > 0]
        lost = (clean - without(network, by_states.test, best, by_states)).sum() / clean.sum()
        assert found.controls[i] + found.beside[1].value == pytest.approx(lost, **CLOSE)


def test_exchanges_keep_items_together_and_are_as_likely_as_not():
    pairs = Pairs("t", "made", tuple(Pair(f"w{i} w1", f"w{i} w2", str(i), item=str(i // 4)) for i in range(240)))
    flips = exchanges(pairs, 200, 0)
    assert bool((flips.reshape(200, 60, 4).float().std(dim=2) == 0).all())
    assert float(flips.float().mean()) == pytest.approx(0.5, abs=0.02)
    assert torch.equal(exchanges(pairs, 3, 0), flips[:3])
    assert float(flips.float().mean(dim=1).std()) > 0.03  # not exactly half of them each time
    again = resplits(pairs, 0)
    assert again.float().mean(dim=1).tolist() == [0.75] * 5
    assert bool((again.reshape(5, 60, 4).float().std(dim=2) == 0).all())


def test_isolated_is_the_effect_here_less_that_elsewhere(
    answer: Evidence, network: Any, searched: Found, clean: np.ndarray
):
    sets = [answer.neuron_set, *matched_controls(answer.neuron_set, 19, searched.split.seed)]
    found, statistics = answer.tests["isolated"], []
    for one in sets[:2]:
        after = without(network, searched.test, list(one), searched)
        own = (clean.mean() - after.mean()) / np.std(clean, ddof=1)
        sizes = []
        for pairs in elsewhere():
            before = margins(network, pairs)
            if next(row for row in answer.elsewhere if row.task == pairs.task).effect is None:
                continue
            change = before.mean() - without(network, pairs, list(one), searched).mean()
            sizes.append(abs(change / np.std(before, ddof=1)))
        statistics.append(own - np.mean(sizes))
    assert [found.value, *found.controls[:1]] == pytest.approx(statistics, rel=1e-3)
    rows = {row.task: row for row in answer.elsewhere}
    for pairs in elsewhere():
        before = margins(network, pairs)
        assert rows[pairs.task].margin == pytest.approx(before.mean(), **CLOSE)
        assert rows[pairs.task].sd == pytest.approx(np.std(before, ddof=1), **CLOSE)
    assert answer.neutral is not None
    assert answer.neutral.kl > 0
    assert len(answer.neutral.controls) == 19


def test_the_whole_is_one_family_and_one_verdict(answer: Evidence):
    tests = answer.tests
    assert list(tests) == ["encoded", "necessary", "sufficient", "interchangeable", "selective", "isolated"]
    ps = [one.p for one in tests.values() if one.p is not None]
    assert answer.family == len(ps)
    for one in tests.values():
        assert (one.q is None) is (one.p is None)
        assert one.q is None or one.q >= one.p
        assert (one.why != "") is (one.holds is None)
    held = [name for name, one in tests.items() if one.holds]
    failed = [f"not {name}" for name, one in tests.items() if one.holds is False]
    for word in (*held, *failed):
        assert word in answer.verdict
    assert answer.holding == tuple(held)
    assert "necessary" in held
    assert "sufficient" in held


def test_encoded_is_what_find_reads_on_new_words(
    llama: Model, asked: dict[str, Any], apart: Callable[[], AbstractContextManager[None]]
):
    """The top-k probe of the lexical split, against the baseline that is best on its validation pairs."""
    pairs = made_pairs(verbs=20, subjects=5, nouns=4)
    with apart():
        found = find(llama, pairs, methods=("welch",), topk=4, draws=1)
    given = evidence(llama, found, layers=2, only=["encoded"]).tests["encoded"]
    row = found.result.at(2)
    assert row.new_words is not None
    accuracy, baseline = given.beside
    assert accuracy.value == pytest.approx(row.new_words.topk, abs=1e-9)
    split = pairs.split("lexical")
    known = found.result.baselines_new_words
    assert known is not None
    every = {"length": known.length, "last_word": known.last_word, "unigram": known.unigram, "bigram": known.bigram}
    every |= {"stem": known.stem} | {f"tokens.{name}": value for name, value in vars(known.tokens).items()}
    name = baseline.what.partition("(")[2].rstrip(")")
    assert baseline.value == pytest.approx(every[name])
    assert given.value == pytest.approx(accuracy.value - baseline.value)
    assert given.tested == len(split.test)
    assert len(given.controls) == 19


@pytest.mark.slow
def test_a_set_of_several_layers(
    model: Model, network: Any, searched: Found, asked: dict[str, Any], clean: np.ndarray
):
    """All other units of all its layers are moved."""
    given = {**asked, "layers": [0, 1]}
    found = evidence(model, searched, method="attribution", only=["sufficient"], controls=0, topk=6, **given)
    assert set(found.neuron_set.layers.tolist()) == {0, 1}
    assert (found.width, found.layers) == (2 * WIDTH, (0, 1))

    def keep(chosen: set[tuple[int, int]]) -> np.ndarray:
        every = [(layer, unit) for layer in (0, 1) for unit in range(WIDTH)]
        return without(network, searched.test, [one for one in every if one not in chosen], searched)

    none = keep(set())
    f = (keep(set(found.neuron_set)) - none).sum() / (clean - none).sum()
    assert found.tests["sufficient"].value == pytest.approx(f, **CLOSE)
    assert found.curve[-1].f == 1.0
    assert found.tests["sufficient"].holds is None
    assert "0 controls" in found.tests["sufficient"].why


def test_an_order_is_shuffled_within_blocks(searched: Found):
    ranking = searched.ranking("welch")
    order = order_of(ranking, [0, 1])
    like = ranking.top(1)
    blocks = {layer: unit_blocks(ranking.stats, [layer]) for layer in (0, 1)}

    def block(rows: torch.Tensor) -> list[tuple[int, int]]:
        return [(layer, int(blocks[layer][unit])) for layer, unit in rows.tolist()]

    mixed = shuffled_orders(order, like, 4, 0)
    for one in mixed:
        assert block(one) == block(order)
        assert sorted(map(tuple, one.tolist())) == sorted(map(tuple, order.tolist()))
        assert not torch.equal(one, order)
    assert torch.equal(shuffled_orders(order, like, 2, 0)[1], mixed[1])
    scores = ranking.scores[order[:, 0], order[:, 1]]
    assert bool((scores[1:] <= scores[:-1]).all())


def test_a_set_of_ones_own_has_no_ranking(model: Model, searched: Found, asked: dict[str, Any]):
    chosen = ns.NeuronSet.of(model, [(LAYER, 5), (LAYER, 9)])
    few = {"only": ["encoded", "necessary", "sufficient", "selective"], "controls": 2, "layers": None}
    found = evidence(model, searched, neurons=chosen, **{**asked, **few})
    assert (found.curve, found.cpr, found.cmd, found.method) == ((), None, None, "given")
    tests = found.tests
    assert tests["selective"].holds is None
    assert tests["selective"].why == "no ranking of a find chose the set, so there is no search to repeat"
    assert tests["necessary"].value is not None
    assert tests["sufficient"].value is not None
    assert tests["encoded"].value is not None
    with pytest.raises(InputError, match="no curve"):
        found.curve_figure()


@pytest.mark.slow
def test_a_set_from_a_ranking_is_known_again(model: Model, searched: Found, asked: dict[str, Any], answer: Evidence):
    found = evidence(
        model, searched, neurons=searched.ranking("attribution").top(K, LAYER), only=["sufficient"], **asked
    )
    assert found.curve == answer.curve


def test_without_a_clean_preference_nothing_can_be_lost(model: Model, searched: Found, asked: dict[str, Any]):
    """The same pairs, every other one turned around."""
    both = [Pair(pair.bad, pair.good, pair.id) if i % 2 else pair for i, pair in enumerate(searched.test)]
    undecided = replace(searched, split=replace(searched.split, test=replace(searched.test, pairs=tuple(both))))
    wanted = ("necessary", "selective", "isolated")
    found = evidence(model, undecided, method="attribution", only=wanted, **asked)
    for question in wanted:
        assert found.tests[question].holds is None
        assert found.tests[question].value is None
        assert "no clean preference" in found.tests[question].why


def test_what_is_refused(model: Model, searched: Found, asked: dict[str, Any], llama: Model):
    def ask(message: str, of: Model = model, **given: Any) -> None:
        with pytest.raises(InputError, match=message) as caught:
            evidence(of, searched, **{**asked, **given})
        assert "\n" not in str(caught.value)

    ask("topk 33 is more than the 32 units", topk=33)
    ask("the set has all 32 units of its layers", topk=32, method="welch")
    ask("no layer 7", layers=7)
    ask("no ranking by 'l0'", method="l0")
    ask("unknown question 'necesary'; did you mean 'necessary'", only=["necesary"])
    ask("name a question", only=[])
    ask("another model", of=llama)
    ask("controls must be from 0", controls=-1)
    ask("nulls must be from 0", nulls=-1)
    ask("the KL must be a number above 0", kl=-0.5, only=["isolated"])
    ask("neurons= already says which", neurons=searched.ranking("welch").top(2, LAYER), topk=2)
    seen = replace(searched, split=replace(searched.split, test=searched.train))
    with pytest.raises(InputError, match="has seen sentences of 120 of the 120 test pairs"):
        evidence(model, seen, **asked)
    with (
        steered(model, Edit.ablate(searched.ranking("welch").top(2, LAYER))),
        pytest.raises(InputError, match="being steered"),
    ):
        evidence(model, searched, **asked)


def test_few_controls_cannot_tell(model: Model, searched: Found, asked: dict[str, Any]):
    found = evidence(model, searched, method="attribution", only=["necessary"], controls=18, **asked)
    test = found.tests["necessary"]
    assert test.value is not None
    assert (test.holds, test.why) == (None, "18 controls are too few, a verdict takes 19")
    assert found.verdict == "cannot tell: necessary"


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The questions that are really asked."""
    from neurosteer.studies.evidence import answers as room

    done: list[str] = []

    def counting(question: str, own: Any) -> Any:
        def ask(work: Any) -> Any:
            done.append(question)
            return own(work)

        return ask

    monkeypatch.setattr(room, "ASK", {question: counting(question, own) for question, own in room.ASK.items()})
    return done


def test_a_stopped_run_goes_on(
    model: Model, searched: Found, asked: dict[str, Any], counted: list[str], monkeypatch: pytest.MonkeyPatch
):
    """What is done is kept: the same call asks the rest, and a third one nothing."""
    from neurosteer.studies.evidence import answers as room

    few = {"method": "attribution", "only": ["necessary", "isolated"], "controls": 2, **asked}
    whole = dict(room.ASK)

    def stop(_work: Any) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(room, "ASK", {**whole, "isolated": stop})
    with pytest.raises(KeyboardInterrupt):
        evidence(model, searched, **few)
    monkeypatch.setattr(room, "ASK", whole)
    first = evidence(model, searched, **few)
    assert counted == ["necessary", "isolated"]
    again = evidence(model, searched, **few)
    assert counted == ["necessary", "isolated"]
    assert again.to_json() == first.to_json()
    evidence(model, searched, **{**few, "controls": 3})
    assert counted == ["necessary", "isolated"] * 2


def test_progress_begins_with_an_estimate(model: Model, searched: Found, asked: dict[str, Any]):
    told: list[tuple[int, int, float, float]] = []

    class Told(ns.Progress):
        def whole(self, done: int, total: int, *, share: float, left: float) -> None:
            told.append((done, total, share, left))

    few = {"method": "attribution", "only": ["necessary", "sufficient"], "controls": 1, **asked}
    evidence(model, searched, progress=Told(), **few)
    assert [(done, total) for done, total, _, _ in told] == [(0, 2), (1, 2), (2, 2)]
    assert told[0][2] == 0
    assert told[0][3] > 0
    assert told[-1][2:] == (1.0, 0.0)


def test_sets_at_the_same_disturbance(model: Model, searched: Found, asked: dict[str, Any]):
    """What is asked for is reached, or the set is counted."""
    given = {"method": "attribution", "only": ["isolated"], "controls": 6, "kl": 0.01, **asked}
    found = evidence(model, searched, **given)
    assert found.equal is not None
    assert found.equal.reached == pytest.approx(0.01, rel=0.02)
    assert 0 < found.equal.scale < 1
    assert len(found.equal.scales) == 6
    assert found.neutral is not None
    assert found.equal.unreached == sum(kl < 0.01 * 0.98 for kl in found.neutral.controls)
    assert "KL 0.01" in found.tests["isolated"].beside[-1].what


def test_kept_and_read_back(answer: Evidence, tmp_path: Path):
    assert answer.save(tmp_path / "kept") == tmp_path / "kept"
    [again] = ns.open_run(tmp_path / "kept")
    assert isinstance(again, Evidence)
    assert again.to_json() == answer.to_json()
    assert list(again.neuron_set) == list(answer.neuron_set)
    [row] = ns.runs(tmp_path)
    assert (row.command, row.layers, row.topk, row.site) == ("evidence", (LAYER,), K, "resid_post")
    names = {path.name for path in (tmp_path / "kept").iterdir()}
    wanted = {"agreement.answers.csv", "agreement.curve.csv", "agreement.elsewhere.csv"}
    assert wanted <= names
    with pytest.raises(InputError, match="no evidence"):
        Evidence.load(tmp_path / "nothing")
    answer.save(tmp_path / "kept")
    assert Evidence.load(tmp_path / "kept").verdict == answer.verdict


def test_the_keys_of_json(answer: Evidence):
    found = json.loads(answer.to_json())
    assert {
        "task",
        "data",
        "method",
        "k",
        "layers",
        "tests",
        "curve",
        "cpr",
        "cmd",
        "elsewhere",
        "verdict",
        "reading",
    } <= set(found)
    for row in found["tests"].values():
        assert {"value", "low", "high", "p", "q", "holds", "why"} <= set(row)
    assert {"share", "f", "low", "high"} <= set(found["curve"][0])


def test_how_it_shows_itself(answer: Evidence):
    text = printed(answer)
    for question, test in answer.tests.items():
        assert question in text
        assert test.sentence[:20] in text.replace("\n", " ")
    assert max(map(len, text.splitlines())) <= 80
    assert "necessary" in answer._repr_html_()
    frame = answer.to_frame()
    assert frame["question"].tolist() == list(answer.tests)
    assert answer.to_csv().startswith("method,question,what,value,low,high,p,q,holds")
    assert answer.figure().axes
    assert answer.curve_figure().axes
    assert repr(answer).startswith("Evidence(agreement, ")

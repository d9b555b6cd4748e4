"""Causal masks where it is known what every unit does: used units and both twins come first, decoys never."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from scipy import stats

from neurosteer.edits import Edit
from neurosteer.errors import InputError
from neurosteer.forward import score, states_and_stats, steering
from neurosteer.gym import LAYER, plan_of
from neurosteer.model import Model, load_model
from neurosteer.pairs import Pairs, load_pairs
from neurosteer.progress import QUIET, Progress
from neurosteer.results import CausalMask, read_record, record
from neurosteer.store import home
from neurosteer.studies import Found, find, rank_neurons
from neurosteer.studies.evidence import EvidenceSettings, evidence
from neurosteer.studies.masks import MaskSettings, MaskSite, Paths, mask_texts
from neurosteer.vocabulary import Method

SEED = 3
SHORT = MaskSettings(seeds=2, steps=20, rate=0.8, share=0.5)
TINY = replace(SHORT, steps=4, seeds=1)
PROSE = "\n\n".join(" ".join(f"x{i}{j}" for j in range(10)) for i in range(4))


@pytest.fixture(scope="module")
def gym() -> Model:
    return load_model(f"gym:{SEED}", offline=True)


@pytest.fixture(scope="module")
def pairs() -> Pairs:
    return load_pairs("number", source="builtin:gym", limit=120)


@pytest.fixture(scope="module")
def prose(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A short neutral text."""
    path = tmp_path_factory.mktemp("prose") / "prose.txt"
    path.write_text(PROSE)
    return path


@pytest.fixture(scope="module")
def found(gym: Model, pairs: Pairs, prose: Path, apart: Callable[[], AbstractContextManager[None]]) -> Found:
    methods: tuple[Method, ...] = ("causal-l0", "welch")
    with apart():
        return find(gym, pairs, methods=methods, layers=LAYER, topk=12, draws=1, mask=SHORT, neutral=prose)


def area(above: np.ndarray, below: np.ndarray) -> float:
    ranked = stats.mannwhitneyu(above, below, alternative="greater", method="asymptotic").statistic
    return float(ranked / (len(above) * len(below)))


def test_used_units_and_twins_come_first(found: Found):
    plan, scores = plan_of(SEED), found.ranking("causal-l0").scores[0].numpy()
    others = sorted(set(range(len(scores))) - set(plan.causal))
    assert area(scores[list(plan.of("used", "together", "shared"))], scores[others]) >= 0.95
    assert area(scores[list(plan.of("twin"))], scores[others]) >= 0.9
    assert not scores[list(plan.of("decoy", "massive"))].any()


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1, 2, SEED])
def test_used_units_and_twins_by_the_default(seed: int):
    """Attribution by one gradient sees no twin: alone neither matters."""
    model, plan = load_model(f"gym:{seed}", offline=True), plan_of(seed)
    pairs = load_pairs("number", source="builtin:gym", limit=200)
    scores = rank_neurons(model, pairs, method="causal-l0", layers=LAYER).scores[0].numpy()
    others = sorted(set(range(len(scores))) - set(plan.causal))
    assert area(scores[list(plan.of("used", "together", "shared"))], scores[others]) >= 0.95
    assert area(scores[list(plan.of("twin"))], scores[others]) >= 0.99
    assert not scores[list(plan.of("decoy"))].any()


def test_what_is_said_of_the_set_is_so(found: Found, gym: Model):
    """Measured again by steering: the share of the margin lost on test pairs, and the accuracies."""
    mask = found.result.mask
    assert mask is not None
    assert mask.found
    neurons = found.ranking("causal-l0").suggested(40)
    assert [(one.layer, one.unit) for one in sorted(mask.neurons, key=lambda one: one.unit)] == list(neurons)
    ranking = found.ranking("causal-l0")
    everything = ranking.pick((LAYER, unit) for unit in range(ranking.scores.shape[1]))
    clean = score(gym, found.test)
    margins = []
    for units in (neurons, everything):
        with steering(gym, Edit.ablate(units)):
            margins.append(score(gym, found.test))
    lost = float((clean.margin - margins[0].margin).mean() / (clean.margin - margins[1].margin).mean())
    assert mask.lost.value == pytest.approx(lost, rel=1e-4)
    assert (mask.before, mask.after) == (clean.accuracy, margins[0].accuracy)
    low, high = mask.lost.low, mask.lost.high
    assert low is not None
    assert high is not None
    assert low < lost < high


def test_the_set_is_the_smallest_of_the_curve(found: Found):
    mask = found.result.mask
    assert mask is not None
    enough = [point.k for point in mask.curve if point.lost >= 0.5 and point.kl <= 0.1]
    assert mask.k == min(enough)
    assert [point.k for point in mask.curve] == sorted({point.k for point in mask.curve})
    assert mask.overlap is not None
    assert mask.chance == mask.k / (mask.units - 2)
    assert mask.massive == 2
    assert mask.with_massive is not None


def test_the_result_is_read_back(found: Found, tmp_path: Path):
    again = Found.load(found.save(tmp_path / "run")).result
    assert again.mask == found.result.mask
    assert isinstance(again.mask, CausalMask)
    kept = json.loads(json.dumps(record(again.mask)))
    assert read_record(CausalMask, kept) == again.mask


def test_what_nothing_can_take_is_said(gym: Model, pairs: Pairs, prose: Path):
    """All of the margin, by hardly any disturbance; and no margin at all."""
    few = find(
        gym,
        pairs,
        methods=("causal-l0",),
        layers=LAYER,
        draws=1,
        mask=replace(TINY, kl=1e-7),
        neutral=prose,
        cache=False,
    )
    assert few.result.mask is not None
    assert not few.result.mask.found
    assert few.result.mask.why == "no gate stayed open"
    assert few.result.mask.k is None
    both = zip(pairs, pairs, strict=True)
    turned = [replace(a, good=b.bad, bad=b.good) if i % 2 else a for i, (a, b) in enumerate(both)]
    none = find(gym, replace(pairs, pairs=tuple(turned)), methods=("causal-l0",), layers=LAYER, draws=1, mask=SHORT)
    assert none.result.mask is not None
    assert "there is nothing to take away" in none.result.mask.why
    assert none.result.mask.curve == ()


class Stopped(Exception):
    pass


class StopsAt(Progress):
    """Raises at a step, and counts the steps."""

    def __init__(self, last: int | None = None) -> None:
        self.last, self.steps = last, 0

    def step(self, what: str, done: int, total: int) -> None:
        if what.endswith("a mask, steps") and done:
            self.steps += 1
            if self.steps == self.last:
                raise Stopped


@pytest.fixture
def place(gym: Model, pairs: Pairs) -> MaskSite:
    _, seen = states_and_stats(
        gym, pairs, range(len(pairs)), site="resid_post", layers=(LAYER,), position="eos", progress=QUIET
    )
    return MaskSite("resid_post", (LAYER,), "zero", seen)


@pytest.mark.slow
def test_a_path_that_was_stopped_goes_on(gym: Model, pairs: Pairs, place: MaskSite):
    settings, some = replace(TINY, steps=24), pairs.take(range(40))

    def follow(progress: Progress, *, cache: bool = True) -> Any:
        return Paths(gym, some, place, settings, PROSE, 1, cache=cache, progress=progress).follow()

    with pytest.raises(Stopped):
        follow(StopsAt(22))
    [kept] = (home() / "mask").rglob("*.safetensors")
    half = kept.with_name(f".{kept.name}.half")
    half.touch()  # as a process that is killed while it writes leaves it
    rest, never = StopsAt(), StopsAt()
    stopped, whole = follow(rest), follow(QUIET, cache=False)
    assert rest.steps == 1 + 4  # from the state of step 20 on
    assert not half.exists()
    assert torch.equal(stopped.scores, whole.scores)
    assert stopped.start == whole.start
    assert torch.equal(follow(never).scores, whole.scores)
    assert never.steps == 1


@pytest.mark.slow
def test_exchanged_pairs_lead_elsewhere(gym: Model, pairs: Pairs, place: MaskSite, found: Found):
    """Where half of the pairs are exchanged less is found; where all are, no used unit ever pays."""
    settings = replace(SHORT, seeds=1, batch=60)
    paths = Paths(gym, pairs.take(range(60)), place, settings, PROSE, 1, cache=False, progress=QUIET)
    alternate = torch.ones(60)
    alternate[::2] = -1
    null, turned = paths.follow(signs=alternate).scores[0], paths.follow(signs=-torch.ones(60)).scores[0]
    causal = list(plan_of(SEED).causal)
    assert float(found.ranking("causal-l0").scores[0, causal].sum()) > float(null[causal].sum())
    assert not turned[causal].any()


@pytest.mark.slow
def test_evidence_searches_again(found: Found, gym: Model, prose: Path, monkeypatch: pytest.MonkeyPatch):
    """Each null search follows a path of its own, with gates as the find had them."""
    monkeypatch.setattr("neurosteer.studies.evidence.selective.RESPLITS", 1)
    answer = evidence(gym, found, method="causal-l0", only=("selective",), nulls=1, neutral=prose, offline=True)
    tested = answer.tests["selective"]
    assert tested.n == 1
    assert tested.value is not None
    lost = next(row for row in tested.beside if row.what == "share of the mean margin lost without the set")
    assert lost.value is not None
    assert lost.value > 0.3
    assert found.result.mask is not None
    assert answer.k == found.result.mask.k


@pytest.mark.parametrize(("method", "nulls"), [("causal-l0", 19), ("welch", 39), (None, 39)])
def test_how_many_null_searches(method: Method | None, nulls: int):
    assert EvidenceSettings().nulls_of(method) == nulls
    assert EvidenceSettings(nulls=7).nulls_of(method) == 7


def test_texts_of_ones_own(tmp_path: Path):
    path = tmp_path / "own.txt"
    path.write_text("one\n\ntwo\n\nthree\n")
    texts = mask_texts(path)
    assert (texts.train, texts.judge) == ("one\n\nthree", "two")
    path.write_text("one\n")
    with pytest.raises(InputError, match="is one paragraph"):
        mask_texts(path)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [("share", 0.0, "share must be above 0"), ("kl", -1.0, "kl must be"), ("steps", 0, "steps must be at least 1")],
)
def test_settings_out_of_range(name: str, value: float, message: str):
    with pytest.raises(InputError, match=message):
        MaskSettings(**{name: value})


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)

"""What a `find` says in words."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from neurosteer.pairs import Baselines
from neurosteer.pairs.baselines import TokenBaselines
from neurosteer.results import (
    BaselineIntervals,
    FindData,
    FindIntervals,
    FindLayer,
    FindResult,
    Interval,
    NewWords,
    RandomSets,
    SplitSizes,
    TokenIntervals,
)
from neurosteer.studies.finding.interpretation import interpret

HALF = Baselines(*[0.5] * 6, tokens=TokenBaselines(0.5, 0.5, 0.5))
UNSPACED: dict[str, Any] = dict.fromkeys(("length", "last_word", "unigram", "stem", "bigram"))
ANY = (0.0, 1.0)
SPLIT = SplitSizes(kind="pair", seed=0, train=60, validation=20, test=20, dropped=0)
ENDS = BaselineIntervals(None, *[ANY] * 5, tokens=TokenIntervals(ANY, ANY, ANY))


def tokens(**changes: float) -> TokenBaselines:
    return TokenBaselines(**({"count": 0.5, "unigram": 0.5, "bigram": 0.5} | changes))


def found(
    *, row: Any = (), intervals: Any = (), baselines: Any = (), new_words: Any = None, **changes: Any
) -> FindResult:
    """Two layers, the second the best; `row`, `intervals` and the baselines are changes of theirs."""
    ends = FindIntervals((0.92, 0.96), (0.8, 0.88), {"welch": (0.8, 0.88)}, None, None, None, (0.66, 0.8))
    best = FindLayer(
        layer=14,
        dense=0.94,
        topk=0.84,
        topk_by_method={"welch": 0.84},
        random=RandomSets(mean=0.64, low=0.6, high=0.7),
        l0=None,
        spearman=None,
        significant=0,
        new_words=None,
        l2=0.1,
        intervals=replace(ends, **dict(intervals)),
    )
    return replace(
        FindResult(
            task="made",
            phenomenon=None,
            data=FindData(source="made", pairs=100, digest="d", split=SPLIT, split_new_words=None),
            site="resid_post",
            position="eos",
            width=576,
            baselines=replace(HALF, **dict(baselines)),
            baselines_intervals=ENDS,
            baselines_new_words=None if new_words is None else replace(HALF, **new_words),
            baselines_new_words_intervals=None if new_words is None else ENDS,
            layers=(replace(best, layer=3, topk=0.5, dense=0.51), replace(best, **dict(row))),
            best_layer=14,
            best_layers={"welch": 14},
            topk=6,
            methods=("welch",),
            random_equivalent=6.4,
            random_equivalent_interval=(4.1, 9.6),
            neurons={},
            notices=(),
            interpretation="",
        ),
        **changes,
    )


HEAD = "At layer 14 the top 6 neurons (1 %) reach .84 (95 % interval .80 to .88), 6 random ones .64"
NO_BASELINE = " Without a model the best baseline (length) reaches .50."


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (
            {},
            HEAD + "; about 6.4 times as many random ones reach as much (95 % interval 4.1 to 9.6)." + NO_BASELINE,
        ),
        (
            {"row": {"random": RandomSets(None, None, None), "topk": 0.9}, "topk": 500, "random_equivalent": None},
            "At layer 14 the top 500 neurons (87 %) reach .90 (95 % interval .80 to .88)." + NO_BASELINE,
        ),
        (
            {"topk": 1, "width": 9, "by": "head"},
            "At layer 14 the top 1 head (11 %) reaches .84 (95 % interval .80 to .88), 1 random one .64; about 6.4 "
            "times as many random ones reach as much (95 % interval 4.1 to 9.6)." + NO_BASELINE,
        ),
        (
            {
                "row": {"new_words": NewWords(dense=0.81, topk=0.74)},
                "new_words": {"last_word": 0.55},
                "baselines": {"stem": 0.94},
            },
            HEAD + "; about 6.4 times as many random ones reach as much (95 % interval 4.1 to 9.6). Without a model "
            "the stem baseline reaches .94, so all of this may be lexical. Where the contrasting words of test are "
            "new to training, the top 6 reach .74 (95 % interval .66 to .80; dense .81), the best baseline "
            "(last-word) .55.",
        ),
        (
            {
                "row": {"new_words": NewWords(dense=0.81, topk=0.74)},
                "new_words": {"tokens": tokens(count=0.6)},
                "baselines": {"stem": 0.94, "tokens": tokens(bigram=0.97)},
            },
            HEAD + "; about 6.4 times as many random ones reach as much (95 % interval 4.1 to 9.6). Without a model "
            "the token-bigram baseline reaches .97, so all of this may be lexical. Where the contrasting words of "
            "test are new to training, the top 6 reach .74 (95 % interval .66 to .80; dense .81), the best baseline "
            "(token-count) .60.",
        ),
        (
            {"baselines": UNSPACED | {"tokens": tokens(unigram=0.91)}},
            HEAD + "; about 6.4 times as many random ones reach as much (95 % interval 4.1 to 9.6). Without a model "
            "the token-unigram baseline reaches .91: the top 6 read no more than that, so all that they hold may be "
            "lexical (the dense probe reaches .94).",
        ),
    ],
    ids=["plain", "no-random", "one-head", "new-words", "tokens", "unspaced"],
)
def test_interpretation(given: dict[str, Any], said: str):
    assert interpret(found(**given)) == said


@pytest.mark.parametrize(
    ("times", "ends", "said"),
    [
        (
            6.4,
            (4.1, 9.6),
            "; about 6.4 times as many random ones reach as much (95 % interval 4.1 to 9.6).",
        ),
        (
            2.4,
            (1.0, 5.5),
            "; about 2.4 times as many random ones reach as much (95 % interval 1 to 5.5, so perhaps "
            "no more than random ones).",
        ),
        (
            21.0,
            (2.5, None),
            "; at least 2.5 times as many random ones are needed to reach as much (95 % interval, "
            "without an upper end).",
        ),
        (
            None,
            (12.0, None),
            "; at least 12 times as many random ones are needed to reach as much (95 % interval, "
            "without an upper end).",
        ),
        (21.0, (1.0, None), "; the test pairs are too few to tell how many random ones reach as much."),
        (None, (None, None), "; no number of random ones that was tried reaches as much."),
    ],
    ids=["both ends", "perhaps none", "no upper end", "never", "unknown", "never for sure"],
)
def test_how_many_random_ones(times: float | None, ends: tuple[float | None, float | None], said: str):
    text = interpret(found(random_equivalent=times, random_equivalent_interval=ends))
    assert text == f"{HEAD}{said}{NO_BASELINE}"


@pytest.mark.parametrize(("topk", "more"), [(0.71, True), (0.7, False), (0.66, False), (0.5, False)])
def test_no_number_of_times_within_the_range_of_the_random_sets(topk: float, more: bool):
    """However many times the mean of the random sets would say: some of the same size do as well."""
    text = interpret(found(row={"topk": topk}, random_equivalent=21.0, random_equivalent_interval=(2.0, 30.0)))
    assert ("times as many" in text) is more
    assert ("6 random ones .64: no more than random ones at this layer." in text) is not more


@pytest.mark.parametrize(("unigram", "much"), [(0.93, "all"), (0.92, "all"), (0.79, "part"), (0.61, "part")])
def test_how_much_may_be_lexical(unigram: float, much: str):
    """All of it where the baseline lies in the dense probe's interval or above; part of it below both intervals."""
    text = interpret(found(baselines={"unigram": unigram}))
    assert text.endswith(f"so {much} of this may be lexical.")


@pytest.mark.parametrize(
    ("topk", "ends", "dense", "unigram"),
    [
        (0.84, (0.8, 0.88), (0.92, 0.96), 0.91),
        (0.84, (0.8, 0.88), (0.92, 0.96), 0.8),
        (0.64, (0.58, 0.69), (0.87, 0.93), 0.72),
        (0.59, (0.54, 0.64), (0.87, 0.93), 0.6),
        (0.52, (0.47, 0.57), (0.87, 0.93), 0.51),
    ],
)
def test_the_top_k_beside_the_baseline(topk: float, ends: Interval, dense: Interval, unigram: float):
    """What the headline is about: within its interval or above it the baseline says as much, however high or low."""
    intervals = {"topk": ends, "dense": dense}
    text = interpret(found(row={"topk": topk}, intervals=intervals, baselines={"unigram": unigram}))
    shown = f"{unigram:.2f}".removeprefix("0")
    assert f"Without a model the unigram baseline reaches {shown}: the top 6 read no more than that" in text
    assert ("may be lexical" in text) is (unigram > 0.6)


def test_a_baseline_at_chance_makes_nothing_lexical():
    """Few test pairs: the dense probe's interval reaches down to it."""
    intervals = {"topk": (0.0, 1.0), "dense": (0.3, 0.95)}
    text = interpret(found(row={"topk": 0.5}, intervals=intervals, baselines={"unigram": 0.5}))
    assert text.endswith("baseline reaches .50: no more is read here, as far as these test pairs can tell.")


@pytest.mark.parametrize(("stem", "as_much"), [(0.65, False), (0.66, True), (0.9, True)])
def test_the_top_k_beside_the_baseline_on_new_words(stem: float, as_much: bool):
    text = interpret(found(row={"new_words": NewWords(dense=0.81, topk=0.74)}, new_words={"stem": stem}))
    assert text.endswith(", not clearly less.") is as_much


def test_majority_is_no_lexical_baseline():
    assert "(length) reaches .50" in interpret(found(baselines={"majority": 0.6}))

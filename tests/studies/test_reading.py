"""What a `find` says in words."""

from __future__ import annotations

from typing import Any

import pytest

from neurosteer.studies.finding.reading import reading

TOKENS = {"count": 0.5, "unigram": 0.5, "bigram": 0.5}
LEXICAL = dict.fromkeys(("majority", "length", "last_word", "unigram", "stem", "bigram"), 0.5) | {"tokens": TOKENS}
UNSPACED = dict.fromkeys(("length", "last_word", "unigram", "stem", "bigram"))


def entry(**changes: Any) -> dict[str, Any]:
    """Two layers, the second the best; `row` and `baselines` are updates of theirs."""
    row = {"layer": 14, "dense": 0.94, "topk": 0.84, "random": {"mean": 0.64}, "new_words": None}
    worse = {**row, "layer": 3, "topk": 0.5, "dense": 0.51}
    return {
        "layers": [worse, row | changes.pop("row", {})],
        "best_layer": 14,
        "k": 6,
        "width": 576,
        "random_equivalent": 6.4,
        "baselines": LEXICAL | changes.pop("baselines", {}),
        "baselines_new_words": None,
        **changes,
    }


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (
            {},
            "At layer 14 the top 6 neurons (1 %) reach .84, 6 random ones .64; about 6.4 times as many random ones "
            "reach as much. Without a model the best baseline (length) reaches .50.",
        ),
        (
            {"baselines": {"unigram": 0.92}, "random_equivalent": None},
            "At layer 14 the top 6 neurons (1 %) reach .84, 6 random ones .64; no number of random ones that was "
            "tried reaches as much. Without a model the unigram baseline reaches .92, so part of this "
            "may be lexical.",
        ),
        (
            {"baselines": {"last_word": 0.995}, "random_equivalent": 1.0, "k": 40, "row": {"topk": 1.0}},
            "At layer 14 the top 40 neurons (6.9 %) reach 1.00, 40 random ones .64: no more than random ones at "
            "this layer. Without a model the last-word baseline reaches .99, so all of this may be lexical.",
        ),
        (
            {"row": {"random": {"mean": None}, "topk": 0.9}, "k": 500, "random_equivalent": None},
            "At layer 14 the top 500 neurons (87 %) reach .90. "
            "Without a model the best baseline (length) reaches .50.",
        ),
        (
            {
                "row": {"new_words": {"dense": 0.81, "topk": 0.74}},
                "baselines_new_words": LEXICAL | {"last_word": 0.55},
                "baselines": {"stem": 0.94},
            },
            "At layer 14 the top 6 neurons (1 %) reach .84, 6 random ones .64; about 6.4 times as many random ones "
            "reach as much. Without a model the stem baseline reaches .94, so all of this may be lexical. Where "
            "the contrasting words of test are new to training, the top 6 reach .74 (dense .81), the best baseline "
            "(last-word) .55.",
        ),
        (
            {
                "row": {"new_words": {"dense": 0.81, "topk": 0.74}},
                "baselines_new_words": LEXICAL | {"tokens": TOKENS | {"count": 0.6}},
                "baselines": {"stem": 0.94, "tokens": TOKENS | {"bigram": 0.97}},
            },
            "At layer 14 the top 6 neurons (1 %) reach .84, 6 random ones .64; about 6.4 times as many random ones "
            "reach as much. Without a model the token-bigram baseline reaches .97, so all of this may be lexical. "
            "Where the contrasting words of test are new to training, the top 6 reach .74 (dense .81), the best "
            "baseline (token-count) .60.",
        ),
        (
            {"baselines": UNSPACED | {"tokens": TOKENS | {"unigram": 0.92}}},
            "At layer 14 the top 6 neurons (1 %) reach .84, 6 random ones .64; about 6.4 times as many random ones "
            "reach as much. Without a model the token-unigram baseline reaches .92, so part of this may be lexical.",
        ),
    ],
    ids=["plain", "part-lexical", "all-lexical", "no-random", "new-words", "tokens", "unspaced"],
)
def test_reading(given: dict[str, Any], said: str):
    assert reading(entry(**given)) == said


def test_majority_is_no_lexical_baseline():
    assert "(length) reaches .50" in reading(entry(baselines={"majority": 0.6}))

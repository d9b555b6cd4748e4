"""The main job on the real model and the real BLiMP: what a user is promised to see."""

from __future__ import annotations

from pathlib import Path

import pytest

from neurosteer.model import Model
from neurosteer.pairs import load_pairs
from neurosteer.studies import Found, find

pytestmark = pytest.mark.slow

MIDDLE = (12, 14, 16)


@pytest.fixture(scope="module")
def found(builtin: Model, blimp: Path) -> Found:
    pairs = load_pairs("intransitive", source=str(blimp))
    return find(builtin, pairs, layers=[0, 2, *MIDDLE, 20], lambdas=(0.2,), seed=0)


def test_the_dense_probe_reads_the_contrast(found: Found):
    assert max(row.dense for row in found.layers) >= 0.93


def test_the_top_one_percent_beat_as_many_random_units(found: Found):
    assert found.result.topk == 6
    for row in found.layers:
        if row.layer in MIDDLE:
            assert row.topk > row.random.high + 0.03


def test_words_alone_know_nearly_all_of_it(found: Found):
    assert found.baselines.last_word == pytest.approx(0.99, abs=0.01)
    assert found.baselines.unigram >= 0.9


def test_words_alone_know_nothing_of_new_words(found: Found):
    left = found.result.baselines_new_words
    assert left.unigram == pytest.approx(0.5, abs=0.05)
    assert left.stem == pytest.approx(0.5, abs=0.05)


def test_the_first_layer_knows_the_old_words_only(found: Found):
    first, *_, last = found.layers
    assert first.dense - first.new_words.dense > 0.25
    assert last.new_words.dense > first.new_words.dense + 0.05

"""Results of a real run, of a tiny model: what is shown of them, and that those made by hand look like them.

The other tests of this room are about given numbers, so they make results with these by hand. That such a result
could be a real one is seen here: its JSON has the same keys, with the same kinds of values.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_effects import make_full_effect
from made_found import make_compared, make_found
from made_pairs import made_pairs
from planted_cause import PLANTED, agreement_pairs
from shapes import differences
from showing import printed
from tiny_models import random_pairs

from neurosteer.edits import Edit
from neurosteer.model import Model
from neurosteer.probes import L0Settings
from neurosteer.report import (
    dose_figure,
    effect_figure,
    effect_html,
    effect_table,
    find_figure,
    find_html,
    find_table,
    layers_csv,
)
from neurosteer.results import FindResult, record
from neurosteer.results.pairs_used import SplitPairs
from neurosteer.studies import Effect, Found, find, measure_effect, with_origin

LAYERS, TOPK, CONTROLS = [0, 2], 3, 19


@pytest.fixture(scope="module")
def found(llama: Model, apart: Callable[[], AbstractContextManager[None]]) -> Found:
    """By all methods, of enough verbs for the column of new words."""
    pairs = replace(made_pairs(verbs=20, nouns=3), phenomenon="verbs")
    asked = {"methods": ("welch", "l0", "attribution"), "layers": LAYERS, "topk": TOPK, "draws": 2}
    with apart():
        return find(llama, pairs, **asked, l0=L0Settings(steps=100))


@pytest.fixture(scope="module")
def result(found: Found) -> FindResult:
    return found.result


@pytest.fixture(scope="module")
def effects(
    planted: Model, tmp_path_factory: pytest.TempPathFactory, apart: Callable[[], AbstractContextManager[None]]
) -> list[Effect]:
    """Of the planted cause, and of units that do little; with every part there can be, but no unit is massive."""
    text: Path = tmp_path_factory.mktemp("neutral") / "prose.txt"
    text.write_text("w1 w5 w9 w2 w6 w5 w3\n\nw8 w30 w7 w7 w1 w4\n")
    pairs = replace(agreement_pairs(), phenomenon="agreement")
    with apart():
        found = find(planted, pairs, methods=("attribution",), layers=[1], topk=TOPK, draws=1)
        asked: dict[str, Any] = {
            "donors": found.split.train,
            "also": [random_pairs(20, task="other")],
            "neutral": text,
        }
        measured = [
            measure_effect(planted, found.test, edit, scales=[0.5, 2.0], kinds=["mean", "resample"], **asked)
            for edit in (
                Edit.ablate(found.ranking("attribution").pick(units))
                for units in (PLANTED, [(1, 8), (1, 11), (1, 20)])
            )
        ]
    used = SplitPairs(source="made up", pairs=len(pairs), digest="d", split=found.result.data.split)
    return [with_origin(effect, data=used, neurons_from="runs/mine") for effect in measured]


@pytest.fixture(scope="module")
def effect(effects: list[Effect]) -> Effect:
    return effects[0]


def cells(line: str) -> list[str]:
    return line.replace("▸", " ").split()


def test_a_row_for_each_layer(result: FindResult):
    """The numbers of the table are those of the result, to two places."""
    lines = [cells(line) for line in printed(find_table(result), 120).splitlines()]
    for layer in result.layers:
        row = next(line for line in lines if line[:1] == [str(layer.layer)])  # a second table has agreements
        assert layer.l0 is not None
        assert layer.new_words is not None
        for shown, value in ((row[1], layer.dense), (row[2], layer.topk), (row[3], layer.random.mean)):
            assert float(shown) == pytest.approx(value, abs=0.00501)
        assert float(row[6].rstrip("*")) == pytest.approx(layer.l0.accuracy, abs=0.00501)
        assert row[-3] == str(layer.significant)
        assert float(row[-2]) == pytest.approx(layer.new_words.dense, abs=0.00501)


def test_points_of_the_figure(result: FindResult):
    drawn = [np.asarray(line.get_ydata(), float) for line in find_figure(result).axes[0].get_lines()]
    for values in ([layer.dense for layer in result.layers], [layer.topk for layer in result.layers]):
        assert any(len(line) == len(values) and np.allclose(line, values) for line in drawn)


def test_a_csv_row_for_each_layer(result: FindResult):
    rows = list(csv.DictReader(io.StringIO(layers_csv(result))))
    assert [int(row["layer"]) for row in rows] == LAYERS
    assert [float(row["dense"]) for row in rows] == [layer.dense for layer in result.layers]


def test_what_an_effect_says(effects: list[Effect]):
    for effect in effects:
        assert effect.controls is not None
        text = printed(effect_table(effect), 100)
        for said in (
            f"agreement  made up, {len(effect.by_pair)} test pairs of 200",
            f"ablate to zero: {TOPK} neurons at layer 1",
            " from runs/mine",
            f"{effect.controls.p:.2f} against {CONTROLS} controls".removeprefix("0"),
            f"mean margin {effect.margin.before:.2f} → {effect.margin.after:.2f} nats",
            f"pairs: {effect.flipped.lost} lost, {effect.flipped.gained} gained",
            "other (20)",
        ):
            assert said in text
        assert " ".join(effect.reading.split()) in " ".join(text.split())
        [own] = [line for line in text.splitlines() if line.startswith(f" these {TOPK} neurons")]
        shown = [float(number) for number in re.findall(r"[+-]\d+\.\d+", own)]
        assert shown == pytest.approx([effect.margin.delta, effect.margin.low, effect.margin.high], abs=0.00501)
        assert [row.scale for row in effect.by_scale] == [0.0, 0.5, 2.0]
        for name, delta in (
            *((f"{row.scale:g}", row.delta) for row in effect.by_scale),
            *((row.kind, row.delta) for row in effect.kinds),
        ):
            assert re.search(rf"^ {name} .*{re.escape(f'{delta:+.2f}')} \[", text, re.MULTILINE)
    assert effects[0].verdict == "stands out"


def test_points_of_an_effect(effect: Effect):
    """Each control is a dot, each dose a point."""
    assert effect.controls is not None
    [dots] = [line for line in effect_figure([effect]).axes[0].get_lines() if line.get_label() == "controls"]
    assert tuple(dots.get_ydata()) == effect.controls.deltas
    lines = [np.asarray(line.get_ydata(), float).tolist() for line in dose_figure(effect).axes[0].get_lines()]
    assert any({row.delta for row in effect.by_scale} <= set(line) for line in lines)


def test_what_a_notebook_shows(result: FindResult, effect: Effect):
    shown = {find_html(result): "without a model", effect_html([effect]): f"against {CONTROLS} controls"}
    for html, text in shown.items():
        assert text in html
        assert "data:image/png;base64," in html


def test_finds_made_by_hand_could_be_real(result: FindResult):
    assert differences([record(make_found()), record(make_compared())], [record(result)]) == []


def test_effects_made_by_hand_could_be_real(effects: list[Effect]):
    assert differences([record(make_full_effect())], [record(effect) for effect in effects]) == []


def test_a_difference_is_noticed():
    made = {"rows": [{"k": 1, "p": None}, {"k": 0.5, "p": 2}], "welch": {"name": "a"}, "judged": True, "few": []}
    assert differences(made, {**made, "l0": {"name": "b"}, "few": [{"a": 1}], "judged": None}) == []
    for other, found in (
        ({**made, "more": 1}, ".more"),
        ({**made, "judged": "yes"}, ".judged"),
        ({**made, "rows": [{"k": "1", "p": 3}]}, ".rows[].k"),
        ({**made, "rows": [{"p": 3}]}, ".rows[].k"),
    ):
        assert differences(made, other) == differences(other, made) == [found]

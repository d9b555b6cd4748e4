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

import numpy as np
import pytest
from made_effects import make_full_effect
from made_found import make_compared, make_found
from made_pairs import made_pairs
from shapes import shape_of
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
from neurosteer.studies import Effect, Found, find, measure_effect

LAYERS, TOPK, CONTROLS = [0, 2], 3, 5


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
def effect(
    llama: Model,
    found: Found,
    tmp_path_factory: pytest.TempPathFactory,
    apart: Callable[[], AbstractContextManager[None]],
) -> Effect:
    """With every part that there can be; no unit of the tiny model is massive."""
    text: Path = tmp_path_factory.mktemp("neutral") / "prose.txt"
    text.write_text("w1 w5 w9 w2 w6 w5 w3\n\nw8 w30 w7 w7 w1 w4\n")
    edit, other = (
        Edit.ablate(found.ranking("welch").top(TOPK)),
        replace(random_pairs(10, task="other"), phenomenon="x"),
    )
    asked = {"controls": CONTROLS, "scales": [0.5, 2.0], "kinds": ["mean", "resample"], "donors": found.split.train}
    with apart():
        return measure_effect(llama, found.test.limit(40), edit, **asked, also=[other], neutral=text)


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
        assert row[8] == str(layer.significant)
        assert float(row[-2]) == pytest.approx(layer.new_words.dense, abs=0.00501)


def test_points_of_the_figure(result: FindResult):
    drawn = [np.asarray(line.get_ydata(), float) for line in find_figure(result).axes[0].get_lines()]
    for values in ([layer.dense for layer in result.layers], [layer.topk for layer in result.layers]):
        assert any(len(line) == len(values) and np.allclose(line, values) for line in drawn)


def test_a_csv_row_for_each_layer(result: FindResult):
    rows = list(csv.DictReader(io.StringIO(layers_csv(result))))
    assert [int(row["layer"]) for row in rows] == LAYERS
    assert [float(row["dense"]) for row in rows] == [layer.dense for layer in result.layers]


def test_what_an_effect_says(effect: Effect):
    assert effect.controls is not None
    text = printed(effect_table(effect), 100)
    for said in (
        "made  made up, 40 test pairs",
        f"ablate to zero: {TOPK} neurons at layer",
        f"against {CONTROLS} controls",
        f"mean margin {effect.margin.before:.2f} → {effect.margin.after:.2f} nats",
        f"pairs: {effect.flipped.lost} lost, {effect.flipped.gained} gained",
    ):
        assert said in text
    assert " ".join(effect.reading.split()) in " ".join(text.split())
    [own] = [line for line in text.splitlines() if line.startswith(f" these {TOPK} neurons")]
    shown = [float(number) for number in re.findall(r"[+-]\d+\.\d+", own)]
    assert shown == pytest.approx([effect.margin.delta, effect.margin.low, effect.margin.high], abs=0.00501)
    assert len(effect.by_scale) >= 2
    for row in effect.by_scale:
        assert re.search(rf"^ {row.scale:g} .*{row.delta:+.2f} \[", text, re.MULTILINE)
    for kind in effect.kinds:
        assert re.search(rf"^ {kind.kind} .*{kind.delta:+.2f} \[", text, re.MULTILINE)
    assert "other (10)" in text


def test_figures_of_an_effect(effect: Effect):
    assert effect.controls is not None
    drawn = np.concatenate([part.get_offsets() for part in effect_figure([effect]).axes[0].collections])
    assert set(np.round(effect.controls.deltas, 6)) <= set(np.round(np.asarray(drawn)[:, 1], 6).tolist())
    lines = [np.asarray(line.get_ydata(), float) for line in dose_figure(effect).axes[0].get_lines()]
    deltas = [row.delta for row in effect.by_scale]
    assert any(set(np.round(deltas, 6)) <= set(np.round(line, 6)) for line in lines)


def test_what_a_notebook_shows(result: FindResult, effect: Effect):
    for html, text in (
        (find_html(result), "without a model"),
        (effect_html([effect]), f"against {CONTROLS} controls"),
    ):
        assert text in html
        assert "data:image/png;base64," in html


def test_finds_made_by_hand_could_be_real(result: FindResult):
    made = shape_of(record(make_found())) | shape_of(record(make_compared()))
    real = shape_of(record(result))
    assert made - real == {".rankings.*: text"}  # the files of a run that is kept
    assert {line for line in real - made if not line.startswith((".data.", ".baselines", ".notices"))} == set()


def test_effects_made_by_hand_could_be_real(effect: Effect):
    made = {line for line in shape_of(record(make_full_effect())) if not line.startswith(".without_massive")}
    real = shape_of(record(effect))
    assert made - real == {".phenomenon: text", ".neurons_from: text"}  # said by the caller of `measure_effect`
    assert {line for line in real - made if not line.startswith((".files", ".notices"))} == set()


def test_a_difference_is_noticed():
    made = {"rows": [{"k": 1, "p": None}, {"k": 0.5}], "welch": {"name": "a"}, "judged": True}
    assert shape_of(made) == {".rows[].k: number", ".*.name: text", ".judged: flag"}
    assert shape_of({"rows": [{"k": "1"}]}) == {".rows[].k: text"}

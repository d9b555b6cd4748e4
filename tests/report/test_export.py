"""Rows and results for other programs."""

import csv
import io
import json
from dataclasses import replace

import pytest
from made_found import with_layer

from neurosteer.report import layers_csv, layers_frame, rows_csv, to_json
from neurosteer.results import record

COLUMNS = [
    "task",
    "layer",
    "dense",
    "topk",
    "topk_by_method.welch",
    "random.mean",
    "random.low",
    "random.high",
    "l0.lambda",
    "l0.kept",
    "l0.accuracy",
    "l0.reached",
    "spearman",
    "attribution.drop",
    "significant",
    "new_words.dense",
    "new_words.topk",
    "l2",
    *(
        f"intervals.{name}.{end}"
        for name in ("dense", "topk", "topk_by_method.welch", "random", "new_words_dense", "new_words_topk")
        for end in ("low", "high")
    ),
]
OF_L0 = [
    "topk_by_method.l0",
    *(f"intervals.{name}.{end}" for name in ("l0", "topk_by_method.l0") for end in ("low", "high")),
]


@pytest.mark.parametrize("there", [True, False])
def test_columns_do_not_depend_on_what_is_null(found_of, there):
    found = found_of(4, l0=there, new_words=there)
    rows = list(csv.DictReader(io.StringIO(layers_csv(found))))
    assert [column for column in rows[0] if not column.endswith(("_method.l0", ".l0.low", ".l0.high"))] == COLUMNS
    assert [column in rows[0] for column in OF_L0] == [there, True, True, there, there]
    assert len(rows) == 4
    assert {row["task"] for row in rows} == {"intransitive"}


def test_values_survive_the_round_trip(found_of):
    found = found_of(5)
    for row, layer in zip(csv.DictReader(io.StringIO(layers_csv(found))), found.layers, strict=True):
        assert int(row["layer"]) == layer.layer
        assert float(row["dense"]) == layer.dense
        assert float(row["random.low"]) == layer.random.low
        assert float(row["l0.lambda"]) == layer.l0.lam
        assert float(row["l0.kept"]) == layer.l0.kept
        assert json.loads(row["l0.reached"]) is layer.l0.reached
        assert float(row["new_words.topk"]) == layer.new_words.topk
        assert (float(row["intervals.topk.low"]), float(row["intervals.topk.high"])) == layer.intervals.topk


def test_the_frame_is_the_same_table(found_of):
    found = with_layer(found_of(3, new_words=False), 1, l0=None)
    table = layers_frame(found)
    assert table.columns.tolist() == layers_csv(found).splitlines()[0].split(",")
    assert table["layer"].tolist() == [0, 1, 2]
    assert table["dense"].tolist() == [row.dense for row in found.layers]
    assert table["l0.kept"].isna().tolist() == [False, True, False]
    assert table["new_words.dense"].isna().all()
    assert table["intervals.dense.high"].tolist() == [row.intervals.dense[1] for row in found.layers]


def test_null_is_an_empty_cell(found_of):
    [row] = csv.DictReader(io.StringIO(layers_csv(found_of(1, l0=False))))
    assert (row["l0.lambda"], row["l0.accuracy"], row["spearman"], row["intervals.l0.low"]) == ("", "", "", "")


def test_agreements_become_columns(compared_of):
    found = compared_of(("welch", "l0", "attribution"), 2)
    unknown, *others = found.layers[1].agreement
    found = with_layer(found, 1, agreement=(replace(unknown, spearman=None), *others))
    first, second = csv.DictReader(io.StringIO(layers_csv(found)))
    assert float(first["agreement.welch~l0.spearman"]) == 0.02
    assert float(first["agreement.welch~attribution.overlap"]) == 0.03
    assert float(first["agreement.l0~attribution.chance"]) == 0.07
    assert float(first["attribution.drop"]) == 1.2
    assert second["agreement.welch~l0.spearman"] == ""


def test_a_single_method_leaves_no_column_of_agreement(compared_of):
    text = layers_csv(compared_of(("welch",), 1))
    assert "agreement" not in text
    [row] = csv.DictReader(io.StringIO(text))
    assert row["attribution.drop"] == ""


def test_rows_of_any_kind():
    rows = [{"pair": "0", "margin": -0.5, "right": False}, {"pair": "1, 2", "margin": None, "more": "café"}]
    assert rows_csv(rows) == 'pair,margin,right,more\n0,-0.5,false,\n"1, 2",,,café\n'
    assert rows_csv([]) == "\n"


def test_awkward_names_are_quoted(found_of):
    [row] = csv.DictReader(io.StringIO(layers_csv(replace(found_of(1), task='mine, "again"'))))
    assert row["task"] == 'mine, "again"'


def test_json_keeps_order_and_letters(found_of):
    entry = record(found_of(2))
    assert json.loads(to_json(entry)) == entry
    assert to_json({"b": 0.1, "a": "café"}) == '{\n  "b": 0.1,\n  "a": "café"\n}\n'


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_json_refuses_what_is_no_number(value):
    with pytest.raises(ValueError, match="JSON compliant"):
        to_json({"x": [value]})

"""Rows and results for other programs."""

import csv
import io
import json

import pytest

from neurosteer.report import layers_csv, rows_csv, to_json

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
    "significant",
    "new_words.dense",
    "new_words.topk",
    *(
        f"intervals.{name}.{end}"
        for name in ("dense", "topk", "topk_by_method.welch", "random", "l0", "new_words_dense", "new_words_topk")
        for end in ("low", "high")
    ),
]


@pytest.mark.parametrize("there", [True, False])
def test_columns_do_not_depend_on_what_is_null(entry_of, there):
    rows = list(csv.DictReader(io.StringIO(layers_csv(entry_of(4, l0=there, new_words=there)))))
    assert list(rows[0]) == COLUMNS
    assert len(rows) == 4
    assert {row["task"] for row in rows} == {"intransitive"}


def test_values_survive_the_round_trip(entry_of):
    entry = entry_of(5)
    for row, layer in zip(csv.DictReader(io.StringIO(layers_csv(entry))), entry["layers"], strict=True):
        assert int(row["layer"]) == layer["layer"]
        assert float(row["dense"]) == layer["dense"]
        assert float(row["random.low"]) == layer["random"]["low"]
        assert float(row["l0.kept"]) == layer["l0"]["kept"]
        assert json.loads(row["l0.reached"]) is layer["l0"]["reached"]
        assert float(row["new_words.topk"]) == layer["new_words"]["topk"]
        assert [float(row[f"intervals.topk.{end}"]) for end in ("low", "high")] == layer["intervals"]["topk"]


def test_null_is_an_empty_cell(entry_of):
    [row] = csv.DictReader(io.StringIO(layers_csv(entry_of(1, l0=False))))
    assert (row["l0.lambda"], row["l0.accuracy"], row["spearman"], row["intervals.l0.low"]) == ("", "", "", "")


def test_agreements_become_columns(compared_of):
    entry = compared_of(("welch", "l0", "attribution"), 2)
    entry["layers"][1]["agreement"][0]["spearman"] = None
    first, second = csv.DictReader(io.StringIO(layers_csv(entry)))
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


def test_awkward_names_are_quoted(entry_of):
    entry = entry_of(1)
    entry["task"] = 'mine, "again"'
    [row] = csv.DictReader(io.StringIO(layers_csv(entry)))
    assert row["task"] == 'mine, "again"'


def test_json_keeps_order_and_letters(entry_of):
    entry = entry_of(2)
    assert json.loads(to_json(entry)) == entry
    assert to_json({"b": 0.1, "a": "café"}) == '{\n  "b": 0.1,\n  "a": "café"\n}\n'


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_json_refuses_what_is_no_number(value):
    with pytest.raises(ValueError, match="JSON compliant"):
        to_json({"x": [value]})

"""Rows and results for other programs."""

import csv
import io
import json

import pytest

from neurosteer.report import layers_csv, to_json

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


def test_null_is_an_empty_cell(entry_of):
    [row] = csv.DictReader(io.StringIO(layers_csv(entry_of(1, l0=False))))
    assert (row["l0.lambda"], row["l0.accuracy"], row["spearman"]) == ("", "", "")


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

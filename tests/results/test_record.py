"""Results as JSON values and back."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import pytest

from neurosteer.results import APART, Estimate, frame, key, read_record, record


@dataclass(frozen=True)
class Mask:
    lam: Annotated[float, key("lambda")]
    kept: float | None = None


@dataclass(frozen=True)
class Row:
    layer: int
    accuracy: Estimate
    drawn: Annotated[tuple[str, ...], APART] = ()


@dataclass(frozen=True)
class Nested:
    word: Literal["up", "down"]
    masks: dict[str, Mask]
    best: Mask | None
    each: tuple[Mask, ...] = ()
    rows: tuple[Row, ...] = ()
    by_layer: dict[str, tuple[Row, ...]] | None = None


NESTED = Nested("up", {"l0": Mask(0.2, math.nan)}, None, (Mask(0.1, 0.5),))


def test_fields_are_keys_and_estimates_lie_flat():
    assert list(record(Row(3, Estimate(0.5, low=0.4), ("x",))).items()) == [
        ("layer", 3),
        ("accuracy", 0.5),
        ("accuracy_low", 0.4),
        ("accuracy_high", None),
    ]


def test_another_key_and_what_is_not_finite():
    assert record(NESTED) == {
        "word": "up",
        "masks": {"l0": {"lambda": 0.2, "kept": None}},
        "best": None,
        "each": [{"lambda": 0.1, "kept": 0.5}],
        "rows": [],
        "by_layer": None,
    }


def test_values_of_numpy_and_paths_become_plain():
    @dataclass(frozen=True)
    class Mixed:
        value: np.float32
        values: np.ndarray
        path: Path
        names: frozenset[str]

    found = record(Mixed(np.float32(0.5), np.array([1.0, math.inf]), Path("a/b"), frozenset({"x"})))
    assert json.loads(json.dumps(found)) == {"value": 0.5, "values": [1.0, None], "path": "a/b", "names": ["x"]}


def test_what_json_has_no_value_for_is_refused():
    with pytest.raises(TypeError, match="object is no JSON value"):
        record(Mask(object()))  # type: ignore[arg-type]


def test_read_back_from_text():
    rows = Row(1, Estimate(0.5, 0.4, 0.6)), Row(2, Estimate(None))
    kept = Nested("up", {"l0": Mask(0.2)}, Mask(0.3, 1.0), (Mask(0.1, 0.5),), rows, {"3": rows[:1]})
    assert read_record(Nested, json.loads(json.dumps(record(kept)))) == kept


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"word": "upp"}, "word: input should be 'up' or 'down'"),
        ({"best": {"kept": 1.0}}, "best.lambda: field required"),
        ({"rows": [{"layer": 1}]}, "rows.0.accuracy: input should be a dictionary or an instance of estimate"),
    ],
)
def test_values_of_another_kind_are_refused_in_one_line(change, said):
    with pytest.raises(ValueError, match=said) as caught:
        read_record(Nested, record(NESTED) | change)
    assert "\n" not in str(caught.value)


def test_unknown_keys_are_passed_over():
    assert read_record(Mask, {"lambda": 0.2, "newer": 1}) == Mask(0.2)


def test_a_row_for_each():
    table = frame([Row(1, Estimate(0.5)), Row(2, Estimate(None))])
    assert table.columns.tolist() == ["layer", "accuracy", "accuracy_low", "accuracy_high"]
    assert table["accuracy"].isna().tolist() == [False, True]

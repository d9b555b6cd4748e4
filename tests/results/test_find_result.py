"""What `find` reports, against entries that version 0.1 wrote when they were plain dicts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from neurosteer.errors import InputError
from neurosteer.pairs import Baselines
from neurosteer.results import FindResult, NewWords, read_record, record

ENTRIES: list[dict[str, Any]] = json.loads(Path(__file__).with_name("find_0.1.json").read_text("utf-8"))


@pytest.mark.parametrize("entry", ENTRIES, ids=["three methods", "new words"])
def test_the_json_is_that_of_the_first_edition(entry: dict[str, Any]):
    """Every key, in its order, and every digit."""
    found = read_record(FindResult, entry)
    assert json.dumps(record(found)) == json.dumps(entry)
    assert read_record(FindResult, record(found)) == found


def test_names_for_what_the_json_calls_otherwise():
    found = read_record(FindResult, ENTRIES[1])
    row = ENTRIES[1]["layers"][0]
    assert (found.topk, found.interpretation) == (ENTRIES[1]["k"], ENTRIES[1]["reading"])
    assert found.best.l0 is not None
    assert found.best.l0.lam == row["l0"]["lambda"]
    assert found.best.new_words == NewWords(**row["new_words"])
    assert isinstance(found.baselines, Baselines)
    assert found.baselines.tokens is not None
    assert found.baselines.tokens.bigram == ENTRIES[1]["baselines"]["tokens"]["bigram"]


def test_a_layer_that_was_not_searched():
    found = read_record(FindResult, ENTRIES[0])
    assert found.at(14) is found.layers[-1] is found.best
    with pytest.raises(InputError, match=r"^no layer 3 here; there is 14$"):
        found.at(3)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            {"methods": ["welsh"]},
            r"^methods\.0: input should be 'welch', 'l0', 'mean-diff', 'l1', .* or 'causal-l0'$",
        ),
        ({"layers": [{}]}, r"^layers\.0\.layer: field required$"),
        ({"k": "six"}, r"^k: input should be a valid integer"),
    ],
)
def test_values_of_another_kind_are_refused(change: dict[str, Any], said: str):
    with pytest.raises(ValueError, match=said):
        read_record(FindResult, ENTRIES[0] | change)

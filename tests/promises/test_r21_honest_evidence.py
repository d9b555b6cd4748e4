"""R21: evidence is honest: every `find` holds its lexical baselines and its random controls.

The schema of a `find` entry, key by key and type by type, with and without a lexical split beside it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from made_pairs import made_pairs

from neurosteer.model import Model
from neurosteer.pairs import Pairs
from neurosteer.studies import find, save_find

OPTIONAL = type(None)
SHARE = "a number in [0, 1]"
BASELINES = dict.fromkeys(("majority", "length", "last_word", "unigram", "stem", "bigram"), SHARE)
LAYER = {
    "layer": int,
    "dense": SHARE,
    "topk": SHARE,
    "topk_by_method": {"welch": SHARE, "l0": SHARE},
    "random": {"mean": SHARE, "low": SHARE, "high": SHARE},
    "l0": {"lambda": SHARE, "kept": SHARE, "accuracy": SHARE, "reached": bool},
    "spearman": (float, OPTIONAL),
    "significant": int,
    "new_words": {"dense": SHARE, "topk": SHARE},
    "l2": float,
}
NEURONS = [{"layer": int, "unit": int, "score": float}]
SPLIT = {"kind": str, "seed": int, "train": int, "validation": int, "test": int, "dropped": int}
ENTRY = {
    "task": str,
    "phenomenon": (str, OPTIONAL),
    "data": {
        "source": str,
        "pairs": int,
        "digest": str,
        "split": SPLIT,
        "split_new_words": SPLIT,
    },
    "site": str,
    "position": str,
    "width": int,
    "baselines": BASELINES,
    "baselines_new_words": BASELINES,
    "layers": [LAYER],
    "best_layer": int,
    "best_layers": {"welch": int, "l0": int},
    "k": int,
    "methods": [str],
    "random_equivalent": (float, OPTIONAL),
    "rankings": {"welch": str, "l0": str},
    "neurons": {"welch": NEURONS, "l0": NEURONS},
    "notices": [str],
    "reading": str,
}
NO_NEW_WORDS = {"baselines_new_words": OPTIONAL, "data": ENTRY["data"] | {"split_new_words": OPTIONAL}}
RESULT = {"command": str, "version": str, "model": dict, "results": [ENTRY], "skipped": list}
MODEL = {"name", "revision", "fingerprint", "n_layers", "d_model", "dtype", "device"}


def check(value: Any, schema: Any, where: str = "") -> None:
    """`value` has exactly the keys and types of `schema`; a list in it stands for a list of any length."""
    if isinstance(schema, dict):
        assert isinstance(value, dict), where
        assert value.keys() == schema.keys(), where
        for key, inner in schema.items():
            check(value[key], inner, f"{where}.{key}")
    elif isinstance(schema, list):
        assert isinstance(value, list), where
        for i, item in enumerate(value):
            check(item, schema[0], f"{where}[{i}]")
    elif schema == SHARE:
        assert type(value) is float, where
        assert 0 <= value <= 1, where
    else:
        assert type(value) in (schema if isinstance(schema, tuple) else (schema,)), f"{where}: {value!r}"


def result_of(model: Model, pairs: Pairs, tmp_path: Any, **asked: Any) -> dict[str, Any]:
    found = find(model, pairs, k=3, seed=1, **asked)
    folder, result = save_find(model, [found], out=tmp_path, options={})
    kept: dict[str, Any] = json.loads((folder / "results.json").read_text("utf-8"))
    assert kept == result
    return kept


def check_numbers(entry: dict[str, Any]) -> None:
    split = entry["data"]["split"]
    assert split["train"] + split["validation"] + split["test"] + split["dropped"] == entry["data"]["pairs"]
    assert entry["baselines"]["majority"] == 0.5
    for row in entry["layers"]:
        assert row["random"]["low"] <= row["random"]["mean"] <= row["random"]["high"]
        assert row["topk"] == row["topk_by_method"][entry["methods"][0]]
    assert entry["best_layer"] in [row["layer"] for row in entry["layers"]]
    for method, neurons in entry["neurons"].items():
        short = any(notice.startswith(f"{method} keeps only {len(neurons)} neurons") for notice in entry["notices"])
        assert (len(neurons) < entry["k"]) == short
    named = max(entry["baselines"][name] for name in BASELINES if name != "majority")
    assert "baseline" in entry["reading"]
    assert f"{named:.2f}".removeprefix("0") in entry["reading"]
    assert "random" in entry["reading"]


def test_with_new_words(tiny: Callable[[str], Model], tmp_path):
    result = result_of(tiny("llama"), made_pairs(verbs=20, subjects=5, nouns=3), tmp_path)
    check(result, RESULT)
    assert result["model"].keys() >= MODEL
    [entry] = result["results"]
    assert not any("new words" in notice for notice in entry["notices"])
    assert "words of test are new to training" in entry["reading"]
    check_numbers(entry)


@pytest.mark.parametrize("draws", [1, 3])
def test_without_new_words(tiny: Callable[[str], Model], tmp_path, draws):
    """What cannot be had is null and told; baselines and controls are there all the same."""
    [entry] = result_of(tiny("llama"), made_pairs(), tmp_path, draws=draws, layers=[0, 2])["results"]
    without = [{**LAYER, "new_words": OPTIONAL}]
    check(entry, ENTRY | NO_NEW_WORDS | {"layers": without})
    assert entry["notices"][0].startswith("no column for new words: ")
    check_numbers(entry)


@pytest.mark.parametrize("method", ["welch", "l0"])
def test_by_one_method(tiny: Callable[[str], Model], tmp_path, method):
    [entry] = result_of(tiny("llama"), made_pairs(), tmp_path, methods=(method,), layers=[1], draws=1)["results"]
    layer = LAYER | {"new_words": OPTIONAL, "topk_by_method": {method: SHARE}}
    layer |= {} if method == "l0" else {"l0": OPTIONAL, "spearman": OPTIONAL}
    named = {key: {method: ENTRY[key][method]} for key in ("best_layers", "rankings", "neurons")}
    check(entry, ENTRY | named | NO_NEW_WORDS | {"layers": [layer]})
    check_numbers(entry)

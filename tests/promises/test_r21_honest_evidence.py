"""R21: evidence is honest: a `find` holds its lexical baselines and random sets, an `ablate` its matched controls.

The schema of both entries, key by key and type by type: of `find` with and without a lexical split beside it, of
`ablate` and `amplify` by default and with everything that can be asked for beside it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from made_pairs import made_pairs
from sizes import quick_and_slow

from neurosteer.edits import Edit
from neurosteer.model import Model
from neurosteer.neurons import NeuronSet
from neurosteer.pairs import Pair, Pairs
from neurosteer.studies import Found, find, measure_effect, save_effects, save_find

pytestmark = pytest.mark.usefixtures("blank_pictures")

OPTIONAL = type(None)
SHARE = "a number in [0, 1]"
WORDS = ("length", "last_word", "unigram", "stem", "bigram")
TOKENS = dict.fromkeys(("count", "unigram", "bigram"), SHARE)
BASELINES = dict.fromkeys(("majority", *WORDS), SHARE) | {"tokens": TOKENS}
BASELINE_ENDS = (
    {"majority": OPTIONAL} | {key: [SHARE] for key in WORDS} | {"tokens": {key: [SHARE] for key in TOKENS}}
)
LAYER = {
    "layer": int,
    "dense": SHARE,
    "topk": SHARE,
    "topk_by_method": {"welch": SHARE, "l0": SHARE},
    "random": {"mean": SHARE, "low": SHARE, "high": SHARE},
    "l0": {"lambda": SHARE, "kept": SHARE, "accuracy": SHARE, "reached": bool},
    "spearman": (float, OPTIONAL),
    "agreement": [{"methods": [str], "spearman": (float, OPTIONAL), "overlap": SHARE, "chance": SHARE}],
    "attribution": OPTIONAL,
    "significant": int,
    "new_words": {"dense": SHARE, "topk": SHARE},
    "l2": float,
    "intervals": {
        "dense": [SHARE],
        "topk": [SHARE],
        "topk_by_method": {"welch": [SHARE], "l0": [SHARE]},
        "random": [SHARE],
        "l0": [SHARE],
        "new_words_dense": [SHARE],
        "new_words_topk": [SHARE],
    },
}
UNKNOWN_WORDS = {
    "new_words": OPTIONAL,
    "intervals": {**LAYER["intervals"], "new_words_dense": OPTIONAL, "new_words_topk": OPTIONAL},
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
        "left_out": {"repeated": int, "identical": int},
        "both_ways": int,
        "split": SPLIT,
        "split_new_words": SPLIT,
    },
    "site": str,
    "position": str,
    "width": int,
    "baselines": BASELINES,
    "baselines_intervals": BASELINE_ENDS,
    "baselines_new_words": BASELINES,
    "baselines_new_words_intervals": BASELINE_ENDS,
    "layers": [LAYER],
    "best_layer": int,
    "best_layers": {"welch": int, "l0": int},
    "k": int,
    "methods": [str],
    "random_equivalent": (float, OPTIONAL),
    "random_equivalent_interval": [(float, OPTIONAL)],
    "rankings": {"welch": str, "l0": str},
    "neurons": {"welch": NEURONS, "l0": NEURONS},
    "notices": [str],
    "reading": str,
}
NO_NEW_WORDS = {
    "baselines_new_words": OPTIONAL,
    "baselines_new_words_intervals": OPTIONAL,
    "data": ENTRY["data"] | {"split_new_words": OPTIONAL},
}
RESULT = {"command": str, "version": str, "model": dict, "options": dict, "results": [ENTRY], "skipped": list}
MODEL = {"name", "revision", "fingerprint", "n_layers", "d_model", "dtype", "device"}


CONTROLS = {
    "n": int,
    "accuracy": SHARE,
    "delta_mean": float,
    "delta_low": float,
    "delta_high": float,
    "p": SHARE,
    "verdict": str,
    "direction": (str, OPTIONAL),
    "detectable": {"nats": (float, OPTIONAL), "share": (float, OPTIONAL)},
    "unmatched": float,
    "overlap": SHARE,
    "deltas": [float],
}
ON_TEXT = CONTROLS | {"kl": float, "kls": [float]}
CHANGE = {"accuracy": SHARE, "delta": float, "low": float, "high": float, "controls": CONTROLS, "kl": float}
MEASURED = {
    "accuracy": {"before": SHARE, "after": SHARE},
    "margin": {
        **dict.fromkeys(("before", "before_low", "before_high", "after", "delta", "low", "high"), float),
        "p": SHARE,
    },
    "flipped": {"lost": int, "gained": int},
    "controls": CONTROLS,
    "groups": int,
    "nothing_to_lose": (bool, OPTIONAL),
    "verdict": str,
}
EFFECT = {
    "task": str,
    "phenomenon": (str, OPTIONAL),
    "data": {
        "source": str,
        "pairs": int,
        "digest": str,
        "left_out": {"repeated": int, "identical": int},
        "both_ways": int,
        "split": OPTIONAL,
        "split_new_words": OPTIONAL,
        "tested": int,
    },
    "method": str,
    "edit": {
        "kind": str,
        "scale": float,
        "value": OPTIONAL,
        "where": str,
        "reach": str,
        "seed": (int, OPTIONAL),
        "site": str,
        "layers": [int],
        "k": int,
    },
    "neurons": [{"layer": int, "unit": int, "score": float, "massive": bool}],
    **MEASURED,
    "controls": ON_TEXT,
    "without_massive": OPTIONAL,
    "side_effects": {
        "kl": float,
        "perplexity_before": float,
        "perplexity_after": float,
        "tokens": int,
        "text": str,
        "digest": str,
    },
    "doses": [CHANGE | {"scale": float}],
    "kinds": [CHANGE | {"kind": str}],
    "kinds_agree": OPTIONAL,
    "also": [MEASURED | {"task": str, "pairs": int}],
    "notices": [str],
    "reading": str,
    "neurons_from": OPTIONAL,
}
FILES = {"files": {"neurons": str, "pairs": str, "controls": str, "tokens": str}}


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
    found = find(model, pairs, topk=3, seed=1, **asked)
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
        check_intervals(row, entry["methods"])
    assert entry["best_layer"] in [row["layer"] for row in entry["layers"]]
    for method, neurons in entry["neurons"].items():
        short = any(notice.startswith(f"{method} keeps only {len(neurons)} neurons") for notice in entry["notices"])
        assert (len(neurons) < entry["k"]) == short
    baselines = entry["baselines"]
    named = max(*(baselines[name] for name in WORDS), *baselines["tokens"].values())
    assert "baseline" in entry["reading"]
    assert f"{named:.2f}".removeprefix("0") in entry["reading"]
    assert "random" in entry["reading"]


def check_intervals(row: dict[str, Any], methods: list[str]) -> None:
    """Each holds its accuracy, and none is a point."""
    new, l0 = row["new_words"] or {}, row["l0"] or {}
    found = {"dense": row["dense"], "topk": row["topk"], "random": row["random"]["mean"], "l0": l0.get("accuracy")}
    found |= {"new_words_dense": new.get("dense"), "new_words_topk": new.get("topk")}
    by_method = row["intervals"]["topk_by_method"]
    pairs = [(accuracy, row["intervals"][name]) for name, accuracy in found.items()]
    pairs += [(row["topk_by_method"][method], by_method[method]) for method in methods]
    for accuracy, ends in pairs:
        assert (ends is None) == (accuracy is None)
        if ends is not None:
            low, high = ends
            assert low < high
            assert low <= accuracy <= high


def test_with_new_words(tiny: Callable[[str], Model], tmp_path):
    result = result_of(tiny("llama"), made_pairs(verbs=20, subjects=5, nouns=3), tmp_path)
    check(result, RESULT)
    assert result["model"].keys() >= MODEL
    [entry] = result["results"]
    assert not any("new words" in notice for notice in entry["notices"])
    assert "words of test are new to training" in entry["reading"]
    check_numbers(entry)


@pytest.mark.parametrize("draws", quick_and_slow([3], [1]))
def test_without_new_words(tiny: Callable[[str], Model], tmp_path, draws):
    """What cannot be had is null and told; baselines and controls are there all the same."""
    [entry] = result_of(tiny("llama"), made_pairs(), tmp_path, draws=draws, layers=[0, 2])["results"]
    without = [LAYER | UNKNOWN_WORDS]
    check(entry, ENTRY | NO_NEW_WORDS | {"layers": without})
    assert entry["notices"][0].startswith("no column for new words: ")
    check_numbers(entry)


@pytest.mark.parametrize("method", quick_and_slow(["l0"], ["welch"]))
def test_by_one_method(tiny: Callable[[str], Model], tmp_path, method):
    [entry] = result_of(tiny("llama"), made_pairs(), tmp_path, methods=(method,), layers=[1], draws=1)["results"]
    layer = LAYER | UNKNOWN_WORDS | {"topk_by_method": {method: SHARE}}
    layer["intervals"] = layer["intervals"] | {"topk_by_method": {method: [SHARE]}}
    if method == "welch":
        layer |= {"l0": OPTIONAL, "spearman": OPTIONAL, "intervals": layer["intervals"] | {"l0": OPTIONAL}}
    named = {key: {method: ENTRY[key][method]} for key in ("best_layers", "rankings", "neurons")}
    check(entry, ENTRY | named | NO_NEW_WORDS | {"layers": [layer]})
    check_numbers(entry)


def test_what_the_model_uses_beside_what_it_encodes(tiny: Callable[[str], Model], tmp_path):
    """With attribution every layer says how large a drop it predicts, and how far any two methods agree."""
    methods = ("welch", "l0", "attribution")
    [entry] = result_of(tiny("llama"), made_pairs(), tmp_path, methods=methods, layers=[0, 2])["results"]
    layer = LAYER | UNKNOWN_WORDS | {"attribution": {"drop": float}}
    layer |= {"topk_by_method": dict.fromkeys(methods, SHARE)}
    layer["intervals"] = layer["intervals"] | {"topk_by_method": {method: [SHARE] for method in methods}}
    named = {
        "best_layers": dict.fromkeys(methods, int),
        "rankings": dict.fromkeys(methods, str),
        "neurons": dict.fromkeys(methods, NEURONS),
    }
    check(entry, ENTRY | named | NO_NEW_WORDS | {"layers": [layer]})
    check_numbers(entry)
    both = [["welch", "l0"], ["welch", "attribution"], ["l0", "attribution"]]
    assert [[between["methods"] for between in row["agreement"]] for row in entry["layers"]] == [both] * 2


@pytest.fixture(scope="module")
def found(tiny: Callable[[str], Model], tmp_path_factory: pytest.TempPathFactory) -> Found:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NEUROSTEER_HOME", str(tmp_path_factory.mktemp("home")))
        return find(tiny("llama"), made_pairs(verbs=5), methods=("welch",), topk=3, draws=1, seed=1)


@pytest.fixture
def neutral(tmp_path: Path) -> Path:
    path = tmp_path / "prose.txt"
    path.write_text("w1 w5 w9 w2 w6 w5 w3\n\nw8 w30 w7 w7 w1 w4\n")
    return path


def effect_of(model: Model, found: Found, edit: Edit, out: Path, **asked: Any) -> dict[str, Any]:
    """The entry as a run folder keeps it."""
    effect = measure_effect(model, found.test, edit, **asked)
    folder, result = save_effects(model, [effect], command="ablate", out=out, options={})
    kept: dict[str, Any] = json.loads((folder / "results.json").read_text("utf-8"))
    assert kept == result
    assert kept["command"] == "ablate"
    [entry] = kept["results"]
    return dict(entry)


def check_reading(entry: dict[str, Any]) -> None:
    """It says that neurons stand out only where they do, how, and never without having compared."""
    controls, text = entry["controls"], entry["reading"]
    few, lost, small = controls["n"] < 19, entry["margin"]["before_low"] <= 0, controls["p"] <= 0.05 + 1e-9
    assert ("nothing to lose" in text) == lost
    stands_out = small and not few and not lost
    out = "This neuron stands out" if entry["edit"]["k"] == 1 else "These neurons stand out"
    assert (out in text) == stands_out
    assert (controls["direction"] is not None) == (small and not few)
    assert (f"{out}: " in text) == (stands_out and controls["direction"] == "more")
    assert ("These neurons stand out, but as those where" in text) == (stands_out and controls["direction"] == "less")
    assert ("no more than sets that should not matter" in text) == (not small and not few and not lost)
    assert ("too few to tell" in text) == few
    assert f"{controls['n']} matched sets" in text
    assert (f"p = {controls['p']:.2f}".replace("0.", ".") in text) != few


def test_an_ablation_has_19_controls_unless_told_otherwise(tiny: Callable[[str], Model], found: Found, tmp_path):
    """Of as many neurons, at the same layer."""
    top = found.ranking().top(3)
    entry = effect_of(tiny("llama"), found, Edit.ablate(top), tmp_path)
    check(entry, EFFECT | FILES)
    assert entry["controls"]["n"] == len(entry["controls"]["deltas"]) == 19
    assert entry["controls"]["p"] >= 1 / 20
    assert entry["side_effects"]["text"] == "built-in"
    assert [entry[key] for key in ("doses", "kinds", "also")] == [[], [], []]
    assert len(NeuronSet.load(entry["files"]["neurons"])) == len(entry["neurons"]) == 3
    check_reading(entry)


def elsewhere(pairs: Pairs) -> Pairs:
    """Another task, of sentences that no finding has seen."""
    some = [Pair(f"w61 {pair.good}", f"w61 {pair.bad}", pair.id) for pair in pairs.pairs[:5]]
    return replace(pairs, task="other", pairs=tuple(some))


@pytest.mark.parametrize("units", quick_and_slow([[(0, 3), (1, 5)]], [[(2, 1)], [(2, 7), (2, 8), (2, 9)]]))
def test_an_ablation_with_everything_beside_it(
    tiny: Callable[[str], Model], found: Found, tmp_path, neutral: Path, units: list[Any]
):
    """Every dose, kind and other task has controls of its own; so has the set without massive units."""
    mean = found.ranking().stats.token_mean.clone()
    mean[1, 5] = 1000.0
    ranking = replace(found.ranking(), stats=replace(found.ranking().stats, token_mean=mean))
    asked: dict[str, Any] = {
        "controls": 4,
        "scales": [0.5, 2.0],
        "kinds": ["mean", "resample"],
        "donors": found.train,
        "also": [elsewhere(found.pairs)],
        "neutral": neutral,
    }
    entry = effect_of(tiny("llama"), found, Edit.ablate(ranking.pick(units)), tmp_path, **asked)
    massive = (1, 5) in units
    light = CHANGE | {"k": int, "controls": ON_TEXT} if massive else OPTIONAL
    check(entry, EFFECT | FILES | {"without_massive": light, "kinds_agree": (bool, OPTIONAL)})
    assert [row["scale"] for row in entry["doses"]] == [0.0, 0.5, 2.0]
    assert [row["kind"] for row in entry["kinds"]] == ["zero", "mean", "resample"]
    assert [(row["task"], row["pairs"]) for row in entry["also"]] == [("other", 5)]
    rows = [entry, *entry["doses"], *entry["kinds"], *entry["also"], *([entry["without_massive"]] if massive else [])]
    assert [row["controls"]["n"] for row in rows] == [4] * len(rows)
    assert [row["massive"] for row in entry["neurons"]].count(True) == massive
    check_reading(entry)


def test_without_controls_it_says_so(tiny: Callable[[str], Model], found: Found, tmp_path, neutral: Path):
    """Only a user who asks for none gets none, and reads what that means."""
    edit = Edit.amplify(found.ranking().top(3), 2.0)
    entry = effect_of(tiny("llama"), found, edit, tmp_path, controls=0, neutral=neutral)
    check(entry, EFFECT | FILES | {"controls": OPTIONAL, "verdict": (str, OPTIONAL)})
    assert "Without controls this says nothing about these neurons in particular." in entry["reading"]
    assert "stand out" not in entry["reading"]

"""What the Python API answers to values of the wrong kind: one line each, before anything is computed."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from made_pairs import made_pairs

import neurosteer as ns
from neurosteer.arguments import expect_all
from neurosteer.model import resolve_layers
from neurosteer.model.from_python import model_of

PAIRS = "must be Pairs, not a list; make them with ns.load_pairs, ns.Pairs.from_lists(good, bad)"
RAW = [("a", "b")]


def as_users_call(verb: str) -> Callable[..., Any]:
    """A function without the checks of annotations, which users have not."""
    return inspect.unwrap(getattr(ns, verb))


def of(model: ns.Model, neurons: Any, **options: Any) -> ns.NeuronSet:
    raw = inspect.unwrap(ns.NeuronSet.of.__func__)  # type: ignore[attr-defined]
    return raw(ns.NeuronSet, model, neurons, **options)


@pytest.mark.parametrize(
    ("neurons", "message"),
    [
        ([(1.5, 3)], "a neuron is (layer, unit), two whole numbers, not (1.5, 3)"),
        (["1:3"], "a neuron is (layer, unit), two whole numbers, not '1:3'"),
        (["13"], "a neuron is (layer, unit), two whole numbers, not '13'"),
        ((1, 3), "a neuron is (layer, unit), two whole numbers, not 1"),
        ([(1, 3, 5)], "a neuron is (layer, unit), two whole numbers, not (1, 3, 5)"),
        ("1:3", "neurons must be a list of (layer, unit), not '1:3'"),
        (3, "neurons must be a list of (layer, unit), not 3"),
    ],
)
def test_neurons(llama: ns.Model, neurons: Any, message: str):
    with pytest.raises(ns.InputError) as error:
        of(llama, neurons)
    assert str(error.value) == message


def test_heads_are_called_so(llama: ns.Model):
    with pytest.raises(ns.InputError, match=r"^a head is \(layer, head\), two whole numbers, not \(0, 0.5\)$"):
        of(llama, [(0, 0.5)], by="head")
    with pytest.raises(ns.InputError, match=r"^by 'heads' is not one of unit, head; did you mean 'head'"):
        of(llama, [(0, 0)], by="heads")


@pytest.mark.parametrize(
    "neurons", [np.array([[1, 3], [0, 5]]), torch.tensor([[1, 3], [0, 5]]), [(np.int32(1), np.uint8(3)), (0, 5)]]
)
def test_whole_numbers_of_other_libraries(llama: ns.Model, neurons: Any):
    assert list(of(llama, neurons)) == [(0, 5), (1, 3)]
    assert all(type(one) is int for neuron in of(llama, neurons) for one in neuron)


def test_a_ranking_takes_whole_numbers_alone(llama: ns.Model):
    ranking = ns.Ranking.from_scores(llama, torch.ones(llama.n_layers, 32))
    pick = inspect.unwrap(ns.Ranking.pick)
    assert list(pick(ranking, [(np.int64(1), 3)])) == [(1, 3)]
    with pytest.raises(ns.InputError, match=r"two whole numbers, not '1:3'"):
        pick(ranking, ["1:3"])
    raw = inspect.unwrap(ns.Ranking.from_scores.__func__)  # type: ignore[attr-defined]
    with pytest.raises(ns.InputError, match=r"^each of layers must be a whole number, not 1.5$"):
        raw(ns.Ranking, llama, torch.ones(1, 32), layers=[1.5])


@pytest.mark.parametrize(
    ("verb", "arguments", "message"),
    [
        ("find", (RAW,), f"pairs {PAIRS}"),
        ("evidence", (RAW,), "found must be Found, not a list; make one with ns.find"),
        ("score", (RAW,), f"pairs {PAIRS}"),
        ("eos_states", (RAW,), f"pairs {PAIRS}"),
        ("rank_neurons", (RAW,), f"train {PAIRS}"),
        ("neuron_card", (RAW, (0, 1)), f"pairs {PAIRS}"),
        ("measure_effect", (RAW, None), f"pairs {PAIRS}"),
        (
            "measure_effect",
            (made_pairs(verbs=1), [(0, 1)]),
            "edit must be Edit, not a list; make one with ns.Edit.ablate",
        ),
        ("generate", (3,), "prompts must be a text or a list of texts, not an int"),
        ("generate", (["a", 3],), "prompts must be a text or a list of texts, not a list with an int"),
    ],
)
def test_verbs(llama: ns.Model, verb: str, arguments: tuple[Any, ...], message: str):
    with pytest.raises(ns.InputError) as error:
        as_users_call(verb)(llama, *arguments)
    assert str(error.value).startswith(message)


@pytest.mark.parametrize("verb", ["find", "score", "eos_states", "rank_neurons", "generate"])
def test_a_name_is_no_model(verb: str):
    with pytest.raises(ns.InputError, match=r"^model must be Model, not a str; load one with ns.load_model$"):
        as_users_call(verb)("smollm2-135m", made_pairs(verbs=1))


def test_steering_takes_an_edit(llama: ns.Model):
    with pytest.raises(ns.InputError, match=r"^edit must be Edit, not a NeuronSet; make one with"):
        next(as_users_call("steering")(llama, of(llama, [(0, 1)])))


def test_an_edit_takes_neurons():
    raw: Any = SimpleNamespace(neurons=[(0, 1)])
    with pytest.raises(ns.InputError, match=r"^neurons must be NeuronSet, not a list; make one with ranking.top"):
        inspect.unwrap(ns.Edit.__post_init__)(raw)


def test_layers_are_whole_numbers(llama: ns.Model):
    resolve: Any = inspect.unwrap(resolve_layers)
    with pytest.raises(ns.InputError, match=r"^a layer must be a whole number, not 0.5$"):
        resolve(llama, [0.5])
    assert resolve(llama, (np.int64(2), 0)) == resolve(llama, [0, 2]) == (0, 2)
    assert resolve(llama, np.int64(1)) == (1,)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"task": pd.DataFrame()}, "task must be a name, not a DataFrame; read it with ns.Pairs.from_frame"),
        ({"task": RAW}, "task must be a name, not a list; make pairs with ns.Pairs.from_lists"),
        ({"task": Path("x.csv")}, "task must be a name, not a path; give 'x.csv' as source="),
        ({"source": 3}, "source must be a name or a path, not an int"),
    ],
)
def test_load_pairs(options: dict[str, Any], message: str):
    with pytest.raises(ns.InputError) as error:
        as_users_call("load_pairs")(**options)
    assert str(error.value) == message


def test_several_of_a_kind(llama: ns.Model):
    expect_all([made_pairs(verbs=1)], ns.Pairs, "also")
    with pytest.raises(ns.InputError, match=r"^also must be a list of Pairs, not a Pairs$"):
        expect_all(made_pairs(verbs=1), ns.Pairs, "also")
    with pytest.raises(ns.InputError, match=r"^each of also must be Pairs, not a str"):
        expect_all(["agreement"], ns.Pairs, "also")


@pytest.mark.parametrize(
    ("tokenizer", "how"),
    [("gpt2", "a str; load it with AutoTokenizer.from_pretrained('gpt2')"), (3, "an int"), ({}, "a dict")],
)
def test_a_tokenizer_is_no_path(llama: ns.Model, tokenizer: Any, how: str):
    with pytest.raises(ns.InputError) as error:
        inspect.unwrap(model_of)(llama.bridge, tokenizer, bos=None, eos=None)
    assert str(error.value) == f"tokenizer= must be a tokenizer of transformers, not {how}"


def test_a_run_is_a_folder_or_a_row():
    with pytest.raises(ns.InputError, match=r"^a run is named by its folder or by a row of ns.runs\(\), not "):
        as_users_call("open_run")(3)

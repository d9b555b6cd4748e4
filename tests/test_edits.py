"""Edits as data: what they say about themselves, what they do to each layer, and what is refused."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from neurosteer.data import UnitStats
from neurosteer.edits import Edit
from neurosteer.errors import InputError
from neurosteer.layer_edits import Donor, LayerEdit
from neurosteer.neurons import Direction, NeuronSet
from neurosteer.pairs import Pair, Pairs
from neurosteer.results import record
from neurosteer.vocabulary import KINDS, EditKind

LAYERS, WIDTH = (2, 4, 5), 6  # not every layer of the model was ranked
CHOSEN = [(2, 1), (2, 4), (5, 0), (5, 1)]
MEAN = torch.arange(18.0).reshape(3, 6) - 7


def neurons_of(chosen: list[tuple[int, int]] = CHOSEN) -> NeuronSet:
    stats = UnitStats(MEAN, MEAN.square(), MEAN + 1, MEAN.square() + 1, 50, LAYERS)
    layers, units = torch.tensor(chosen, dtype=torch.long).reshape(-1, 2).unbind(1)
    scores = torch.arange(len(chosen), 0, -1).float()
    return NeuronSet(layers, units, scores, stats, "model-1", "resid_post", {"task": "toy"})


def parts_of(edit: Edit, donor: Donor | None = None) -> dict[int, tuple[list[int], float, Tensor]]:
    parts = edit.by_layer(donor)
    assert all(isinstance(part, LayerEdit) for part in parts.values())
    return {layer: (part.units.tolist(), part.scale, part.shift) for layer, part in parts.items()}


def changed(edit: Edit, old: float) -> dict[tuple[int, int], float]:
    """What each edited neuron becomes where it was `old`."""
    return {
        (layer, unit): scale * old + float(add)
        for layer, (units, scale, shift) in parts_of(edit).items()
        for unit, add in zip(units, shift, strict=True)
    }


def mean_of(layer: int, unit: int) -> float:
    return float(MEAN[LAYERS.index(layer), unit])


@pytest.mark.parametrize(
    ("edit", "new"),
    [
        (Edit.ablate(neurons_of()), lambda _layer, _unit: 0.0),
        (Edit.ablate(neurons_of(), to="mean"), mean_of),
        (Edit.amplify(neurons_of(), 3.0), lambda _layer, _unit: 6.0),
        (Edit.amplify(neurons_of(), -0.5, to="mean"), lambda layer, unit: -1 + 1.5 * mean_of(layer, unit)),
        (Edit.clamp(neurons_of(), 9.0), lambda _layer, _unit: 9.0),
    ],
)
def test_what_becomes_of_a_neuron_that_was_2(edit: Edit, new: Callable[[int, int], float]):
    assert changed(edit, 2.0) == pytest.approx({at: new(*at) for at in CHOSEN})
    assert edit.layers == (2, 5)


def test_push_goes_along_the_direction():
    direction = torch.tensor([0.5, -0.5, 0.1, 0.7])
    edit = Edit.push(Direction(neurons_of(), direction, 4.0), -2.5)
    assert changed(edit, 2.0) == pytest.approx(
        {at: 2 - 10 * float(x) for at, x in zip(CHOSEN, direction, strict=True)}
    )
    assert (edit.kind, edit.reach, edit.where) == ("push", "own", "all")


@pytest.mark.parametrize(
    ("reach", "reached"),
    [
        ("own", CHOSEN),
        ("onward", [(2, 1), (2, 4), (4, 1), (4, 4), (5, 0), (5, 1), (5, 4)]),
        ("all", [(layer, unit) for layer in LAYERS for unit in (0, 1, 4)]),
    ],
)
def test_reach(reach: str, reached: list[tuple[int, int]]):
    """At another layer a unit has the mean that it has there, and the score of the first layer that chose it."""
    neurons = neurons_of()
    edit = Edit.ablate(neurons, to="mean", reach=reach)
    assert changed(edit, 2.0) == pytest.approx({at: mean_of(*at) for at in reached})
    assert edit.layers == tuple(sorted({layer for layer, _ in reached}))
    wider = neurons.reaching(reach)
    assert list(wider) == reached
    score = {1: 4.0, 4: 3.0, 0: 2.0} if reach != "own" else None
    expected = [4, 3, 2, 1] if score is None else [score[unit] for _, unit in reached]
    assert wider.scores.tolist() == expected
    assert (wider.model, wider.site, wider.metadata["task"]) == ("model-1", "resid_post", "toy")
    assert wider.metadata.get("reach") == (None if reach == "own" else reach)
    assert len(edit.neurons) == len(CHOSEN)


def test_a_resampled_neuron_has_a_value_at_each_depth():
    values = torch.arange(5 * 3 * 6.0).reshape(5, 3, 6)
    edit = Edit.ablate(neurons_of(), to="resample", donors=["a b", "c"])
    parts = parts_of(edit, Donor(values, LAYERS))
    assert {layer: (units, scale) for layer, (units, scale, _) in parts.items()} == {2: ([1, 4], 0), 5: ([0, 1], 0)}
    for layer, (units, _, shift) in parts.items():
        assert shift.tolist() == values[:, LAYERS.index(layer)][:, units].tolist()
    with pytest.raises(InputError, match="resampling needs the donors' activations"):
        edit.by_layer()


@pytest.mark.parametrize("kind", KINDS)
def test_only_a_reference_that_is_not_fixed_takes_donors(kind: EditKind):
    assert Edit(neurons_of(), kind, 0.0, donors=("a",)).needs_donors is (kind == "resample")


def test_a_kind_without_arithmetic_is_an_error():
    """It does not become another kind's shift."""
    edit = Edit.ablate(neurons_of())
    object.__setattr__(edit, "kind", "no kind")
    with pytest.raises(AssertionError):
        edit.by_layer()


def test_donors_are_sentences():
    pairs = Pairs("toy", "hand", (Pair("a", "b", "0"), Pair("c", "d", "1")))
    assert Edit.ablate(neurons_of(), to="resample", donors=pairs).donors == ("a", "b", "c", "d")
    assert Edit.ablate(neurons_of(), to="resample", donors=["e", "f"], seed=3).donors == ("e", "f")


@pytest.mark.parametrize(
    "edit",
    [
        Edit.ablate(neurons_of([]), reach="all"),
        Edit.ablate(neurons_of([]), to="mean", reach="onward"),
        Edit.clamp(neurons_of([]), 1.0),
        Edit.ablate(neurons_of([]), to="resample", donors=["a"]),
    ],
)
def test_no_neurons_no_layers(edit: Edit):
    assert (edit.by_layer(Donor(torch.zeros(2, 3, 6), LAYERS)), edit.layers) == ({}, ())


def test_describe():
    edit = Edit.amplify(neurons_of(), 2.0, to="mean", where="generated", reach="onward")
    assert record(edit.describe()) == {
        "kind": "mean",
        "scale": 2.0,
        "value": None,
        "where": "generated",
        "reach": "onward",
        "seed": None,
        "site": "resid_post",
        "layers": [2, 4, 5],
        "k": 4,
    }
    clamp = Edit.clamp(neurons_of(), 1.5).describe()
    assert (clamp.kind, clamp.scale, clamp.value, clamp.reach) == ("clamp", 0.0, 1.5, "own")
    resample = Edit.ablate(neurons_of(), to="resample", donors=["a"], seed=3).describe()
    assert (resample.kind, resample.scale, resample.value, resample.seed) == ("resample", 0.0, None, 3)
    assert repr(edit) == "Edit(mean, scale 2, where generated, NeuronSet(4 neurons at resid_post, 2 layers))"


def test_the_same_edit_of_other_neurons_and_at_another_scale():
    edit = Edit.ablate(neurons_of(), to="mean", where="prompt", reach="onward")
    other = edit.on(neurons_of([(4, 3)]))
    assert other.describe() == replace(edit.describe(), layers=(4, 5), k=1)
    scaled = edit.scaled(3.0)
    assert scaled.describe() == replace(edit.describe(), scale=3.0)
    assert changed(scaled, 2.0)[5, 0] == pytest.approx(6 - 2 * mean_of(5, 0))
    assert edit.scale == 0
    clamp = Edit.clamp(neurons_of(), 2.0)
    assert changed(clamp.on(neurons_of([(4, 3)])), 7.0) == {(4, 3): 2.0}
    resample = Edit.ablate(neurons_of(), to="resample", donors=["a"]).scaled(0.5)
    [shift] = {
        float(x) for part in resample.by_layer(Donor(torch.ones(2, 3, 6), LAYERS)).values() for x in part.shift[1]
    }
    assert shift == 0.5


PUSH = Edit.push(Direction(neurons_of(), torch.ones(4) / 2, 1.0), 1.0)
BAD: list[tuple[Callable[[], object], str]] = [
    *(
        (lambda x=x: Edit.amplify(neurons_of(), x), f"scale must be a finite number, not {x}")
        for x in (math.nan, math.inf)
    ),
    *((lambda x=x: Edit.clamp(neurons_of(), x), "an edit's value must be finite") for x in (math.nan, -math.inf)),
    (lambda: Edit.push(Direction(neurons_of(), torch.ones(4), 1.0), math.nan), "an edit's value must be finite"),
    (lambda: Edit.ablate(neurons_of()).scaled(math.nan), "scale must be a finite number, not nan"),
    (
        lambda: Edit.ablate(neurons_of(), where="promt"),
        "where 'promt' is not one of all, prompt, generated, eos, every; did you mean 'prompt'?",
    ),
    (
        lambda: Edit.clamp(neurons_of(), 1.0, where="xyz"),
        "where 'xyz' is not one of all, prompt, generated, eos, every",
    ),
    (
        lambda: Edit.amplify(neurons_of(), 2.0, reach="onwards"),
        "reach 'onwards' is not one of own, onward, all; did you mean 'onward'?",
    ),
    (
        lambda: Edit.ablate(neurons_of(), to="maen"),
        "to 'maen' is not one of zero, mean, resample; did you mean 'mean'?",
    ),
    (lambda: Edit.ablate(neurons_of(), to="clamp"), "to 'clamp' is not one of zero, mean, resample"),
    (lambda: Edit.amplify(neurons_of(), 2.0, to="resample"), "to 'resample' is not one of zero, mean"),
    (
        lambda: Edit.ablate(neurons_of(), to="resample"),
        "resampling takes its activations from donor sentences: give donors=, train pairs say",
    ),
    (
        lambda: Edit(neurons_of(), "zeroo", 0.0),
        "kind 'zeroo' is not one of zero, mean, resample, clamp, push; did you mean 'zero'?",
    ),
    (lambda: PUSH.on(neurons_of()), "an edit along a direction fits directions alone, one of neurons fits neurons"),
    (lambda: PUSH.scaled(2.0), "a push has no scale"),
    (lambda: Edit.clamp(neurons_of(), 1.0).scaled(2.0), "a clamp has no scale"),
]


@pytest.mark.parametrize(("make", "message"), BAD, ids=[message for _, message in BAD])
def test_refusals(make: Callable[[], object], message: str):
    with pytest.raises(InputError) as caught:
        make()
    assert str(caught.value) == message

"""Directions: their laws, plain Hugging Face loops beside their edits, and what they are compared with."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from made_pairs import made_pairs
from plain_edits import hf_logprobs
from sklearn.linear_model import LogisticRegression
from tiny_models import WIDTH, hf_blocks, hf_network, ids_of, random_pairs, sentences_of
from torch import Tensor

from neurosteer.edits import Edit
from neurosteer.errors import InputError
from neurosteer.forward import eos_states, score, steering
from neurosteer.model import Model
from neurosteer.neurons import Direction, NeuronSet
from neurosteer.report.edit_labels import action
from neurosteer.results import record
from neurosteer.studies import Effect, Found, find, measure_effect
from neurosteer.studies.effects.direction_controls import exchanged_directions, exchanged_items, random_directions

PAIRS = random_pairs(5)
TOKENS = torch.tensor([ids_of("w3 w1 w4 w1 w5 w9")])
VECTOR = torch.randn(WIDTH, generator=torch.Generator().manual_seed(2))


@pytest.fixture(scope="module")
def found(tiny: Callable[[str], Model], apart: Any) -> Found:
    with apart():
        return find(tiny("llama"), made_pairs(), methods=["welch"], topk=3, directions=["mean", "probe"], draws=1)


def logits(model: Model, *edits: Edit) -> Tensor:
    with ExitStack() as stack, torch.no_grad():
        for edit in edits:
            stack.enter_context(steering(model, edit))
        return model.bridge(TOKENS)


@pytest.mark.parametrize("kind", ["llama", "gpt2"])
def test_the_laws(kind: str, tiny: Callable[[str], Model]):
    """Projecting out twice is once; a push and its opposite are nothing; an axis is its unit."""
    model = tiny(kind)
    clean, along = logits(model), Direction.of(model, VECTOR, 1)
    out = Edit.project_out(along)
    assert (logits(model, out) - clean).abs().max() > 1e-2
    assert (logits(model, out, out) - logits(model, out)).abs().max() < 1e-5
    there, back = Edit.push(along, 1.7), Edit.push(along, -1.7)
    assert (logits(model, there) - clean).abs().max() > 1e-2
    assert (logits(model, there, back) - clean).abs().max() < 1e-5
    assert (logits(model, Edit.project_out(along, scale=1.0)) - clean).abs().max() < 1e-6

    stats = made_stats(model)
    axis = Direction.of(model, torch.eye(WIDTH)[5], 1, stats=stats)
    unit = NeuronSet.of(model, [(1, 5)], stats=stats)
    others = NeuronSet.of(model, [(1, one) for one in range(WIDTH) if one != 5], stats=stats)
    for mine, theirs in [
        (Edit.project_out(axis), Edit.ablate(unit)),
        (Edit.project_out(axis, "mean"), Edit.ablate(unit, "mean")),
        (Edit.project_out(axis, "mean", scale=3.0), Edit.amplify(unit, 3.0, to="mean")),
        (Edit.keep_only(axis), Edit.ablate(others, "mean")),
        (Edit.keep_only(axis, "resample", donors=PAIRS), Edit.ablate(others, "resample", donors=PAIRS)),
    ]:
        assert (logits(model, theirs) - clean).abs().max() > 1e-4
        assert (logits(model, mine) - logits(model, theirs)).abs().max() < 1e-5


def made_stats(model: Model) -> Any:
    stats = NeuronSet.of(model, [(1, 5)]).stats
    return replace(
        stats, token_mean=torch.full_like(stats.token_mean, 0.7), token_var=torch.ones_like(stats.token_var)
    )


def plain_scores(network: Any, change: Callable[[Tensor], Tensor]) -> Tensor:
    """With the output of block 1 changed at every token but BOS, one at a time."""

    def edit(_module: Any, _given: Any, gives: Any) -> Any:
        values = (gives[0] if isinstance(gives, tuple) else gives).clone()
        for depth in range(1, values.shape[1]):
            values[0, depth] = change(values[0, depth])
        return (values, *gives[1:]) if isinstance(gives, tuple) else values

    handle = hf_blocks(network)[1].register_forward_hook(edit)
    rows = [hf_logprobs(network, ids_of(one, eos=None)).sum() for one in sentences_of(PAIRS)]
    handle.remove()
    return torch.stack(rows).reshape(-1, 2)


@pytest.mark.parametrize("kind", ["llama", "gpt2", "neox", "gemma3"])
def test_edits_are_those_of_a_plain_loop(kind: str, tiny: Callable[[str], Model], tiny_folder: Callable[[str], Path]):
    model, network = tiny(kind), hf_network(tiny_folder(kind))
    along, v = Direction.of(model, VECTOR, 1, std=0.5), VECTOR / VECTOR.norm()
    clean = score(model, PAIRS).logprob
    for edit, change in [
        (Edit.project_out(along), lambda h: h - (h @ v) * v),
        (Edit.project_out(along, scale=2.0), lambda h: h + (h @ v) * v),
        (Edit.push(along, -3.0), lambda h: h - 1.5 * v),
        (Edit.keep_only(along, "zero"), lambda h: (h @ v) * v),
    ]:
        expected = plain_scores(network, change)
        assert (expected - clean).abs().max() > 1e-2
        with steering(model, edit):
            assert (score(model, PAIRS).logprob - expected).abs().max() < 1e-4


def test_what_find_finds(found: Found, tiny: Callable[[str], Model]):
    """The difference of the means of train states, and what a threshold in the middle reads along it."""
    states = eos_states(tiny("llama"), found.pairs, cache=False).values.double().numpy()
    train, test = (states[list(found.split.indices[part])] for part in ("train", "test"))
    for i, row in enumerate(found.layers):
        gap = train[:, 0, i].mean(axis=0) - train[:, 1, i].mean(axis=0)
        direction = found.direction("mean", row.layer)
        vector = gap / np.linalg.norm(gap)
        assert direction.vector.numpy() == pytest.approx(vector, abs=1e-5)
        assert direction.std == pytest.approx((train[:, :, i] @ vector).std(), rel=1e-4)
        middle = (train[:, :, i] @ vector).mean(axis=0).mean()
        right = np.stack([test[:, 0, i] @ vector > middle, test[:, 1, i] @ vector < middle])
        assert row.along["mean"] == pytest.approx(right.mean())
    chosen = found.result.direction_layers
    assert found.direction("mean").layer == chosen["mean"]
    assert set(chosen) == {"mean", "probe"}


def test_random_directions_have_the_covariance_of_the_states():
    source = torch.Generator().manual_seed(0)
    states = (
        torch.randn(300, 2, 3, generator=source).double()
        @ torch.tensor([[3.0, 0, 0], [1, 1, 0], [0, 0, 0.1]]).double()
    )
    drawn = torch.stack(random_directions(states, 4000, 0))
    expected = np.cov(states.flatten(0, 1).numpy().T, bias=True) * 600
    assert (drawn.T @ drawn / 4000).numpy() == pytest.approx(expected, rel=0.1, abs=0.05 * expected.max())
    assert torch.equal(random_directions(states, 3, 0)[2], drawn[2])


def test_exchanged_labels(found: Found, tiny: Callable[[str], Model]):
    """All pairs of an item together; a direction of exchanged labels is what a search on them finds."""
    train = found.train
    flips = exchanged_items(train, 40, 0)
    assert 0.4 < float(flips.float().mean()) < 0.6
    states = eos_states(tiny("llama"), train, layers=[1], cache=False).values[:, :, 0].double()
    for flip, mean in zip(flips[:3], exchanged_directions(states, flips[:3], "mean", 1.0), strict=True):
        turned = [(bad, good) if turn else (good, bad) for (good, bad), turn in zip(states, flip, strict=True)]
        expected = sum(good - bad for good, bad in turned) / len(turned)
        assert torch.allclose(mean, expected)
    [probe] = exchanged_directions(states, flips[:1], "probe", 0.1)
    x = torch.cat([torch.where(flips[0][:, None], states[:, 1 - side], states[:, side]) for side in (0, 1)]).numpy()
    scale = x.std(axis=0)
    fitted = LogisticRegression(C=1 / (0.1 * len(x)), tol=1e-8, max_iter=5000)
    fitted.fit((x - x.mean(axis=0)) / scale, [1] * len(train) + [0] * len(train))
    weights = fitted.coef_[0] / scale
    cosine = float(probe.numpy() @ weights / np.linalg.norm(probe.numpy()) / np.linalg.norm(weights))
    assert cosine > 0.999


def test_an_effect_beside_its_controls(found: Found, tiny: Callable[[str], Model], tmp_path: Path):
    direction = found.direction("mean", 1)
    (tmp_path / "prose.txt").write_text("w1 w5 w9 w2 w6 w5 w3\n")
    asked: dict[str, Any] = {"controls": 2, "train": found.train, "neutral": tmp_path / "prose.txt"}
    effect = measure_effect(tiny("llama"), found.test, Edit.project_out(direction), **asked)
    assert (effect.edit.by, effect.edit.k, effect.neurons) == ("direction", 1, ())
    assert effect.exchanged is not None
    assert effect.controls is not None
    assert (effect.controls.n, effect.exchanged.n) == (2, 2)
    kept = measure_effect(tiny("llama"), found.test, Edit.keep_only(direction), **{**asked, "controls": 0})
    assert kept.edit.rest
    assert action(kept.edit) == "keep the component alone, the rest at its mean"
    assert "rest" not in record(effect.edit)
    pushed = measure_effect(tiny("llama"), found.test, Edit.push(direction, 2.0), **asked)
    assert pushed.edit.value == pytest.approx(2 * direction.std, rel=1e-4)
    assert pushed.control_margins.shape == (2, len(found.test))
    effect.save(tmp_path / "mine")
    again = Effect.load(tmp_path / "mine")
    assert isinstance(again.neuron_set, Direction)
    assert torch.equal(again.neuron_set.vector, direction.vector)
    assert again.exchanged == effect.exchanged
    edit = Edit.project_out(direction)
    other = direction.along(VECTOR, 1.0, overlap=0.0, unmatched=0.0)
    assert torch.equal(edit.on(other).by_layer()[1].along, other.vector)
    step = Edit.push(direction, 2.0).on(other)
    assert float(torch.as_tensor(step.value).norm()) == pytest.approx(2 * direction.std, rel=1e-4)  # as far


def test_files_and_refusals(llama: Model, tmp_path: Path):
    direction = Direction.of(llama, VECTOR, 2)
    assert direction.std == pytest.approx(float(VECTOR.norm()))
    direction.save(tmp_path / "one.safetensors")
    again = Direction.load(tmp_path / "one.safetensors")
    assert (again.layer, again.std, again.neurons.model) == (2, direction.std, llama.fingerprint)
    assert again.cosine(direction) == 1
    both = NeuronSet.of(llama, [(layer, unit) for layer in (1, 2) for unit in range(WIDTH)])
    several = replace(direction, neurons=both, vector=torch.cat([direction.vector, direction.vector]))
    for make, said in [
        (lambda: Direction.of(llama, [1.0, 2.0], 1), "the vector is [2], not [32 units of resid_post]"),
        (lambda: Direction.of(llama, torch.zeros(WIDTH), 1), "a direction needs finite values, not all of them 0"),
        (lambda: Direction.of(llama, VECTOR, 1, std=-1.0), "std must be a number of at least 0, not -1.0"),
        (lambda: Direction.of(llama, VECTOR, 3), "no layer 3"),
        (lambda: Edit.project_out(direction, "resample"), "to 'resample' is not one of zero, mean"),
        (
            lambda: Edit.project_out(several),
            "this takes a direction of one layer, and Direction(given, at resid_post,",
        ),
        (lambda: Edit.keep_only(several), "has 2"),
        (lambda: replace(Edit.ablate(direction.neurons), rest=True), "give direction= too"),
    ]:
        with pytest.raises(InputError) as error:
            make()
        assert said in str(error.value)


@pytest.mark.usefixtures("blank_pictures")
def test_from_find_to_generate(
    run: Any, tiny_folder: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    rows = [{"sentence_good": pair.good, "sentence_bad": pair.bad} for pair in made_pairs()]
    (tmp_path / "made.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "prose.txt").write_text("w1 w5 w9 w2 w6 w5 w3\n")
    monkeypatch.chdir(tmp_path)
    about = ["--model", str(tiny_folder("llama")), "--quiet"]
    searched = run("find", "--data", "made.jsonl", "--method", "welch", "--direction", "mean", *about)
    assert searched.code == 0
    assert "mean dir.: read along that direction alone" in searched.out
    measured = ["--controls", "2", "--neutral", "prose.txt", *about, "--format", "json"]
    outcome = run("ablate", "--direction", "mean", "--layers", "1", *measured)
    [entry] = json.loads(outcome.out)["results"]
    assert (entry["method"], entry["edit"]["by"], entry["exchanged"]["n"]) == ("mean direction", "direction", 2)
    assert Direction.load(entry["files"]["neurons"]).layer == 1
    again = run("ablate", "--direction", entry["files"]["neurons"], *measured)
    assert json.loads(again.out)["results"][0]["margin"] == entry["margin"]
    written = run("generate", "w1 w2", "--push", "40", *about)
    assert (written.code, "push by" in written.out) == (0, True)
    both = run("ablate", "--direction", "mean", "--topk", "3", *about)
    assert (both.code, "--topk with --direction" in both.err) == (2, True)
    some = ["--only", "encoded,necessary,sufficient,selective", "--nulls", "2", *measured]
    asked = run("evidence", "--direction", "mean", "--layers", "1", *some)
    [answers] = json.loads(asked.out)["results"]
    assert (answers["method"], answers["by"], answers["curve"]) == ("mean direction", "direction", [])
    assert answers["tests"]["necessary"]["value"] is not None
    kept = run("evidence", "--direction", answers["files"]["neurons"], *some)
    assert json.loads(kept.out)["results"][0]["tests"] == answers["tests"]

"""Where memory runs out the pack is halved, once and for all that follow, a notice says so, and results are the same.

The errors are those of torch's CPU allocator and of numpy, asked for more than any machine has, and CUDA's by name.
They come from inside the model's second block, as long as its input has more rows than "memory holds".
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import rmtree
from typing import Any

import numpy as np
import pytest
import torch
from made_pairs import made_pairs
from plain_edits import neurons_at
from sizes import all_slow_but, quick_and_slow
from tiny_models import LAYERS, hf_blocks, random_pairs
from torch import Tensor

from neurosteer.edits import Edit
from neurosteer.errors import NeurosteerError
from neurosteer.forward import (
    attribute,
    donor_of,
    eos_states,
    generate,
    pairs_of_texts,
    score,
    score_texts,
    states_and_stats,
    steering,
    variant_of,
)
from neurosteer.forward.device_copy import DeviceCopies
from neurosteer.forward.forest import Pack
from neurosteer.forward.stats import TokenMoments
from neurosteer.model import Model, active_edits, is_hooked, load_model
from neurosteer.progress import Progress
from neurosteer.store import home
from neurosteer.studies import find, measure_effect

PAIRS = random_pairs(90, seed=5)  # two packs of 8 and more rows of 64 nodes, the tiny models' context
POOLED = [(0, 3), (1, 17), (2, 30)]
PROMPTS = ["w3 w1 w4", "w1 w5 w9 w2 w6", "", "w7 w7", "w8"]


class Told(Progress):
    """Everything that was said; a step never goes back nor beyond its end."""

    def __init__(self) -> None:
        self.notices: list[str] = []
        self.steps: dict[str, tuple[int, int]] = {}

    def step(self, what: str, done: int, total: int) -> None:
        before, ends = self.steps.get(what, (0, total))
        assert total == ends
        assert before <= done <= total or done == 0
        self.steps[what] = (done, total)

    def notice(self, text: str) -> None:
        self.notices.append(text)


def allocate() -> None:
    torch.empty(1 << 60)


def allocate_in_numpy() -> None:
    np.empty(1 << 55)


def cuda() -> None:
    raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")


FULL = {"torch": allocate, "numpy": allocate_in_numpy, "cuda": cuda}


@contextmanager
def memory_for(model: Model, rows: int, full: Callable[[], None] = allocate) -> Iterator[list[int]]:
    """Inside the block a pass of more rows than these runs out of memory; gives the rows of every pass begun."""
    begun: list[int] = []

    def hold(_block: Any, given: tuple[Tensor, ...]) -> None:
        begun.append(len(given[0]))
        if len(given[0]) > rows:
            full()

    handle = hf_blocks(model.bridge.original_model)[1].register_forward_pre_hook(hold)
    try:
        yield begun
    finally:
        handle.remove()


def states(model: Model, told: Progress) -> list[Tensor]:
    options = {"site": "resid_post", "layers": range(LAYERS), "position": "eos"}
    values, stats = states_and_stats(model, PAIRS, range(60), **options, cache=False, progress=told)
    return [values.values, stats.token_mean, stats.token_var, torch.tensor([float(stats.tokens)])]


def scores(model: Model, told: Progress) -> list[Tensor]:
    return [score(model, PAIRS, progress=told).logprob]


def steered_scores(model: Model, told: Progress) -> list[Tensor]:
    with steering(model, Edit.amplify(neurons_at(model, POOLED), -2.0)):
        return [score(model, PAIRS, progress=told).logprob]


def edited_scores(model: Model, told: Progress) -> list[Tensor]:
    neurons = neurons_at(model, POOLED)
    variants = [variant_of(model, edit) for edit in (Edit.ablate(neurons), Edit.clamp(neurons, 1.5))]
    groups = pairs_of_texts(model, PAIRS, "sum")
    found = score_texts(model, groups, variants, divergence=True, progress=told)
    assert found.kl is not None
    return [found.clean, found.edited, found.kl]


def slopes(model: Model, told: Progress) -> list[Tensor]:
    """Computed, not read."""
    rmtree(home(), ignore_errors=True)
    found = attribute(model, PAIRS, site="resid_post", layers=range(LAYERS), to="mean", steps=2, progress=told)
    return [found.product, found.gradient]


WAYS: dict[str, tuple[Callable[[Model, Progress], list[Tensor]], int]] = {  # and the rows of its packs
    "states": (states, 8),
    "scores": (scores, 8),
    "steered scores": (steered_scores, 8),
    "edited scores": (edited_scores, 2),
    "attribution": (slopes, 4),
}
CASES = [*((way, "torch") for way in WAYS), ("states", "numpy"), ("states", "cuda")]


def halved(rows: int, most: int, unit: str = "row") -> str:
    return f"cpu is out of memory with {rows} {unit}s at a time; going on with {most} (slower, same results)"


@pytest.mark.parametrize(("way", "full"), all_slow_but([("scores", "torch"), ("states", "cuda")], CASES))
def test_halves(way: str, full: str, tiny: Callable[[str], Model]):
    """The mean input of `attribution` fits: it needs the first block only."""
    model, told, (run, rows) = tiny("llama"), Told(), WAYS[way]
    whole = run(model, Told())
    with memory_for(model, rows // 2, FULL[full]) as begun:
        parts = run(model, told)
    assert told.notices == [halved(rows, rows // 2)]
    assert sum(size > rows // 2 for size in begun) == 1
    assert len(begun) >= 4
    assert all(done == total for done, total in told.steps.values())
    for ours, theirs in zip(parts, whole, strict=True):
        assert (ours - theirs).abs().max() < 1e-5 * max(1.0, float(theirs.abs().max()))


def test_halves_where_results_do_not_fit(tiny: Callable[[str], Model], monkeypatch: pytest.MonkeyPatch):
    """After the last layer, when everything was sent: it counts once."""
    model, told, send = tiny("llama"), Told(), TokenMoments.send

    def send_and_fail(self: TokenMoments, pack: Pack, copies: DeviceCopies) -> None:
        send(self, pack, copies)
        if len(pack) > 4:
            cuda()

    whole = states(model, Told())
    monkeypatch.setattr(TokenMoments, "send", send_and_fail)
    parts = states(model, told)
    assert told.notices == [halved(8, 4)]
    for ours, theirs in zip(parts, whole, strict=True):
        assert (ours - theirs).abs().max() < 1e-5 * max(1.0, float(theirs.abs().max()))


def test_halves_of_batches_of_equal_length(tiny: Callable[[str], Model]):
    """Packs of different numbers of rows: the largest is cut, and others that are as large."""
    model, told = tiny("bloom"), Told()
    whole = scores(model, Told())
    with memory_for(model, 12) as begun:
        [parts] = scores(model, told)
    failed = [size for size in begun if size > 12]
    assert len(failed) == len([text for text in told.notices if "out of memory" in text]) > 0
    assert failed == sorted(failed, reverse=True)
    assert (parts - whole[0]).abs().max() < 1e-5


def test_again_and_again(tiny: Callable[[str], Model]):
    model, told = tiny("llama"), Told()
    whole = states(model, Told())
    with memory_for(model, 1) as begun:
        parts = states(model, told)
    assert told.notices == [halved(8, 4), halved(4, 2), halved(2, 1)]
    assert [size for size in begun if size > 1] == [8, 4, 2]
    for ours, theirs in zip(parts, whole, strict=True):
        assert (ours - theirs).abs().max() < 1e-5


@pytest.mark.parametrize("way", all_slow_but(["states", "edited scores"], WAYS))
def test_a_row_that_does_not_fit(way: str, tiny: Callable[[str], Model]):
    model = tiny("llama")
    with memory_for(model, 0), pytest.raises(NeurosteerError) as caught:
        WAYS[way][0](model, Told())
    assert caught.value.exit_code == 1
    assert str(caught.value) == (
        "out of memory on cpu with a single row at a time; try --dtype bfloat16, --device-map auto or --device cpu"
    )
    assert not is_hooked(model)
    assert active_edits(model) == []


def test_other_errors_pass(tiny: Callable[[str], Model]):
    def fail() -> None:
        raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")

    told = Told()
    with memory_for(tiny("llama"), 0, fail) as begun, pytest.raises(RuntimeError, match="mat1 and mat2"):
        scores(tiny("llama"), told)
    assert (len(begun), told.notices) == (1, [])


@pytest.mark.parametrize("temperature", quick_and_slow([1.0], [0.0]))
def test_prompts(temperature: float, tiny: Callable[[str], Model], caplog: pytest.LogCaptureFixture):
    """Each is written as it would be alone."""
    model, options = tiny("llama"), {"max_new_tokens": 6, "temperature": temperature, "seed": 1}
    edit = Edit.amplify(neurons_at(model, POOLED), -2.0)
    with steering(model, edit):
        whole = generate(model, PROMPTS, **options)
        with memory_for(model, 2) as begun:
            assert generate(model, PROMPTS, **options) == whole
        assert [record.getMessage() for record in caplog.records] == [halved(5, 3, "prompt"), halved(3, 2, "prompt")]
        assert [size for size in begun if size > 2] == [5, 3]
        with memory_for(model, 0), pytest.raises(NeurosteerError, match="with a single prompt at a time"):
            generate(model, PROMPTS, **options)


def test_the_check_of_the_forest_is_no_judge_of_memory(tiny_folder: Callable[[str], Path]):
    """A model that does not fit is not one whose architecture refuses the forest."""
    model, told = load_model(tiny_folder("llama")), Told()
    with memory_for(model, 0), pytest.raises(NeurosteerError, match="out of memory"):
        eos_states(model, PAIRS, cache=False, progress=told)
    assert not [text for text in told.notices if "architecture" in text]
    with memory_for(model, 8):
        eos_states(model, PAIRS, cache=False, progress=told)
    assert not [text for text in told.notices if "architecture" in text]


def test_donors(tiny: Callable[[str], Model]):
    model = tiny("llama")
    edit = Edit.ablate(neurons_at(model, POOLED), to="resample", donors=PAIRS)
    whole = donor_of(model, edit)
    with memory_for(model, 1) as begun:
        parts = donor_of(model, edit)
    assert max(begun) > 1
    assert (parts.values - whole.values).abs().max() < 1e-5


def test_results_keep_the_notice(tiny: Callable[[str], Model]):
    model, pairs, told = tiny("llama"), made_pairs(verbs=8, subjects=8), Told()
    with memory_for(model, 4):
        found = find(model, pairs, topk=3, draws=1, methods=["welch"], progress=told)
    [kept] = [text for text in found.result.notices if "out of memory" in text]
    assert told.notices.count(kept) >= 1
    again = find(model, pairs, topk=3, draws=1, methods=["welch"], cache=False)
    assert kept not in again.result.notices

    with memory_for(model, 1):
        effect = measure_effect(model, found.test, Edit.ablate(found.ranking("welch").top(3)), controls=2)
    assert [text for text in effect.notices if "out of memory" in text]

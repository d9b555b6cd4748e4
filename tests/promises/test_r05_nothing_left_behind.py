"""R5: nothing is left behind: 100 trials of exceptions, interrupts, nested edits and failing attachments, and a fault
in the middle of each kind of steered pass.

After each: no hooks in the bridge, no more torch hooks than before, no block with another forward pass, no edit on
the books, and the same logits bit for bit.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from itertools import chain
from typing import Any

import numpy as np
import pytest
import torch
from plain_edits import neurons_at
from sizes import quick_and_slow
from tiny_models import LAYERS, WIDTH, hf_blocks, ids_of, random_pairs
from torch import Tensor

from neurosteer.edits import Edit
from neurosteer.errors import InputError, NeurosteerError
from neurosteer.forward import (
    attribute,
    eos_states,
    generate,
    pairs_of_texts,
    score,
    score_texts,
    steering,
    variant_of,
)
from neurosteer.layer_edits import LayerEdit
from neurosteer.model import Model, active_edits, editing, load_model

TRIALS = 20  # of each of the five kinds
TOKENS = torch.tensor([ids_of("w3 w1 w4 w1 w5"), ids_of("w9 w2 w6 w5 w3")])
PAIRS = random_pairs(4)
ERRORS = (ValueError, KeyboardInterrupt, SystemExit, torch.OutOfMemoryError)
KINDS = ("llama", "gpt2")


class Left:
    """What a model looks like now, to be compared with what it looks like later."""

    def __init__(self, model: Model) -> None:
        model.bridge(TOKENS)  # TransformerLens attaches what it needs itself in the first pass
        score_texts(model, pairs_of_texts(model, PAIRS, "sum"))  # the checks of our own short cuts
        self.model, self.hooks, self.logits = model, self.torch_hooks(model), model.bridge(TOKENS)

    @staticmethod
    def torch_hooks(model: Model) -> dict[str, tuple[int, ...]]:
        tables = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
        parts = (model.bridge.named_modules(), model.bridge.original_model.named_modules(prefix="original"))
        modules = [*chain(*parts), *model.bridge.hook_dict.items()]
        return {name: tuple(len(getattr(module, table)) for table in tables) for name, module in modules}

    def check_nothing(self) -> None:
        points = self.model.bridge.hook_dict.values()
        assert [point.name for point in points if point.fwd_hooks or point.bwd_hooks] == []
        assert self.torch_hooks(self.model) == self.hooks
        assert [block for block in self.model.bridge.blocks if "forward" in block.__dict__] == []
        assert active_edits(self.model) == []
        assert torch.equal(self.model.bridge(TOKENS), self.logits)


@pytest.fixture(scope="module", params=KINDS)
def left(request: pytest.FixtureRequest, tiny: Callable[[str], Model]) -> Left:
    return Left(tiny(request.param))


def some_edit(model: Model, rng: np.random.Generator) -> Edit:
    site = str(rng.choice(["resid_post", "resid_pre", "mlp_out", "attn_out"]))
    chosen = {(int(rng.integers(LAYERS)), int(rng.integers(WIDTH))) for _ in range(6)}
    where = str(rng.choice(["all", "prompt"]))
    return Edit.amplify(neurons_at(model, chosen, site=site), float(rng.normal()), to="mean", where=where)


def use(model: Model, rng: np.random.Generator) -> None:
    """One of the ways to run passes."""
    ways: list[Callable[[], Any]] = [
        lambda: model.bridge(TOKENS),
        lambda: score(model, PAIRS),
        lambda: score_texts(model, pairs_of_texts(model, PAIRS, "sum"), [variant_of(model, some_edit(model, rng))]),
        lambda: generate(model, ["w1 w2", "w3"], max_new_tokens=3),
        lambda: eos_states(model, PAIRS, cache=False),
        lambda: attribute(model, PAIRS, site="resid_post", layers=[0, 2], steps=2),
    ]
    ways[int(rng.integers(len(ways)))]()


@pytest.mark.parametrize("trial", range(TRIALS // 2))
def test_an_exception_inside_nested_edits(trial: int, left: Left):
    rng = np.random.default_rng(trial)
    error = ERRORS[trial % len(ERRORS)]

    def fails() -> None:
        with ExitStack() as stack:
            for _ in range(int(rng.integers(1, 4))):
                stack.enter_context(steering(left.model, some_edit(left.model, rng)))
                use(left.model, rng)
            raise error("mine")

    with pytest.raises(error, match="mine"):
        fails()
    left.check_nothing()


@pytest.mark.parametrize("trial", range(TRIALS // 2))
def test_an_interrupt_inside_a_pass(trial: int, left: Left):
    """From a hook on Hugging Face's own module, at any of its calls, with and without edits around the pass."""
    rng = np.random.default_rng(100 + trial)
    calls = iter(range(int(rng.integers(1, 4))))

    def interrupt(*_given: Any) -> None:
        if next(calls, None) is None:
            raise KeyboardInterrupt

    def fails() -> None:
        with ExitStack() as stack:
            for _ in range(trial % 3):
                stack.enter_context(steering(left.model, some_edit(left.model, rng)))
            while True:
                use(left.model, rng)

    inner = next(module for name, module in left.model.bridge.original_model.named_modules() if name.endswith("mlp"))
    handle = inner.register_forward_pre_hook(interrupt)
    try:
        with pytest.raises(KeyboardInterrupt):
            fails()
    finally:
        handle.remove()
    left.check_nothing()


def donors(model: Model) -> None:
    """Resampling reads the unedited model, and steers it then."""
    edit = Edit.ablate(neurons_at(model, [(0, 3), (2, 5)]), to="resample", donors=PAIRS)
    with steering(model, edit):
        score(model, PAIRS)


def steered(way: Callable[[Model], Any]) -> Callable[[Model], None]:
    """Under two edits, one of which acts from the first generated token on, or on every token."""

    def run(model: Model) -> None:
        outer, inner = (Edit.amplify(neurons_at(model, [(at, 3), (2, 5)]), 2.0) for at in (0, 1))
        with steering(model, outer), steering(model, inner):
            way(model)

    return run


STEERED: dict[str, Callable[[Model], None]] = {
    "states": steered(lambda model: eos_states(model, PAIRS, cache=False)),
    "scores": steered(lambda model: score(model, PAIRS)),
    "attribution": steered(lambda model: attribute(model, PAIRS, site="mlp_out", layers=[0, 2], steps=2)),
    "generation": steered(lambda model: generate(model, ["w1 w2", "w3"], max_new_tokens=6)),
    "generation without a cache": steered(lambda model: generate(model, "w1 w2", max_new_tokens=6, cache=False)),
    "donors": donors,
    "variants": lambda model: score_texts(
        model,
        pairs_of_texts(model, PAIRS, "sum"),
        [variant_of(model, Edit.amplify(neurons_at(model, [(at, 3)]), 2.0)) for at in range(LAYERS)],
    ),
}


@pytest.mark.parametrize("error", quick_and_slow([KeyboardInterrupt, MemoryError], [ValueError]))
@pytest.mark.parametrize("way", STEERED)
def test_a_fault_in_the_middle_of_a_steered_pass(way: str, error: type[BaseException], left: Left):
    """In the model itself, after about half of all calls of its MLPs; memory that stays full is a failure of ours."""
    calls, at = 0, None

    def fail(*_given: Any) -> None:
        nonlocal calls
        calls += 1
        if at is not None and calls >= at:
            raise error("of the model's")

    blocks = hf_blocks(left.model.bridge.original_model)
    handles = [block.mlp.register_forward_pre_hook(fail) for block in blocks]
    try:
        STEERED[way](left.model)
        calls, at = 0, calls // 2 + 1
        assert at > 1
        expected = (NeurosteerError, "^out of memory on cpu") if error is MemoryError else (error, "of the model's")
        with pytest.raises(expected[0], match=expected[1]):
            STEERED[way](left.model)
    finally:
        for handle in handles:
            handle.remove()
    left.check_nothing()


@pytest.mark.parametrize("trial", range(TRIALS // 2))
def test_a_failing_attachment(trial: int, left: Left, monkeypatch: pytest.MonkeyPatch):
    """The n-th hook cannot be put on, or an interrupt comes just after it was."""
    rng = np.random.default_rng(200 + trial)
    kind = type(left.model.bridge.hook_dict["blocks.0.hook_out"])
    put, error = kind.add_hook, ERRORS[trial % len(ERRORS)]
    calls, late = iter(range(int(rng.integers(6)))), trial % 2

    def add_hook(point: Any, *args: Any, **options: Any) -> Any:
        failing = next(calls, None) is None
        if late or not failing:
            put(point, *args, **options)
        if failing:
            raise error("no more hooks")

    def fails() -> None:
        with ExitStack() as stack:
            while True:
                stack.enter_context(steering(left.model, some_edit(left.model, rng)))

    with monkeypatch.context() as patch:
        patch.setattr(kind, "add_hook", add_hook)
        with pytest.raises(error, match="no more hooks"):
            fails()
    left.check_nothing()


@pytest.mark.parametrize("trial", range(TRIALS // 2))
def test_a_layer_that_does_not_exist(trial: int, left: Left):
    rng = np.random.default_rng(300 + trial)
    good = LayerEdit(torch.tensor([1]), 2.0, torch.zeros(1))
    missing = int(rng.integers(LAYERS, 100)) if trial % 4 else -1

    def fails() -> None:
        with steering(left.model, some_edit(left.model, rng)):
            if trial % 2:
                neurons = neurons_at(left.model, [(0, 3), (missing, 5)])
                with steering(left.model, Edit.ablate(neurons)):
                    pass
            else:
                with editing(left.model, {0: good, missing: good}, site="resid_post", where="all"):
                    pass

    with pytest.raises(InputError, match=rf"layer {missing}\b"):
        fails()
    left.check_nothing()


@pytest.mark.parametrize("trial", range(TRIALS // 2))
def test_blocks_left_in_any_order_and_hooks_taken_off_inside(trial: int, left: Left):
    """Out of order, and under somebody else's `reset_hooks`."""
    rng = np.random.default_rng(400 + trial)
    blocks = [steering(left.model, some_edit(left.model, rng)) for _ in range(3)]
    for block in blocks:
        block.__enter__()
    try:
        use(left.model, rng)
        if trial % 2:
            left.model.bridge.reset_hooks()
            with pytest.raises(NeurosteerError, match="were its hooks removed"):
                left.model.bridge(TOKENS)
    finally:
        for i in rng.permutation(3):
            blocks[i].__exit__(None, None, None)
    left.check_nothing()


@pytest.mark.parametrize(
    "leave",
    [
        lambda model: model.bridge.hook_dict["blocks.1.hook_out"].add_hook(lambda values, hook: None),
        lambda model: model.bridge.original_model.register_forward_hook(lambda *_given: None),
        lambda model: hf_blocks(model.bridge.original_model)[0].register_forward_pre_hook(lambda *_given: None),
        lambda model: model.bridge.blocks[0].__dict__.__setitem__("forward", type(model.bridge.blocks[0]).forward),
    ],
)
def test_what_is_left_behind_is_noticed(leave: Callable[[Model], Any], tiny_folder: Callable[[str], Any]):
    """The check of all these tests can fail."""
    left = Left(load_model(tiny_folder("llama")))
    left.check_nothing()
    leave(left.model)
    with pytest.raises(AssertionError):
        left.check_nothing()


def test_logits_that_differ_are_noticed(tiny_folder: Callable[[str], Any]):
    left = Left(load_model(tiny_folder("llama")))
    weight: Tensor = next(left.model.bridge.original_model.parameters())
    weight.data[3, 0] += 1e-3
    with pytest.raises(AssertionError):
        left.check_nothing()

"""The physical limit: what plain products of the model's own shapes reach, and how near the forward pass comes."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import linear
from transformers.pytorch_utils import Conv1D

import neurosteer as ns
from neurosteer.forward.loop import packing_for
from neurosteer.model import Model

from .padded import blocks_of
from .setup import Setup, computed, multiplies_bfloat16, sequences_of
from .turns import Bound

TARGETS = {"float32": 0.85, "bfloat16": 0.6}
PASSES = 5  # of products in a turn: one is short


def measure(setup: Setup) -> Iterator[Bound]:
    """Shares of EOS states in what the blocks' products alone reach, by dtype, taking turns."""
    pairs = setup.pairs(setup.tasks[0])
    for dtype, target in TARGETS.items():
        if dtype == "bfloat16" and not multiplies_bfloat16(setup.load().device.type):
            setup.say("this processor does not multiply bfloat16")
            continue
        model = setup.load(dtype)
        flops = 2.0 * sum(matrix.numel() for matrix in matrices_of(model))  # of one token
        tokens = computed(model, sequences_of(model, pairs))
        products = products_of(model)
        possible, reached = [], []
        for turn in range(setup.repeats + 1):  # the first warms up
            rate = products()
            start = time.perf_counter()
            ns.eos_states(model, pairs, cache=False)
            took = time.perf_counter() - start
            if turn:
                possible.append(rate)
                reached.append(flops * tokens / took)
        detail = f"{statistics.median(reached) / 1e9:.0f} of {statistics.median(possible) / 1e9:.0f} GFLOP/s"
        shares = [b / a for a, b in zip(possible, reached, strict=True)]
        yield Bound(
            f"EOS states, {dtype}, share of plain products", shares, "share", target, at_most=False, detail=detail
        )


def matrices_of(model: Model) -> list[Tensor]:
    """The weights that a pass multiplies by in the blocks, `[out, in]`: those of the modules that are called."""
    found: list[Tensor] = []

    def note(module: Any, *_: Any) -> None:
        found.append(module.weight.T if isinstance(module, Conv1D) else module.weight)

    modules = blocks_of(model.bridge.original_model).modules()
    handles = [m.register_forward_hook(note) for m in modules if isinstance(m, (torch.nn.Linear, Conv1D))]
    try:
        with torch.no_grad():
            model.bridge(torch.tensor([[model.eos.id]], device=model.device))
    finally:
        for handle in handles:
            handle.remove()
    return found


def products_of(model: Model) -> Callable[[], float]:
    """Multiplies a pack of random states by every matrix, and says how many FLOP/s that reached."""
    matrices, packing = matrices_of(model), packing_for(model)
    n = packing.rows * packing.nodes
    inputs = {
        width: torch.randn(n, width, dtype=model.dtype, device=model.device)
        for width in {matrix.shape[1] for matrix in matrices}
    }

    def run() -> float:
        start = time.perf_counter()
        for _ in range(PASSES):
            for matrix in matrices:
                linear(inputs[matrix.shape[1]], matrix)
        if model.device.type == "cuda":
            torch.cuda.synchronize()
        took = time.perf_counter() - start
        return PASSES * 2.0 * n * sum(matrix.numel() for matrix in matrices) / took

    return run

"""What comes before and after the work: the help, and a search that was made before."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import neurosteer as ns

from .setup import Setup
from .turns import Bound, Comparison, Side

HELPS = 10


def measure(setup: Setup) -> Iterator[Bound]:
    """Seconds of `neurosteer --help`, from a shell; the first run warms up."""
    command = [str(Path(sys.executable).with_name("neurosteer")), "--help"]
    seconds = []
    for _ in range(HELPS + 1):
        start = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True)
        seconds.append(time.perf_counter() - start)
    yield Bound("neurosteer --help", seconds[1:], "seconds", 0.5, at_most=True)


def compare(setup: Setup) -> Iterator[Comparison]:
    """A `find` with an empty cache, and the same again: neither a forward pass nor a probe."""
    model, pairs = setup.load(), setup.pairs(setup.tasks[0])
    passes = [0]
    network = model.bridge.original_model
    first, again = (
        Side(name, lambda: ns.find(model, pairs)) for name in ("the first find", "neurosteer, the same find")
    )
    handle = network.get_input_embeddings().register_forward_hook(lambda *_: passes.__setitem__(0, passes[0] + 1))
    before = os.environ.get("NEUROSTEER_HOME")
    in_second = 0
    try:
        for turn in range(1, setup.repeats + 1):
            with TemporaryDirectory() as home:
                os.environ["NEUROSTEER_HOME"] = home
                first.turn()
                passes[0] = 0
                again.turn()
                in_second += passes[0]
            assert first.result.entry == again.result.entry
            setup.say(f"turn {turn} of {setup.repeats}: {first.seconds[-1]:.2f} s, {again.seconds[-1]:.3f} s")
    finally:
        handle.remove()
        os.environ.pop("NEUROSTEER_HOME")
        if before is not None:
            os.environ["NEUROSTEER_HOME"] = before
    yield Comparison(
        "whole find, all layers",
        pairs.task,
        first,
        again,
        1,
        "find",
        10.0,
        f"{in_second} forward passes, same result",
    )

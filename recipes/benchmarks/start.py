"""What comes before and after the work: the help, and a search that was made before."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

from torch.nn import Embedding

import neurosteer as ns
from neurosteer.studies import examples, masked_probes
from neurosteer.studies.finding import search

from .setup import Setup
from .turns import Bound

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


def measure_again(setup: Setup) -> Iterator[Bound]:
    """Forward passes and probes of a `find` that was made before; in the first they are counted too, to be sure."""
    model, pairs = setup.load(), setup.pairs(setup.tasks[0])
    seconds: dict[str, list[float]] = {"first": [], "second": []}
    work: dict[str, list[float]] = {"first": [], "second": []}
    for turn in range(1, setup.repeats + 1):
        with TemporaryDirectory() as home, patch.dict(os.environ, {"NEUROSTEER_HOME": home}):
            found = []
            for name, taken in seconds.items():
                with _counted() as done:
                    start = time.perf_counter()
                    found.append(ns.find(model, pairs).result)
                    taken.append(time.perf_counter() - start)
                work[name].append(done())
        assert found[0] == found[1]
        assert work["first"][-1] > 0
        setup.say(f"turn {turn} of {setup.repeats}: {seconds['first'][-1]:.2f} s, {seconds['second'][-1]:.3f} s")
    first, second = (statistics.median(values) for values in seconds.values())
    yield Bound(
        f"passes and probes of a second find, {pairs.task}",
        work["second"],
        "number",
        0,
        at_most=True,
        detail=f"{second:.3f} s after {first:.1f} s and {work['first'][0]:.0f}",
    )


@contextmanager
def _counted() -> Iterator[Callable[[], float]]:
    """Calls of an embedding, and of all that fits the probes of a search."""
    fits = ((examples, "fit_logistic"), (masked_probes, "fit_l0_at"), (search, "welch"))
    with ExitStack() as patched:
        mocks = [patched.enter_context(patch.object(home, name, wraps=getattr(home, name))) for home, name in fits]
        embed = Embedding.forward
        passes = patched.enter_context(patch.object(Embedding, "forward", autospec=True, side_effect=embed))
        yield lambda: float(sum(mock.call_count for mock in (*mocks, passes)))

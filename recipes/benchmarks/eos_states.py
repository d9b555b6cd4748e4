"""EOS states of every layer: neurosteer beside the plain TransformerLens loop, in one process, taking turns.

    pip install -e ".[bench]"
    python recipes/benchmarks/eos_states.py --data FOLDER_OF_BLIMP_FILES --task intransitive

The loop is what TransformerLens documents: `run_with_cache` on right-padded batches of 32, here with an attention
mask and a names filter, so that it caches nothing but what is asked for. Both use the same loaded model.
"""

from __future__ import annotations

import argparse
import statistics
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import psutil
import torch
from rich.console import Console
from rich.table import Table

import neurosteer as ns
from neurosteer.forward.forest import plan
from neurosteer.forward.loop import packing_for
from neurosteer.model import Model, encode
from neurosteer.pairs import Pairs


@dataclass
class Runs:
    """Repeated runs of one job."""

    name: str
    job: Callable[[], torch.Tensor]
    seconds: list[float]
    megabytes: list[float]
    states: torch.Tensor | None = None

    def once(self) -> None:
        process, growing = psutil.Process(), threading.Event()
        before = peak = process.memory_info().rss

        def watch() -> None:
            nonlocal peak
            while not growing.wait(0.02):
                peak = max(peak, process.memory_info().rss)

        watcher = threading.Thread(target=watch)
        watcher.start()
        start = time.perf_counter()
        self.states = self.job()
        self.seconds.append(time.perf_counter() - start)
        growing.set()
        watcher.join()
        self.megabytes.append((peak - before) / 2**20)


def padded_loop(model: Model, sequences: list[tuple[int, ...]], batch: int) -> torch.Tensor:
    """`[pair, side, layer, unit]` by `run_with_cache` on padded batches, in the order of the sentences."""
    names = [f"blocks.{layer}.hook_out" for layer in range(model.n_layers)]
    parts = []
    for start in range(0, len(sequences), batch):
        chunk = sequences[start : start + batch]
        ids = torch.zeros(len(chunk), max(map(len, chunk)), dtype=torch.long)
        mask = torch.zeros_like(ids)
        for row, sequence in enumerate(chunk):
            ids[row, : len(sequence)] = torch.tensor(sequence)
            mask[row, : len(sequence)] = 1
        wanted = {"names_filter": lambda name: name in names, "return_type": None}
        with torch.no_grad():
            _, cache = model.bridge.run_with_cache(
                ids.to(model.device), attention_mask=mask.to(model.device), **wanted
            )
        rows, last = torch.arange(len(chunk)), mask.sum(1) - 1
        parts.append(torch.stack([cache[name][rows, last].float().cpu() for name in names], dim=1))
    return torch.cat(parts).unflatten(0, (-1, 2))


def tokens(model: Model, pairs: Pairs, sequences: list[tuple[int, ...]], batch: int) -> tuple[int, int]:
    """Token positions that the loop (padding included) and the prefix forest compute."""
    chunks = [sequences[start : start + batch] for start in range(0, len(sequences), batch)]
    padded = sum(len(chunk) * max(map(len, chunk)) for chunk in chunks)
    groups = [sequences[2 * i : 2 * i + 2] for i in range(len(pairs))]
    return padded, sum(pack.computed for pack in plan(groups, packing_for(model)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default="blimp", help="as in neurosteer find")
    parser.add_argument("--task", default="intransitive")
    parser.add_argument("--model", default="smollm2-135m")
    parser.add_argument("--dtype", default="auto")
    parser.add_argument("--pairs", type=int, default=1000)
    parser.add_argument("--batch", type=int, default=32, help="of the loop")
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()

    model = ns.load_model(options.model, dtype=options.dtype)
    pairs = ns.load_pairs(options.task, source=options.data, n=options.pairs)
    sequences = encode(model, [sentence for pair in pairs for sentence in (pair.good, pair.bad)])
    loop = Runs("run_with_cache, padded", lambda: padded_loop(model, sequences, options.batch), [], [])
    ours = Runs("neurosteer", lambda: ns.eos_states(model, pairs, cache=False).values, [], [])
    ns.eos_states(model, pairs.limit(8), cache=False)
    padded_loop(model, sequences[:16], options.batch)
    for _ in range(options.repeats):
        loop.once()
        ours.once()
    assert loop.states is not None
    assert ours.states is not None

    ratios = [a / b for a, b in zip(loop.seconds, ours.seconds, strict=True)]
    table = Table(title=f"EOS states, {options.task}, {len(pairs)} pairs, {model!r}")
    for column in ("", "sentences/s (median)", "tokens computed", "memory grows by"):
        table.add_column(column, justify="left" if not column else "right")
    for runs, computed in zip((loop, ours), tokens(model, pairs, sequences, options.batch), strict=True):
        rate = len(sequences) / statistics.median(runs.seconds)
        table.add_row(runs.name, f"{rate:.1f}", f"{computed:,}", f"{max(runs.megabytes):.0f} MiB")
    console = Console()
    console.print(table)
    spread = f"{min(ratios):.2f} to {max(ratios):.2f} over {len(ratios)} turns"
    console.print(f"ratio {statistics.median(ratios):.2f} (median; {spread})")
    difference = (loop.states - ours.states).norm() / loop.states.norm()
    console.print(f"relative difference of the states {difference:.1e}")


if __name__ == "__main__":
    main()

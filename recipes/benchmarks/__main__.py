"""neurosteer beside its peers: every job done by each in turns, in one process, on real pairs.

    pip install -e ".[bench]"
    python -m recipes.benchmarks --data FOLDER_OF_BLIMP_FILES
    python -m recipes.benchmarks --data FOLDER_OF_BLIMP_FILES --only states --pairs 200

Ratios are medians of the turns, with their range. Beside each stands how many times as many tokens the peer computes
(its padding counts, since it is computed), and which share of that ratio is reached. `--out` writes JSON.
"""

from __future__ import annotations

import argparse
import json
import platform
from collections.abc import Callable, Iterator
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from rich.console import Console

from .setup import Setup
from .turns import Bound, Comparison

OF_EACH_TASK = {  # name: module and function
    "states": ("states", "compare"),
    "scoring": ("scoring", "compare"),
    "ablation": ("ablation", "compare"),
    "masks": ("probes", "compare_masks"),
    "topk": ("probes", "compare_topk"),
    "welch": ("probes", "compare_welch"),
}
ONCE = {
    "generation": ("generation", "compare"),
    "again": ("start", "compare"),
    "help": ("start", "measure"),
    "ceiling": ("ceiling", "measure"),
}
JOBS = OF_EACH_TASK | ONCE
TASKS = ("intransitive", "distractor_agreement_relational_noun", "superlative_quantifiers_2")


def main() -> None:
    options = _options()
    console = Console(stderr=True)
    setup = Setup(
        options.model,
        options.dtype,
        options.device,
        options.data,
        tuple(options.task or TASKS),
        options.pairs,
        options.repeats,
        lambda line: console.print(line, highlight=False),
    )
    machine = {
        "platform": platform.platform(),
        "threads": torch.get_num_threads(),
        "device": torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu",
        "versions": {name: version(name) for name in ("neurosteer", "torch", "transformers", "transformer-lens")},
    }
    asked = {"pairs": options.pairs, "repeats": options.repeats, "model": options.model, "dtype": options.dtype}
    rows: list[Comparison | Bound] = []
    for name in options.only or JOBS:
        setup.say(f"[bold]{name}[/bold]")
        for row in _rows(name, setup):
            rows.append(row)
            if options.out:  # as far as it has come
                found = {"machine": machine, "settings": asked, "jobs": [row.to_dict() for row in rows]}
                options.out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    show(rows)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default="blimp", help="as in neurosteer find")
    parser.add_argument("--task", action="append", help=f"repeats; {', '.join(TASKS)} by default")
    parser.add_argument("--pairs", type=int, default=1000, help="of each task")
    parser.add_argument("--repeats", type=int, default=5, help="turns of each job")
    parser.add_argument("--only", action="append", choices=list(JOBS), help="repeats; all jobs by default")
    parser.add_argument("--model", default="smollm2-135m")
    parser.add_argument("--dtype", default="float32")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--out", type=Path, help="JSON file to write")
    return parser.parse_args()


def _rows(name: str, setup: Setup) -> Iterator[Comparison | Bound]:
    """What a job finds. Its module is imported when it is wanted: each peer is needed for its own job alone."""
    module, function = JOBS[name]
    job: Callable[..., Iterator[Comparison | Bound]] = getattr(import_module(f".{module}", __package__), function)
    if name in ONCE:
        yield from job(setup)
    else:
        for pairs in setup.each_task():
            yield from job(setup, pairs)


HEADS = ("job", "on", "against", "theirs", "ours", "ratio", "of tokens", "reached", "memory", "target", "apart")


def show(rows: list[Comparison | Bound]) -> None:
    """The comparisons as a table in Markdown, and the bounds below it."""
    cells = [_cells(row.to_dict()) for row in rows if isinstance(row, Comparison)]
    for line in [HEADS, ["---"] * len(HEADS), *cells] if cells else []:
        print(f"| {' | '.join(line)} |")
    for row in rows:
        if isinstance(row, Bound):
            print(_line(row.to_dict()))


def _line(row: dict[str, Any]) -> str:
    shape = "{:.0%}" if row["unit"] == "share" else "{:.2f} s"
    middle, lowest, highest, target = (
        shape.format(value) for value in (row["median"], min(row["values"]), max(row["values"]), row["target"])
    )
    sign = "at most" if row["at_most"] else "at least"
    detail = f", {row['detail']}" if row["detail"] else ""
    missed = "" if row["reached"] else ", missed"
    return f"{row['what']}: {middle} ({lowest} to {highest}){detail}; target {sign} {target}{missed}"


def _cells(row: dict[str, Any]) -> list[str]:
    peer, ours, tokens = row["peer"], row["ours"], row["tokens_ratio"]
    sign = "<=" if row["at_most"] else ">="
    return [
        row["job"],
        row["on"],
        peer["name"],
        *(f"{side['per_second']:,.0f} {row['unit']}s/s" for side in (peer, ours)),
        f"{row['ratio']:.2f} ({row['lowest']:.2f} to {row['highest']:.2f})",
        f"{tokens:.2f}" if tokens else "",
        f"{row['share_of_tokens_ratio']:.0%}" if tokens else "",
        f"{peer['grows_by_mib']:.0f}, {ours['grows_by_mib']:.0f} MiB",
        f"{sign} {row['target']:g}{'' if row['reached'] else ' missed'}",
        row["difference"],
    ]


if __name__ == "__main__":
    main()

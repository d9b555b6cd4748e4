"""neurosteer beside its peers: every job done by each in turns, in one process, on real pairs.

    pip install -e ".[bench]"
    python -m recipes.benchmarks --data FOLDER_OF_BLIMP_FILES
    python -m recipes.benchmarks --data FOLDER_OF_BLIMP_FILES --only states --pairs 200

Ratios are medians of the turns, with their range. Beside each stands how many times as many tokens the peer computes
(its padding counts, since it is computed), and which share of that ratio is reached. Peers do a part of a long job in
each turn (`done` in the JSON says how often the whole, over all turns): their time is reckoned for the whole, their
memory is that of a part. `--out` writes JSON, and `--show` prints such files again: `cpu.json` and `h200.json` in
`recipes/benchmarks/results` are those behind `recipes/guide/speed.md`.
"""

from __future__ import annotations

import argparse
import json
import platform
from collections.abc import Callable, Iterator
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, cast

import torch
from rich.console import Console

from neurosteer.errors import InputError
from neurosteer.store import versions

from .random_model import SHAPES
from .setup import Setup, in_one_line, positive
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
    "again": ("start", "measure_again"),
    "help": ("start", "measure"),
    "ceiling": ("ceiling", "measure"),
}
JOBS = OF_EACH_TASK | ONCE
PEERS = ("minicons", "lm-eval", "scikit-learn", "scipy")
TASKS = ("intransitive", "distractor_agreement_relational_noun", "superlative_quantifiers_2")


def main() -> None:
    parser = _parser()
    options = parser.parse_args()
    if options.show:
        with in_one_line(parser):
            show([row for path in options.show for row in _written(path)])
        return
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
        options.tokenizer,
    )
    with in_one_line(parser):  # what is wrong is told before the first job
        if options.out and not options.out.absolute().parent.is_dir():
            raise InputError(f"no such folder: '{options.out.parent}'")
        jobs = {name: _job(name) for name in options.only or JOBS}
        model = setup.load()
        for task in setup.tasks:
            setup.pairs(task)
    about = {
        "machine": {
            "platform": f"{platform.system()} {platform.machine()}",
            "device": torch.cuda.get_device_name() if model.device.type == "cuda" else model.device.type,
            "threads": torch.get_num_threads(),
            "versions": versions("neurosteer", *filter(_is_installed, PEERS)),
        },
        "settings": {
            **{k: v for k, v in vars(options).items() if k not in ("only", "out", "show", "tokenizer")},
            "task": list(setup.tasks),
            "device": model.device.type,
        },
    }
    rows: list[Comparison | Bound] = []
    try:
        with in_one_line(parser):
            for name, job in jobs.items():
                setup.say(f"[bold]{name}[/bold]")
                for row in job(setup):
                    rows.append(row)
                    if options.out:  # as far as it has come
                        found = {**about, "jobs": [row.to_dict() for row in rows]}
                        options.out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    finally:
        show([row.to_dict() for row in rows])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "python -m recipes.benchmarks", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", default="blimp", help="as in neurosteer find")
    parser.add_argument("--task", action="append", help=f"repeats; {', '.join(TASKS)} by default")
    parser.add_argument("--pairs", type=positive, default=1000, help="of each task")
    parser.add_argument("--repeats", type=positive, default=5, help="turns of each job")
    parser.add_argument("--only", action="append", choices=list(JOBS), help="repeats; all jobs by default")
    parser.add_argument("--model", default="smollm2-135m", help=f"as in neurosteer find, or {', '.join(SHAPES)}")
    parser.add_argument("--tokenizer", type=Path, help="folder of the tokenizer for random weights")
    parser.add_argument("--dtype", default="float32")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--out", type=Path, help="JSON file to write")
    parser.add_argument("--show", type=Path, nargs="+", help="print files written before, and run nothing")
    return parser


def _job(name: str) -> Callable[[Setup], Iterator[Comparison | Bound]]:
    """A job, on every task where it is of one. Its module is imported when it is wanted, and its peers with it."""
    module, function = JOBS[name]
    job = getattr(import_module(f".{module}", __package__), function)
    if name in ONCE:
        return cast("Callable[[Setup], Iterator[Comparison | Bound]]", job)
    return lambda setup: (row for pairs in setup.each_task() for row in job(setup, pairs))


def _written(path: Path) -> list[dict[str, Any]]:
    """The rows of a file that `--out` wrote."""
    try:
        return cast("list[dict[str, Any]]", json.loads(path.read_text("utf-8"))["jobs"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"'{path}' is no file that --out has written") from error


def _is_installed(name: str) -> bool:
    try:
        version(name)
    except PackageNotFoundError:  # not every job needs every peer
        return False
    return True


HEADS = ("job", "on", "against", "theirs", "ours", "ratio", "of tokens", "reached", "memory", "target", "apart")


def show(rows: list[dict[str, Any]]) -> None:
    """The comparisons as a table in Markdown, and the bounds below it."""
    cells = [_cells(row) for row in rows if "ratio" in row]
    for line in [HEADS, ["---"] * len(HEADS), *cells] if cells else []:
        print(f"| {' | '.join(line)} |")
    for row in rows:
        if "ratio" not in row:
            print(_line(row))


def _line(row: dict[str, Any]) -> str:
    shape = {"share": "{:.0%}", "number": "{:g}"}.get(row["unit"], "{:.2f} s")
    middle, lowest, highest, target = (
        shape.format(value) for value in (row["median"], min(row["values"]), max(row["values"]), row["target"])
    )
    sign = "at most" if row["at_most"] else "at least"
    detail = f", {row['detail']}" if row["detail"] else ""
    missed = "" if row["reached"] else ", missed"
    return f"{row['what']}: {middle} ({lowest} to {highest}){detail}; target {sign} {target}{missed}"


def _cells(row: dict[str, Any]) -> list[str]:
    peer, ours, tokens = row["peer"], row["ours"], row["tokens_ratio"]
    reached, sign = row["share_of_tokens_ratio"], "<=" if row["at_most"] else ">="
    return [
        row["job"],
        row["on"],
        peer["name"],
        *(f"{side['per_second']:,.0f} {row['unit']}s/s" for side in (peer, ours)),
        f"{row['ratio']:.2f} ({row['lowest']:.2f} to {row['highest']:.2f})",
        f"{tokens:.2f}" if tokens else "",
        f"{reached:.0%}{'' if row['reached_of_tokens'] else ' missed'}" if reached else "",
        f"{peer['grows_by_mib']:.0f}, {ours['grows_by_mib']:.0f} MiB",
        f"{sign} {row['target']:g}{'' if row['reached'] else ' missed'}",
        row["difference"],
    ]


if __name__ == "__main__":
    main()

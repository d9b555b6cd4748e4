"""How cost grows: seconds and memory of EOS states and effects against pairs, layers, width and neuron sets.

    python -m recipes.benchmarks.growth --out recipes/benchmarks/results

Models are Llama-shaped with random weights, the pairs built in, so neither a hub nor BLiMP is needed. One line is
varied at a time; the slope of each curve in logarithms is printed (1 is linear) and drawn.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, LogLocator, StrMethodFormatter

import neurosteer as ns
from neurosteer.errors import InputError
from neurosteer.pairs import TASKS, Pairs

from .ablation import margins_without
from .random_model import Shape, random_model
from .setup import in_one_line, positive
from .turns import Side, take_turns

SHAPE = Shape(layers=4, width=128, inner=384, heads=4, kv_heads=4)
Row = tuple[str, float, float, float]  # what is varied, its value, seconds, MiB


def main() -> None:
    name, shown = "python -m recipes.benchmarks.growth", argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(name, description=__doc__, formatter_class=shown)
    parser.add_argument("--pairs", type=positive, nargs="+", default=[100, 1000, 6700, 20100, 67000])
    parser.add_argument("--layers", type=positive, nargs="+", default=[2, 4, 8, 16, 32])
    parser.add_argument("--width", type=positive, nargs="+", default=[128, 256, 512, 1024])
    parser.add_argument("--sets", type=positive, nargs="+", default=[1, 4, 16, 64])
    parser.add_argument("--repeats", type=positive, default=3)
    parser.add_argument("--out", type=Path, default=Path(), help="folder for growth.csv and growth.png")
    options = parser.parse_args()
    with in_one_line(parser):
        if not options.out.is_dir():
            raise InputError(f"no such folder: '{options.out}'")
        if odd := [width for width in options.width if width % 32]:
            raise InputError(f"heads are 32 units wide, so {odd[0]} is no width")
    rows = [
        *_vary("pairs", options.pairs, _of_pairs, options.repeats),
        *_vary("layers", options.layers, _of_layers, options.repeats),
        *_vary("width", options.width, _of_width, options.repeats),
        *_vary("neuron sets", options.sets, _of_sets, options.repeats),
    ]
    with (options.out / "growth.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("varied", "value", "seconds", "mebibytes"), *rows])
    draw(rows, options.out / "growth.png")


def _vary(name: str, values: Sequence[int], job_of: Callable[[int], Callable[[], object]], repeats: int) -> list[Row]:
    """One row a value: the median of its turns, after one that warms up and shows how memory grows."""
    rows = []
    for value in values:
        side = Side(str(value), job_of(value))
        take_turns([side], repeats, lambda _: None)
        rows.append((name, float(value), side.median, side.mebibytes))
        print(f"{name} {value:,}: {side.median:.2f} s, {side.mebibytes:.0f} MiB", flush=True)
    print(f"{name}: seconds grow with power {_slope(rows, 2):.2f}")
    return rows


def _slope(rows: Sequence[Row], column: int) -> float:
    """Of the upper half of the curve, where fixed costs no longer count."""
    upper = rows[len(rows) // 2 :] if len(rows) > 3 else rows
    if len(upper) < 2:
        return float("nan")
    x, y = (np.log([max(float(row[i]), 1e-3) for row in upper]) for i in (1, column))
    return float(np.polyfit(x, y, 1)[0])


def _pairs(n: int) -> list[Pairs]:
    """`n` pairs, spread over tasks, all of them where each has 10; the first have those that are left over."""
    tasks = TASKS[: max(1, n // 10)]
    share, more = divmod(n, len(tasks))
    return [ns.load_pairs(task.uid, source="builtin", limit=share + (i < more)) for i, task in enumerate(tasks)]


def _of_pairs(n: int) -> Callable[[], object]:
    model, tasks = random_model(SHAPE), _pairs(n)

    def job() -> None:
        for pairs in tasks:  # one task's states at a time, as in a recipe
            ns.eos_states(model, pairs, cache=False)

    return job


def _of_layers(n: int) -> Callable[[], object]:
    return _states(random_model(replace(SHAPE, layers=n)))


def _of_width(n: int) -> Callable[[], object]:
    return _states(random_model(replace(SHAPE, width=n, inner=3 * n, heads=n // 32, kv_heads=n // 32)))


def _states(model: ns.Model) -> Callable[[], object]:
    pairs = ns.load_pairs("intransitive", source="builtin", limit=300)
    return lambda: ns.eos_states(model, pairs, cache=False)


def _of_sets(n: int) -> Callable[[], object]:
    model = random_model(replace(SHAPE, layers=8))
    pairs = ns.load_pairs("intransitive", source="builtin", limit=100)
    ranking = ns.rank_neurons(model, pairs, layers=[4])
    top = ranking.top(8, layers=4)
    sets = [top, *(ranking.controls(top, n - 1) if n > 1 else [])]
    return lambda: margins_without(model, pairs, sets)


def draw(rows: Sequence[Row], path: Path) -> None:
    names = list(dict.fromkeys(row[0] for row in rows))
    figure = Figure(figsize=(3.1 * len(names), 5.2), layout="constrained")
    axes = figure.subplots(2, len(names), sharex="col", squeeze=False)
    for column, name in enumerate(names):
        own = [row for row in rows if row[0] == name]
        x = [row[1] for row in own]
        for i, (unit, axis) in enumerate((("seconds", axes[0, column]), ("MiB", axes[1, column])), start=2):
            y = [max(row[i], 1e-3) for row in own]
            axis.loglog(x, y, "o-", color="#0072b2", label="measured")
            axis.loglog(x, [y[-1] * value / x[-1] for value in x], "--", color="0.6", label="linear")
            axis.set_title(f"{name}: power {_slope(own, i):.2f}", fontsize=9)
            axis.set_ylabel(unit)
            axis.grid(color="0.92")
            axis.minorticks_off()
            axis.xaxis.set_major_locator(FixedLocator(x[:: 1 + len(x) // 5]))
            axis.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
            axis.yaxis.set_major_locator(LogLocator(subs=(1, 3)))
            axis.yaxis.set_major_formatter(StrMethodFormatter("{x:,g}"))
        axes[1, column].set_xlabel(name)
    axes[0, 0].legend(frameon=False, fontsize=8)
    figure.savefig(path, dpi=150)


if __name__ == "__main__":
    main()

"""Are verdicts calibrated? How often a set that was drawn by lot stands out among its matched controls.

    pip install -e ".[bench]"
    python recipes/validity/calibration.py --data FOLDER_OF_BLIMP_FILES --out calibration.json

400 sets of 6, of 40 and of 115 units of the middle layer, none of them massive, each with matched controls. A cell is
a task and a size; its sets should have p <= .05 as often as 400 draws of 5 % do. In `additive` cells the effect of a
set is the sum of its attributions, so thousands of sets cost a minute. In the three `measured` cells every set and
every control is ablated: 8,000 edits of 30 pairs a cell, so the file is written after every few sets, and the same
command goes on from it. Judged as promise R24 says: each cell by exact binomial 95 % bounds, Bonferroni over the
cells; the pooled rate by its interval, clustered by set.

`family` cells ask the same of the test of a whole family, one set for each of the tasks, which takes the tasks' sets
as independent: what becomes of its p where they share a part of their units (additive again).
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Iterator, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.console import Console
from scipy import stats

import neurosteer as ns
from neurosteer.experiments.causal.families import permuted
from neurosteer.forward import attribute_pairs
from neurosteer.model import Model
from neurosteer.neurons import NeuronSet, Ranking, massive, matched_controls
from neurosteer.pairs import TASKS as BLIMP
from neurosteer.pairs import Pairs, Split
from neurosteer.progress import QUIET
from neurosteer.seeds import generator
from neurosteer.studies.effects.cases import Bench, Case
from neurosteer.studies.effects.controls import empirical_p

SIZES = (6, 40, 115)
TASKS = ("anaphor_number_agreement", "determiner_noun_agreement_1", "transitive", "wh_island")
FAMILY = tuple(  # those of `causal`: one of each phenomenon, the alphabetically first
    sorted({task.phenomenon: task.uid for task in sorted(BLIMP, key=lambda task: task.uid, reverse=True)}.values())
)
MEASURED = tuple(zip(TASKS, SIZES, strict=False))  # three cells
SHARES = (0.0, 0.25, 0.5, 1.0)  # of a set's units that all tasks' sets share
KINDS = ("additive", "measured", "family")
LEVEL = 0.05
PERMUTATIONS = 1999
BATCH = 5  # sets that are measured before the file is written again
Sets = Sequence[Sequence[NeuronSet]]  # each with its controls
Effects = np.ndarray  # [unit]: the change of the mean margin when a unit is zero, by attribution


def random_sets(ranking: Ranking, size: int, sets: int, controls: int) -> Iterator[list[NeuronSet]]:
    """Sets of one layer drawn by lot, the same in every task, each followed by its controls."""
    for i in range(sets):
        chosen = _drawn(ranking, size, generator(0, "calibration", size, i))
        yield [chosen, *matched_controls(chosen, controls, i)]


def _drawn(ranking: Ranking, size: int, source: torch.Generator, shared: Sequence[int] = ()) -> NeuronSet:
    """`size` units by lot, none of them massive; the `shared` ones are among them."""
    [layer] = ranking.layers
    light = [unit for unit in (~massive(ranking.stats)[0]).nonzero()[:, 0].tolist() if unit not in set(shared)]
    own = [light[i] for i in torch.randperm(len(light), generator=source)[: size - len(shared)].tolist()]
    return ranking.pick((layer, unit) for unit in (*shared, *own))


def source_of(model: Model, task: str, data: str, layer: int) -> tuple[Split, Ranking]:
    split = ns.load_pairs(task, source=data).split("pair", 0)
    return split, ns.rank_neurons(model, split.train, method="welch", layers=[layer])


def effects_of(model: Model, split: Split, ranking: Ranking, pairs: int) -> Effects:
    drops = attribute_pairs(model, split.test.limit(pairs), site=ranking.site, layers=ranking.layers).drop()
    effects: Effects = -drops[:, 0].mean(dim=0).numpy()
    return effects


def additive(effects: Effects, ranking: Ranking, size: int, options: argparse.Namespace) -> list[float]:
    """The p of every set by the sum of its attributions on the test pairs."""
    return [
        empirical_p(*_first_and_rest([float(effects[one.units.numpy()].sum()) for one in variants]))
        for variants in random_sets(ranking, size, options.sets, options.controls)
    ]


def family(
    tasks: Sequence[tuple[Effects, Ranking]], size: int, share: float, options: argparse.Namespace
) -> list[float]:
    """The p of families by the sums of attributions: for each task a set, of which a share is common to all."""
    found = []
    for i in range(options.sets):
        common = _drawn(tasks[0][1], round(share * size), generator(0, "common", size, i)).units.tolist()
        changes = []
        for j, (effects, ranking) in enumerate(tasks):
            light = [unit for unit in common if not massive(ranking.stats)[0][unit]]
            chosen = _drawn(ranking, size, generator(0, "family", size, i, j), light)
            variants = [chosen, *matched_controls(chosen, options.controls, i * len(tasks) + j)]
            changes.append([effects[one.units.numpy()].sum() for one in variants])
        found.append(permuted(np.array(changes), i, draws=PERMUTATIONS).p)
    return found


def measured(model: Model, pairs: Pairs, sets: Sets) -> list[float]:
    """The p of some sets by their ablation, all in one sweep."""
    bench = Bench(model, [Case(ns.Edit.ablate(chosen), controls) for chosen, *controls in sets], QUIET)
    found = bench.margins(pairs)
    changes = [(after - found.before).mean(axis=1).tolist() for after in found.after]
    return [empirical_p(*_first_and_rest(row)) for row in changes]


def judge(cells: dict[str, list[float]], sets: int) -> dict[str, Any]:
    """Counts of p <= .05, the bounds that they should keep to, the pooled rate. Nothing holds while a cell lacks."""
    whole = {name: ps for name, ps in cells.items() if len(ps) == sets}
    if not whole:
        return {"cells": {}}
    tail = 0.025 / len(whole)
    low, high = (int(stats.binom.ppf(end, sets, LEVEL)) for end in (tail, 1 - tail))
    hits = np.array([[p <= LEVEL + 1e-9 for p in ps] for ps in whole.values()], dtype=float)
    by_set = hits.mean(axis=0)
    rate, error = float(by_set.mean()), float(stats.sem(by_set))
    counts = {name: int(row.sum()) for name, row in zip(whole, hits, strict=True)}
    return {
        "cells": counts,
        "bounds": [low, high],
        "holds": all(low <= count <= high for count in counts.values())
        and rate - 1.96 * error <= LEVEL <= rate + 1.96 * error
        and len(whole) == len(cells),
        "pooled": {"rate": rate, "low": rate - 1.96 * error, "high": rate + 1.96 * error},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default="blimp", help="as in neurosteer find")
    parser.add_argument("--model", default="smollm2-135m")
    parser.add_argument("--sets", type=int, default=400)
    parser.add_argument("--controls", type=int, default=19)
    parser.add_argument("--pairs", type=int, default=30, help="test pairs of a cell")
    parser.add_argument("--only", choices=KINDS, help="leave out the others")
    parser.add_argument("--out", type=Path, default=Path("calibration.json"))
    options = parser.parse_args()

    console, model = Console(), ns.load_model(options.model)
    layer = max(0, model.n_layers // 2 - 1)
    asked = {"model": model.fingerprint, "layer": layer, "data": str(options.data)}
    asked |= {name: getattr(options, name) for name in ("sets", "controls", "pairs")}
    found = read_or_begin(options.out, asked, KINDS)
    kinds = [options.only] if options.only else list(KINDS)
    for task in TASKS if kinds != ["family"] else ():
        split, ranking = source_of(model, task, options.data, layer)
        effects = np.zeros(0) if kinds == ["measured"] else effects_of(model, split, ranking, options.pairs)
        for size in SIZES if "additive" in kinds else ():
            ps = found["additive"].setdefault(f"{task} {size}", [])
            if len(ps) < options.sets:
                ps[:] = additive(effects, ranking, size, options)
                write_whole(options.out, found)
            console.print(f"additive {task} {size}: {sum(p <= LEVEL + 1e-9 for p in ps)} of {len(ps)}")
        for name, size in MEASURED if "measured" in kinds else ():
            if name != task:
                continue
            ps = found["measured"].setdefault(f"{task} {size}", [])
            every = list(random_sets(ranking, size, options.sets, options.controls))
            while len(ps) < options.sets:
                ps += measured(model, split.test.limit(options.pairs), every[len(ps) : len(ps) + BATCH])
                write_whole(options.out, found)
                console.print(f"measured {task} {size}: {sum(p <= LEVEL + 1e-9 for p in ps)} of {len(ps)}")
    tasks = []
    for split, ranking in (source_of(model, task, options.data, layer) for task in FAMILY if "family" in kinds):
        tasks.append((effects_of(model, split, ranking, options.pairs), ranking))
    for size, share in product(SIZES, SHARES) if "family" in kinds else ():
        ps = found["family"].setdefault(f"{size} {share:g}", [])
        if len(ps) < options.sets:
            ps[:] = family(tasks, size, share, options)
            write_whole(options.out, found)
        console.print(f"family {size}, {share:.0%} shared: {sum(p <= LEVEL + 1e-9 for p in ps)} of {len(ps)}")
    found["judged"] = {kind: judge(found[kind], options.sets) for kind in ("additive", "measured")}
    console.print(found["judged"])
    write_whole(options.out, found)


def _first_and_rest(values: Sequence[float]) -> tuple[float, Sequence[float]]:
    return values[0], values[1:]


def read_or_begin(path: Path, asked: dict[str, Any], kinds: Sequence[str]) -> dict[str, Any]:
    """What is there, if it was asked for in the same way."""
    if not path.exists():
        return {"asked": asked} | {kind: {} for kind in kinds}
    found: dict[str, Any] = json.loads(path.read_text("utf-8"))
    if found["asked"] != asked:
        raise SystemExit(f"{path} was made with other options; name another file with --out")
    return found


def write_whole(path: Path, found: dict[str, Any]) -> None:
    """Whole or not at all."""
    draft = path.with_suffix(".draft")
    draft.write_text(json.dumps(found, indent=1) + "\n", "utf-8")
    os.replace(draft, path)


if __name__ == "__main__":
    main()

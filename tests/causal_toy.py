"""Small tasks with made-up results of the one layer, and what the causal units make of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from tiny_models import WIDTH, random_pairs

from neurosteer.experiments.causal import EXPERIMENT
from neurosteer.experiments.causal.sets import sets_name
from neurosteer.experiments.causal.sources import attribution_name
from neurosteer.experiments.design import Design
from neurosteer.experiments.experiment import Task, Work
from neurosteer.experiments.intervals import TaskSamples
from neurosteer.experiments.recipe import Recipe, override
from neurosteer.experiments.shared.one_layer import one_layer_name
from neurosteer.experiments.shared.states import states_name
from neurosteer.model import Model
from neurosteer.pairs import Pair, Pairs, Split
from neurosteer.progress import QUIET
from neurosteer.runner.units import Unit, UnitResult

LAYER = 1
MASSIVE = [4, 9]
PHENOMENA = {"ant": "crawls", "bee": "flies", "cat": "walks", "dog": "walks"}
TASKS = tuple(PHENOMENA)
TESTED = 20  # pairs of a target: with fewer no preference is clean


def recipe(**changes: object) -> Recipe:
    asked = {
        "topk": 3,
        "controls": 3,
        "nulls": 2,
        "layer": LAYER,
        "lambda": 0.9,
        "test_pairs": TESTED,
        "attribution_pairs": 6,
        "seed": 4,
        "l0_steps": 150,
        "measured": ("ant", "bee", "cat"),
    }
    return override(Recipe("toy"), {"experiments": "causal", **asked, **changes})


def toy_pairs(task: str, *, n: int = 120) -> Pairs:
    """Every task has a first word of its own, so that no two share a sentence."""
    seed = TASKS.index(task)
    pairs = random_pairs(n, seed=seed, longest=8, task=task)
    begun = [Pair(f"w{58 + seed} {pair.good}", f"w{58 + seed} {pair.bad}", pair.id) for pair in pairs]
    return replace(pairs, pairs=tuple(begun), phenomenon=PHENOMENA[task])


def toy_splits() -> dict[str, Split]:
    return {task: toy_pairs(task).split() for task in TASKS}


def one_layer_result(seed: int) -> UnitResult:
    """Two units are massive, and one of them the best by Welch; the mask leaves only 20 and 21 open."""
    rng = np.random.default_rng(seed)
    arrays = {name: rng.normal(size=WIDTH).astype(np.float32) for name in ("token_mean", "eos_mean")}
    arrays |= {name: rng.uniform(0.5, 1.5, WIDTH).astype(np.float32) for name in ("token_var", "eos_var")}
    arrays["token_mean"][MASSIVE] = 60.0
    t = rng.uniform(-2, 2, WIDTH)
    t[[4, 5, 6]] = [-9.0, 8.0, -7.0]
    l0 = np.zeros(WIDTH, dtype=np.float32)
    l0[[20, 21]] = [0.5, 0.1]
    return UnitResult({**arrays, "t": t, "l0": l0, "tokens": np.array([99])}, {})


def states_result(split: Split) -> UnitResult:
    """States of all pairs: a word of its own moves unit 12, whatever the sentence, and unit 7 tells good from bad."""
    pairs = 1 + max(max(part) for part in split.indices.values() if part)
    values = np.random.default_rng(pairs).normal(size=(pairs, 2, 1, WIDTH)).astype(np.float32)
    values[:, 0, 0, 7] += 2.0
    values[:, :, 0, 12] += 3.0
    return UnitResult({"values": values}, {})


def work_of(model: Model, asked: Recipe, splits: Mapping[str, Split]) -> Work:
    """The pairs of each task are those of its test part, which has its name and phenomenon."""
    tasks = [Task(split.test, split) for split in splits.values()]
    samples = TaskSamples.of([task.phenomenon for task in tasks], asked.seed)
    design = Design.of(asked, model, EXPERIMENT.needs)
    return Work(asked, design, model, lambda: model, tasks, samples, QUIET)


def all_units(model: Model, asked: Recipe, splits: Mapping[str, Split]) -> list[Unit]:
    """Those of every task, then what is measured."""
    work = work_of(model, asked, splits)
    units = [unit for task in work.tasks for unit in EXPERIMENT.task_units(work, task)]
    return units + EXPERIMENT.joint_units(work)


@dataclass(frozen=True, eq=False)
class Toy:
    """A recipe that has been run on some tasks."""

    work: Work
    splits: Mapping[str, Split]
    units: Mapping[str, Unit]
    results: dict[str, UnitResult]

    @classmethod
    def run(
        cls,
        model: Model,
        asked: Recipe,
        splits: Mapping[str, Split],
        one_layer: Mapping[str, UnitResult],
        *,
        only: tuple[str, ...] = ("",),
    ) -> Toy:
        """Units read what they say they need, and nothing else. Computed are `only` those whose names begin so."""
        results = {one_layer_name(task): result for task, result in one_layer.items()}
        results |= {states_name(task): states_result(split) for task, split in splits.items()}
        units = all_units(model, asked, splits)
        for unit in (unit for unit in units if unit.name.startswith(only)):
            results[unit.name] = unit.compute({name: results[name] for name in unit.needs}.__getitem__)
        return cls(work_of(model, asked, splits), splits, {unit.name: unit for unit in units}, results)

    def unit(self, target: str, source: str) -> Unit:
        """The one that measures what a source does to a target."""
        [unit] = [
            unit
            for name, unit in self.units.items()
            if name.startswith(f"causal-{target}-") and sets_name(source) in unit.needs
        ]
        return unit

    def cells(self, target: str, source: str = "ant") -> UnitResult:
        """What it measured."""
        return self.results[self.unit(target, source).name]

    def variants(self, source: str, method: str) -> list[list[int]]:
        """The units of a set, then of its controls."""
        rows: list[list[int]] = self.results[sets_name(source)].arrays[method].tolist()
        return rows

    def margins(self, source: str, target: str, method: str) -> np.ndarray:
        """`[variant pair]` of a cell; no row where the set is empty."""
        result, count = self.cells(target, source), len(self.variants(source, method))
        [row] = [r["row"] for r in result.values["sets"] if (r["source"], r["method"]) == (source, method)]
        start = 0 if row is None else row
        return np.asarray(result.arrays["margins"][start : start + count])

    def nulls(self, task: str, method: str) -> np.ndarray:
        """`[null pair]`: margins under its null sets."""
        [result] = [result for name, result in self.results.items() if name.startswith(f"nulls-{task}-")]
        return np.asarray(result.arrays[method])

    def chosen(self, task: str, method: str) -> list[int]:
        """By hand: the three best, without massive ones and those whose score is not above 0."""
        arrays = self.results[one_layer_name(task)].arrays
        scores = {"welch": np.abs(arrays["t"]), "l0": arrays["l0"], "attribution": self.drops(task)}[method]
        order = [unit for unit in np.argsort(-scores, kind="stable").tolist() if unit not in MASSIVE]
        return sorted(unit for unit in order[:3] if scores[unit] > 0)

    def drops(self, task: str) -> np.ndarray:
        return self.results[attribution_name(task)].arrays["drop"]


def run_toy(model: Model, asked: Recipe) -> Toy:
    """All four tasks; the mask of `bee` is closed everywhere, `cat` looks like `ant`."""
    splits = toy_splits()
    one_layer = {task: one_layer_result(i) for i, task in enumerate(splits)}
    one_layer["cat"] = one_layer["ant"]
    one_layer["bee"].arrays["l0"][:] = 0
    return Toy.run(model, asked, splits, one_layer)

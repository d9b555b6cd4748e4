"""Outcomes of recipes made by hand, with numbers like real ones: what the paper's pages are drawn from.

The tasks are BLiMP's names; every number is invented, as the tests are about how given numbers are laid out, for
as many tasks and layers as a real run has. That such outcomes could be real is tested in `test_against_plain_loops`.
"""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from made_causal import made_causal
from matplotlib.figure import Figure
from PIL import Image

from neurosteer.experiments import files
from neurosteer.experiments.experiment import Caption, Drawing
from neurosteer.experiments.outcome import Outcome
from neurosteer.experiments.page import outcome_page as typed_page
from neurosteer.experiments.recipe import Recipe, override
from neurosteer.experiments.registry import NAMES, experiment_of
from neurosteer.pairs import TASKS
from neurosteer.report.table import Table
from neurosteer.results import record

Row = dict[str, Any]
DOT = BytesIO()
Image.new("RGB", (1, 1)).save(DOT, "png", dpi=(96, 96))
LAMBDAS = (0.05, 0.1, 0.2, 0.4, 0.8, 1.0)
METHODS = ("welch", "l0", "attribution")
ALL = ("fig2", "fig3", "fig4", "fig5", "fig6", "overlap", "controls", "causal")
PARTS = {
    "pair": {"train": 600, "validation": 200, "test": 200, "dropped": 0},
    "lexical": {"train": 300, "validation": 100, "test": 100, "dropped": 500},
}
BASELINES = ("majority", "length", "last_word", "unigram", "stem", "bigram")


def typed(outcome: Row) -> Outcome:
    """The object that `make_outcome` is the JSON of."""
    return Outcome.from_dict(outcome)


def outcome_figures(outcome: Row) -> list[tuple[str, Figure]]:
    return [(name, draw()) for name, draw in typed(outcome).drawings()]


def outcome_csvs(outcome: Row) -> dict[str, str]:
    return dict(typed(outcome).csvs())


def write_outcome(outcome: Row, folder: Path) -> list[str]:
    return files.write_outcome(typed(outcome), folder)


def outcome_page(outcome: Row, pictures: dict[str, bytes] | None = None) -> str:
    """With a dot for every picture, where none are given."""
    return typed_page(typed(outcome), pictures or dict.fromkeys(every_drawing(), DOT.getvalue()))


def tables_of(outcome: Row) -> list[Table]:
    """Of the only experiment."""
    made = typed(outcome)
    [(name, result)] = made.results.items()
    return experiment_of(name).tables(result, made.scope)


def caption_of(figure: str, outcome: Row) -> Caption:
    return every_drawing()[figure].caption(typed(outcome).scope)


def every_drawing() -> dict[str, Drawing[Any]]:
    """By the names of their files."""
    return {
        f"{name}.{middle}".rstrip("."): drawing
        for name in NAMES
        for middle, drawing in experiment_of(name).drawings.items()
    }


class Maker:
    """Draws the numbers of one outcome; the same arguments make the same outcome."""

    def __init__(self, n_tasks: int, layers: Sequence[int], width: int, k: int, lambdas: Sequence[float]) -> None:
        chosen = sorted((task.phenomenon, task.uid) for task in TASKS)[:n_tasks]
        self.tasks = [uid for _, uid in chosen]
        self.phenomena = [phenomenon for phenomenon, _ in chosen]
        self.layers, self.width, self.k, self.lambdas = tuple(layers), width, k, tuple(lambdas)
        self.ks = tuple(sorted({2**i for i in range(width.bit_length()) if 2**i < width} | {k, width}))
        rest = width - k
        self.sizes = (*(k * 2**i for i in range(12) if k * 2**i < rest), rest)
        self.rng = np.random.default_rng(7)

    def ends(self, name: str, value: float | None, reach: float = 0.02) -> Row:
        none = value is None or not self.intervals
        low, high = (None, None) if none else (value - reach, value + reach)
        return {name: value, f"{name}_low": low, f"{name}_high": high}

    @property
    def resampled(self) -> Row:
        """What intervals are over: phenomena, where they are enough."""
        phenomena = len(set(self.phenomena))
        enough = phenomena >= 6
        return {
            "what": "phenomena" if enough else "tasks",
            "drawn": phenomena if enough else len(self.tasks),
            "least": 6,
        }

    @property
    def intervals(self) -> bool:
        """Whether there are any."""
        return bool(self.resampled["drawn"] >= 6)

    def height(self, layer: int) -> float:
        """How much a layer holds: little at the bottom, most in the middle."""
        return float(np.sin(np.pi * (layer + 2) / (max(self.layers) + 4)))

    def noise(self, spread: float = 0.008) -> float:
        return float(self.rng.normal(0, spread))

    def dense_of(self, layer: int) -> float:
        return 0.72 + 0.17 * self.height(layer)

    def dense(self) -> list[Row]:
        return [
            {"layer": layer, "tasks": len(self.tasks), **self.ends("accuracy", self.dense_of(layer))}
            for layer in self.layers
        ]

    def excluded(self, layer: int) -> int:
        """How many tasks the dense probe does not read at a layer."""
        return 3 if layer == self.layers[0] and len(self.tasks) > 8 else 0

    def floor(self) -> Row:
        """From which accuracy on a dense probe reads anything, and how probably luck does."""
        return {"floor": 0.55, "chance_above_floor": 0.0257}

    def relative(self, layer: int, value: float) -> Row:
        excluded = self.excluded(layer)
        counts = {"relative_tasks": len(self.tasks) - excluded, "excluded": excluded}
        ends = {**self.ends("relative", value, 0.01), **self.ends("relative_validation", value, 0.01)}
        return {**ends, **counts}

    def accuracies(self, names: Sequence[str]) -> Row:
        return {name: round(0.5 + 0.4 * self.rng.random(), 4) for name in names}

    def baselines(self) -> Row:
        words = dict(zip(BASELINES, (0.5, 0.543, 0.687, 0.741, 0.733, 0.782), strict=True))
        return {**words, "tokens": {"count": 0.551, "unigram": 0.761, "bigram": 0.803}}

    def fig2(self) -> Row:
        rows = []
        for layer, lam in product(self.layers, self.lambdas):
            kept = 1.0 if lam == 1 else min(1.0, 0.7 * lam**0.8 * (0.6 + layer / (max(self.layers) + 1)))
            share = 1 - 0.16 * (1 - lam) ** 3 + (self.noise() if lam < 1 else 0)
            dense = self.dense_of(layer)
            row = {"layer": layer, "lambda": lam, "tasks": len(self.tasks), **self.ends("kept", kept, 0.03)}
            rows.append(row | self.ends("accuracy", share * dense) | self.relative(layer, share))
        wide = [
            {"task": task, "layer": layer, "dense": self.dense_of(layer)}
            | {f"accuracy@{lam:g}": 0.7 + self.noise() for lam in self.lambdas}
            for task, layer in product(self.tasks, self.layers)
        ]
        rises = [{"lambda": lam, **self.ends("rho", 0.3)} for lam in self.lambdas if lam < 1]
        about = {"experiment": "fig2", "lambdas": list(self.lambdas), "rows": rows, "rises": rises}
        about |= {"dense": self.dense()}
        return {**about, **self.floor(), "baselines": self.baselines(), "tables": {"": rows, "tasks": wide}}

    def fig3(self) -> Row:
        rows = []
        for layer, k in product(self.layers, self.ks):
            share = 0.5 / 0.85 + (1 - 0.5 / 0.85) * (np.log2(k + 1) / np.log2(self.width + 1)) ** 0.6
            dense = self.dense_of(layer)
            row = {"layer": layer, "k": k, "tasks": len(self.tasks), **self.ends("accuracy", float(share) * dense)}
            rows.append(row | self.relative(layer, float(share)))
        about = {"experiment": "fig3", "ks": list(self.ks), "rows": rows, "dense": self.dense()}
        return {**about, **self.floor(), "baselines": self.baselines(), "tables": {"": rows, "tasks": rows[:2]}}

    def fig4(self) -> Row:
        rows = []
        for layer, lam in product(self.layers, self.lambdas):
            row = {"layer": layer, "lambda": lam, "tasks": 0 if lam == 1 else len(self.tasks)}
            limit = None if lam == 1 else 0.35 + 0.6 * lam**0.5
            value = None if lam == 1 else 0.62 * limit * (0.5 + 0.5 * self.height(layer)) + self.noise()
            row |= self.ends("spearman", value) | self.ends("limit", limit)
            rows.append(row | {"undefined": len(self.tasks) - row["tasks"], "judged": row["tasks"] > 0})
        about = {"experiment": "fig4", "lambdas": list(self.lambdas)}
        return {**about, "rows": rows, "tables": {"": rows, "tasks": rows[:2]}}

    def fig5(self, *, lower: float = 0.0) -> Row:
        """Two thirds of the layers have a match; one has an open interval, the last two have none."""
        rows, curves = [], []
        last = self.layers[-2:] if len(self.layers) > 3 else ()
        for layer in self.layers:
            excluded = self.excluded(layer)
            multiple = None if layer in last else 5 + 7 * self.height(layer) + 40 * self.noise()
            row = {"layer": layer, "tasks": len(self.tasks) - excluded, "excluded": excluded}
            row |= self.ends("top", self.dense_of(layer) * 0.82 - lower)
            several = multiple is not None and self.intervals
            low, high = (0.7 * multiple, 1.5 * multiple) if several else (None, None)
            if layer in last and self.intervals:
                low = 30.0
            if layer == self.layers[len(self.layers) // 2] and len(self.layers) > 3:
                high = None
            for name, times in (("equivalent", self.k), ("multiple", 1)):
                ends = {"": multiple, "_low": low, "_high": high}
                row |= {f"{name}{end}": None if value is None else value * times for end, value in ends.items()}
            rows.append(
                row
                | {
                    "censored": 0.02 if multiple else 0.93,
                    "beyond": multiple is None,
                    "median_multiple": None if multiple is None else 0.8 * multiple,
                    "censored_tasks": 4 if multiple else 21,
                }
            )
            for size in self.sizes:
                value = 0.52 + (self.dense_of(layer) - 0.55) * (np.log2(size) / np.log2(self.width)) ** 1.4 - lower
                about = {"layer": layer, "size": size, "tasks": len(self.tasks) - excluded}
                curves.append(about | self.ends("accuracy", float(value)))
        settings = {"experiment": "fig5", "k": self.k, "sizes": list(self.sizes)}
        return {
            **settings,
            **self.floor(),
            "rows": rows,
            "curves": curves,
            "tables": {"": rows, "random": curves, "tasks": rows},
        }

    def same(self) -> np.ndarray:
        names = np.array(self.phenomena)
        return names[:, None] == names

    def square(self) -> np.ndarray:
        n = len(self.tasks)
        return self.rng.normal(size=(n, 1)) + 0.4 * self.rng.normal(size=(1, n)) + 0.6 * self.rng.normal(size=(n, n))

    def transfer(self, own: float) -> list[list[float]]:
        values = 0.535 + 0.05 * self.square() + 0.16 * self.same() * self.rng.random((len(self.tasks),) * 2)
        np.fill_diagonal(values, own)
        return np.clip(values, 0.15, 0.99).tolist()

    def fig6(self) -> Row:
        kinds = ("accuracy", "pairwise")
        probes = {
            "sparse": {kind: self.transfer(0.88 + 0.04 * i) for i, kind in enumerate(kinds)},
            "dense": {kind: self.transfer(0.9 + 0.04 * i) for i, kind in enumerate(kinds)},
        }
        same = self.same()
        means, general = [], []
        for i, (task, phenomenon) in enumerate(zip(self.tasks, self.phenomena, strict=True)):
            row: Row = {"task": task, "phenomenon": phenomenon}
            others, related = ~same[i], same[i].copy()
            related[i] = False
            for kind, suffix in (("accuracy", ""), ("pairwise", "_pairwise")):
                for probe, matrices in probes.items():
                    values = np.array(matrices[kind][i])
                    row[f"{probe}_own{suffix}"] = float(values[i])
                    row[f"{probe}_same{suffix}"] = float(values[related].mean()) if related.any() else None
                    row[f"{probe}_other{suffix}"] = float(values[others].mean()) if others.any() else None
            means.append(row)
            found = {"accuracy": 0.61 + 0.05 * self.noise(1), "pairwise": 0.66 + 0.05 * self.noise(1), "pairs": 200}
            general.append({"task": task, "phenomenon": phenomenon, **found})
        spreads = {"accuracy_sparse": 0.012, "accuracy_dense": 0.02, "pairwise_sparse": 0.02, "pairwise_dense": 0.034}
        several = len(self.tasks) > 1
        null = {
            name: {"mean": 0.499, "row_sd": sd, "above": 0.06}
            if several
            else dict.fromkeys(("mean", "row_sd", "above"))
            for name, sd in spreads.items()
        }
        pairs = self.pairs()
        return {
            "experiment": "fig6",
            "layer": self.middle,
            "lambda": [0.2] * len(self.tasks),
            "kept": [0.06 + 0.01 * i for i in range(len(self.tasks))],
            "tasks": self.tasks,
            "phenomena": self.phenomena,
            **probes,
            "means": means,
            "general": general,
            "null": null,
            "pairs": pairs,
            "left_out": sum(200 - count for row in pairs for count in row),
            "tables": {"": self.long(probes, pairs), "means": means, "general": general},
        }

    def pairs(self) -> list[list[int]]:
        """200 a cell, but where the second task's probe has seen 12 test pairs of the first."""
        return [[188 if (i, j) == (1, 0) else 200 for j in range(len(self.tasks))] for i in range(len(self.tasks))]

    def long(self, probes: Row, pairs: list[list[int]]) -> list[Row]:
        return [
            {"trained": a, "tested": b, "pairs": pairs[i][j]}
            | {f"{name}_accuracy": matrix["accuracy"][i][j] for name, matrix in probes.items()}
            for (i, a), (j, b) in product(enumerate(self.tasks), repeat=2)
        ]

    @property
    def middle(self) -> int:
        return self.layers[len(self.layers) // 2]

    def overlap(self) -> Row:
        methods, chance, n = ("welch", "l0"), self.k / self.width, len(self.tasks)
        matrices: Row = {}
        for method, share in zip(methods, (0.35, 0.2), strict=True):
            values = np.abs(chance + 0.04 * self.square() + share * self.same() * self.rng.random((n, n)))
            values = np.round(np.clip((values + values.T) / 2, 0, 1) * self.k) / self.k
            np.fill_diagonal(values, 1.0)
            matrices[method] = values.tolist()
        stability = [
            {
                "task": task,
                "phenomenon": phenomenon,
                "method": method,
                "folds": float(np.clip(base + 0.12 * self.noise(1), 0, 1)),
                "seeds": float(np.clip(base + 0.15 + 0.08 * self.noise(1), 0, 1)),
                "chance": chance * (0.5 if method == "l0" else 1),
            }
            for (task, phenomenon), (method, base) in product(
                zip(self.tasks, self.phenomena, strict=True), (("welch", 0.6), ("l0", 0.3))
            )
        ]
        several, across = n > 2, len(set(self.phenomena)) > 1
        return {
            "experiment": "overlap",
            "layer": self.middle,
            "k": self.k,
            "width": self.width,
            "tasks": self.tasks,
            "phenomena": self.phenomena,
            "methods": list(methods),
            "matrices": matrices,
            "chance": {"welch": chance if n > 1 else None, "l0": 0.6 * chance if n > 1 else None},
            "within": {"welch": 0.19 if several else None, "l0": 0.11 if several else None},
            "across": {"welch": 0.05 if across else None, "l0": 0.032 if across else None},
            "p": {"welch": 0.0001 if several and across else None, "l0": 0.0123456 if several and across else None},
            "stability": stability,
            "tables": {
                "": [
                    {"method": method, "task": a, "other": b, "shared": matrices[method][i][j]}
                    for method, (i, a), (j, b) in product(methods, enumerate(self.tasks), enumerate(self.tasks))
                    if a < b
                ],
                "stability": stability,
            },
        }

    def controls(self) -> Row:
        curves = {}
        for variant, lower in (("neurons", 0.0), ("rotated", 0.03), ("untrained", 0.14)):
            masked, matched = self.fig2(), self.fig5(lower=lower)
            for row in masked["dense"]:
                for key in ("accuracy", "accuracy_low", "accuracy_high"):
                    row[key] = row[key] and row[key] - (0.13 if variant == "untrained" else 0)
            curves[variant] = {
                "fig2": {"rows": masked["rows"], "dense": masked["dense"]},
                "fig3": {"rows": self.fig3()["rows"]},
                "fig5": {"rows": matched["rows"], "curves": matched["curves"]},
            }
        table = [{"variant": name, **row} for name, curve in curves.items() for row in curve["fig5"]["rows"]]
        return {
            "experiment": "controls",
            **self.floor(),
            "variants": list(curves),
            "curves": curves,
            "tables": {"": table, "masks": table[:1], "topk": table[:1]},
        }

    def causal(self) -> Row:
        return record(made_causal(len(self.tasks)))


def make_outcome(
    experiments: Sequence[str] = ALL,
    *,
    tasks: int = 67,
    layers: int | Sequence[int] = 30,
    width: int = 576,
    k: int = 6,
    lambdas: Sequence[float] = LAMBDAS,
    split: str = "pair",
) -> Row:
    """The outcome of a whole recipe; of a lexical split half of every task's pairs are left."""
    chosen = range(layers) if isinstance(layers, int) else layers
    maker = Maker(tasks, chosen, width, k, lambdas)
    made = {name: getattr(maker, name) for name in experiments}
    results = [make() for make in made.values()]
    described = [
        {"task": task, "phenomenon": phenomenon, "pairs": 1000, **PARTS[split]}
        | {"baselines": {**maker.accuracies(BASELINES), "tokens": maker.accuracies(("count", "unigram", "bigram"))}}
        for task, phenomenon in zip(maker.tasks, maker.phenomena, strict=True)
    ]
    model = {"name": "smollm2-135m", "revision": None, "fingerprint": "9f2c61d0aa", "n_layers": 30}
    model |= {"d_model": width, "dtype": "float32", "device": "cpu", "bos": 0, "eos": 0}
    return {
        "command": "run",
        "version": "0.1.0",
        "model": model,
        "recipe": recipe_of(experiments, lambdas) | {"split": split},
        "again": "neurosteer run all --set limit=200",
        "data": {"source": "nyu-mll/blimp", "pairs": 1000 * tasks, "split": split, "seed": 0},
        "tasks": described,
        "skipped": [{"task": "only_npi_scope", "reason": "no lexical split: 41 train pairs of at least 100"}],
        "settings": {
            "k": k,
            "width": width,
            "n_layers": 30,
            "layers": list(chosen),
            "ks": list(maker.ks),
            "sizes": list(maker.sizes),
            "lambdas": list(lambdas),
            "draws": 5,
            "layer": maker.middle,
            "lambda": 0.2,
            "site": "resid_post",
            "position": "eos",
            "l0": {},
            "resampled": maker.resampled,
        },
        "results": results,
        "verdicts": verdicts_of(len(maker.layers), tasks),
        "notices": [
            "2 tasks share sentences; what a probe has seen is left out of its test",
            "some units were computed with torch 2.9.0, others with torch 2.9.1",
        ],
    }


def recipe_of(experiments: Sequence[str], lambdas: Sequence[float]) -> Row:
    """A recipe as it describes itself."""
    plain = Recipe("all", title="The paper's experiments", lambdas=tuple(lambdas), data="blimp")
    return (override(plain, {"experiments": list(experiments)}) if experiments else plain).describe()


def verdicts_of(layers: int, tasks: int) -> list[Row]:
    """One of each claim; one cannot be judged."""
    said = (
        ("a", "At most 25 % of the units reach 95 % of the dense probe's accuracy, with either selection.", "layers"),
        ("b", "The two selections agree.", "layers"),
        ("c", "The chosen 1 % is worth 6 times as many random units.", "layers"),
        ("d", "Later layers spread the information over more units.", "lambdas"),
        ("e", "Some tasks' probes transfer broadly.", "training tasks"),
    )
    counts = {"layers": (layers - layers // 7, layers), "lambdas": (0, 0), "training tasks": (tasks // 5, tasks)}
    rows = []
    for claim, statement, unit in said:
        holds, of = counts[unit]
        text = f"holds in {holds} of {of} {unit}" if of else "cannot be judged here"
        criterion = f"a criterion of claim {claim} that says what is counted, at which level, and over what"
        about = {"claim": claim, "statement": statement, "criterion": criterion, "holds": holds, "of": of}
        rows.append({**about, "unit": unit, "text": text, "reading": f"Numbers behind claim {claim}, in a sentence."})
    return rows

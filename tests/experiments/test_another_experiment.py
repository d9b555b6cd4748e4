"""Another experiment is one module and one line of the registry: run, table, figure, CSV file, page and verdict."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from types import ModuleType

import numpy as np
import pytest
from matplotlib.figure import Figure
from tiny_models import random_pairs

from neurosteer.experiments import RecipeRun, open_run, registry
from neurosteer.experiments.experiment import Caption, Drawing, Experiment, Results, Work
from neurosteer.experiments.files import write_outcome
from neurosteer.experiments.outcome import Outcome
from neurosteer.experiments.plan import plan_recipe
from neurosteer.experiments.recipe import Recipe
from neurosteer.experiments.scope import Scope
from neurosteer.experiments.shared.one_layer import one_layer_name
from neurosteer.model import Model
from neurosteer.report.table import Table
from neurosteer.results import Verdict, record
from neurosteer.runner.units import Read, UnitResult


@dataclass(frozen=True)
class Tallest:
    task: str
    unit: int
    t: float


@dataclass(frozen=True)
class Toy:
    experiment: str
    rows: list[Tallest]


def compute(read: Read, work: Work, scope: Scope) -> Toy:
    t = {name: np.abs(read(one_layer_name(name)).arrays["t"]) for name in work.names}
    return Toy("toy", [Tallest(name, int(values.argmax()), float(values.max())) for name, values in t.items()])


def tables(result: Toy, scope: Scope) -> list[Table]:
    return [Table("The largest |t|", ("task", "unit"), tuple((row.task, str(row.unit)) for row in result.rows))]


def draw(result: Toy, scope: Scope) -> Figure:
    figure = Figure()
    figure.add_subplot().bar([row.task for row in result.rows], [row.t for row in result.rows])
    return figure


def verdicts(results: Results, scope: Scope) -> list[Verdict]:
    tall = sum(row.t > 2 for row in results["toy"].rows)
    return [Verdict.counted("t", "Some unit tells.", "|t| above 2", tall, len(scope.tasks), "tasks", "So it is.")]


TOY = Experiment(
    "A toy",
    Toy,
    compute,
    tables,
    Drawing(draw, lambda scope: Caption("Bars.", "Anything else.")),
    verdicts=verdicts,
    needs={"one_layer"},
)


@pytest.fixture
def toy(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("neurosteer.experiments.toy")
    vars(module)["EXPERIMENT"] = TOY
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setattr(registry, "NAMES", {**registry.NAMES, "toy": None})


def test_all_of_it(toy, llama: Model, tmp_path):
    tasks = [random_pairs(20, seed=i, longest=8, task=f"task{i}") for i in range(2)]
    recipe = Recipe("mine", experiments=("toy",), lam=0.5, l0_steps=20)
    plan = plan_recipe(recipe, llama, tasks)
    units: dict[str, UnitResult] = {}
    for unit in plan.units:
        units[unit.name] = unit.compute(units.__getitem__)
    results = plan.results(units.__getitem__)
    outcome = Outcome("0", recipe.describe(), "", plan.scope, results, plan.verdicts(results), plan.notices)
    files = write_outcome(outcome, tmp_path)
    assert files == ["results.json", "toy.csv", "toy.png", "toy.svg", "index.html"]
    page = (tmp_path / "index.html").read_text("utf-8")
    assert all(said in page for said in ("A toy", "Some unit tells.", "The largest |t|", "Bars.", 'href="./toy.csv"'))
    pictures = re.findall(r'<img src="data:image/png;base64,[^"]+" width="(\d+)" alt="Bars."', page)
    assert pictures == ["614"]  # 6.4 inches: without charts the picture is inside
    expected = [
        {"task": name, "unit": int(t.argmax()), "t": float(t.max())}
        for name in ("task0", "task1")
        for t in [np.abs(units[f"focus-{name}"].arrays["t"])]
    ]
    assert record(results["toy"]) == {"experiment": "toy", "rows": expected}
    again = open_run(tmp_path)
    assert isinstance(again, RecipeRun)
    assert again.outcome is not None
    assert (again.outcome.results, again.outcome.to_dict()) == (results, outcome.to_dict())
    assert (tmp_path / "toy.csv").read_text().splitlines()[0] == "task,unit,t"

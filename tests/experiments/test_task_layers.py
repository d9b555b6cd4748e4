"""The numbers of single tasks: in a table, and with a run that is opened again."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import pytest
from made_outcome import make_outcome, typed

import neurosteer as ns
from neurosteer.errors import InputError
from neurosteer.experiments.outcome import Outcome
from neurosteer.experiments.task_layers import TaskLayer
from neurosteer.report import to_json

ROWS = (
    TaskLayer("a", 0, 0.75, {"random@40": 0.5, "top": 0.9, "equivalent": None, "censored": True}),
    TaskLayer("b, c", 3, 2 / 3, {"random@40": 0.25, "top": 0.8, "equivalent": 80.0, "censored": False}),
)


def made() -> Outcome:
    outcome = typed(make_outcome(["fig2", "fig5"], tasks=3, layers=4))
    results = {name: replace(result, by_task=ROWS) for name, result in outcome.results.items()}
    return replace(outcome, results=results)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    outcome = made()
    (tmp_path / "results.json").write_text(to_json(outcome.to_dict()))
    for name, text in outcome.csvs():
        (tmp_path / name).write_text(text)
    return tmp_path


def test_the_table_has_a_column_for_each_value(folder: Path):
    with (folder / "fig5.tasks.csv").open(newline="") as file:
        first, second = csv.DictReader(file)
    assert list(first) == ["task", "layer", "dense", "random@40", "top", "equivalent", "censored"]
    assert list(first.values()) == ["a", "0", "0.75", "0.5", "0.9", "", "true"]
    assert (second["task"], second["dense"], second["equivalent"]) == ("b, c", "0.666667", "80.0")


def test_they_are_there_when_the_run_is_opened(folder: Path):
    """With the six digits of the table."""
    opened = ns.open_run(folder, ns.RecipeRun).outcome
    for name in ("fig2", "fig5"):
        first, second = opened.results[name].by_task
        assert first == ROWS[0]
        assert second == replace(ROWS[1], dense=0.666667)
    assert opened.to_dict() == made().to_dict()
    assert dict(opened.csvs()) == dict(made().csvs())


def test_without_its_tables_a_run_opens_too(folder: Path):
    (folder / "fig2.tasks.csv").unlink()
    assert ns.open_run(folder).outcome.results["fig2"].by_task == ()


def test_a_table_of_another_kind_is_one_line(folder: Path):
    (folder / "fig2.tasks.csv").write_text("x,y\n1,2\n")
    with pytest.raises(InputError, match="is not the result of `neurosteer run`"):
        ns.open_run(folder)

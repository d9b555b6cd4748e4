"""The rooms below, faked: the command line is tested without a model and without the network."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from neurosteer.cli import main
from neurosteer.pairs import LexicalSplitError


def entry_of(task: str) -> dict[str, Any]:
    split = {"kind": "pair", "seed": 0, "train": 6, "validation": 2, "test": 2, "dropped": 0}
    layer = {
        "layer": 0,
        "dense": 0.9,
        "topk": 0.8,
        "topk_by_method": {"welch": 0.8},
        "random": {"mean": 0.6, "low": 0.5, "high": 0.7},
        "l0": None,
        "spearman": None,
        "significant": 3,
        "new_words": None,
    }
    return {
        "task": task,
        "data": {"source": "fake", "pairs": 10, "digest": "d", "split": split},
        "baselines": {"majority": 0.5},
        "baselines_new_words": None,
        "layers": [layer],
        "best_layer": 0,
        "k": 2,
        "width": 8,
        "methods": ["welch"],
        "rankings": {},
        "neurons": {"welch": [{"layer": 0, "unit": 1, "score": 2.0}]},
        "reading": f"A sentence about {task}.",
        "notices": [f"a notice about {task}"],
    }


@dataclass
class Rooms:
    """What the fakes were called with, and how they should behave."""

    calls: dict[str, dict[str, Any]] = field(default_factory=dict)
    tasks: list[str] = field(default_factory=lambda: ["intransitive"])
    unsplittable: set[str] = field(default_factory=set)
    error: BaseException | None = None

    def load_tasks(self, tasks: Any, **options: Any) -> list[Any]:
        self.calls["load_tasks"] = {"tasks": tasks, **options}
        return [SimpleNamespace(task=task) for task in self.tasks]

    def load_model(self, name: str, **options: Any) -> str:
        self.calls["load_model"] = {"name": name, **options}
        options["progress"].step("loading", 1, 2)
        return "the model"

    def find(self, model: str, pairs: Any, **options: Any) -> Any:
        self.calls["find"] = options
        if self.error is not None:
            raise self.error
        if pairs.task in self.unsplittable:
            raise LexicalSplitError(f"'{pairs.task}' has too few words")
        return SimpleNamespace(task=pairs.task, entry=entry_of(pairs.task))

    def save_find(
        self, model: str, founds: list[Any], *, out: Path, options: dict[str, Any], skipped: list[Any]
    ) -> Any:
        self.calls["save_find"] = {"options": options}
        run = out / "run-1"
        run.mkdir(parents=True)
        (run / "figure.png").write_bytes(b"")
        return run, {
            "command": "find",
            "version": "0",
            "model": {},
            "results": [found.entry for found in founds],
            "skipped": skipped,
        }


@pytest.fixture
def rooms(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Rooms:
    fakes = Rooms()
    for name, members in {"model": ["load_model"], "studies": ["find", "save_find"]}.items():
        module = ModuleType(f"neurosteer.{name}")
        for member in members:
            setattr(module, member, getattr(fakes, member))
        monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setattr("neurosteer.pairs.load_tasks", fakes.load_tasks)
    monkeypatch.chdir(tmp_path)
    return fakes


@dataclass(frozen=True)
class Outcome:
    code: int
    out: str
    err: str


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Any:
    for name in ("HF_HUB_OFFLINE", "HF_DATASETS_OFFLINE", "TRANSFORMERS_OFFLINE"):
        monkeypatch.setenv(name, "0")  # so that what a command sets is undone afterwards
    for name in ("HF_HUB_DISABLE_PROGRESS_BARS", "HF_DATASETS_DISABLE_PROGRESS_BARS"):
        monkeypatch.setenv(name, "0")

    def run_main(*arguments: str) -> Outcome:
        with pytest.raises(SystemExit) as stop:
            main(list(arguments))
        captured = capsys.readouterr()
        return Outcome(stop.value.code, captured.out, captured.err)

    return run_main

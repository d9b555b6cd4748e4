"""The run folder of `ablate` and `amplify`: what it holds, and that nothing half-done stays."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from neurosteer.edits import Edit
from neurosteer.model import Model
from neurosteer.neurons import NeuronSet
from neurosteer.store import check_path
from neurosteer.studies import Effect, Found, list_runs, measure_effect, save_effects, with_origin
from neurosteer.studies.effects import save


@pytest.fixture(scope="module")
def effects(
    llama: Model, found: Found, neutral: Path, apart: Callable[[], AbstractContextManager[None]]
) -> list[Effect]:
    """By two methods, the second with a curve."""
    asked: dict[str, Any] = {"controls": 1, "neutral": neutral}
    with apart():
        return [
            measure_effect(llama, found.test, Edit.ablate(found.ranking("welch").top(3)), **asked),
            measure_effect(llama, found.test, Edit.ablate(found.ranking("l0").top(2)), scales=[1.0, 2.0], **asked),
        ]


def saved(
    model: Model, effects: list[Effect], found: Found, out: Path, **options: Any
) -> tuple[Path, dict[str, Any]]:
    return save_effects(model, effects, command="ablate", out=out, options=options)


def test_what_a_run_folder_holds(tmp_path: Path, llama: Model, found: Found, effects: list[Effect]):
    folder, result = saved(llama, effects, found, tmp_path / "runs", k=3)
    assert {path.name for path in folder.iterdir()} == {
        "MANIFEST.json",
        "results.json",
        *(f"made{figure}.{kind}" for figure in ("", ".l0.doses") for kind in ("png", "svg")),
        *(f"made.{method}{end}" for method in ("welch", "l0") for end in (".csv", ".safetensors")),
    }
    assert json.loads((folder / "results.json").read_text("utf-8")) == result
    assert (result["command"], result["options"], result["model"]) == ("ablate", {"k": 3}, llama.describe())
    for entry, effect in zip(result["results"], effects, strict=True):
        files = entry.pop("files")
        assert entry == effect.entry
        assert Path(files["pairs"]).read_text("utf-8") == effect.to_csv()
        assert list(NeuronSet.load(files["neurons"])) == list(effect.edit.neurons)
    rows = check_path(tmp_path / "runs")
    assert [(row["kind"], row["ok"]) for row in rows] == [("neurons", True), ("neurons", True), ("run", True)]
    [run] = list_runs(tmp_path / "runs")
    assert (run["command"], run["tasks"], run["run"]) == ("ablate", ["made"], folder.name)


def test_what_is_said_of_the_origin_is_kept(tmp_path: Path, llama: Model, found: Found, effects: list[Effect]):
    told = [with_origin(effect, neurons_from="here", method="mine") for effect in effects[:1]]
    _, result = saved(llama, told, found, tmp_path)
    assert (result["results"][0]["neurons_from"], result["results"][0]["method"]) == ("here", "mine")
    assert "neurons_from" not in effects[0].entry


def test_the_name_says_what_was_asked(tmp_path: Path, llama: Model, found: Found, effects: list[Effect]):
    names = [saved(llama, effects[:1], found, tmp_path, k=k)[0].name for k in (3, 4, 3)]
    assert names[0] == names[2] != names[1]
    assert all(name.startswith("ablate-made-") for name in names)


@pytest.mark.parametrize("when", ["write_bytes", "save_pictures"])
def test_a_failing_save_leaves_nothing(
    tmp_path: Path,
    llama: Model,
    found: Found,
    effects: list[Effect],
    monkeypatch: pytest.MonkeyPatch,
    when: str,
):
    def fail(*_args: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(save, when, fail)
    with pytest.raises(KeyboardInterrupt):
        saved(llama, effects, found, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_neurons_that_say_nothing_of_a_method(tmp_path: Path, llama: Model, found: Found, neutral: Path):
    """A set made by hand is saved like any other."""
    neurons = replace(found.ranking().top(2), metadata={})
    effect = measure_effect(llama, found.test, Edit.ablate(neurons), controls=0, neutral=neutral)
    folder, _ = saved(llama, [effect], found, tmp_path)
    [kept] = folder.glob("*.safetensors")
    assert list(NeuronSet.load(kept)) == list(neurons)

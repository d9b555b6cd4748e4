"""Run folders: all or nothing, replaced, listed."""

from __future__ import annotations

import json
import os
from contextlib import nullcontext
from pathlib import Path

import pytest
import torch
from sizes import quick_and_slow

from neurosteer import report
from neurosteer.artefacts import check_path
from neurosteer.neurons import Ranking
from neurosteer.progress import Progress
from neurosteer.results import record
from neurosteer.store import write_manifest
from neurosteer.studies import find, runs, save_find
from neurosteer.studies.finding import save

pytestmark = pytest.mark.usefixtures("blank_pictures")

FILES = [
    "MANIFEST.json",
    "index.html",
    "made.csv",
    "made.l0.safetensors",
    "made.png",
    "made.probes.safetensors",
    "made.states.safetensors",
    "made.svg",
    "made.welch.safetensors",
    "results.json",
]


def everything(folder: Path) -> list[str]:
    """All but locks, which stay for whoever comes next."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.suffix != ".lock")


def test_what_a_run_folder_holds(tmp_path, llama, found):
    folder, result = save_find(llama, [found], out=tmp_path / "runs", options={"k": 3})
    assert everything(folder) == FILES
    assert everything(tmp_path / "runs") == sorted([folder.name, *(f"{folder.name}/{name}" for name in FILES)])
    assert json.loads((folder / "results.json").read_text("utf-8")) == result
    assert (folder / "made.csv").read_text("utf-8") == found.to_csv()
    for method, path in result["results"][0]["rankings"].items():
        assert torch.equal(Ranking.load(path).scores, found.ranking(method).scores)
    rows = check_path(tmp_path / "runs")
    assert [(row["kind"], row["ok"]) for row in rows] == [
        ("ranking", True),
        ("probes", True),
        ("states of neurons", True),
        ("ranking", True),
        ("run", True),
    ]


def test_saving_changes_nothing_in_what_was_found(tmp_path, llama, found):
    before = found.to_json()
    save_find(llama, [found], out=tmp_path, options={})
    assert found.to_json() == before


def test_the_name_says_what_was_asked(tmp_path, llama, found):
    names = [
        save_find(llama, [found], out=tmp_path, options=options)[0].name for options in ({}, {"k": 3}, {"k": 4}, {})
    ]
    assert names[0] == names[3]
    assert len(set(names)) == 3
    assert all(name.startswith("find-made-") for name in names)


@pytest.mark.parametrize(
    ("room", "when"),
    [(save, "write_bytes"), (runs, "write_bytes"), (report, "save_pictures"), (runs, "write_manifest")],
    ids=["csv", "json", "figure", "manifest"],
)
@pytest.mark.parametrize(
    "error", quick_and_slow([OSError(28, "No space left on device")], [KeyboardInterrupt()]), ids=["disk", "ctrl-c"]
)
def test_a_failing_save_leaves_nothing(tmp_path, llama, found, monkeypatch, room, when, error):
    def fail(*_args: object) -> None:
        raise error

    old, _ = save_find(llama, [found], out=tmp_path, options={"run": "old"})
    if when == "save_pictures" and isinstance(error, KeyboardInterrupt):
        pytest.skip("the numbers are kept: see the next test")
    for options in ({"run": "old"}, {"run": "new"}):
        before = {path: (old / path).read_bytes() for path in everything(old)}
        with monkeypatch.context() as patch, pytest.raises(type(error)):  # noqa: PT012
            patch.setattr(room, when, fail)
            save_find(llama, [found], out=tmp_path, options=options)
        assert everything(tmp_path) == sorted([old.name, *(f"{old.name}/{name}" for name in FILES)])
        assert {path: (old / path).read_bytes() for path in everything(old)} == before


@pytest.mark.parametrize(
    ("room", "where", "what"),
    [(report, "find_figure", "made"), (report, "save_pictures", "made"), (runs, "run_page", "index.html")],
)
@pytest.mark.parametrize(
    "error", quick_and_slow([ValueError("no\nLaTeX")], [KeyboardInterrupt()]), ids=["error", "ctrl-c"]
)
def test_results_are_kept_where_a_figure_fails(tmp_path, llama, found, monkeypatch, room, where, what, error):
    """Whatever the drawing library says is one notice; Ctrl-C still stops the command."""

    def fail(*_args: object) -> None:
        raise error

    lost = {"made": (".png", ".svg"), "index.html": (".html",)}
    notices: list[str] = []
    progress = Progress()
    monkeypatch.setattr(progress, "notice", notices.append)
    stops = nullcontext() if isinstance(error, ValueError) else pytest.raises(type(error))
    monkeypatch.setattr(room, where, fail)
    with stops:
        save_find(llama, [found], out=tmp_path, options={}, progress=progress)
    assert notices == (
        [f"no figure {what} (ValueError: no LaTeX); its numbers are kept"] if isinstance(error, ValueError) else []
    )
    [folder] = tmp_path.iterdir()
    drawn = (".png", ".svg", ".html") if what == "made" and isinstance(error, KeyboardInterrupt) else lost[what]
    assert everything(folder) == [name for name in FILES if not name.endswith(drawn)]
    assert all(row["ok"] for row in check_path(tmp_path))
    monkeypatch.undo()
    save_find(llama, [found], out=tmp_path, options={})
    assert everything(folder) == FILES


def test_a_second_run_replaces_the_first(tmp_path, llama, found):
    folder, _ = save_find(llama, [found], out=tmp_path, options={})
    (folder / "made.csv").write_text("changed by hand")
    (folder / "stray.txt").write_text("left here")
    again, _ = save_find(llama, [found], out=tmp_path, options={})
    assert again == folder
    assert everything(folder) == FILES
    assert all(row["ok"] for row in check_path(tmp_path))


def test_several_tasks_in_one_folder(tmp_path, llama, few, found):
    from dataclasses import replace

    other = find(llama, replace(few, task="other"), layers=[0], methods=("welch",), topk=3, draws=1)
    skipped = [{"task": "third", "reason": "too few words"}]
    folder, result = save_find(llama, [found, other], out=tmp_path, options={}, skipped=skipped)
    assert folder.name.startswith("find-made+1-")
    assert [entry["task"] for entry in result["results"]] == ["made", "other"]
    assert result["skipped"] == skipped
    assert set(everything(folder)) == {
        *FILES,
        "other.csv",
        "other.png",
        "other.probes.safetensors",
        "other.states.safetensors",
        "other.svg",
        "other.welch.safetensors",
    }


def test_list_runs_newest_first(tmp_path, llama, found):
    assert runs.runs(tmp_path / "none") == []
    folders = [save_find(llama, [found], out=tmp_path, options={"run": i})[0] for i in range(3)]
    for folder, time in zip(folders, (200_000, 300_000, 100_000), strict=True):
        os.utime(folder / "MANIFEST.json", (time, time))
    (tmp_path / "unfinished").mkdir()
    (tmp_path / "unfinished" / "results.json").write_text("{}")
    (tmp_path / "damaged").mkdir()
    (tmp_path / "damaged" / "MANIFEST.json").write_text("{}")
    (tmp_path / "damaged" / "results.json").write_text("{")
    listed = runs.runs(str(tmp_path))
    assert [run.path for run in listed] == [str(folders[i]) for i in (1, 0, 2)]
    first = listed[0]
    assert (first.run, first.command, first.model, first.tasks) == (folders[1].name, "find", llama.name, ("made",))
    assert (first.data, first.site, first.layers, first.topk) == (found.pairs.source, "resid_post", (0, 1, 2), 3)
    assert listed[2].when.startswith("1970-01-0")


def test_every_kind_of_run_is_listed(tmp_path):
    """By hand, as version 0.1 wrote them: with keys that no listing needs, without those that it can spare."""
    edit = {"kind": "zero", "scale": 0.0, "where": "all", "site": "mlp_out", "layers": [3, 9], "k": 40}
    model, data = {"name": "m", "d_model": 8}, {"source": "./mine", "pairs": 80}
    many = [{"task": f"t{i}", "phenomenon": None} for i in range(67)]
    made = {
        "find": {"results": [{"task": "a", "data": data, "site": "resid_pre", "layers": [{"layer": 2}], "k": 6}]},
        "ablate": {
            "results": [{"task": "a", "data": data, "edit": edit, "method": name} for name in ("l0", "welch")]
        },
        "score": {"results": [{"task": name, "data": data, "accuracy": 0.5} for name in ("b", "a")]},
        "run": {
            "tasks": many,
            "data": {"source": "blimp"},
            "settings": {"site": "attn_out", "layers": [0, 1], "k": 6},
            "results": [{"experiment": "fig5"}],
        },
    }
    for command, result in made.items():
        folder = tmp_path / f"{command}-1"
        folder.mkdir()
        (folder / "results.json").write_text(json.dumps({"command": command, "model": model, **result}))
        write_manifest(folder)
    listed = {run.command: run for run in runs.runs(tmp_path)}

    def about(run):
        return run.tasks, run.data, run.site, run.layers, run.topk

    assert about(listed["find"]) == (("a",), "./mine", "resid_pre", (2,), 6)
    assert about(listed["ablate"]) == (("a",), "./mine", "mlp_out", (3, 9), 40)
    assert about(listed["score"]) == (("b", "a"), "./mine", None, None, None)
    assert about(listed["run"]) == (tuple(f"t{i}" for i in range(67)), "blimp", "attn_out", (0, 1), 6)
    assert list(record(listed["find"])) == [
        *("run", "command", "model", "tasks", "path", "when"),
        *("data", "site", "layers", "topk"),
    ]

"""`neurosteer run` and `ls recipes`: what they ask of the runner, and what they print."""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path
from typing import Any

import pytest
from stub_recipe import contents, expected_sums, stub_plan, stub_rooms, write_pairs, write_recipe

from neurosteer.cli.run import size
from neurosteer.experiments.recipe import Recipe, read_recipe
from neurosteer.experiments.run import work_on_recipe
from neurosteer.runner.claims import Claims
from neurosteer.store import versions


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with `sums.toml`, whose units, model and figures are stubs."""
    for name, module in stub_rooms(stub_plan).items():
        monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.chdir(tmp_path)
    write_pairs(tmp_path / "made.jsonl")
    write_recipe(tmp_path / "sums.toml")
    return tmp_path


@pytest.fixture
def asked(place: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What `run_recipe` is asked for; nothing is run."""
    given: dict[str, Any] = {}

    def run_recipe(recipe: Recipe, **options: Any) -> Any:
        given.update(recipe=recipe, **options)
        raise KeyboardInterrupt

    monkeypatch.setattr("neurosteer.experiments.run_recipe", run_recipe)
    return given


def test_what_is_printed(run, place):
    outcome = run("run", "sums.toml")
    [folder] = (place / "runs").iterdir()
    folder = folder.relative_to(place)
    assert outcome.code == 0
    assert outcome.out.splitlines() == [
        "(a) Sums add up: holds in 4 of 4 joints",
        f"page    {folder / 'index.html'}",
        f"run     {folder}",
        f"figure  {folder / 'fig5.png'}",
    ]
    assert outcome.err.splitlines() == ["0 of 40 units, 0 %, about 46 s left", "note: a stub"]
    before = contents(place)
    again = run("run", "sums.toml", "--quiet")
    assert (again.code, again.out, again.err) == (0, outcome.out, "")
    assert contents(place) == before


def test_json_is_the_outcome_and_nothing_else(run, place):
    outcome = run("run", "sums.toml", "--format", "json", "--out", "kept")
    result = json.loads(outcome.out)
    [results] = Path("kept").glob("*/results.json")
    assert result == json.loads(results.read_text())
    assert result["results"][0]["sums"] == expected_sums()


def test_another_version_is_told_once(run, place, monkeypatch):
    """Before the first unit; not again with what the outcome says."""
    now = versions("neurosteer")
    with monkeypatch.context() as patch:
        patch.setattr("neurosteer.runner.run_metadata.versions", lambda *_: now | {"torch": "1.0"})
        run("run", "sums.toml")
    assert run("run", "sums.toml").err.splitlines() == [
        f"note: this run was begun with torch 1.0; {now['torch']} worked on it too",
        "note: a stub",
    ]


def test_a_dry_run_says_that_a_gpu_is_faster(run, place):
    sys.modules["neurosteer.model"].load_model("stub").device.type = "cuda"
    lines = run("run", "sums.toml", "--dry-run").out.splitlines()
    assert lines[2] == "time    about 46 s, as reckoned for 2 CPU cores; a GPU takes a small part of it"


def test_a_dry_run_writes_nothing(run, place):
    before = contents(place)
    outcome = run("run", "sums.toml", "--dry-run")
    assert (outcome.code, outcome.err) == (0, "")
    lines = outcome.out.splitlines()
    assert lines[:-1] == [
        "units   40 to do, 0 done",
        "data    1 tasks, 160 sentences",
        "time    about 46 s, as reckoned for 2 CPU cores",
        "disk    about 14 kB to keep, and at most 400 B in passing",
        "memory  at least 7 kB: the weights and the largest results at once",
    ]
    assert lines[-1].startswith("run     runs/run-sums-stub-")
    result = json.loads(run("run", "sums.toml", "--dry-run", "--format", "json").out)
    assert (result["command"], result["dry_run"]["units"], result["dry_run"]["seconds"]) == ("run", 40, 46.0)
    assert contents(place) == before


def test_the_recipe_stays_as_it_is(run, asked):
    """Where no option says otherwise."""
    run("run", "sums.toml")
    assert asked["recipe"] == read_recipe("sums.toml")
    assert (asked["out"], asked["workers"], asked["offline"]) == (Path("runs"), 1, False)


def test_every_option_arrives(run, asked):
    arguments = (
        "--task a -t *b* --data other.csv --columns good,bad --layout task= --limit 50 --split lexical --seed 7 "
        "--model m "
        "--revision 1e5 --device cuda:1 --dtype bfloat16 --device-map auto --bos <s> --eos </s> --out kept "
        "--workers 3 --offline --topk 40 --set lambdas=0.1,0.2 --set layers=0-2 --set lambda=0.5"
    )
    run("run", "sums.toml", *arguments.split())
    keys = {
        "tasks": ["a", "*b*"],
        "data": "other.csv",
        "columns": ["good", "bad"],
        "layout": "task=",
        "limit": 50,
        "split": "lexical",
        "seed": 7,
        "model": "m",
        "revision": "1e5",
        "device": "cuda:1",
        "dtype": "bfloat16",
        "device_map": "auto",
        "bos": "<s>",
        "eos": "</s>",
        "topk": 40,
        "lambdas": [0.1, 0.2],
        "layers": [0, 1, 2],
        "lambda": 0.5,
    }
    assert asked["recipe"].describe() == read_recipe("sums.toml").describe() | keys
    assert (asked["out"], asked["workers"], asked["offline"]) == (Path("kept"), 3, True)


def test_unknown_tasks_are_told_before_a_model_is_loaded(run, place, monkeypatch):
    def load_model(*_: object, **__: object) -> None:
        raise AssertionError("too early")

    monkeypatch.setattr(sys.modules["neurosteer.model"], "load_model", load_model)
    outcome = run("run", "sums.toml", "--task", "mad")
    assert (outcome.code, outcome.err) == (
        2,
        "neurosteer: unknown task 'mad'; did you mean 'made'? ('made.jsonl' holds: made)\n",
    )


def test_ctrl_c_before_the_first_unit(run, asked):
    outcome = run("run", "sums.toml", "--set", "title=a  b")
    assert (outcome.code, outcome.out) == (130, "")
    assert outcome.err == "neurosteer: interrupted; to go on: neurosteer run sums.toml --set 'title=a  b'\n"


def test_a_failing_unit_is_one_line_after_what_is_kept(run, place, monkeypatch):
    def failing(name: str) -> None:
        if name == "joint-0":
            raise OSError(28, "No space left on device", "/full/disk")

    monkeypatch.setattr(
        sys.modules["neurosteer.experiments.plan"], "plan_recipe", lambda *_: stub_plan(failing), raising=True
    )
    outcome = run("run", "sums.toml")
    [folder] = (place / "runs").iterdir()
    assert (outcome.code, outcome.out) == (1, "")
    assert outcome.err.splitlines()[-2:] == [
        f"note: stopped: 36 of 40 units are kept in {folder.relative_to(place)}",
        "neurosteer: cannot use '/full/disk': No space left on device; make room, and give the command again",
    ]


@pytest.fixture
def own_recipes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "recipes"
    folder.mkdir()
    monkeypatch.setattr("neurosteer.experiments.recipe.bundled._SHIPPED", folder)
    write_recipe(folder / "fig5.toml", title="The top 1 % against random neurons")
    write_recipe(folder / "all.toml", title="Everything", experiments=["fig2", "fig5"])
    (folder / "results").mkdir()
    return folder


def test_ls_recipes(run, own_recipes):
    lines = run("ls", "recipes").out.splitlines()
    assert [line.strip().split(maxsplit=1) for line in lines[:3]] == [
        ["name", "title"],
        ["all", "Everything"],
        ["fig5", "The top 1 % against random neurons"],
    ]
    assert lines[3] == "A TOML file of your own works too: neurosteer run PATH"
    rows = json.loads(run("ls", "recipes", "--format", "json").out)["results"]
    assert rows[0] == {
        "name": "all",
        "title": "Everything",
        "experiments": ["fig2", "fig5"],
        "path": str(own_recipes / "all.toml"),
    }


def test_a_recipe_by_its_name(run, own_recipes, asked):
    """Also where a folder is called the same; a path is a path."""
    Path("fig5").mkdir()
    run("run", "fig5")
    assert asked["recipe"].title == "The top 1 % against random neurons"
    write_recipe(Path("fig5.toml"), title="Mine")
    run("run", "fig5.toml")
    assert asked["recipe"].title == "Mine"
    outcome = run("run", "fgi5")
    assert outcome.err == (
        "neurosteer: no recipe 'fgi5'; did you mean 'fig5'? (name a TOML file, or see: neurosteer ls recipes)\n"
    )
    assert "did you mean 'all'?" in run("run", "recipes/paper/all.toml").err


@pytest.mark.parametrize(
    ("count", "told"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1 kB"),
        (999_600, "1 MB"),
        (138_240_000, "138 MB"),
        (16_100_000_000, "16.1 GB"),
    ],
)
def test_size(count, told):
    assert size(count) == told


def test_ls_runs_shows_what_is_not_finished(run, place, monkeypatch):
    """One unit is being computed; of three tasks of Slurm and their join one is gone, and one is done."""
    asked = {"out": Path("runs"), "offline": True}
    work_on_recipe(read_recipe("sums.toml"), **asked)
    [folder] = (place / "runs").iterdir()
    for name in ("joint-1", "joint-3"):
        (folder / "units" / f"{name}.safetensors").unlink()
    [row] = json.loads(run("ls", "runs", "--format", "json").out)["unfinished"]
    assert (row["state"], row["units"], row["missing"], row["running"]) == ("stopped", 34, 2, 0)
    assert (row["recipe"], row["model"], row["run"]) == ("sums", "stub", folder.name)

    logs = folder / "slurm"
    (logs / "ended").mkdir(parents=True)
    (logs / "jobs.json").write_text('{"array": "7", "join": "8", "tasks": 3}')
    (logs / "ended" / "0").touch()
    squeue = place / "bin" / "squeue"
    squeue.parent.mkdir()
    squeue.write_text('#!/bin/sh\ncase "$*" in *=7*) echo R;; *) echo PD;; esac\n')
    squeue.chmod(0o755)
    monkeypatch.setenv("PATH", f"{squeue.parent}:{os.environ['PATH']}")
    with Claims(folder).of("joint-1"):
        lines = run("ls", "runs").out.splitlines()
    assert lines[0] == "not finished:"
    assert lines[1].split() == ["run", "model", "state", "missing", "running", "tasks"]
    assert re.split(r"\s{2,}", lines[2])[1:] == [
        *("stub", "running", "2 of 34 units", "1"),
        "1 running, 1 waiting, 1 failed",
    ]
    assert run("run", "sums.toml").code == 0
    assert json.loads(run("ls", "runs", "--format", "json").out)["unfinished"] == []


def test_a_dry_run_says_what_slurm_would_get(run, place):
    options = ("--slurm-opt", "partition=gpu", "--slurm-opt", "gpus-per-node=1")
    lines = run("run", "sums.toml", "--dry-run", "--slurm", "8%4", *options).out.splitlines()
    assert lines[-3:-1] == [
        "array   8 tasks, at most 4 at a time, each a worker: time=240 partition=gpu gpus_per_node=1",
        "then    1 task with the same options, when they have ended: it joins and draws",
    ]
    assert not (place / "runs").exists()


def test_slurm_where_there_is_none(run, place, monkeypatch):
    monkeypatch.setenv("PATH", str(place))
    outcome = run("run", "sums.toml", "--slurm", "2")
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err.splitlines()[-1] == (
        "neurosteer: --slurm: no sbatch here; give the command on a login node of the cluster"
    )

"""`neurosteer score`: what it asks of the rooms below, and what it prints."""

from __future__ import annotations

import json
from pathlib import Path

from neurosteer.errors import NeurosteerError


def test_defaults(run, rooms):
    assert run("score", "--task", "intransitive").code == 0
    assert rooms.calls["load_tasks"] == {
        "tasks": ["intransitive"],
        "source": "auto",
        "limit": None,
        "columns": ("sentence_good", "sentence_bad"),
        "layout": "auto",
        "seed": 0,
        "offline": False,
    }
    assert rooms.calls["score"]["intransitive"]["convention"] == "sum"
    assert "layout" not in rooms.calls["save_scores"]["options"]  # which name the folder of the run
    assert rooms.calls["load_model"]["name"] == "smollm2-135m"


def test_every_option_arrives(run, rooms):
    rooms.tasks = ["a", "b"]
    arguments = (
        "--task a -t b --data pairs.csv --columns good,bad --layout task= --limit 50 --convention lm-eval "
        "--model m --revision r "
        "--device mps --dtype float16 --bos <s> --eos </s> --out kept --format table --offline"
    )
    outcome = run("score", *arguments.split())
    assert outcome.code == 0
    assert rooms.calls["load_tasks"] == {
        "tasks": ["a", "b"],
        "source": "pairs.csv",
        "limit": 50,
        "columns": ("good", "bad"),
        "layout": "task=",
        "seed": 0,
        "offline": True,
    }
    assert {task: asked["convention"] for task, asked in rooms.calls["score"].items()} == {
        "a": "lm-eval",
        "b": "lm-eval",
    }
    model = {key: value for key, value in rooms.calls["load_model"].items() if key != "progress"}
    assert model == {
        "name": "m",
        "revision": "r",
        "device": "mps",
        "dtype": "float16",
        "device_map": None,
        "bos": "<s>",
        "eos": "</s>",
        "offline": True,
    }
    saved = rooms.calls["save_scores"]
    assert saved["scored"] == ["scores of a", "scores of b"]
    kept = json.loads(json.dumps(saved["options"]))
    assert (kept["convention"], kept["n"], kept["name"], kept["layout"]) == ("lm-eval", 50, "m", "task=")
    assert outcome.out.endswith(f"model   the model, BOS <s>, EOS </s>\nrun     {Path('kept/run-3')}\n")


def test_tasks_may_stand_without_their_option(run, rooms):
    assert run("score", "a", "b").code == 0
    assert rooms.calls["load_tasks"]["tasks"] == ["a", "b"]


def test_tables_hold_every_task(run, rooms):
    rooms.tasks = ["intransitive", "causative"]
    outcome = run("score")
    assert (outcome.code, outcome.err) == (0, "")
    assert "intransitive" in outcome.out
    assert "causative" in outcome.out
    assert outcome.out.endswith(f"run     {Path('runs/run-3')}\n")


def test_json_is_one_object_and_nothing_else(run, rooms):
    rooms.tasks = ["intransitive", "causative"]
    outcome = run("score", "--format", "json")
    result = json.loads(outcome.out)
    assert list(result) == ["command", "version", "model", "results", "phenomena", "overall"]
    assert [entry["task"] for entry in result["results"]] == ["intransitive", "causative"]


def test_a_failing_score_leaves_nothing(run, rooms, tmp_path):
    rooms.error = NeurosteerError("no finite log-probability;\ntry another --dtype")
    outcome = run("score", "--quiet")
    assert (outcome.code, outcome.out) == (1, "")
    assert outcome.err == "neurosteer: no finite log-probability; try another --dtype\n"
    assert list(tmp_path.iterdir()) == []

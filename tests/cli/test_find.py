"""`neurosteer find`: what it asks of the rooms below and what it prints."""

from __future__ import annotations

import json
import logging
import os
from pathlib import Path

import pytest

from neurosteer.progress import QUIET


def test_defaults(run, rooms):
    assert run("find", "--task", "intransitive").code == 0
    assert rooms.calls["load_tasks"] == {
        "tasks": ["intransitive"],
        "source": "auto",
        "limit": None,
        "columns": ("sentence_good", "sentence_bad"),
        "layout": "auto",
        "seed": 0,
        "offline": False,
    }
    options = {key: value for key, value in rooms.calls["find"].items() if key != "progress"}
    assert options == {
        "methods": ("welch", "l0"),
        "split": "pair",
        "topk": "1%",
        "layers": "all",
        "site": None,
        "by": "unit",
        "position": "eos",
        "directions": (),
        "lambdas": None,
        "to": "zero",
        "steps": 1,
        "draws": 5,
        "seed": 0,
    }
    assert rooms.calls["load_model"]["name"] == "smollm2-135m"


def test_every_option_arrives(run, rooms):
    arguments = (
        "--task a -t *b* --data pairs.csv --columns good,bad --layout task= --split lexical --limit 50 --seed 7 "
        "--method l0 "
        "--topk 40 --lambda 0.2 --lambda .5 --lambda 0.2 --draws 9 --to mean --steps 4 --layers 7,0-2,1 "
        "--model m --revision r --device cuda:1 --dtype bfloat16 --device-map auto --bos <s> --eos </s> "
        "--site mlp_out --position last"
    )
    assert run("find", *arguments.split(), "--offline").code == 0
    tasks, model, study = (rooms.calls[name] for name in ("load_tasks", "load_model", "find"))
    assert tasks == {
        "tasks": ["a", "*b*"],
        "source": "pairs.csv",
        "limit": 50,
        "columns": ("good", "bad"),
        "layout": "task=",
        "seed": 7,
        "offline": True,
    }
    assert (model["name"], model["revision"], model["device"], model["dtype"]) == (
        "m",
        "r",
        "cuda:1",
        "bfloat16",
    )
    assert (model["device_map"], model["bos"], model["eos"], model["offline"]) == (
        "auto",
        "<s>",
        "</s>",
        True,
    )
    assert (study["methods"], study["topk"], study["lambdas"]) == (("l0",), "40", (0.2, 0.5))
    assert (study["layers"], study["draws"], study["seed"]) == ([0, 1, 2, 7], 9, 7)
    assert (study["to"], study["steps"]) == ("mean", 4)
    assert (study["split"], study["site"], study["position"]) == ("lexical", "mlp_out", "last")
    assert json.loads(json.dumps(rooms.calls["save_find"]["options"]))["k"] == "40"


def test_tasks_may_stand_without_their_option(run, rooms):
    """In the order typed, and before those of `--task`."""
    assert run("find", "a", "*b*", "--topk", "3", "-t", "c").code == 0
    assert rooms.calls["load_tasks"]["tasks"] == ["a", "*b*", "c"]
    assert rooms.calls["save_find"]["options"]["tasks"] == ["a", "*b*", "c"]
    assert rooms.calls["find"]["topk"] == "3"


def test_offline_is_said_before_anything_is_imported(run, rooms):
    run("find", "--offline", "--quiet")
    names = ("HF_HUB_OFFLINE", "HF_DATASETS_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_HUB_DISABLE_PROGRESS_BARS")
    assert [os.environ[name] for name in names] == ["1"] * 4


def test_tables_then_where_the_run_is(run, rooms):
    rooms.tasks = ["intransitive", "causative"]
    outcome = run("find", "--out", "kept")
    assert outcome.code == 0
    assert outcome.out.index("A sentence about intransitive.") < outcome.out.index("A sentence about causative.")
    assert outcome.out.endswith(f"run     {Path('kept/run-1')}\nfigure  {Path('kept/run-1/figure.png')}\n")
    assert outcome.err == "note: a notice about intransitive\nnote: a notice about causative\n"


def test_json_is_one_object_and_nothing_else(run, rooms):
    rooms.tasks = ["intransitive", "causative"]
    outcome = run("find", "--format", "json")
    result = json.loads(outcome.out)
    assert list(result) == ["command", "version", "model", "results", "skipped"]
    assert [entry["task"] for entry in result["results"]] == ["intransitive", "causative"]
    assert result["skipped"] == []


def test_quiet_leaves_only_results(run, rooms):
    outcome = run("find", "--quiet")
    assert outcome.err == ""
    assert "A sentence about intransitive." in outcome.out


def test_a_task_without_a_lexical_split_is_passed_over(run, rooms):
    rooms.tasks, rooms.unsplittable = ["ever", "intransitive"], {"ever"}
    outcome = run("find", "--split", "lexical", "--format", "json")
    result = json.loads(outcome.out)
    assert outcome.code == 0
    assert outcome.err.splitlines()[0] == "note: skipped: 'ever' has too few words"
    assert [entry["task"] for entry in result["results"]] == ["intransitive"]
    assert result["skipped"] == [{"task": "ever", "reason": "'ever' has too few words"}]


@pytest.mark.parametrize("tasks", [["ever"], ["that", "ever"]])
def test_no_task_with_a_lexical_split_is_an_error(run, rooms, tmp_path, tasks):
    rooms.tasks, rooms.unsplittable = tasks, set(tasks)
    outcome = run("find", "--split", "lexical")
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err.splitlines()[-1] == "neurosteer: 'ever' has too few words"
    assert list(tmp_path.iterdir()) == []


def test_what_rooms_below_log_is_a_notice(run, rooms, monkeypatch):
    def load_tasks(tasks, **_):
        QUIET.notice("BLiMP is\nread from the cache")
        QUIET.notice("BLiMP is\nread from the cache")
        return []

    monkeypatch.setattr("neurosteer.pairs.load_tasks", load_tasks)
    assert run("find").err == "note: BLiMP is read from the cache\n"
    assert run("find", "--quiet", "--out", "other").err == ""
    assert logging.getLogger("neurosteer").handlers == []

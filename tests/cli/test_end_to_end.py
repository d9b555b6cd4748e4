"""The commands in a row, on a tiny model and a file of pairs: what one writes the next one reads."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from made_pairs import made_pairs

from neurosteer.neurons import NeuronSet
from neurosteer.report.pages import PAGE
from neurosteer.studies.runs import make_page

pytestmark = pytest.mark.usefixtures("blank_pictures")

SHARED = {"command", "version", "model", "options", "results"}
MODEL = {"name", "revision", "fingerprint", "n_layers", "d_model", "dtype", "device"}
EFFECT = {  # the design's keys; more may be there
    "task": None,
    "data": {"source", "pairs", "digest", "split", "tested"},
    "method": None,
    "edit": {"kind", "scale", "where", "site", "layers", "k"},
    "neurons": None,
    "accuracy": {"before", "after"},
    "margin": {"before", "after", "delta", "low", "high", "p"},
    "flipped": {"lost", "gained"},
    "controls": {"n", "accuracy", "delta_mean", "delta_low", "delta_high", "p", "unmatched"},
    "without_massive": None,
    "side_effects": {"kl", "perplexity_before", "perplexity_after"},
    "doses": None,
    "kinds": None,
}
FIND = {
    "task": None,
    "data": {"source", "pairs", "digest", "split", "left_out", "both_ways"},
    "baselines": {"majority", "length", "last_word", "unigram", "stem", "bigram", "tokens"},
    "baselines_new_words": None,
    "layers": None,
    "best_layer": None,
    "k": None,
    "methods": None,
    "rankings": {"welch", "attribution"},
    "neurons": {"welch", "attribution"},
    "reading": None,
}
LAYER = {"layer", "dense", "topk", "random", "l0", "spearman", "significant", "new_words", "agreement", "attribution"}
SCORE = {"task", "data", "convention", "accuracy", "accuracy_interval", "margin", "pairs", "ties", "same_tokens"}
SCORE |= {"token_count", "notices"}
MEASURE = ["--topk", "3", "--controls", "3", "--neutral", "prose.txt"]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with a file of pairs and some neutral text, and one thread: the products are small."""
    rows = [{"sentence_good": pair.good, "sentence_bad": pair.bad} for pair in made_pairs()]
    (tmp_path / "made.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "prose.txt").write_text("w1 w5 w9 w2 w6 w5 w3\n\nw8 w30 w7 w7 w1 w4\n")
    monkeypatch.chdir(tmp_path)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield tmp_path
    torch.set_num_threads(threads)


@pytest.fixture
def llama(tiny_folder: Callable[[str], Path], capsys: pytest.CaptureFixture[str]) -> str:
    """A model's folder; what making it says is nothing that a command says."""
    folder = str(tiny_folder("llama"))
    capsys.readouterr()
    return folder


Shown = Callable[..., dict[str, Any]]


@pytest.fixture
def shown(run: Any, llama: str, place: Path) -> Shown:
    """A command on the tiny model; gives the one JSON object that it has printed, and nothing else."""

    def run_quietly(*arguments: str) -> dict[str, Any]:
        outcome = run(*arguments, "--model", llama, "--quiet", "--format", "json")
        assert (outcome.code, outcome.err) == (0, "")
        result: dict[str, Any] = json.loads(outcome.out)
        assert result.keys() >= SHARED
        assert result["model"].keys() >= MODEL
        assert result["command"] == arguments[0]
        return result

    return run_quietly


def check_effect(entry: dict[str, Any], folder: Path) -> None:
    """All keys of the design, and files that say the same."""
    check_keys(entry, EFFECT)
    assert entry["controls"]["n"] == 3
    neurons = NeuronSet.load(entry["files"]["neurons"])
    assert {(row["layer"], row["unit"]) for row in entry["neurons"]} == set(neurons)
    rows = list(csv.DictReader(Path(entry["files"]["pairs"]).read_text("utf-8").splitlines()))
    moved = [float(row["margin_after"]) - float(row["margin_before"]) for row in rows]
    assert entry["margin"]["delta"] == pytest.approx(sum(moved) / len(moved))
    assert {Path(path).parent for path in entry["files"].values()} == {folder}


def check_keys(entry: dict[str, Any], schema: dict[str, Any]) -> None:
    for key, inner in schema.items():
        assert key in entry
        assert inner is None or entry[key].keys() >= inner, key


def find(shown: Shown) -> dict[str, Any]:
    result = shown("find", "--data", "made.jsonl", "--method", "welch", "--method", "attribution", "--layers", "1,2")
    [entry] = result["results"]
    check_keys(entry, FIND)
    assert all(row.keys() >= LAYER for row in entry["layers"])
    return entry


def ablate(shown: Shown, found: dict[str, Any]) -> dict[str, Any]:
    kinds, scales = ["--to", "zero", "--to", "mean"], ["--scale", "0", "--scale", "2"]
    result = shown("ablate", *MEASURE, *kinds, *scales)
    [entry] = result["results"]
    [folder] = Path("runs").glob("ablate-*")
    check_effect(entry, folder)
    assert json.loads((folder / "results.json").read_text("utf-8")) == result
    assert (entry["method"], entry["edit"]["kind"], len(entry["neurons"])) == ("welch", "zero", 3)
    assert {key: entry["data"][key] for key in ("digest", "split")} == {
        key: found["data"][key] for key in ("digest", "split")
    }
    assert entry["data"]["tested"] == found["data"]["split"]["test"]
    assert [dose["scale"] for dose in entry["doses"]] == [0.0, 2.0]
    assert [kind["kind"] for kind in entry["kinds"]] == ["zero", "mean"]
    assert Path(entry["neurons_from"]).parent == Path("runs")
    assert entry["neurons"][0]["unit"] == found["neurons"]["welch"][0]["unit"]
    return entry


def amplify(shown: Shown, ablated: dict[str, Any]) -> None:
    """Twice the activation is what the ablation's second dose was."""
    entries = shown("amplify", *MEASURE, "--method", "attribution", "--method", "welch")["results"]
    [folder] = Path("runs").glob("amplify-*")
    assert [entry["method"] for entry in entries] == ["attribution", "welch"]
    for entry in entries:
        check_effect(entry, folder)
        assert entry["edit"]["scale"] == 2.0
    assert entries[1]["margin"]["delta"] == pytest.approx(ablated["doses"][1]["delta"], rel=1e-4)


def generate(shown: Shown, place: Path) -> None:
    """A dry run writes nothing; a strong edit is seen, and kept."""
    before = sorted(place.rglob("*"))
    steer = ["--topk", "8", "--scale", "-20"]
    rows = shown("generate", "w1 w2", "w3", "--dry-run", "--max-new-tokens", "4", *steer)["results"]
    touched = [[token["touched"] for token in row["tokens"]] for row in rows]
    assert touched == [[False, True, True], [False, True]]
    assert [row["generated"]["at_most"] for row in rows] == [3, 3]
    assert sorted(place.rglob("*")) == before
    rows = shown("generate", "w1 w2", "w3", "--max-new-tokens", "6", *steer)["results"]
    assert [row["prompt"] for row in rows] == ["w1 w2", "w3"]
    assert any(row["before"] != row["after"] for row in rows)
    [folder] = Path("runs").glob("generate-*")
    assert {path.parent for path in {*place.rglob("*")} - {*before} if path.is_file()} == {folder.resolve()}


def score(shown: Shown) -> None:
    result = shown("score", "--data", "made.jsonl")
    [entry] = result["results"]
    assert entry.keys() >= SCORE
    assert (entry["pairs"], entry["convention"]) == (80, "sum")
    assert result["overall"] == {"tasks": 1, "accuracy": entry["accuracy"]}


def test_a_whole_session(run: Any, shown: Shown, llama: str, place: Path):
    """find, ablate, amplify, generate, score, check."""
    outcome = run("ablate", *MEASURE, "--model", llama, "--quiet")
    assert (outcome.code, outcome.out, outcome.err.count("\n")) == (2, "", 1)
    assert "run one first" in outcome.err
    assert not (place / "runs").exists()

    amplify(shown, ablate(shown, find(shown)))
    generate(shown, place)
    score(shown)

    checked = run("check", "runs/", "--format", "json")
    rows = json.loads(checked.out)["results"]
    assert (checked.code, all(row["ok"] for row in rows)) == (0, True)
    kinds = [row["kind"] for row in rows]
    assert (kinds.count("run"), kinds.count("ranking"), kinds.count("neurons")) == (5, 2, 3)
    listed = json.loads(run("ls", "runs", "--format", "json").out)["results"]
    assert sorted(row["command"] for row in listed) == ["ablate", "amplify", "find", "generate", "score"]

    pages = {row["command"]: Path(row["path"]) / PAGE for row in listed}
    first = {command: page.read_bytes() for command, page in pages.items()}
    for page in pages.values():  # what a page takes from a find beside it is there from the first time on
        make_page(page.parent)
    assert {command: page.read_bytes() for command, page in pages.items()} == first
    assert b"neurosteer find" in first["ablate"]
    assert b"Sentences after which it is highest" in first["ablate"]


@pytest.mark.slow
def test_a_task_that_was_never_found(run: Any, llama: str, place: Path):
    """It is found first; a second edit reuses that find, and the tables name where all of it is."""
    asked = ["--task", "made", "--data", "made.jsonl", "--topk", "2", "--controls", "1", "--neutral", "prose.txt"]
    asked += ["--model", llama]
    first = run("ablate", *asked)
    assert (first.code, first.err.splitlines()[0]) == (0, "note: no find of made that fits in 'runs': finding now")
    [folder] = Path("runs").glob("ablate-*")
    assert first.out.rstrip().splitlines()[-2].startswith(f"run     {folder}")
    assert first.out.rstrip().splitlines()[-1].startswith(f"figure  {folder}")
    again = run("amplify", *asked)
    assert again.code == 0
    assert "finding now" not in again.err
    assert len(list(Path("runs").glob("find-*"))) == 1
    file = folder / "made.welch.safetensors"
    reused = run("ablate", "--neurons", str(file), "--controls", "1", "--neutral", "prose.txt", *asked[-2:])
    assert reused.code == 0
    assert f"from {file}" in reused.err


def test_pairs_about_meaning(shown: Shown):
    """They are scored and searched like any others; the tiny tokenizer knows none of their words."""
    scored = shown("score", "--task", "facts", "--data", "builtin:meaning", "--limit", "10")
    assert {row["task"] for row in scored["results"]} == {
        *("animals", "arithmetic", "capitals", "categories", "colors", "parts")
    }
    for row in scored["results"]:
        assert (row["data"]["source"], row["pairs"], row["phenomenon"]) == ("builtin:meaning", 10, "facts")
        assert "frames" not in row or row["frames"] == []
    asked = ["--task", "capitals", "--data", "builtin:meaning", "--limit", "60"]
    [found] = shown("find", *asked, "--method", "welch", "--layers", "1")["results"]
    sizes = found["data"]["split"]
    assert (sizes["train"], sizes["validation"], sizes["test"]) == (36, 12, 12)
    assert found["baselines"]["unigram"] == found["baselines"]["length"] == 0.5


@pytest.mark.slow
def test_heads_from_find_to_evidence(run: Any, shown: Shown, llama: str, place: Path):
    """Whole heads are ranked, edited and asked about; what is counted and named are heads."""
    asked = ["--data", "made.jsonl", "--by", "head", "--topk", "2", "--method", "welch", "--method", "attribution"]
    [found] = shown("find", *asked)["results"]
    assert (found["by"], found["site"], found["width"], found["k"]) == ("head", "z", 4, 2)
    rows = found["neurons"]["attribution"]
    assert [(row["unit"], row["head"]) for row in rows] == [(8 * row["head"], row["head"]) for row in rows]
    [ablated] = shown("ablate", "--by", "head", "--method", "attribution", *MEASURE[2:])["results"]
    assert (ablated["edit"]["by"], ablated["edit"]["k"], ablated["edit"]["site"]) == ("head", 2, "z")
    kept = NeuronSet.load(ablated["files"]["neurons"])
    assert (len(kept), kept.members) == (16, sorted((row["layer"], row["head"]) for row in rows))
    typed = ",".join(f"{row['layer']}:{row['head']}" for row in rows)
    [given] = shown(
        "ablate", "--task", "made", "--data", "made.jsonl", "--by", "head", "--neurons", typed, *MEASURE[2:]
    )["results"]
    assert given["margin"] == ablated["margin"]
    assert given["controls"]["deltas"] == pytest.approx(ablated["controls"]["deltas"], abs=1e-6)
    questions = ["--only", "encoded,necessary,sufficient,selective", "--controls", "3", "--nulls", "3"]
    [asked_about] = shown("evidence", *questions, "--neutral", "prose.txt")["results"]
    assert (asked_about["by"], asked_about["k"], asked_about["width"]) == ("head", 2, 4)
    assert all(
        len(answer["controls"]) == 3 for answer in asked_about["tests"].values() if answer["value"] is not None
    )
    text = run("generate", "w1 w2", "--by", "head", "--scale", "-9", "--model", llama, "--quiet").out
    assert "2 heads at layer" in text.replace("\n", " ")

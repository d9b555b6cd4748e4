"""The run folder of `score`: entries, means by phenomenon, one CSV per task."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_pairs import made_pairs
from plain_edits import hf_logprobs
from scipy import stats
from tiny_models import hf_network, ids_of

from neurosteer.artefacts import check_path
from neurosteer.experiments import open_run
from neurosteer.forward import score
from neurosteer.model import Model
from neurosteer.pairs import LeftOut, Pair, Pairs
from neurosteer.progress import Progress
from neurosteer.results import record
from neurosteer.results.score import MeanScore, PhenomenonScore, ScoreRun
from neurosteer.studies import save_scores
from neurosteer.studies.runs import runs
from neurosteer.studies.scores import summary, task_score


class Notices(Progress):
    def __init__(self) -> None:
        self.texts: list[str] = []

    def notice(self, text: str) -> None:
        self.texts.append(text)


TIED = Pair("w3 w4", "w3 w4", "tie")


def tasks() -> list[Pairs]:
    """Three tasks of two phenomena and one of none; a tie, and a comma and a quote in a name."""
    pairs = made_pairs()
    return [
        replace(pairs, task="a", phenomenon="agreement", pairs=(*pairs.pairs[:12], TIED)),
        replace(pairs, task="b", phenomenon="binding", pairs=pairs.pairs[20:27]),
        replace(pairs, task="c, d", phenomenon="agreement", pairs=pairs.pairs[40:45]),
        replace(pairs, task="e", phenomenon=None, pairs=pairs.pairs[60:69]),
    ]


def saved(model: Model, out: Path, **options: Any) -> tuple[Path, dict[str, Any], list[Pairs]]:
    every = tasks()
    scored = [(pairs, score(model, pairs, convention=options.get("convention", "sum"))) for pairs in every]
    folder, found, result = save_scores(model, scored, out=out, options=options)
    assert {name: result[name] for name in ("results", "phenomena", "overall")} == record(found)
    return folder, result, every


@pytest.mark.parametrize("convention", ["sum", "mean"])
def test_entries_against_plain_hugging_face(
    llama: Model, tiny_folder: Callable[[str], Path], tmp_path: Path, convention: str
):
    """Log-probabilities, counts, margins and accuracy, one sentence at a time; rows hold every pair."""
    network = hf_network(tiny_folder("llama"))
    _, result, every = saved(llama, tmp_path, convention=convention)
    assert [entry["task"] for entry in result["results"]] == [pairs.task for pairs in every]
    for pairs, entry in zip(every, result["results"], strict=True):
        rows = list(csv.DictReader(io.StringIO(Path(entry["csv"]).read_text("utf-8"), newline="")))
        assert [(row["pair"], row["sentence_good"], row["sentence_bad"]) for row in rows] == [
            (pair.id, pair.good, pair.bad) for pair in pairs
        ]
        margins = []
        for pair, row in zip(pairs, rows, strict=True):
            both = []
            for side, sentence in (("good", pair.good), ("bad", pair.bad)):
                logprobs = hf_logprobs(network, ids_of(sentence, eos=None))
                total = float(logprobs.sum()) / (len(logprobs) if convention == "mean" else 1)
                assert float(row[f"logprob_{side}"]) == pytest.approx(total, rel=1e-5)
                assert int(row[f"tokens_{side}"]) == len(sentence.split())
                both.append(float(row[f"logprob_{side}"]))
            margins.append(both[0] - both[1])
            assert float(row["margin"]) == pytest.approx(margins[-1], abs=1e-12)
        assert entry["accuracy"] == sum(margin > 0 for margin in margins) / len(margins)
        assert entry["margin"] == pytest.approx(sum(margins) / len(margins))
        assert (entry["pairs"], entry["ties"]) == (len(pairs), int(TIED in pairs.pairs))
        assert (entry["convention"], entry["phenomenon"]) == (convention, pairs.phenomenon)
        data = {"source": "made up", "pairs": len(pairs), "digest": pairs.digest, "both_ways": 0}
        assert entry["data"] == {**data, "left_out": {"repeated": 0, "identical": 0}}
        assert entry["same_tokens"] == int(TIED in pairs.pairs)


def test_counts_of_tokens_and_pairs_that_are_no_evidence(llama: Model, tmp_path: Path):
    """By hand: words are tokens, and `x` and `y` are none that the tokenizer knows, so that both are w0."""
    rows = [("w1 w2", "w1 w2 w3"), ("w1 w2 w4", "w5"), ("w6", "w7 w8"), ("w9 x", "w9 y"), ("w2 w1", "w1 w2")]
    rows += [("w1 w2", "w2 w1"), ("w6 w6", "w7 w8"), ("w7", "w8 w9 w1")]
    pairs = Pairs("t", "made up", tuple(Pair(*row, str(i)) for i, row in enumerate(rows)), None, LeftOut(3, 1))
    *_, result = save_scores(llama, [(pairs, score(llama, pairs))], out=tmp_path, options={})
    [entry] = result["results"]
    assert entry["same_tokens"] == 1
    assert entry["token_count"] == {"differ": 4 / 8, "accuracy": (3 + 0.5 * 4) / 8}
    assert entry["data"]["left_out"] == {"repeated": 3, "identical": 1}
    assert entry["data"]["both_ways"] == 2
    assert entry["notices"] == [
        "pairs of t: repeating an earlier one: 3 (left out); the same sentence twice: 1 (left out); in both "
        "directions: 2 of 8 (kept; they contradict each other); the same tokens to the model: 1 of 8 (kept; it "
        "cannot tell good from bad)",
        "only 8 pairs (5 groups that share an item or a sentence): accuracies are rough, and so are their 95 % "
        "intervals (at least 50 are wanted)",
    ]


def test_what_is_no_evidence_is_said_once(llama: Model):
    told = Notices()
    pairs = tasks()[0]
    score(llama, pairs, progress=told)
    assert told.texts == ["pairs of a: the same tokens to the model: 1 of 13 (kept; it cannot tell good from bad)"]
    told.texts.clear()
    score(llama, tasks()[1], progress=told)
    assert told.texts == []


def test_accuracy_by_frame(llama: Model, tmp_path: Path):
    """Of pairs that have one, counted here from the rows of the CSV; no key but an empty list for the others."""
    [pairs, *_] = tasks()
    framed = replace(
        pairs, pairs=tuple(replace(p, frame=("first", "second")[i % 3 > 0]) for i, p in enumerate(pairs))
    )
    *_, result = save_scores(llama, [(framed, score(llama, framed))], out=tmp_path / "framed", options={})
    [entry] = result["results"]
    rows = list(csv.DictReader(io.StringIO(Path(entry["csv"]).read_text("utf-8"), newline="")))
    assert [row["frame"] for row in rows] == [pair.frame for pair in framed]
    assert [found["frame"] for found in entry["frames"]] == ["first", "second"]
    for found in entry["frames"]:
        margins = [float(row["margin"]) for row in rows if row["frame"] == found["frame"]]
        assert found["pairs"] == len(margins)
        assert found["accuracy"] == sum(margin > 0 for margin in margins) / len(margins)
        assert found["margin"] == pytest.approx(sum(margins) / len(margins))
    *_, plain = save_scores(llama, [(pairs, score(llama, pairs))], out=tmp_path / "plain", options={})
    assert plain["results"][0]["frames"] == []
    assert "frame" not in Path(plain["results"][0]["csv"]).read_text("utf-8").partition("\n")[0]


def test_the_overall_accuracy_is_a_mean_of_tasks(llama: Model, tmp_path: Path):
    """Not of pairs: each task counts as much, in its phenomenon and overall."""
    _, result, _ = saved(llama, tmp_path)
    a, b, c, e = (entry["accuracy"] for entry in result["results"])
    assert result["overall"] == {"tasks": 4, "accuracy": pytest.approx((a + b + c + e) / 4)}
    phenomena = {row.pop("phenomenon"): row for row in result["phenomena"]}
    assert phenomena == {
        None: {"tasks": 1, "accuracy": e},
        "agreement": {"tasks": 2, "accuracy": pytest.approx((a + c) / 2)},
        "binding": {"tasks": 1, "accuracy": b},
    }
    assert len({a, b, c, e}) > 2


def test_summary_by_hand(llama: Model):
    [pairs, *_] = tasks()
    row = task_score(pairs, score(llama, pairs))
    given = (("y", 0.5), ("x", 1.0), ("y", 0.75), (None, 0.0), ("y", 0.25))
    found = summary([replace(row, phenomenon=name, accuracy=accuracy) for name, accuracy in given])
    assert found.phenomena == (
        PhenomenonScore(phenomenon=None, tasks=1, accuracy=0.0),
        PhenomenonScore(phenomenon="x", tasks=1, accuracy=1.0),
        PhenomenonScore(phenomenon="y", tasks=3, accuracy=0.5),
    )
    assert found.overall == MeanScore(tasks=5, accuracy=0.5)


@pytest.mark.parametrize(("count", "few"), [(80, False), (50, False), (49, True), (2, True)])
def test_the_interval_of_an_accuracy(llama: Model, count: int, few: bool):
    """SciPy's percentiles over the pairs and two that are added; of few pairs a notice says so."""
    pairs = Pairs("t", "made up", tuple(Pair(f"w1 w{i}", f"w2 w{i}", str(i)) for i in range(3, 3 + count)))
    row, margins = task_score(pairs, found := score(llama, pairs)), found.margin
    right = np.append(margins.numpy() > 0, [1.0, 0.0])
    plain = stats.bootstrap(
        (right,), np.mean, n_resamples=20000, batch=1000, method="percentile", rng=np.random.default_rng(0)
    ).confidence_interval
    assert row.accuracy_interval is not None
    assert row.accuracy_interval == pytest.approx((plain.low, plain.high), abs=0.15 / len(right) ** 0.5)
    assert row.accuracy_interval[0] <= row.accuracy <= row.accuracy_interval[1]
    assert row.accuracy_interval[0] < row.accuracy_interval[1]
    assert row.groups == count
    said = f"only {count} pairs: accuracies are rough, and so are their 95 % intervals (at least 50 are wanted)"
    assert [notice for notice in row.notices if "rough" in notice] == ([said] if few else [])


def test_a_run_is_opened_as_what_it_was(llama: Model, tmp_path: Path):
    folder, result, every = saved(llama, tmp_path)
    opened = open_run(folder)
    assert isinstance(opened, ScoreRun)
    assert record(opened) == {name: result[name] for name in ("results", "phenomena", "overall")}
    assert opened.results[0].data.digest == every[0].digest
    table = opened.to_frame()
    assert table["task"].tolist() == ["a", "b", "c, d", "e"]
    assert table["accuracy"].tolist() == [entry["accuracy"] for entry in result["results"]]
    assert repr(opened) == f"ScoreRun(4 tasks, mean accuracy {result['overall']['accuracy']:.3f})"


def test_the_run_folder(llama: Model, tmp_path: Path):
    folder, result, _ = saved(llama, tmp_path / "runs", convention="sum", n=None)
    assert json.loads((folder / "results.json").read_text("utf-8")) == result
    assert list(result) == ["command", "version", "model", "options", "results", "phenomena", "overall"]
    assert (result["command"], result["options"]) == ("score", {"convention": "sum", "n": None})
    assert {Path(entry["csv"]).parent for entry in result["results"]} == {folder}
    named = {Path(entry["csv"]).name for entry in result["results"]}
    assert len(named) == 4
    tokens = {f"{Path(name).stem}.tokens.safetensors" for name in named}
    assert {path.name for path in folder.iterdir()} == {
        *named,
        *tokens,
        "results.json",
        "MANIFEST.json",
        "index.html",
    }
    *kept, row = check_path(tmp_path / "runs")
    assert [one["kind"] for one in kept] == ["tokens"] * 4
    assert (row["kind"], row["ok"]) == ("run", True)
    [run] = runs(tmp_path / "runs")
    assert (run.command, run.tasks) == ("score", ("a", "b", "c, d", "e"))
    (folder / "a.csv").write_text("changed")
    assert not check_path(tmp_path / "runs")[-1]["ok"]


def test_another_question_is_another_run(llama: Model, tmp_path: Path):
    first, again, other = (saved(llama, tmp_path, convention=convention)[0] for convention in ("sum", "sum", "mean"))
    assert first == again
    assert first != other
    assert first.name.startswith("score-a+3-")

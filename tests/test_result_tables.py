"""Results as tables for pandas and in a notebook, and the same signatures everywhere."""

from __future__ import annotations

import inspect
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from filled import filled
from made_pairs import made_pairs

import neurosteer as ns
from neurosteer.data import Scores
from neurosteer.errors import InputError
from neurosteer.experiments.outcome import Outcome
from neurosteer.results import LayerComparison, RankingComparison, Verdict
from neurosteer.results.run import RunListing, Runs
from neurosteer.results.score import ScoreRun

PAIRS = made_pairs(verbs=1, subjects=1, nouns=3)
SCORES = Scores(
    logprob=torch.tensor([[-3.0, -4.0], [-5.0, -4.5], [-2.0, -2.0]], dtype=torch.float64),
    tokens=torch.tensor([[5, 5], [5, 6], [4, 4]]),
    by_token=torch.zeros(6),
    same=torch.tensor([False, False, True]),
    convention="sum",
    task="made",
    model="f" * 64,
    digest="f" * 64,
)
RUN = RunListing(
    run="find-a-<b>",
    command="find",
    model="m",
    tasks=("a", "b"),
    path="runs/find-a-<b>",
    when="2026-01-02 03:04",
    layers=(0, 1),
)


def test_scores():
    table = SCORES.to_frame()
    assert table["margin"].tolist() == [1.0, -0.5, 0.0]
    assert table["logprob_bad"].tolist() == [-4.0, -4.5, -2.0]
    assert table["tokens_bad"].tolist() == [5, 6, 4]
    assert table["same_tokens"].tolist() == [False, False, True]
    beside = pd.concat([PAIRS.to_frame(), table], axis=1)
    assert beside.loc[1, ["sentence_good", "margin"]].tolist() == [PAIRS[1].good, -0.5]
    html = SCORES._repr_html_()
    assert html.startswith("<p>Scores(made, 3 pairs, ")
    assert html.count("<tr") == 4


def test_a_long_table_is_shown_in_part():
    many = {"logprob": SCORES.logprob.repeat(400, 1), "tokens": SCORES.tokens.repeat(400, 1)}
    assert replace(SCORES, **many, same=SCORES.same.repeat(400))._repr_html_().count("<tr") < 30


def test_generated():
    written = ns.Generated("A <dog>", " has been\n& is.", (3, 4, 5))
    assert written.to_frame().to_dict("records") == [{"prompt": "A <dog>", "text": " has been\n& is.", "tokens": 3}]
    html = written._repr_html_()
    assert ">A &lt;dog&gt;</span> has been\n&amp; is.</p>" in html
    assert "pre-wrap" in html


def test_a_comparison_without_a_rank_correlation_stays_a_number():
    """A column of numbers of which one is missing is no column of objects."""
    layers = tuple(LayerComparison(None if i else 0.5, 3, 0.25, 0.1, layer=i) for i in range(2))
    compared = RankingComparison(None, 3, 0.25, 0.1, layers=layers)
    table = compared.to_frame()
    assert list(table) == ["layer", "spearman", "topk", "overlap", "chance"]
    assert table["spearman"].dtype == float
    assert np.isnan(table["spearman"][1])
    assert "no Spearman" in compared._repr_html_()
    alone = replace(compared, layers=layers[1:]).to_frame()
    assert alone["spearman"].dtype == float


def test_runs():
    rows = Runs([RUN, replace(RUN, run="score-x", tasks=())])
    assert rows[0] is RUN
    assert rows == [RUN, rows[1]]
    table = rows.to_frame()
    assert table["tasks"].tolist() == ["a, b", ""]
    assert table["layers"][0] == [0, 1]
    assert repr(rows) == "Runs(2 runs, the newest is 'find-a-<b>')"
    assert "find-a-&lt;b&gt;" in rows._repr_html_()
    assert (repr(Runs()), len(Runs().to_frame()), list(Runs().to_frame()) == list(table)) == ("Runs(0 runs)", 0, True)


def test_runs_of_a_folder_are_such_rows(tmp_path: Path):
    assert isinstance(ns.runs(tmp_path), Runs)


def test_score_runs():
    shown = filled(ScoreRun)
    assert shown._repr_html_().startswith("<p>ScoreRun(123456 tasks")


@pytest.fixture
def run(tmp_path: Path) -> ns.RecipeRun:
    verdicts = [Verdict.counted("a", "claim <a>", "x > 0", 2, 3, "layers", "It holds in part.")]
    outcome = replace(filled(Outcome), verdicts=verdicts)
    (tmp_path / "fig5.csv").write_text("layer,share\n0,0.5\n1,\n")
    (tmp_path / "fig5.tasks.csv").write_text("task,layer\na,0\n")
    for i in range(6):
        (tmp_path / f"fig{i}.png").write_bytes(b"\x89PNG")
    return ns.RecipeRun(tmp_path, outcome, computed=1)


def test_a_recipes_run(run: ns.RecipeRun):
    assert run.to_frame()[["claim", "holds", "of", "text"]].values.tolist() == [["a", 2, 3, "holds in 2 of 3 layers"]]
    assert run.to_frame("fig5")["layer"].tolist() == [0, 1]
    assert run.to_frame("fig5.tasks")["task"].tolist() == ["a"]
    with pytest.raises(InputError, match=r"^no table 'fig6' in .*; did you mean 'fig5'\?; fig5, fig5\.tasks$"):
        run.to_frame("fig6")
    without = replace(run, outcome=replace(run.outcome, verdicts=[]))
    assert list(without.to_frame())[:2] == ["claim", "statement"]


def test_a_recipes_run_in_a_notebook(run: ns.RecipeRun):
    html = run._repr_html_()
    assert "claim &lt;a&gt;" in html
    assert html.count("data:image/png;base64,iVBORw==") == 4
    assert "2 more figures in " in html
    assert "http" not in html


SAVED = (ns.Found, ns.Effect, ns.NeuronCard, ns.NeuronSet, ns.Ranking, ns.Direction)


@pytest.mark.parametrize("kind", SAVED, ids=lambda kind: kind.__name__)
def test_what_is_saved_says_where(kind: type):
    save = inspect.unwrap(kind.save)  # type: ignore[attr-defined]
    assert save.__annotations__["return"] == "Path"
    assert len(inspect.signature(save).parameters) == 2


def test_a_set_says_where_it_was_saved(llama: ns.Model, tmp_path: Path):
    neurons = ns.NeuronSet.of(llama, [(0, 1)])
    path = neurons.save(str(tmp_path / "mine.safetensors"))
    assert path == tmp_path / "mine.safetensors"
    assert list(ns.NeuronSet.load(path)) == [(0, 1)]


@pytest.mark.parametrize("kind", [ns.Found, ns.Effect, ns.Evidence], ids=lambda kind: kind.__name__)
def test_axes_are_given_alike(kind: type):
    """By position or by name."""
    ax = inspect.signature(kind.figure).parameters["ax"]  # type: ignore[attr-defined]
    assert (ax.kind, ax.default) == (inspect.Parameter.POSITIONAL_OR_KEYWORD, None)

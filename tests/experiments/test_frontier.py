"""The frontier: against plain Hugging Face, one sentence and one set at a time; and curves that are read by hand."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from fresh_process import write_made
from plain_edits import hf_edited, hf_logprobs
from tiny_models import hf_network, ids_of

from neurosteer.errors import InputError
from neurosteer.experiments import run_recipe
from neurosteer.experiments.frontier.compute import read_at
from neurosteer.experiments.frontier.settings import FrontierSettings
from neurosteer.experiments.recipe.bundled import bundled_recipes
from neurosteer.pairs import load_pairs
from neurosteer.studies.neutral import passages, read_neutral

RECIPE = """format = 1
title = "Frontier"
experiments = ["frontier"]
model = "{model}"
data = "{data}"
layer = 1
topk = 3
methods = ["attribution", "causal-l0"]
budgets = [0.05, 0.2]
controls = 2
test_pairs = 10
mask_steps = 3
"""


def write(folder: Path, model: Path, more: str = "") -> Path:
    data = write_made(folder / "made.jsonl")
    (folder / "mine.toml").write_text(RECIPE.format(model=model, data=data) + more)
    return folder / "mine.toml"


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_against_plain_hugging_face(tmp_path: Path, tiny_folder: Callable[[str], Path], llama, monkeypatch):
    """The first units by attribution are ablated by hand: what is lost, and the KL, lie on the line between sizes."""
    reading = sys.modules["neurosteer.experiments.frontier.compute"]
    monkeypatch.setattr(reading, "_has_preference", lambda *_: True)  # a random model has none
    folder = run_recipe(write(tmp_path, tiny_folder("llama")), out=tmp_path).folder
    [found] = json.loads((folder / "results.json").read_text())["results"]
    cells = [row for row in rows(folder / "frontier.csv") if row["method"] == "attribution"]
    assert [float(row["kl"]) for row in cells] == [0.05, 0.2]

    network = hf_network(tiny_folder("llama"))
    pairs = load_pairs("made", source=str(tmp_path / "made.jsonl"))
    parts = pairs.split("pair", 0)
    from neurosteer.studies import rank_neurons

    ranking = rank_neurons(llama, parts.train, method="attribution", layers=1, topk=3)
    order = np.argsort(-ranking.scores[0].numpy(), kind="stable")
    texts = [one.tokens for [one] in passages(llama, read_neutral(None)[1])]
    test = parts.test.limit(10)

    def margins() -> float:
        totals = [[hf_logprobs(network, ids_of(s, eos=None)).sum() for s in (p.good, p.bad)] for p in test]
        return float(np.mean([float(good - bad) for good, bad in totals]))

    @torch.no_grad()
    def log_probs() -> list[torch.Tensor]:
        return [network(torch.tensor([ids])).logits[0, :-1].double().log_softmax(-1) for ids in texts]

    clean, reference = margins(), log_probs()
    tokens = sum(len(ids) - 1 for ids in texts)
    x, y, k = [0.0], [0.0], 1
    while x[-1] < 0.2 and k <= 32:
        chosen = [(1, int(unit)) for unit in order[:k]]
        with hf_edited(network, "llama", chosen, lambda _l, _u, _d, _old: 0.0):
            now = log_probs()
            kl = sum(float((p.exp() * (p - q)).sum()) for p, q in zip(reference, now, strict=True)) / tokens
            x, y = [*x, kl], [*y, 1 - margins() / clean]
        k = max(k + 1, round(1.5 * k))
    for row in cells:
        above = next((i for i, kl in enumerate(x) if kl >= float(row["kl"])), None)
        if above is None:
            assert row["units"] == ""
            assert float(row["own"]) == pytest.approx(y[-1], rel=1e-3)
            continue
        share = (float(row["kl"]) - x[above - 1]) / (x[above] - x[above - 1])
        assert float(row["own"]) == pytest.approx(y[above - 1] + share * (y[above] - y[above - 1]), rel=1e-3)
    assert found["methods"] == ["attribution", "causal-l0"]
    assert (folder / "frontier.png").is_file()


def test_a_curve_is_read_where_it_first_gets_there():
    kls, lost = np.array([0.1, 0.3, 0.2, 0.5, np.nan]), np.array([0.2, 0.4, 9.0, 0.8, np.nan])
    assert read_at(0.05, kls, lost) == pytest.approx(0.1)
    assert read_at(0.2, kls, lost) == pytest.approx(0.3)
    assert read_at(0.3, kls, lost) == pytest.approx(0.4)
    assert read_at(0.4, kls, lost) == pytest.approx(9.0 + (0.8 - 9.0) * 0.2 / 0.3)
    assert read_at(0.9, kls, lost) == pytest.approx(0.8)


def test_the_bundled_one_is_whole():
    from neurosteer.experiments.recipe import read_recipe

    recipe = read_recipe(bundled_recipes()["frontier"])
    assert (len(recipe.tasks), recipe.controls) == (6, 9)
    assert recipe.of(FrontierSettings) == FrontierSettings(budgets=(0.02, 0.05, 0.1, 0.2), pooled=False)


def test_causal_refuses_other_methods(tmp_path: Path, tiny_folder: Callable[[str], Path]):
    recipe = write(tmp_path, tiny_folder("llama"))
    with pytest.raises(InputError, match="causal compares some of welch, l0, attribution, not causal-l0"):
        run_recipe(recipe, out=tmp_path, experiments="causal")

"""What a notebook or a debugger shows of objects that hold tensors, tables or long texts: one short line."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
from filled import DIGEST as ANY_DIGEST
from filled import filled, kinds_in

from neurosteer import RecipeRun
from neurosteer.data import EosStates, Scores, TokenStats, UnitStats
from neurosteer.experiments.outcome import Outcome
from neurosteer.experiments.registry import NAMES, experiment_of
from neurosteer.forward import Generated
from neurosteer.layer_edits import Donor
from neurosteer.model import ActiveEdit
from neurosteer.neurons import Direction, Ranking
from neurosteer.pairs import Baselines, Pair
from neurosteer.progress import AUTO, QUIET
from neurosteer.results import FindResult, RankingComparison
from neurosteer.results.card import NeuronCardResult
from neurosteer.results.effect import EffectResult
from neurosteer.results.evidence import EvidenceResult
from neurosteer.results.record import Estimate
from neurosteer.results.run import RunListing, UnfinishedRun
from neurosteer.results.score import ScoreRun
from neurosteer.shown import short_repr

GRID = torch.zeros(3, 32)
LAYERS = (0, 1, 2)
STATS = UnitStats(GRID, GRID, GRID, GRID, tokens=12345, layers=LAYERS)
DIGEST = "f" * 64
RANKING = Ranking(GRID + 1, 1, "welch", STATS, DIGEST, "mlp_out", {"task": "toy", "seen": [DIGEST] * 500})
LOGPROB = torch.tensor([[-3.0, -4.0], [-5.0, -4.5], [-2.0, -6.0]], dtype=torch.float64)
COUNTS = torch.ones(3, 2).int()


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (STATS, "UnitStats(3 layers x 32 units, 12,345 tokens)"),
        (TokenStats(GRID, GRID, 12345), "TokenStats(3 layers x 32 units, 12,345 tokens)"),
        (
            EosStates(torch.zeros(1000, 2, 3, 32), LAYERS, "toy", DIGEST, "resid_post", "eos", DIGEST),
            "EosStates(toy, 1,000 pairs, 3 layers x 32 units at resid_post, position eos)",
        ),
        (
            Scores(LOGPROB, COUNTS, torch.zeros(6), torch.zeros(3).bool(), "sum", "toy", DIGEST, DIGEST),
            "Scores(toy, 3 pairs, accuracy 0.67, margin +1.50 nats)",
        ),
        (Donor(torch.zeros(12, 3, 32), LAYERS), "Donor(12 depths, 3 layers x 32 units)"),
        (
            Direction(RANKING.top(4), torch.ones(4), 1.234567),
            "Direction(welch, at mlp_out, layer 1)",
        ),
        (RANKING, "Ranking(welch of toy, 3 layers x 32 units, best layer 1)"),
        (
            Generated("The guests have", " been in the garden since the morning." * 9, tuple(range(90))),
            "Generated('The guests have', ' been in the garden since t...he garden since the morning.', 90 tokens)",
        ),
        (
            Pair("A dog barks.", "A dog bark.", "17", item="dog", part="a"),
            "Pair('A dog barks.', 'A dog bark.', id='17')",
        ),
        (
            ActiveEdit("all", "resid_post", (0, 2), calls=3, token_count=torch.tensor(1234)),
            "ActiveEdit(where all, at resid_post, 2 layers: 3 calls, 1,234 tokens)",
        ),
        (AUTO, "AutoProgress()"),
        (QUIET, "Progress()"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_reprs(shown: object, expected: str):
    assert repr(shown) == expected


ROOTS = (
    *(FindResult, EffectResult, EvidenceResult, NeuronCardResult, ScoreRun, RankingComparison, Outcome),
    *(RunListing, UnfinishedRun, Generated, Pair, Estimate),
    *(experiment_of(name).result for name in NAMES),
)


@pytest.mark.parametrize("kind", kinds_in(*ROOTS), ids=lambda kind: f"{kind.__module__}.{kind.__name__}")
def test_every_kind_of_result_is_one_short_line(kind: type):
    """Whatever it holds, and whatever it is part of."""
    shown = repr(filled(kind))
    assert shown.startswith(kind.__name__)
    assert len(shown) <= (300 if kind is Baselines else 200), shown
    assert shown.isprintable()
    for noise in (ANY_DIGEST, "array(", "tensor("):
        assert noise not in shown


def test_a_run_of_a_recipe():
    run = RecipeRun(Path("runs") / f"run-{'x' * 90}", filled(Outcome), computed=3)
    assert len(repr(run)) <= 200
    assert repr(run).endswith(", 30 verdicts)")


@dataclass(frozen=True)
class Made:
    """A bit of everything."""

    share: float
    task: str
    estimate: Estimate
    ends: tuple[float, float]
    rows: tuple[Estimate, ...]
    digest: str = DIGEST
    reading: str = "A long text. " * 9
    path: Path = Path("a/b/c.csv")
    missing: float | None = None
    table: Any = None

    __repr__ = short_repr


def test_what_is_left_out_is_said():
    value = Estimate(0.123456, 0.1, 0.2)
    made = Made(2 / 3, "agreement", value, (0.25, 1 / 3), (value,) * 7)
    assert repr(made) == (
        "Made(share=0.6667, task='agreement', estimate=0.1235, path='c.csv', ends=(0.25, 0.3333), 7 rows, ...)"
    )
    whole = Made(1.0, "x", value, (0.0, 1.0), (), digest="", reading="")
    assert repr(whole) == "Made(share=1, task='x', estimate=0.1235, path='c.csv', ends=(0, 1))"
    assert repr(Made(1.0, "x", value, (0.0, 1.0), (), "", "", table=GRID)).endswith("ends=(0, 1), ...)")

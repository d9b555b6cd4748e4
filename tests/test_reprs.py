"""What a notebook or a debugger shows of objects that hold tensors: one short line."""

from __future__ import annotations

import pytest
import torch

from neurosteer.data import EosStates, Scores, TokenStats, UnitStats
from neurosteer.edits import Donor
from neurosteer.neurons import Direction, Ranking
from neurosteer.progress import AUTO, QUIET

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
        (AUTO, "NotebookProgress()"),
        (QUIET, "Progress()"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_reprs(shown: object, expected: str):
    assert repr(shown) == expected

"""The localizer's protocol: against scipy and plain Hugging Face with our own hooks, one sentence at a time."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from fresh_process import write_made
from made_pairs import made_pairs
from plain_edits import hf_edited, hf_logprobs
from scipy import stats
from tiny_models import hf_network, ids_of

from neurosteer.errors import InputError
from neurosteer.experiments import run_recipe
from neurosteer.experiments.localizer.units import units_of

RECIPE = """format = 1
title = "Localised"
experiments = ["localizer"]
model = "{model}"
data = "{data}"
bos = "none"
position = "last"
topk = "5%"
localise = "0-29"
evaluate = "40-79"
controls = 2
"""


@pytest.fixture
def write(tmp_path: Path, tiny_folder: Callable[[str], Path]) -> Callable[[str], Path]:
    def make(more: str) -> Path:
        data = write_made(tmp_path / "made.jsonl")
        (tmp_path / "mine.toml").write_text(RECIPE.format(model=tiny_folder("llama"), data=data) + more)
        return tmp_path / "mine.toml"

    return make


def test_against_plain_hugging_face(write, tmp_path, tiny_folder):
    folder = run_recipe(write(""), out=tmp_path).folder
    with (folder / "localizer.csv").open(encoding="utf-8", newline="") as file:
        [row] = csv.DictReader(file)
    network, pairs = hf_network(tiny_folder("llama")), list(made_pairs())
    sizes = np.array([[last_states(network, text) for text in (pair.good, pair.bad)] for pair in pairs[:30]])
    t = stats.ttest_ind(sizes[:, 0], sizes[:, 1], axis=0, equal_var=False).statistic  # [layer, unit]
    order = np.argsort(-t, axis=None)[:4]  # 5 % of 96 units, rounded down
    chosen = [(int(layer), int(unit)) for layer, unit in zip(*np.unravel_index(order, t.shape), strict=True)]

    def accuracy() -> float:
        means = [[hf_logprobs(network, tokens(text)).mean() for text in (p.good, p.bad)] for p in pairs[40:80]]
        return float(np.mean([float(good) > float(bad) for good, bad in means]))

    assert int(row["units"]) == 4
    assert float(row["before"]) == accuracy()
    with hf_edited(network, "llama", chosen, lambda _l, _u, _d, _old: 0.0, acts=lambda _depth: True):
        assert float(row["after"]) == accuracy()
    assert float(row["before"]) != float(row["after"])  # else nothing was tested
    assert 0 <= float(row["matched_low"]) <= float(row["matched_mean"]) <= float(row["matched_high"]) <= 1
    assert round(3 * float(row["uniform_p"]), 4) in (1, 2, 3)


def tokens(text: str) -> list[int]:
    return ids_of(text, bos=None, eos=None)


@torch.no_grad()
def last_states(network: torch.nn.Module, text: str) -> np.ndarray:
    """The size of every unit of every block at the last token."""
    seen: list[torch.Tensor] = []
    handles = [
        block.register_forward_hook(lambda _m, _i, out: seen.append(out[0] if isinstance(out, tuple) else out))
        for block in network.model.layers
    ]
    network(torch.tensor([tokens(text)]))
    for handle in handles:
        handle.remove()
    return torch.stack([state[0, -1].abs() for state in seen]).double().numpy()


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ("\nlimit = 70\n", "evaluate 40-79: made has pairs 0 to 69"),
    ],
)
def test_parts_that_are_not_there(write, tmp_path, more, message):
    with pytest.raises(InputError, match=message):
        run_recipe(write(more), out=tmp_path)


def test_parts_that_overlap(write, tmp_path):
    write("")
    with pytest.raises(InputError, match="localise 0-29 and evaluate 20-79 have pairs in common"):
        run_recipe(tmp_path / "mine.toml", out=tmp_path, evaluate="20-79")
    with pytest.raises(InputError, match="evaluate must be an ascending range of pairs"):
        run_recipe(tmp_path / "mine.toml", out=tmp_path, evaluate="79-40")


def test_a_share_is_rounded_down():
    assert (units_of("1%", 17_280), units_of("1%", 96), units_of(40, 96)) == (172, 1, 40)

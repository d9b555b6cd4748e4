"""R7: planted neurons are found, and nothing is found where nothing is.

Four layers of 256 independent units, five planted in each: their good states lie d' = 1.5 above their bad ones, each
unit by itself. 200 train pairs. Welch finds them (recall .95, precision .9) as the 20 largest |t| of all layers and
as what passes at q = .05. The L0 probe at the lambda that validation pairs choose keeps planted units only
(precision .9) and reads the contrast as well as a probe that is given the planted units (within 1 point, mean over
layers and seeds). On null data at most 32 of 400 runs report any unit at q = .05 (20 expected).

The full sizes: `pytest tests/promises/test_r07_planted_neurons.py -m slow`
"""

from __future__ import annotations

import pytest
import torch
from scipy import stats
from sklearn.linear_model import LogisticRegression

from neurosteer.data import EosStates
from neurosteer.probes import welch
from neurosteer.studies.finding.layers import LayerResult, ProbeSettings, probe_layers

LAYERS, WIDTH, EACH, TRAIN, HELD = 4, 256, 5, 200, 700
PARTS = {"train": range(TRAIN), "validation": range(TRAIN, 300), "test": range(300, HELD)}


def planted(seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """States `[pair, side, layer, unit]`, and which units are planted."""
    rng = torch.Generator().manual_seed(seed)
    mask = torch.zeros(LAYERS, WIDTH, dtype=torch.bool)
    for row in mask:
        row[torch.randperm(WIDTH, generator=rng)[:EACH]] = True
    values = torch.randn(HELD, 2, LAYERS, WIDTH, generator=rng)
    values[:, 0] += 1.5 * mask
    return values, mask


def recall_and_precision(found: torch.Tensor, true: torch.Tensor) -> tuple[float, float]:
    hits = float((found & true).sum())
    return hits / float(true.sum()), hits / max(1.0, float(found.sum()))


def check_welch(seeds: int) -> None:
    largest, significant = [], []
    for seed in range(seeds):
        values, mask = planted(seed)
        result = welch(values, range(TRAIN))
        size = result.t.abs()
        largest.append(recall_and_precision(size >= size.flatten().sort().values[-LAYERS * EACH], mask))
        significant.append(recall_and_precision(result.q < 0.05, mask))
        assert sum(result.significant()) == int((result.q < 0.05).sum())
    for found in (largest, significant):
        recall, precision = torch.tensor(found).mean(dim=0).tolist()
        assert recall >= 0.95
        assert precision >= 0.9


def check_l0(seeds: int) -> None:
    kept = hits = 0
    behind: list[float] = []
    for seed in range(seeds):
        values, mask = planted(seed)
        for row, result in enumerate(l0_of(values, seed)):
            assert result.l0 is not None
            found = result.scores["l0"] > 0
            kept += int(found.sum())
            hits += int((found & mask[row]).sum())
            assert result.l0.kept == pytest.approx(float(found.sum()) / WIDTH)
            behind.append(known_accuracy(values[:, :, row, mask[row]]) - result.l0.accuracy.test)
    assert hits / kept >= 0.9
    assert hits / (seeds * LAYERS * EACH) >= 0.9  # and it is not by keeping next to none
    assert sum(behind) / len(behind) <= 0.01


def l0_of(values: torch.Tensor, seed: int) -> list[LayerResult]:
    states = EosStates(values, tuple(range(LAYERS)), "planted", "none", "resid_post", "eos", "none")
    settings = ProbeSettings("planted", EACH, ("l0",), draws=1, seed=seed)
    test = welch(values, range(TRAIN))
    return probe_layers(states, PARTS, test, settings, device=torch.device("cpu"), what="planted")


def known_accuracy(values: torch.Tensor) -> float:
    """Test accuracy of scikit-learn's probe on the planted units."""
    x = {part: values[list(rows)].flatten(0, 1).numpy() for part, rows in PARTS.items()}
    y = {part: [1, 0] * len(rows) for part, rows in PARTS.items()}
    return float(LogisticRegression().fit(x["train"], y["train"]).score(x["test"], y["test"]))


def runs_that_report(runs: int, *, pairs: int, layers: int, width: int) -> int:
    """Of null data: the two sides of a pair are alike but for noise."""
    reporting = 0
    for seed in range(runs):
        rng = torch.Generator().manual_seed(seed)
        shared = torch.randn(pairs, 1, layers, width, generator=rng)
        result = welch(shared + torch.randn(pairs, 2, layers, width, generator=rng), range(pairs))
        reporting += any(result.significant())
    return reporting


def check_null(runs: int, **sizes: int) -> None:
    """Benjamini-Hochberg on null data errs in 5 % of the runs: not in more than chance allows, and not never."""
    reporting = runs_that_report(runs, **sizes)
    assert reporting <= int(stats.binom.ppf(0.995, runs, 0.05))
    assert reporting >= int(stats.binom.ppf(0.005, runs, 0.05))


def test_welch_finds_planted_units():
    check_welch(seeds=20)


def test_l0_finds_planted_units():
    check_l0(seeds=2)


def test_null_data_report_nothing():
    check_null(400, pairs=40, layers=4, width=32)


@pytest.mark.slow
def test_l0_finds_planted_units_20_seeds():
    check_l0(seeds=20)


@pytest.mark.slow
def test_null_data_report_nothing_full_width():
    assert int(stats.binom.ppf(0.995, 400, 0.05)) == 32
    check_null(400, pairs=TRAIN, layers=LAYERS, width=WIDTH)

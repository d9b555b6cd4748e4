"""Which pairs a probe is asked in another task: none that chose or trained it."""

from __future__ import annotations

import numpy as np
import pytest

from neurosteer.experiments.shared.one_layer import PROBES, one_layer_name
from neurosteer.experiments.shared.transfer_probes import Member, general_name, general_units, transfer_unit
from neurosteer.runner.units import UnitResult

PARTS = {"train": [0, 1, 2], "validation": [3, 4], "test": [5, 6, 7, 8]}
RIGHT, WRONG = [[1.0], [-1.0]], [[-1.0], [1.0]]  # the good and the bad sentence of a pair, at one unit


def piece(sentences: list[list[str]], test: list[list[list[float]]]) -> UnitResult:
    """A task whose probes all say that good sentences are above 0, as its train and validation pairs show."""
    arrays = {f"{probe}_{name}": np.ones(1) * (name == "weights") for probe in PROBES for name in ("weights", "bias")}
    arrays |= {"mean": np.zeros(1), "scale": np.ones(1), "states_test": np.array(test, dtype=np.float32)}
    for part in ("train", "validation"):
        arrays[f"states_{part}"] = np.array([RIGHT] * len(PARTS[part]), dtype=np.float32)
    return UnitResult(arrays, {"parts": PARTS, "sentences": sentences})


@pytest.fixture
def pieces() -> dict[str, UnitResult]:
    """The target's test pairs: one that the source has trained on, one that its validation saw (both in the other
    role), one of its test part, and one of its own. The probe is wrong on the first two."""
    source = [[f"good {i}", f"bad {i}"] for i in range(9)]
    target = [[f"fine {i}", f"poor {i}"] for i in range(9)]
    target[5][0], target[6][1], target[7][0] = "bad 1", "good 4", "good 5"
    return {
        one_layer_name("source"): piece(source, [RIGHT] * 4),
        one_layer_name("target"): piece(target, [WRONG, WRONG, RIGHT, RIGHT]),
    }


def test_pairs_that_training_or_validation_saw_are_not_judged(pieces: dict[str, UnitResult]):
    arrays = transfer_unit(["source", "target"]).compute(pieces.__getitem__).arrays
    assert arrays["pairs"].tolist() == [[4, 2], [4, 4]]  # the target's train and validation have none of the source's
    for probe in PROBES:
        for kind in ("accuracy", "pairwise"):
            assert arrays[f"{kind}_{probe}"].tolist() == [[1.0, 1.0], [1.0, 0.5]]


def test_the_general_probe_is_judged_on_pairs_that_no_other_task_saw(pieces: dict[str, UnitResult]):
    units = {unit.name: unit for unit in general_units([Member("source", "one"), Member("target", "two")])}
    arrays = units[general_name("two")].compute(pieces.__getitem__).arrays
    assert [arrays[name].tolist() for name in ("accuracy", "pairwise", "pairs")] == [[1.0], [1.0], [2]]

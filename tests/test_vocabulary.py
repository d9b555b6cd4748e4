"""Every word of the vocabulary means something in the room it names, and nothing else does."""

from __future__ import annotations

import pytest
import torch

from neurosteer.forward import CONVENTIONS as WAYS_TO_SCORE
from neurosteer.vocabulary import (
    CONVENTIONS,
    DTYPES,
    MEAN_CONVENTIONS,
    counted,
    counted_pairs,
    is_device,
    is_share,
    read_layers,
)


def test_conventions_have_a_way_to_score():
    assert tuple(WAYS_TO_SCORE) == CONVENTIONS
    assert set(MEAN_CONVENTIONS) < set(CONVENTIONS)


def test_dtypes_are_those_of_torch():
    assert DTYPES[0] == "auto"
    assert all(isinstance(getattr(torch, name), torch.dtype) for name in DTYPES[1:])


@pytest.mark.parametrize(
    ("text", "layers"),
    [("3", [3]), ("3,7,12", [3, 7, 12]), ("0-3", [0, 1, 2, 3]), (" 9, 0-1 ,1", [0, 1, 9]), ("4-4", [4])],
)
def test_layers(text: str, layers: list[int]):
    assert read_layers(text) == layers


@pytest.mark.parametrize("text", ["", "5-3", "-1", "1,", "a", "1.0", "0-12345", "1 2"])
def test_no_layers(text: str):
    with pytest.raises(ValueError, match="neither a layer nor an ascending range"):
        read_layers(text)


@pytest.mark.parametrize(("text", "expected"), [("1%", True), (".5%", True), ("100%", True), ("0%", False)])
def test_shares(text: str, expected: bool):
    assert is_share(text) is expected
    assert not is_share(f"-{text}")
    assert not is_share(text[:-1])


def test_nothing_is_above_all_and_one_is_no_share():
    assert not is_share("100.1%")
    assert not is_share("1 %")


@pytest.mark.parametrize("text", ["auto", "cpu", "cuda", "cuda:1", "xpu:0", "mps"])
def test_devices(text: str):
    assert is_device(text)
    if text != "auto":
        torch.device(text)


@pytest.mark.parametrize("text", ["", "gpu", "cuda:", "cuda:-1", "cpu:0", "Auto"])
def test_no_devices(text: str):
    assert not is_device(text)


@pytest.mark.parametrize(
    ("pairs", "groups", "words"),
    [
        (60, 60, "60 test pairs"),
        (1200, 12, "1,200 test pairs (12 groups that share an item or a sentence)"),
        (5, 1, "5 test pairs (1 group that shares an item or a sentence)"),
        (1, 1, "1 test pair"),
    ],
)
def test_one_is_no_plural(pairs: int, groups: int, words: str):
    assert counted_pairs(pairs, groups) == words


def test_counts():
    assert [counted(number, "neuron") for number in (0, 1, 1200)] == ["0 neurons", "1 neuron", "1,200 neurons"]

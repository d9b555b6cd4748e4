"""The prefix forest is tried before it is trusted; where it does not hold, a notice says so."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tiny_models import random_pairs

from neurosteer.forward import eos_states
from neurosteer.forward.check import forest_is_exact
from neurosteer.forward.forest import Pack, plan
from neurosteer.model import Model, load_model
from neurosteer.progress import Progress


class Notices(Progress):
    def __init__(self) -> None:
        self.texts: list[str] = []

    def notice(self, text: str) -> None:
        self.texts.append(text)


@pytest.mark.parametrize("kind", ["llama", "gpt2", "neox", "gemma3", "gemma3-narrow", "qwen3"])
def test_the_forest_holds(kind: str, tiny: Callable[[str], Model]):
    notices = Notices()
    assert forest_is_exact(tiny(kind), notices)
    assert notices.texts == []


def test_alibi_takes_batches_of_equal_length_and_says_so_once(tiny_folder: Callable[[str], Path]):
    model, notices = load_model(tiny_folder("bloom")), Notices()
    for task in ("one", "two"):
        eos_states(model, random_pairs(5, task=task), cache=False, progress=notices)
    [text] = notices.texts
    assert text.startswith(f"{model.name}: the architecture does not take the prefix forest's mask or positions")
    assert text.endswith("sentences run in batches of equal length instead (slower, same results)")


@pytest.mark.parametrize(("field", "first"), [("parents", -1), ("depths", 0)])
def test_a_mask_or_position_that_is_ignored_is_noticed(
    field: str, first: int, tiny_folder: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
):
    """An architecture that attends to all that stands before, or counts positions by itself."""
    model, notices = load_model(tiny_folder("llama")), Notices()

    def ignoring(*args: Any, **options: Any) -> list[Pack]:
        packs = plan(*args, **options)
        in_order = [
            np.broadcast_to(np.arange(first, first + pack.tokens.shape[1]), pack.tokens.shape) for pack in packs
        ]
        return [replace(pack, **{field: np.array(values)}) for pack, values in zip(packs, in_order, strict=True)]

    monkeypatch.setattr("neurosteer.forward.check.plan", ignoring)
    assert not forest_is_exact(model, notices)
    assert "the prefix forest differs from one sentence at a time by" in notices.texts[0]

"""MLP neurons of all layers: from find to evidence, with states that need not fit into memory."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from made_pairs import made_pairs
from tiny_models import INNER, LAYERS

from neurosteer.forward import eos_states, last_states
from neurosteer.model import Model
from neurosteer.progress import Progress
from neurosteer.studies.finding import request


class Notices(Progress):
    def __init__(self) -> None:
        self.said: list[str] = []

    def notice(self, text: str) -> None:
        self.said.append(text)


def test_large_states_are_collected_in_a_file(llama: Model, monkeypatch: pytest.MonkeyPatch):
    pairs = made_pairs(verbs=2, subjects=3, nouns=1)
    asked: dict[str, Any] = {"site": "mlp_post", "cache": False}
    plain = eos_states(llama, pairs, **asked).values
    made: list[np.ndarray] = []

    def room(*given: Any) -> np.ndarray:
        made.append(room_for(*given))
        return made[-1]

    room_for = last_states.room_for
    monkeypatch.setattr(last_states, "IN_MEMORY", 100)
    monkeypatch.setattr("neurosteer.forward.request.room_for", room)
    assert torch.equal(eos_states(llama, pairs, **asked).values, plain)
    assert isinstance(made[-1], np.memmap)
    monkeypatch.setattr(last_states.tempfile, "TemporaryFile", _full)
    notices = Notices()
    assert torch.equal(eos_states(llama, pairs, **asked, progress=notices).values, plain)
    assert not isinstance(made[-1], np.memmap)
    assert notices.said == ["states of 0.0 GB are collected in memory: No space left on device"]


def _full(**_about: Any) -> Any:
    raise OSError(28, "No space left on device")


def test_the_cost_is_stated(monkeypatch: pytest.MonkeyPatch):
    notices = Notices()
    request.say_cost(1000, 30, 576, "resid_post", notices)
    request.say_cost(1000, 30, 1536, "mlp_post", notices)
    assert notices.said == [
        "46,080 units of mlp_post at 30 layers: states of 1,000 pairs take 0.4 GB in the cache, and are read a few "
        "layers at a time"
    ]


@pytest.mark.slow
def test_from_find_to_evidence(
    run: Any, tiny_folder: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """A share of all layers' neurons, pooled."""
    rows = [{"sentence_good": pair.good, "sentence_bad": pair.bad} for pair in made_pairs()]
    (tmp_path / "made.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "prose.txt").write_text("w1 w5 w9 w2 w6 w5 w3\n")
    monkeypatch.chdir(tmp_path)
    about = ["--model", str(tiny_folder("llama")), "--quiet", "--format", "json"]
    asked = ["--site", "mlp_post", "--layers", "all", "--method", "attribution", "--topk", "5%"]
    [found] = json.loads(run("find", "--data", "made.jsonl", *asked, *about).out)["results"]
    assert (found["width"], found["k"]) == (INNER, round(0.05 * INNER))
    pooled = ["--layers", "all", "--topk", "5%", "--controls", "2", "--neutral", "prose.txt", *about]
    [ablated] = json.loads(run("ablate", *pooled).out)["results"]
    assert (ablated["edit"]["site"], ablated["edit"]["k"]) == ("mlp_post", round(0.05 * INNER * LAYERS))
    only = ["--only", "necessary,sufficient,selective", "--nulls", "2"]
    [told] = json.loads(run("evidence", *only, *pooled).out)["results"]
    assert (told["width"], told["k"]) == (INNER * LAYERS, ablated["edit"]["k"])

"""Pages of heads and directions name them, as the tables of the terminal do."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_pairs import made_pairs

from neurosteer.edits import Edit
from neurosteer.model import Model
from neurosteer.report.pages import PAGE
from neurosteer.report.pages.found import finds_of
from neurosteer.report.pages.units import units_of
from neurosteer.store import read_artefact
from neurosteer.studies import Found, find, measure_effect, save_effects, save_find

pytestmark = pytest.mark.usefixtures("blank_pictures")


@pytest.fixture(scope="module")
def found(llama: Model, apart: Callable[[], AbstractContextManager[None]]) -> Iterator[Found]:
    with apart():
        yield find(llama, made_pairs(), by="head", methods=("welch", "attribution"), topk=2, draws=1)


def data_of(page: Path) -> Any:
    return json.loads(re.search(r'id="data">(.*?)</script>', page.read_text("utf-8"), re.DOTALL)[1])


def test_a_find_of_heads(found: Found, llama: Model, tmp_path: Path):
    folder, _ = save_find(llama, [found], out=tmp_path, options={})
    page = (folder / PAGE).read_text("utf-8")
    assert "Which heads" in page
    tool = data_of(folder / PAGE)["tools"]["0-neurons"]
    width = llama.bridge.cfg.d_model // llama.bridge.cfg.n_heads
    scores = read_artefact(folder / "made.welch.safetensors", "ranking")[0]["scores"]
    assert tool["place"] == "head"
    assert tool["units"] == list(range(llama.bridge.cfg.n_heads)) * llama.n_layers
    assert tool["scores"]["welch"] == pytest.approx(scores[:, ::width].ravel().tolist(), rel=1e-3)
    chosen = {(one.layer, one.head) for one in found.result.neurons["welch"]}
    places = list(zip(tool["layers"], tool["units"], strict=True))
    assert {places[i] for i in tool["chosen"]["welch"]} == chosen
    assert "neurosteer neuron" not in page.split("<main")[1].split('id="data"')[0]  # there are cards of units alone
    stats = found.ranking("welch").stats
    squares = (stats.token_mean.double() ** 2 + stats.token_var.double()).reshape(llama.n_layers, -1, width)
    [saved] = finds_of(json.loads((folder / "results.json").read_text("utf-8"))["results"])
    shown = units_of(folder, saved).stats.rms
    np.testing.assert_allclose(shown, squares.mean(dim=-1).sqrt().numpy(), rtol=1e-4)


def test_an_edit_of_heads(found: Found, llama: Model, tmp_path: Path):
    effect = measure_effect(llama, found.test, Edit.ablate(found.ranking("attribution").top(2)), controls=3)
    folder, _ = save_effects(llama, [effect], command="ablate", out=tmp_path, options={})
    page = (folder / PAGE).read_text("utf-8")
    assert "The heads" in page
    assert "2 heads (layer:head, score by attribution)" in page
    assert "these heads" in page
    assert "these neurons" not in page
    for layer, head in found.ranking("attribution").top(2).members:
        assert f">{layer}:{head}<" in page

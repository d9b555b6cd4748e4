"""A `find` saved and read back: the same numbers, rankings, probes and pairs."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from made_pairs import made_pairs
from matplotlib.figure import Figure

from neurosteer import report
from neurosteer.artefacts import check_path
from neurosteer.errors import CorruptFileError, InputError
from neurosteer.forward import eos_states
from neurosteer.model import Model
from neurosteer.pairs import LeftOut, Pairs, load_pairs
from neurosteer.store import write_manifest
from neurosteer.studies import Found, find, neurons_from, save_find
from neurosteer.studies.effects import FindQuery
from neurosteer.studies.finding import save


@pytest.fixture(autouse=True)
def no_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    """They take longer than all else here."""
    monkeypatch.setattr(report, "save_pictures", lambda _figure, stem: stem.write_bytes(b""))
    monkeypatch.setattr(save, "_figure", lambda *_: None)


def check_same(again: Found, found: Found) -> None:
    """Every number, every bit; only where the rankings lie is new."""
    assert replace(again.result, rankings={}) == replace(found.result, rankings={})
    assert (again.pairs, again.split) == (found.pairs, found.split)
    for method, ranking in found.rankings.items():
        other = again.ranking(method)
        assert torch.equal(other.scores, ranking.scores)
        assert (other.metadata, other.best_layer) == (ranking.metadata, ranking.best_layer)
        assert list(other.top(3)) == list(ranking.top(3))
    for layer in (row.layer for row in found.layers):
        mine, theirs = again.direction("probe", layer), found.direction("probe", layer)
        assert torch.equal(mine.vector, theirs.vector)
        assert mine.std == theirs.std


def test_saved_and_loaded(found: Found, tmp_path: Path):
    folder = found.save(tmp_path / "runs" / "mine")
    again = Found.load(folder)
    check_same(again, found)
    for method, path in again.result.rankings.items():
        assert Path(path) == folder / f"made.{method}.safetensors"
    assert repr(again) == f"Found(made, 3 layers, best layer {found.best_layer})"
    assert all(row["ok"] for row in check_path(folder))


def test_pairs_that_no_source_has(llama: Model, tmp_path: Path):
    """Items, parts and what was left out are kept with them; no file is asked."""
    many = made_pairs(verbs=20, subjects=5, nouns=3)
    own = [replace(pair, item=pair.good.split()[2], id=f"é{i}") for i, pair in enumerate(many)]
    pairs = Pairs("made / by hand", "nowhere", tuple(own), "agreement", LeftOut(repeated=2))
    found = find(llama, pairs, methods=("l0",), layers=[2, 0], topk=3, draws=1, split="lexical", seed=4)
    check_same(Found.load(found.save(tmp_path / "mine")), found)


def test_what_the_command_wrote(llama: Model, few: Pairs, found: Found, tmp_path: Path):
    other = find(llama, replace(few, task="other"), layers=[0], methods=("welch",), topk=3, draws=1)
    folder, _ = save_find(llama, [found, other], out=tmp_path, options={})
    check_same(Found.load(folder, "other"), other)
    check_same(Found.load(folder, task="made"), found)
    with pytest.raises(InputError, match=r"holds made, other; name one as task=$"):
        Found.load(folder)
    with pytest.raises(InputError, match=r"^no task 'third' in .*; there is made, other$"):
        Found.load(folder, "third")


def test_what_was_saved_is_a_run(llama: Model, tmp_path: Path):
    """`ablate` takes its neurons and pairs from there, though they are only some of their source."""
    source = tmp_path / "made.jsonl"
    rows = [{"sentence_good": pair.good, "sentence_bad": pair.bad} for pair in made_pairs()]
    source.write_text("".join(json.dumps(row) + "\n" for row in rows))
    pairs = load_pairs(source=str(source)).limit(60)
    found = find(llama, pairs, methods=("welch",), layers=[1], topk=3, draws=1)
    folder = found.save(tmp_path / "runs" / "mine")
    origin = neurons_from(llama, FindQuery(), out=tmp_path / "runs")
    assert (origin.where, origin.task) == (str(folder), "made")
    assert list(origin.sets["welch"]) == list(found.ranking().top(3))
    assert (origin.train, origin.test) == (found.train, found.test)


def test_only_a_run_is_replaced(found: Found, tmp_path: Path):
    mine = tmp_path / "mine"
    mine.mkdir()
    found.save(mine)  # it was empty
    found.save(mine)
    check_same(Found.load(mine), found)
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "thesis.tex").write_text("chapter 1")
    for path in (precious, precious / "thesis.tex"):
        with pytest.raises(InputError, match=r"is there and is no run of neurosteer; name another folder$"):
            found.save(path)
    assert (precious / "thesis.tex").read_text() == "chapter 1"


def test_what_cannot_be_loaded_is_told_in_one_line(found: Found, tmp_path: Path):
    with pytest.raises(InputError, match=r"^no finished run in '.*none' \(neurosteer ls runs\)$"):
        Found.load(tmp_path / "none")
    folder = found.save(tmp_path / "mine")
    intact = {path: path.read_bytes() for path in folder.iterdir()}
    for name in ("results.json", "made.probes.safetensors", "made.states.safetensors", "made.l0.safetensors"):
        file = folder / name
        file.write_bytes(intact[file].replace(b"0.", b"1.", 1) if name.endswith("json") else intact[file][:-1])
        with pytest.raises(CorruptFileError) as caught:
            Found.load(folder)
        assert name in str(caught.value)
        assert "\n" not in str(caught.value)
        file.write_bytes(intact[file])
    Found.load(folder)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"command": "score"}, r"is a run of `neurosteer score`, not of `neurosteer find`$"),
        ({"results": [{"task": "made"}]}, r"is of another version of neurosteer \(.*: field required\); find again$"),
    ],
)
def test_another_kind_of_run(found: Found, tmp_path: Path, change: dict[str, object], said: str):
    folder = found.save(tmp_path / "mine")
    run = json.loads((folder / "results.json").read_text("utf-8"))
    (folder / "results.json").write_text(json.dumps(run | change))
    write_manifest(folder)
    with pytest.raises(InputError, match=said):
        Found.load(folder)


def test_a_run_without_probes_is_of_an_earlier_version(found: Found, tmp_path: Path):
    folder = found.save(tmp_path / "mine")
    (folder / "made.probes.safetensors").unlink()
    write_manifest(folder)
    with pytest.raises(InputError, match=r"holds no probes and pairs: an earlier version wrote it; find again$"):
        Found.load(folder)


def test_the_states_of_the_best_neurons_are_kept(llama: Model, found: Found, tmp_path: Path):
    """Those of the 10 highest of each ranking, over all layers and at its best one; old runs have none."""
    folder = found.save(tmp_path / "mine")
    due = set()
    for ranking in found.rankings.values():
        for layers in (range(3), [ranking.best_layer]):
            every = [(-float(ranking.scores[layer, unit]), layer, unit) for layer in layers for unit in range(32)]
            due |= {(layer, unit) for score, layer, unit in sorted(every)[:10] if score < 0}
    top = Found.load(folder).top
    assert set(zip(top.layers.tolist(), top.units.tolist(), strict=True)) == due
    states = eos_states(llama, found.pairs, cache=False).values.numpy()
    texts = [sentence for pair in found.pairs for sentence in (pair.good, pair.bad)]
    for i, (layer, unit) in enumerate(zip(top.layers, top.units, strict=True)):
        own = states[:, :, layer, unit]
        by_text = dict(zip(texts, own.ravel(), strict=True))
        for end, order in enumerate((sorted(by_text.values(), reverse=True), sorted(by_text.values()))):
            np.testing.assert_allclose(top.values[i, end], order[:4], rtol=1e-6)
            shown = [by_text[texts[place]] for place in top.sentences[i, end]]
            np.testing.assert_allclose(shown, order[:4], rtol=1e-6)
            assert len({texts[place] for place in top.sentences[i, end]}) == 4
        np.testing.assert_allclose(top.means[i], own.mean(axis=0), rtol=1e-5)
    (folder / "made.states.safetensors").unlink()
    write_manifest(folder)
    assert Found.load(folder).top is None


def test_the_table_for_pandas(found: Found):
    table = found.to_frame().set_index("layer")
    assert table.index.tolist() == [0, 1, 2]
    for row in found.layers:
        own = table.loc[row.layer]
        assert (own["dense"], own["topk_by_method.l0"]) == (row.dense, row.topk_by_method["l0"])
        assert (own["intervals.topk.low"], own["intervals.topk.high"]) == row.intervals.topk
        assert own["agreement.welch~l0.overlap"] == row.agreement[0].overlap


def test_drawn_where_the_user_wants(found: Found):
    figure = Figure()
    left, right = figure.subplots(1, 2)
    assert found.figure(ax=right) is figure
    dense = next(line for line in right.lines if str(line.get_label()).startswith("dense"))
    assert dense.get_ydata().tolist() == [row.dense for row in found.layers]
    assert not left.lines


def test_a_layer_by_its_index(llama: Model, few: Pairs):
    found = find(llama, few, methods=("welch",), layers=[0, 2], topk=3, draws=1)
    assert found.result.at(2) is found.layers[1]
    assert found.result.best.layer == found.best_layer
    with pytest.raises(InputError, match=r"^no layer 1 here; there is 0, 2$"):
        found.result.at(1)

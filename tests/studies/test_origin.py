"""Where `ablate` and `amplify` take their neurons and pairs from."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from made_pairs import made_pairs

from neurosteer import report
from neurosteer.errors import InputError
from neurosteer.forward import score
from neurosteer.model import Model, load_model
from neurosteer.neurons import Ranking
from neurosteer.pairs import Pairs, load_pairs, sentence_hashes
from neurosteer.progress import Progress
from neurosteer.results import record
from neurosteer.results.pairs_used import SplitPairs, SplitSizes
from neurosteer.results.run import FindOptions, FoundTask
from neurosteer.studies import (
    FindQuery,
    Origin,
    find,
    model_of_newest_find,
    neurons_from,
    save_find,
    save_scores,
)
from neurosteer.studies.finding import save

COLUMNS = ("sentence_good", "sentence_bad")


def write_pairs(path: Path, pairs: Pairs, columns: tuple[str, str] = COLUMNS) -> str:
    path.write_text("".join(json.dumps(dict(zip(columns, (p.good, p.bad), strict=True))) + "\n" for p in pairs))
    return str(path)


@pytest.fixture(autouse=True)
def no_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    """They take longer than all else here."""
    monkeypatch.setattr(report, "save_pictures", lambda _figure, stem: stem.write_bytes(b""))
    monkeypatch.setattr(save, "_figure", lambda *_: None)


@pytest.fixture
def source(tmp_path: Path) -> str:
    return write_pairs(tmp_path / "made.jsonl", made_pairs())


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "runs"


def found_in(
    out: Path,
    model: Model,
    source: str,
    *,
    n: int | None = None,
    when: int | None = None,
    **asked: Any,
) -> Path:
    """A finished run of `find`, quickly made; `when` is its time."""
    typed = {option: asked.pop(option) for option in ("name", "bos") if option in asked}
    pairs = load_pairs(source=source, limit=n)
    found = find(model, pairs, **{"methods": ("welch",), "layers": [1, 2], "topk": 3, "draws": 1, **asked})
    options = {"n": n, "columns": COLUMNS, **{name: str(value) for name, value in asked.items()}, **typed}
    folder, _ = save_find(model, [found], out=out, options=options)
    if when is not None:
        at(folder, when)
    return folder


def at(folder: Path, time: int) -> None:
    os.utime(folder / "MANIFEST.json", (time, time))


def refusal(*args: Any, error: type[Exception] = InputError, **asked: Any) -> str:
    with pytest.raises(error) as caught:
        neurons_from(*args, **asked)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_the_newest_find_of_this_model(llama: Model, tiny: Callable[[str], Model], source: str, out: Path):
    """Newer finds of another model and newer runs of other commands are passed over."""
    older, newer = (found_in(out, llama, source, seed=seed, when=1000 + seed) for seed in (1, 2))
    other = found_in(out, tiny("gpt2"), source, seed=1, when=5000)
    pairs = load_pairs(source=source, limit=4)
    scored, *_ = save_scores(llama, [(pairs, score(llama, pairs))], out=out, options={})
    at(scored, 6000)
    assert neurons_from(llama, FindQuery(), out=out).where == str(newer)
    assert neurons_from(tiny("gpt2"), FindQuery(), out=out).where == str(other)
    at(older, 2000)
    assert neurons_from(llama, FindQuery(), out=out).where == str(older)


def test_the_model_of_the_newest_find(llama: Model, tiny: Callable[[str], Model], source: str, out: Path):
    """Of any model, if the find answers what was asked; the special tokens that it was given, too."""
    assert model_of_newest_find(FindQuery(), out=out) is None
    found_in(out, llama, source, seed=1, when=1000)
    found_in(out, tiny("gpt2"), source, seed=2, name="there/gpt2", bos="<s>", when=2000)
    newest = model_of_newest_find(FindQuery(), out=out)
    assert newest is not None
    assert (newest.name, newest.bos, newest.eos) == ("there/gpt2", "<s>", None)
    first = model_of_newest_find(FindQuery(seed=1), out=out)
    assert first is not None
    assert (first.name, first.revision, first.bos) == (llama.name, llama.revision, None)
    assert model_of_newest_find(FindQuery(task="other"), out=out) is None


def test_options_by_their_old_and_new_names(llama: Model, source: str, out: Path):
    """Version 0.1 wrote `n`; both are read."""
    pairs = load_pairs(source=source, limit=40)
    found = find(llama, pairs, methods=("welch",), layers=[1], topk=3, draws=1)
    for name in ("n", "limit"):
        folder, _ = save_find(llama, [found], out=out / name, options={name: 40})
        origin = neurons_from(llama, FindQuery(limit=40), out=out / name)
        assert (origin.where, origin.test) == (str(folder), found.test)
        assert refusal(llama, FindQuery(limit=41), out=out / name).startswith("no `neurosteer find`")


def test_sets_and_pairs_are_the_finds_own(llama: Model, source: str, out: Path):
    """Sets by method, of as many neurons at the layer that it found; the pairs that it kept for the test."""
    pairs = load_pairs(source=source)
    found = find(llama, pairs, methods=("l0", "welch"), topk=3, draws=1, seed=7)
    folder, _ = save_find(llama, [found], out=out, options={})
    origin = neurons_from(llama, FindQuery(), out=out)
    assert isinstance(origin, Origin)
    assert (origin.task, origin.where) == ("made", str(folder))
    assert {method: list(neurons) for method, neurons in origin.sets.items()} == {
        "l0": list(found.ranking("l0").top(3))
    }
    assert (origin.test, origin.train) == (found.test, found.train)
    assert record(origin.data) == record(found.result.data)
    several = neurons_from(llama, FindQuery(methods=("welch", "l0"), topk="5", layers=[0, 2]), out=out)
    assert {method: list(neurons) for method, neurons in several.sets.items()} == {
        method: list(found.ranking(method).top(5, layers=[0, 2])) for method in ("welch", "l0")
    }
    share = neurons_from(llama, FindQuery(methods=("welch",), topk="25%", layers="all"), out=out)
    assert len(share.sets["welch"]) == 24
    with pytest.raises(InputError, match=r"^this ranking has no layer 5;"):
        neurons_from(llama, FindQuery(layers=[5]), out=out)


@pytest.mark.slow
def test_only_a_find_that_answers_what_was_asked(llama: Model, tmp_path: Path, source: str, out: Path):
    """By task, source, split, seed, number of pairs, columns and method; each newer find fits all but one."""
    many = write_pairs(tmp_path / "many.jsonl", made_pairs(verbs=20, subjects=5, nouns=3))
    runs = {
        "plain": found_in(out, llama, source, when=1000),
        "seed": found_in(out, llama, source, seed=4, when=2000),
        "limit": found_in(out, llama, source, n=40, when=3000),
        "l0": found_in(out, llama, source, methods=("l0",), layers=[1], when=4000),
        "task": found_in(out, llama, many, when=5000),
        "split": found_in(out, llama, many, split="lexical", when=6000),
    }

    def chosen(**asked: Any) -> str:
        where = Path(neurons_from(llama, FindQuery(**asked), out=out, pairs=False).where)
        return next(name for name, folder in runs.items() if folder == where)

    assert chosen() == "split"
    assert chosen(split="pair") == "task"
    assert chosen(task="many") == "split"
    assert chosen(task="many", split="pair") == "task"
    assert chosen(task="made") == "l0"
    assert chosen(source=source, methods=("welch",)) == "limit"
    assert chosen(task="made", limit=40) == "limit"
    assert chosen(task="made", seed=4) == "seed"
    assert chosen(task="made", seed=0, methods=("welch",), limit=None) == "limit"
    assert chosen(columns=COLUMNS) == "split"
    for asked in (
        {"task": "other"},
        {"seed": 9},
        {"limit": 41},
        {"source": str(tmp_path / "elsewhere.jsonl")},
        {"columns": ("good", "bad")},
        {"task": "made", "split": "lexical"},
        {"methods": ("attribution",)},
        {"task": "made", "methods": ("welch", "l0")},
    ):
        assert refusal(llama, FindQuery(**asked), out=out).startswith("no `neurosteer find`")


def test_a_task_among_several_of_one_run(llama: Model, tmp_path: Path, source: str, out: Path):
    other = write_pairs(tmp_path / "other.jsonl", made_pairs(subjects=4))
    asked: dict[str, Any] = {"methods": ("welch",), "layers": [1], "topk": 3, "draws": 1}
    founds = [find(llama, load_pairs(source=path), **asked) for path in (source, other)]
    save_find(llama, founds, out=out, options={})
    for task, found in zip(("made", "other"), founds, strict=True):
        origin = neurons_from(llama, FindQuery(task=task), out=out)
        assert (origin.task, origin.test) == (task, found.test)
        assert list(origin.sets["welch"]) == list(found.ranking().top(3))
    assert neurons_from(llama, FindQuery(), out=out).task == "made"


def test_the_same_number_of_pairs_and_columns(llama: Model, tmp_path: Path, out: Path):
    """What was read differently then is read so again."""
    path = write_pairs(tmp_path / "mine.jsonl", made_pairs(), ("right", "wrong"))
    pairs = load_pairs(source=path, limit=50, columns=("right", "wrong"))
    found = find(llama, pairs, methods=("welch",), layers=[1], topk=3, draws=1)
    save_find(llama, [found], out=out, options={"n": 50, "columns": ("right", "wrong")})
    for asked in (FindQuery(), FindQuery(limit=50, columns=("right", "wrong"))):
        assert neurons_from(llama, asked, out=out).test == found.test
    assert refusal(llama, FindQuery(columns=COLUMNS), out=out).startswith("no `neurosteer find`")


def test_the_same_layout(llama: Model, tmp_path: Path, out: Path):
    """What was said of the rows then is said again; the neurons' own file remembers it too."""
    path = tmp_path / "mine.txt"
    path.write_text("".join(f"{pair.bad}\n{pair.good}\n" for pair in made_pairs()))
    pairs = load_pairs(source=str(path), layout="bad-good")
    found = find(llama, pairs, methods=("welch",), layers=[1], topk=3, draws=1)
    folder, result = save_find(llama, [found], out=out, options={"layout": "bad-good"})
    assert result["results"][0]["data"]["layout"] == pairs.layout
    for asked in (FindQuery(), FindQuery(layout="bad-good")):
        assert neurons_from(llama, asked, out=out).test == found.test
    assert refusal(llama, FindQuery(layout="auto"), out=out).startswith("no `neurosteer find` with ")
    [file] = folder.rglob("*.welch.safetensors")
    assert neurons_from(llama, FindQuery(), out=out, given=file).test == found.test
    told = refusal(llama, FindQuery(layout="good-bad"), out=out, given=file)
    assert told.endswith("give the --data, --limit, --columns and --layout of that find")


def test_pairs_that_have_changed_since(llama: Model, source: str, out: Path):
    """By their digest: one word is enough. The neurons alone are still to be had."""
    folder = found_in(out, llama, source)
    assert neurons_from(llama, FindQuery(), out=out).test is not None
    Path(source).write_text(Path(source).read_text().replace("w0 w60 w20 w10", "w0 w60 w20 w61", 1))
    message = (
        f"the pairs of made in '{source}' are not those that {folder} was made from; run `neurosteer find` again"
    )
    assert refusal(llama, FindQuery(), out=out) == message
    alone = neurons_from(llama, FindQuery(), out=out, pairs=False)
    assert (alone.test, alone.train, alone.data) == (None, None, None)
    assert len(alone.sets["welch"]) == 3


def test_neurons_alone_need_no_pairs(llama: Model, source: str, out: Path):
    found_in(out, llama, source)
    Path(source).unlink()
    assert len(neurons_from(llama, FindQuery(), out=out, pairs=False).sets["welch"]) == 3
    assert refusal(llama, FindQuery(), out=out).startswith(f"no such file or folder: '{source}'")


def test_a_run_may_be_moved(llama: Model, source: str, out: Path):
    folder = found_in(out, llama, source)
    moved = out.rename(out.with_name("elsewhere"))
    assert neurons_from(llama, FindQuery(), out=moved).where == str(moved / folder.name)


def test_a_ranking_that_was_damaged(llama: Model, source: str, out: Path):
    file = found_in(out, llama, source) / "made.welch.safetensors"
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)
    assert "no `neurosteer find`" in refusal(llama, FindQuery(), out=out)
    assert "does not match its digest" in refusal(llama, FindQuery(), out=out, given=file)


class Notices(Progress):
    """What was told."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def notice(self, text: str) -> None:
        self.told.append(text)


def test_a_damaged_find_is_passed_over_for_an_older_one(llama: Model, source: str, out: Path):
    """And that is said."""
    older = found_in(out, llama, source, when=1000)
    damaged = found_in(out, llama, source, seed=1)
    (damaged / "made.csv").write_text("changed")
    progress = Notices()
    assert neurons_from(llama, FindQuery(), out=out, progress=progress).where == str(older)
    [told] = progress.told
    assert told.startswith(f"passed over: {damaged / 'made.csv'} is not what")


def test_the_same_bos_and_eos(
    llama: Model, tiny_folder: Callable[[str], Path], source: str, out: Path, tmp_path: Path
):
    """Neurons found behind another first token are not those of this reading."""
    without, swapped = (load_model(tiny_folder("llama"), **own) for own in ({"bos": "none"}, {"eos": "<s>"}))
    found_in(out, llama, source)
    own = found_in(out, without, source)
    assert neurons_from(without, FindQuery(), out=out).where == str(own)
    assert neurons_from(llama, FindQuery(), out=out).where != str(own)
    told = "were found under BOS none and EOS </s>, and the model now has <s> and <s>; give --bos 'none' --eos '</s>'"
    assert refusal(swapped, FindQuery(), out=out).startswith(f"the neurons of {own} {told}")
    [file] = Path(neurons_from(llama, FindQuery(), out=out).where).glob("*.welch.safetensors")
    for model, then, now, option in (
        (without, "BOS <s>", "none", "--bos '<s>'"),
        (swapped, "EOS </s>", "<s>", "--eos '</s>'"),
    ):
        told = f"{file}: these neurons were found under {then}, and the model now has {now}; give {option} ("
        assert refusal(model, FindQuery(), out=out, given=file).startswith(told)


def test_a_token_that_the_model_does_not_have(llama: Model, source: str, out: Path, tmp_path: Path):
    """No option can name it."""
    found_in(out, llama, source)
    chosen = neurons_from(llama, FindQuery(), out=out).sets["welch"]
    for token in (64, 99999, 1 << 70):
        file, network = tmp_path / "theirs.safetensors", {**chosen.metadata["network"], "bos": token}
        replace(chosen, metadata={**chosen.metadata, "network": network}).save(file)
        told = (
            f"{file}: these neurons were found under BOS {token}, a token that {llama.name} does not have; name the "
        )
        assert refusal(llama, FindQuery(), out=out, given=file).startswith(told)


def test_neurons_of_another_model_say_of_which(tiny: Callable[[str], Model], llama: Model, tmp_path: Path):
    other, file = tiny("gpt2"), tmp_path / "theirs.safetensors"
    Ranking.from_scores(other, np.eye(1, 32), layers=[0]).top(1, 0).save(file)
    told = refusal(llama, FindQuery(task="made"), out=tmp_path, given=file)
    assert told.startswith(f"{file}: these neurons were found in another model than {llama.name} (fingerprint ")
    assert told.endswith(f"; they are of '{other.name}': give --model {other.name}")


def test_a_source_is_the_same_however_it_is_spelt(
    llama: Model, source: str, out: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    folder = found_in(out, llama, source)
    monkeypatch.chdir(tmp_path)
    for spelt in ("made.jsonl", "./made.jsonl", source, "runs/../made.jsonl"):
        assert neurons_from(llama, FindQuery(source=spelt), out=out).where == str(folder)


@pytest.mark.parametrize(("task", "about"), [(None, ""), ("made", " of made")])
def test_nothing_there(llama: Model, out: Path, task: str | None, about: str):
    assert refusal(llama, FindQuery(task=task), out=out) == (
        f"no `neurosteer find`{about} with {llama.name} (and this BOS and EOS) in '{out}' to take neurons from; "
        "run one first, or give --task NAME or --neurons FILE"
    )
    assert not out.exists()


def test_a_find_is_made_where_none_fits(llama: Model, source: str, out: Path):
    """And only then; it is asked for the methods wanted."""
    asked: list[Sequence[str]] = []

    def find_now(methods: Sequence[str]) -> Path:
        asked.append(methods)
        return found_in(out, llama, source, methods=tuple(methods) or ("welch", "l0"))

    first = neurons_from(llama, FindQuery(task="made"), out=out, find_now=find_now)
    assert asked == [()]
    assert list(first.sets) == ["welch"]
    assert first.test is not None
    again = neurons_from(llama, FindQuery(task="made", methods=("l0",)), out=out, find_now=find_now)
    assert asked == [()]
    assert again.where == first.where
    other = neurons_from(llama, FindQuery(task="made", methods=("attribution",)), out=out, find_now=find_now)
    assert asked == [(), ("attribution",)]
    assert list(other.sets) == ["attribution"]
    assert other.where != first.where


def test_a_neuron_set_from_a_file(llama: Model, source: str, out: Path, tmp_path: Path):
    """Its task, source, split and seed are its own, unless others are asked for."""
    pairs = load_pairs(source=source)
    found = find(llama, pairs, methods=("welch",), layers=[1], topk=3, draws=1, seed=3)
    file = tmp_path / "mine.safetensors"
    found.ranking().top(5).save(file)
    origin = neurons_from(llama, FindQuery(), out=out, given=file)
    assert (origin.task, origin.where) == ("made", str(file))
    assert {method: list(neurons) for method, neurons in origin.sets.items()} == {
        "welch": list(found.ranking().top(5))
    }
    assert (origin.test, origin.train) == (found.test, found.train)
    assert record(origin.data) == {**record(found.result.data), "split_new_words": None}
    other = neurons_from(llama, FindQuery(seed=4), out=out, given=file)
    assert other.test == pairs.split("pair", 4).test
    assert "was found on other pairs of made" in refusal(llama, FindQuery(limit=40), out=out, given=file)
    copy = tmp_path / "other" / "made.jsonl"
    copy.parent.mkdir()
    copy.write_text("".join(Path(source).read_text().splitlines(keepends=True)[:40]))
    elsewhere = neurons_from(llama, FindQuery(task="made", source=str(copy)), out=out, given=file)
    assert elsewhere.test is not None
    assert len(elsewhere.test) == 8
    seen = set(elsewhere.sets["welch"].metadata["seen"])
    assert {h for pair in elsewhere.test for h in sentence_hashes([pair])} & seen  # which `measure_effect` refuses
    alone = neurons_from(llama, FindQuery(), out=out, given=file, pairs=False)
    assert (alone.test, alone.train, alone.data) == (None, None, None)
    assert not out.exists()


@pytest.mark.parametrize(
    ("asked", "option"),
    [({"topk": "3"}, "--topk"), ({"layers": "all"}, "--layers"), ({"topk": "1%", "layers": [1]}, "--topk")],
)
def test_a_neuron_set_already_says_which(
    llama: Model, source: str, out: Path, tmp_path: Path, asked: dict[str, Any], option: str
):
    found = find(llama, load_pairs(source=source), methods=("welch",), layers=[1], topk=3, draws=1)
    file = tmp_path / "mine.safetensors"
    found.ranking().top(5).save(file)
    assert refusal(llama, FindQuery(**asked), out=out, given=file) == (
        f"{option} with a neuron set: {file} already says which neurons; leave {option} out"
    )


def test_a_ranking_from_a_file(llama: Model, source: str, out: Path, tmp_path: Path):
    """Of a ranking the top is taken: 1 % unless another k is asked for."""
    found = find(llama, load_pairs(source=source), methods=("l0",), topk=3, draws=1)
    file = tmp_path / "mine.safetensors"
    ranking = found.ranking("l0")
    ranking.save(file)
    for asked, top in (
        ({}, ranking.top("1%")),
        ({"topk": "4"}, ranking.top(4)),
        ({"topk": "4", "layers": [0, 1]}, ranking.top(4, layers=[0, 1])),
    ):
        origin = neurons_from(llama, FindQuery(**asked), out=out, given=file)
        assert {method: list(neurons) for method, neurons in origin.sets.items()} == {"l0": list(top)}
        assert origin.test == found.test


def test_files_that_are_refused(
    llama: Model,
    tiny: Callable[[str], Model],
    tiny_folder: Callable[[str], Path],
    source: str,
    out: Path,
    tmp_path: Path,
):
    found = find(llama, load_pairs(source=source), methods=("welch",), layers=[1], topk=3, draws=1)
    file = tmp_path / "mine.safetensors"
    found.ranking().top(3).save(file)
    assert f"{file}: these neurons were found in another model than {tiny('gpt2').name}" in refusal(
        tiny("gpt2"), FindQuery(), out=out, given=file
    )
    assert refusal(llama, FindQuery(), out=out, given=tmp_path / "none") == f"no such file: {tmp_path / 'none'}"
    weights = tiny_folder("llama") / "model.safetensors"
    assert "not one of neurosteer's" in refusal(llama, FindQuery(), out=out, given=weights)
    assert "no safetensors file" in refusal(llama, FindQuery(), out=out, given=Path(source))


def test_neurons_of_ones_own_without_a_task(llama: Model, source: str, out: Path, tmp_path: Path):
    """A set that says nothing about its origin needs a task to be measured on."""
    found = find(llama, load_pairs(source=source), methods=("welch",), layers=[1], topk=3, draws=1)
    file = tmp_path / "mine.safetensors"
    replace(found.ranking().top(3), metadata={}).save(file)
    assert refusal(llama, FindQuery(), out=out, given=file) == (
        f"{file} does not say which task it is about; give --task NAME"
    )
    origin = neurons_from(llama, FindQuery(task="made", source=source), out=out, given=file)
    assert (list(origin.sets), origin.task) == (["given"], "made")
    assert origin.test == load_pairs(source=source).split("pair", 0).test


def test_neurons_that_are_typed(llama: Model, source: str, out: Path):
    """Their layers' statistics are measured on the train pairs: as a find on the same pairs measures them."""
    found = find(llama, load_pairs(source=source), methods=("welch",), topk=3, draws=1)
    origin = neurons_from(llama, FindQuery(task="made", source=source), out=out, given=[(1, 3), (0, 5)])
    neurons = origin.sets["given"]
    assert (list(neurons), origin.where) == ([(0, 5), (1, 3)], "--neurons")
    assert origin.test == found.test
    known = found.ranking().stats
    assert neurons.stats.token_mean[:2].allclose(known.token_mean[:2], atol=1e-6)
    assert neurons.stats.token_var[:2].allclose(known.token_var[:2], atol=1e-6)
    assert neurons.stats.token_mean[2].isfinite().all()  # an edit may reach it
    assert "give --task NAME" in refusal(llama, FindQuery(), out=out, given=[(1, 3)])
    assert "no unit 32" in refusal(llama, FindQuery(task="made", source=source), out=out, given=[(1, 32)])


def test_a_ranking_of_ones_own(llama: Model, source: str, out: Path, tmp_path: Path):
    scores = torch.rand(3, 32, generator=torch.Generator().manual_seed(0))
    file = tmp_path / "theirs.safetensors"
    Ranking.from_scores(llama, scores, best_layer=2, method="theirs", task="made").save(file)
    origin = neurons_from(llama, FindQuery(source=source, topk="4"), out=out, given=file)
    assert {layer for layer, _ in origin.sets["theirs"]} == {2}
    assert set(origin.sets["theirs"].units.tolist()) == set(scores[2].topk(4).indices.tolist())
    assert origin.sets["theirs"].stats.token_mean[2].isfinite().all()


def test_auto_is_what_it_turned_out_to_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """BLiMP or the built-in pairs; a folder that is called like a source is not meant by its name."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "blimp").mkdir()
    split = SplitSizes(kind="pair", seed=0, train=6, validation=2, test=2, dropped=0)

    def fits(wanted: str, source: str) -> bool:
        data = SplitPairs(source=source, pairs=10, digest="d", split=split)
        found = FoundTask(task="a", data=data, k=1, methods=("welch",), rankings={})
        return FindQuery(task="a", source=wanted).fits(found, FindOptions())

    assert fits("auto", "blimp")
    assert fits("auto", "builtin")
    assert not fits("auto", "builtin:balanced")
    assert not fits("blimp", "./blimp")
    assert fits("./blimp", str(tmp_path / "blimp"))
    assert not fits("blimp", "builtin")

"""R14: a warm re-run computes nothing: an identical second `find` runs no forward pass and fits no probe.

Through the API and through the command, with the same results bit for bit. What is asked otherwise is computed, and
no more of it than must be: another k needs new probes and no pass.
"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable
from dataclasses import replace
from inspect import signature
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from made_pairs import made_pairs
from rich.console import Console
from safetensors.numpy import load_file
from sizes import all_slow_but, quick_and_slow
from tiny_models import WIDTH, save_tiny

from neurosteer.cli import main
from neurosteer.errors import InputError
from neurosteer.model import Model, load_model
from neurosteer.pairs import Pairs, Split
from neurosteer.probes import L0Settings
from neurosteer.progress import Progress
from neurosteer.report import find_table
from neurosteer.results import record
from neurosteer.studies import Found, MaskSettings, find

pytestmark = pytest.mark.usefixtures("blank_pictures")

FEW = made_pairs()
MANY = made_pairs(verbs=20, subjects=5, nouns=3)  # enough words for the column of new words
QUICK: dict[str, Any] = {"methods": ("welch",), "layers": [0, 2], "topk": 3, "draws": 1}
USED: dict[str, Any] = {**QUICK, "methods": ("attribution",)}


class Work:
    """Counts forward passes, at the embedding of whatever model, and calls of whatever fits a probe."""

    FITS = ("fit_logistic", "fit_l0_at", "welch")

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.passes = self.fits = 0
        embed = torch.nn.Embedding.forward

        def counted_pass(*given: Any) -> Any:
            self.passes += 1
            return embed(*given)

        patch.setattr(torch.nn.Embedding, "forward", counted_pass)
        for name in self.FITS:
            fit = getattr(sys.modules["neurosteer.probes"], name)
            homes = [home for key, home in sys.modules.items() if key.startswith("neurosteer.")]
            for home in [home for home in homes if vars(home).get(name) is fit]:
                patch.setattr(home, name, self._counted(fit))

    def _counted(self, fit: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*given: Any, **named: Any) -> Any:
            self.fits += 1
            return fit(*given, **named)

        return counted

    def since(self) -> tuple[bool, bool]:
        """Whether there was any pass, and any fit, since the last call."""
        done = self.passes > 0, self.fits > 0
        self.passes = self.fits = 0
        return done


NOTHING, PROBES, ALL = (False, False), (False, True), (True, True)


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> Work:
    return Work(monkeypatch)


@pytest.fixture
def model(tiny: Callable[[str], Model]) -> Model:
    return tiny("llama")


def drawn(found: Found) -> list[np.ndarray]:
    """The points of every line in the figure."""
    return [np.asarray(line.get_xydata()) for axes in found.figure().axes for line in axes.get_lines()]


def table(found: Found) -> str:
    console = Console(width=100, record=True, quiet=True)
    with console.capture():
        console.print(find_table(found.result))
    return console.export_text()


def check_same(first: Found, second: Found) -> None:
    """Every number, every bit."""
    assert second.to_json() == first.to_json()
    assert (second.pairs, second.train, second.validation) == (first.pairs, first.train, first.validation)
    assert second.test == first.test
    assert list(second.rankings) == list(first.rankings)
    for ours, theirs in zip(second.rankings.values(), first.rankings.values(), strict=True):
        assert ours.scores.dtype == theirs.scores.dtype
        assert torch.equal(ours.scores, theirs.scores)
        for name in ("best_layer", "method", "model", "site", "metadata"):
            assert getattr(ours, name) == getattr(theirs, name)
        for name, value in vars(theirs.stats).items():
            own = getattr(ours.stats, name)
            assert torch.equal(own, value) if isinstance(value, torch.Tensor) else own == value
    assert list(second.directions) == list(first.directions)
    for kind, of_layers in first.directions.items():
        for layer, (vector, spread) in of_layers.items():
            assert torch.equal(second.directions[kind][layer][0], vector)
            assert second.directions[kind][layer][1] == spread
            assert torch.equal(second.direction(kind, layer).vector, vector)


def check_same_looks(first: Found, second: Found) -> None:
    assert second.to_csv() == first.to_csv()
    assert table(second) == table(first)
    assert len(drawn(first)) > 1
    assert all(np.array_equal(*lines, equal_nan=True) for lines in zip(drawn(first), drawn(second), strict=True))


METADATA: dict[str, tuple[str, Pairs, dict[str, Any]]] = {
    "both encoded, all layers": ("llama", FEW, {"topk": 3, "draws": 2, "seed": 5}),
    "all methods, new words": ("llama", MANY, {**QUICK, "methods": ("l0", "attribution", "welch"), "to": "mean"}),
    "new words alone": ("llama", MANY, {**QUICK, "split": "lexical"}),
    "a site whose width a pass tells": ("llama", FEW, {**QUICK, "topk": "5%", "site": "mlp_post"}),
    "batches of equal length": ("bloom", FEW, {**QUICK, "position": "last"}),
}


@pytest.mark.parametrize("what", all_slow_but(["both encoded, all layers"], METADATA))
def test_a_second_find_computes_nothing(what: str, work: Work, tiny_folder: Callable[[str], Path]):
    """Nor does one by the same model loaded anew, which no short cut has been tried on yet."""
    kind, pairs, asked = METADATA[what]
    model = load_model(tiny_folder(kind))
    first = find(model, pairs, **asked)
    assert work.since() == ALL
    second = find(model, pairs, **asked)
    check_same(first, second)
    check_same_looks(first, second)
    check_same(first, find(load_model(tiny_folder(kind)), pairs, **asked))
    assert work.since() == NOTHING
    check_same(first, find(model, pairs, **asked, cache=False))
    assert work.since() == ALL


def test_a_second_command_computes_nothing(
    work: Work,
    tiny_folder: Callable[[str], Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
):
    rows = [{"sentence_good": pair.good, "sentence_bad": pair.bad} for pair in FEW]
    (tmp_path / "made.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    monkeypatch.chdir(tmp_path)
    command = ["find", "--data", "made.jsonl", "--model", str(tiny_folder("llama")), "--topk", "3"]
    capsys.readouterr()
    told, kept = [], []
    for expected in (ALL, NOTHING):
        for passes in (expected, NOTHING):  # the second time its run is there
            with pytest.raises(SystemExit) as stop:
                main(command)
            assert stop.value.code == 0
            assert work.since() == passes
            told.append(capsys.readouterr())
            kept.append({path.name: path.read_bytes() for path in Path("runs").rglob("*") if path.is_file()})
        shutil.rmtree("runs")
    out, notes = told[0].out, [line for line in told[0].err.splitlines() if line.startswith("note:")]
    assert out != ""
    assert [(one.out, one.err.splitlines()) for one in told[1:]] == [(out, notes)] * 3
    assert kept[1:] == [kept[0]] * 3
    assert {Path(name).suffix for name in kept[0]} == {".json", ".csv", ".html", ".png", ".svg", ".safetensors"}


OTHERWISE: dict[str, tuple[dict[str, Any], dict[str, Any], tuple[bool, bool]]] = {
    "topk": (QUICK, {"topk": 4}, PROBES),
    "draws": (QUICK, {"draws": 2}, PROBES),
    "methods": (QUICK, {"methods": ("welch", "l0")}, PROBES),
    "methods in another order": ({**QUICK, "methods": ("welch", "l0")}, {"methods": ("l0", "welch")}, PROBES),
    "lambda": ({**QUICK, "methods": ("l0",)}, {"lambdas": [0.3]}, PROBES),
    "a lambda that nothing asks for": (QUICK, {"lambdas": [0.3]}, NOTHING),
    "the grid itself": (QUICK, {"lambdas": [1.0, 0.05, 0.1, 0.4, 0.2, 0.8, 0.8]}, NOTHING),
    "to": (USED, {"to": "mean"}, PROBES),
    "steps": (USED, {"steps": 2}, ALL),
    "an ablation that nothing asks for": (QUICK, {"to": "mean", "steps": 2}, NOTHING),
    "seed": (QUICK, {"seed": 1}, ALL),
    "layers": (QUICK, {"layers": [0, 1]}, ALL),
    "layers in another order": (QUICK, {"layers": [2, 0]}, NOTHING),
    "site": (QUICK, {"site": "mlp_out"}, ALL),
    "position": (QUICK, {"position": "last"}, ALL),
}


LONG = ("lambda", "methods in another order", "the grid itself", "draws", "topk", "layers in another order")


@pytest.mark.parametrize(
    "what",
    [pytest.param(what, marks=[pytest.mark.slow] if what in LONG else []) for what in OTHERWISE],
)
def test_another_setting_computes_what_it_must(what: str, work: Work, model: Model):
    asked, change, expected = OTHERWISE[what]
    find(model, FEW, **asked)
    work.since()
    other = find(model, FEW, **{**asked, **change})
    assert work.since() == expected
    check_same(find(model, FEW, **{**asked, **change}, cache=False), other)


ELSE: dict[str, Any] = {  # another value of every parameter of `find` that decides what it finds
    "methods": ("welch",),
    "split": "lexical",
    "topk": 4,
    "layers": [0],
    "site": "mlp_out",
    "by": "head",
    "position": "last",
    "lambdas": [0.3],
    "to": "mean",
    "steps": 2,
    "directions": ("mean",),
    "draws": 2,
    "seed": 1,
    "l0": L0Settings(steps=7),
    "mask": MaskSettings(share=0.5),
    "neutral": "text",
}


def test_the_key_of_a_find_has_every_parameter(model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A parameter that it lacked would be answered with what was found for another value."""
    asked: list[Any] = []

    def key_alone(model: Model, pairs: Pairs, parts: Split, settings: Any, *_: object) -> None:
        asked.append(json.loads(json.dumps(settings)))
        raise InputError("here it ends")

    def key_of(**given: Any) -> Any:
        with pytest.raises(InputError, match="here it ends"):
            find(model, MANY, **given)
        return asked.pop()

    monkeypatch.setattr("neurosteer.studies.finding.search.load_or_find", key_alone)
    monkeypatch.chdir(tmp_path)
    Path("text").write_text("w1 w5 w9 w2.\n\nw8 w30 w7.\n")
    assert set(ELSE) == set(signature(find).parameters) - {"model", "pairs", "cache", "progress"}
    for name, value in ELSE.items():
        usual: dict[str, Any] = {"methods": ("l0", "attribution", "causal-l0")}  # which ask for all of the others
        if name == "by":
            usual = {"methods": ("l0",), "site": "z"}  # where heads are: units of it can be ranked too
        assert key_of(**{**usual, name: value}) != key_of(**usual), name


def test_another_split_computes_what_it_must(work: Work, model: Model):
    """The states are the same; the statistics of other train pairs were needed for attribution only."""
    find(model, MANY, **QUICK)
    work.since()
    other = find(model, MANY, **QUICK, split="lexical")
    assert work.since() == ALL
    check_same(find(model, MANY, **QUICK, split="lexical", cache=False), other)


OTHER_PAIRS: dict[str, tuple[Pairs, tuple[bool, bool]]] = {
    "sentences": (made_pairs(nouns=5), ALL),
    "order": (FEW.take([1, 0, *range(2, len(FEW))]), ALL),
    "task": (replace(FEW, task="other"), ALL),  # splits and draws are seeded by it
    "source": (replace(FEW, source="elsewhere"), PROBES),
    "phenomenon": (replace(FEW, phenomenon="agreement"), PROBES),
    "items": (replace(FEW, pairs=tuple(replace(pair, item=pair.good[:2]) for pair in FEW)), ALL),
}


@pytest.mark.parametrize("what", all_slow_but(["sentences"], OTHER_PAIRS))
def test_other_pairs_are_searched_anew(what: str, work: Work, model: Model):
    """Pairs of one item stay together: the same sentences, another split."""
    pairs, expected = OTHER_PAIRS[what]
    find(model, FEW, **QUICK)
    work.since()
    other = find(model, pairs, **QUICK)
    assert work.since() == expected
    check_same(find(model, pairs, **QUICK, cache=False), other)


@pytest.mark.parametrize("what", quick_and_slow(["weights"], ["bos", "name", "eos", "dtype"]))
def test_another_model_is_searched_anew(what: str, work: Work, model: Model, tmp_path: Path):
    """The same one under another name has the same states; its rankings say what it is called now."""
    folder = save_tiny("llama", tmp_path / "other", seed=int(what == "weights"))
    options = {"bos": {"bos": "w5"}, "eos": {"eos": "w5"}, "dtype": {"dtype": "bfloat16"}}.get(what, {})
    find(model, FEW, **QUICK)
    work.since()
    other = load_model(folder, **options)
    found = find(other, FEW, **QUICK)
    assert work.since() == (PROBES if what == "name" else ALL)
    assert found.ranking().metadata["network"] == record(other.describe())
    check_same(find(other, FEW, **QUICK, cache=False), found)


@pytest.mark.parametrize("changed", ["code_digest", "versions", "STRENGTHS"])
def test_other_code_finds_anew(changed: str, work: Work, model: Model, monkeypatch: pytest.MonkeyPatch):
    """A find kept before neurosteer, a library or the probes' settings changed is no answer now."""
    find(model, FEW, **QUICK)
    work.since()
    value = {"code_digest": lambda: "other", "versions": lambda *_names: {"numpy": "0"}, "STRENGTHS": (1e-2,)}
    monkeypatch.setattr(f"neurosteer.studies.finding.result_cache.{changed}", value[changed])
    find(model, FEW, **QUICK)
    assert work.since() == PROBES


class Notices(Progress):
    def __init__(self) -> None:
        self.texts: list[str] = []

    def notice(self, text: str) -> None:
        self.texts.append(text)


@pytest.mark.parametrize("place", ["header", "provenance", "last byte", "cut short"])
def test_a_damaged_find_is_told_and_found_again(place: str, work: Work, model: Model, neurosteer_home: Path):
    first = find(model, FEW, **QUICK)
    [file] = (neurosteer_home / "found").rglob("*.safetensors")
    intact = file.read_bytes()
    at = {"header": 9, "provenance": intact.index(b"best_layer"), "last byte": len(intact) - 1}
    damaged = bytearray(intact)
    if place == "cut short":
        del damaged[-7:]
    else:
        damaged[at[place]] ^= 0x01
    file.write_bytes(damaged)
    work.since()

    notices = Notices()
    check_same(first, find(model, FEW, **QUICK, progress=notices))
    assert work.since() == PROBES
    [text] = [text for text in notices.texts if str(file) in text]
    assert text.endswith("computing it again")
    assert file.read_bytes() == intact
    check_same(first, find(model, FEW, **QUICK))
    assert work.since() == NOTHING


def test_the_same_notices_again(model: Model):
    told = [Notices(), Notices()]
    for notices in told:
        find(model, FEW, **QUICK, progress=notices)
    assert told[0].texts == told[1].texts
    assert told[0].texts[0].startswith("no column for new words: ")


def test_a_find_is_kept_without_states(model: Model, neurosteer_home: Path):
    """Rankings, statistics, directions and a few sentences of the best: nothing that grows with the pairs."""
    find(model, FEW, **QUICK)
    [file] = (neurosteer_home / "found").rglob("*.safetensors")
    arrays = load_file(file)
    best = len(arrays["top_units"])
    assert best <= 2 * 10
    shapes = {array.shape for array in arrays.values()}
    assert shapes == {(2, WIDTH), (2,), (1,), (best,), (best, 2), (best, 2, 4)}


def test_without_the_cache_nothing_is_read_or_written(work: Work, model: Model, neurosteer_home: Path):
    for _ in range(2):
        find(model, FEW, **USED, cache=False)
        assert work.since() == ALL
    assert not neurosteer_home.exists()


def test_a_hooked_model_is_searched_for_itself(work: Work, model: Model):
    """What somebody does to the model now is neither kept nor answered with what was found before."""
    first = find(model, FEW, **QUICK)
    point = model.bridge.hook_dict["blocks.0.hook_out"]
    theirs = point.add_hook(lambda values, hook: 2 * values)
    work.since()
    notices = Notices()
    hooked = find(model, FEW, **QUICK, progress=notices)
    theirs.hook.remove()
    point.fwd_hooks.remove(theirs)
    assert work.since() == ALL
    assert not torch.equal(hooked.ranking().scores, first.ranking().scores)
    assert sum("has hooks that are not neurosteer's" in text for text in notices.texts) == 1
    check_same(first, find(model, FEW, **QUICK))
    assert work.since() == NOTHING

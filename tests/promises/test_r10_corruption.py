"""R10: corruption is noticed: single changed bytes and truncations, over every kind of file that is kept.

Rankings, gates, neuron sets, heads, directions, controls, scores of tokens, cached states, statistics, attributions,
masks and finds, units of a recipe, the files of run folders, small answers, the charting code of pages and the
converted built-in model: 200 flips and 50 truncations of each kind, every one told in one line that names the file.
With `pytest -m slow` as many of every single file.
"""

from __future__ import annotations

import logging
import random
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from kept_artefacts import keep_artefacts
from made_pairs import made_pairs
from sizes import all_slow_but, quick_and_slow
from stub_recipe import DIGEST, contents, stub_units

from neurosteer.artefacts import check_path
from neurosteer.errors import CorruptFileError, InputError
from neurosteer.experiments import write_pdfs
from neurosteer.forward import eos_states
from neurosteer.memo import recall, remember
from neurosteer.model import Model, builtin
from neurosteer.neurons import Direction, NeuronSet, Ranking
from neurosteer.progress import Progress
from neurosteer.report.pages import PAGE
from neurosteer.report.pages.library import charting_code
from neurosteer.runner.execution import run_units
from neurosteer.runner.result_store import ResultStore
from neurosteer.runner.run_metadata import write_run_metadata
from neurosteer.store import MANIFEST, file_digest, read_artefact
from neurosteer.studies.runs import make_page, runs
from neurosteer.studies.token_scores import TokenScores

pytestmark = pytest.mark.usefixtures("blank_pictures")

FLIPS, CUTS = 200, 50
ARTEFACTS: dict[str, tuple[str, Callable[[Path], object]]] = {
    "ranking": ("ranking", Ranking.load),
    "gates": ("ranking", Ranking.load),
    "neurons": ("neurons", NeuronSet.load),
    "heads": ("neurons", NeuronSet.load),
    "direction": ("direction", Direction.load),
    "probes": ("probes", lambda path: read_artefact(path, "probes")),
    "controls": ("controls", lambda path: read_artefact(path, "controls")),
    "tokens": ("tokens", TokenScores.load),
    "states": ("states", lambda path: read_artefact(path, "states")),
    "stats": ("stats", lambda path: read_artefact(path, "stats")),
    "attribution": ("attribution", lambda path: read_artefact(path, "attribution")),
    "mask": ("mask", lambda path: read_artefact(path, "mask")),
    "found": ("found", lambda path: read_artefact(path, "found")),
    "unit": ("unit", lambda path: ResultStore(path.parents[1], DIGEST).read(path.stem)),
}
RUNS = ("find", "ablate", "score", "run")
SLOW = ["quick", pytest.param("slow", marks=pytest.mark.slow)]


class Notices(Progress):
    def __init__(self) -> None:
        self.said: list[str] = []

    def notice(self, text: str) -> None:
        self.said.append(text)


@pytest.fixture(scope="module")
def kept(tiny: Callable[[str], Model], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return keep_artefacts(tmp_path_factory.mktemp("kept"), tiny("llama"))


def damaged(content: bytes, rng: random.Random, *, share: int = 1) -> Iterator[bytes]:
    """First with one byte changed, then cut short."""
    for _ in range(-(-FLIPS // share)):
        at = rng.randrange(len(content))
        yield content[:at] + bytes([content[at] ^ rng.randrange(1, 256)]) + content[at + 1 :]
    for _ in range(-(-CUTS // share)):
        yield content[: rng.randrange(len(content))]


@contextmanager
def told(path: Path) -> Iterator[None]:
    with pytest.raises((CorruptFileError, InputError)) as caught:
        yield
    check_lines([str(caught.value)], path)


def check_lines(lines: Sequence[str], path: Path) -> None:
    """A damaged manifest cannot tell its own digests from those of the files, so it names itself beside one."""
    assert lines
    assert all("\n" not in line for line in lines)
    name = path.name if path.name == MANIFEST else str(path)
    assert any(name in line for line in lines)


def check_told(rows: list[dict[str, object]], path: Path) -> None:
    check_lines([str(row["message"]) for row in rows if not row["ok"]], path)


def damages(folder: Path, how: str) -> Iterator[Path]:
    """Each file of a folder, damaged in many ways; whole again afterwards. Quick: as many for all together."""
    files = sorted(path for path in folder.iterdir() if path.is_file() and path.suffix != ".lock")
    for path in files:
        whole = path.read_bytes()
        for content in damaged(whole, random.Random(path.name), share=1 if how == "slow" else len(files)):
            path.write_bytes(content)
            yield path
        path.write_bytes(whole)


@pytest.mark.parametrize("name", ARTEFACTS)
def test_artefacts(kept, name, tmp_path):
    kind, load = ARTEFACTS[name]
    path = tmp_path / "units" / kept[name].name
    path.parent.mkdir()
    shutil.copy(kept[name], path)
    assert check_path(path) == [{"path": str(path), "kind": kind, "ok": True, "message": "intact"}]
    load(path)
    for content in damaged(path.read_bytes(), random.Random(name)):
        path.write_bytes(content)
        check_told(check_path(path), path)
        with told(path):
            load(path)


@pytest.mark.parametrize("how", SLOW)
@pytest.mark.parametrize("name", RUNS)
def test_run_folders(kept, name, how, tmp_path):
    run = shutil.copytree(kept[name], tmp_path / "run")
    suffixes = {path.suffix for path in run.iterdir()} - {".lock", ""}
    expected = {"score": {".json", ".csv", ".html", ".safetensors"}, "run": {".json", ".html", ".png"}}
    assert suffixes == expected.get(name, {".json", ".csv", ".html", ".png", ".svg", ".safetensors"})
    assert all(row["ok"] for row in check_path(run))
    for path in damages(run, how):
        check_told(check_path(run), path)
    assert all(row["ok"] for row in check_path(run))


@pytest.mark.parametrize("name", all_slow_but(["find"], RUNS))
def test_damaged_runs_are_passed_over(kept, name, tmp_path):
    """By what lists runs, and by what takes neurons from the newest."""
    run = shutil.copytree(kept[name], tmp_path / "run")
    assert [row.command for row in runs(tmp_path)] == [name]
    for path in damages(run, "quick"):
        notices = Notices()
        assert runs(tmp_path, notices) == []
        check_lines(notices.said, path)


@pytest.mark.parametrize("again", [make_page, write_pdfs])
@pytest.mark.parametrize("name", ["made.csv", "results.json", MANIFEST])
def test_no_page_makes_a_damaged_run_sound(kept, name, again, tmp_path):
    """Nor do figures drawn again; not even where the page, which may be damaged, is found to be so first."""
    run = shutil.copytree(kept["find"], tmp_path / "run")
    if again is make_page:
        (run / PAGE).write_text("damaged")
    with (run / name).open("ab") as file:
        file.write(b"\n")
    before = contents(run)
    with told(run / name):
        again(run)
    assert contents(run) == before


@pytest.mark.slow
@pytest.mark.parametrize("again", [make_page, write_pdfs])
def test_other_damage_is_still_told_after_a_page(kept, again, tmp_path, rendered):
    run = shutil.copytree(kept["find"], tmp_path / "run")
    again(run)
    assert all(row["ok"] for row in check_path(run))
    again(run)
    assert all(row["ok"] for row in check_path(run))
    for path in damages(run, "quick"):
        check_told(check_path(run), path)


def test_units_are_computed_again(kept, tmp_path):
    """And what was asked is written again: the run is the same in the end."""
    run = shutil.copytree(kept["unit"].parents[1], tmp_path / "run")
    asked = run / "recipe.json"
    write_run_metadata(run, DIGEST, {"recipe": {"title": "Some sums"}})
    intact = asked.read_bytes()
    for content in damaged(intact, random.Random(0)):
        asked.write_bytes(content)
        check_lines(write_run_metadata(run, DIGEST, {"recipe": {"title": "Some sums"}}), asked)
        assert asked.read_bytes() == intact
    unit = run / "units" / "joint-0.safetensors"
    whole = unit.read_bytes()
    for content in damaged(whole, random.Random(1), share=10):
        unit.write_bytes(content)
        notices = Notices()
        assert run_units(stub_units(), run, DIGEST, progress=notices).computed == ("joint-0",)
        check_lines(notices.said, unit)
        assert unit.read_bytes() == whole


def test_cached_states_are_computed_again(tiny, neurosteer_home):
    pairs = made_pairs(verbs=1)
    eos_states(tiny("llama"), pairs)
    [path] = neurosteer_home.rglob("*.safetensors")
    whole = path.read_bytes()
    for content in damaged(whole, random.Random(0), share=10):
        path.write_bytes(content)
        notices = Notices()
        eos_states(tiny("llama"), pairs, progress=notices)
        check_lines(notices.said, path)
        assert path.read_bytes() == whole


def test_small_answers_are_worked_out_again(neurosteer_home, caplog):
    """None of them is ever another answer than the one that was remembered."""
    question, answer = ["of what", 1], {"folder": "a-run", "numbers": [0.25, None, "é"]}
    remember("answers", question, answer)
    [path] = neurosteer_home.rglob("*.json")
    whole = path.read_bytes()
    for content in damaged(whole, random.Random(0)):
        path.write_bytes(content)
        with caplog.at_level(logging.WARNING, "neurosteer"):
            assert recall("answers", question) is None
        assert len(caplog.messages) == 1
        check_lines(caplog.messages, path)
        caplog.clear()
        remember("answers", question, answer)
        assert path.read_bytes() == whole
    assert recall("answers", question) == answer
    assert recall("answers", ["of what", 2]) is None
    assert caplog.messages == []


@pytest.mark.slow
def test_the_charting_code_is_made_again(neurosteer_home, caplog, monkeypatch, request):
    request.addfinalizer(charting_code.cache_clear)
    monkeypatch.setattr("vl_convert.javascript_bundle", lambda: "let a = 'é';\nlet b = 1;\n" * 20)
    charting_code.cache_clear()
    code = charting_code()
    [path] = neurosteer_home.rglob("*.js")
    whole = path.read_bytes()
    for content in damaged(whole, random.Random(0)):
        path.write_bytes(content)
        charting_code.cache_clear()
        with caplog.at_level(logging.WARNING, "neurosteer"):
            assert charting_code() == code
        check_lines(caplog.messages, path)
        assert path.read_bytes() == whole
        caplog.clear()


@pytest.mark.slow
def test_the_built_in_model_is_converted_again(tiny_folder, tmp_path, neurosteer_home, monkeypatch):
    """Another model stands for it; most damages are to its weights, which are nearly all of it."""
    gguf = tmp_path / "model.gguf"
    gguf.write_bytes(b"weights")
    monkeypatch.setattr(builtin, "_installed_gguf", lambda: gguf)
    monkeypatch.setattr(builtin, "SHA256", file_digest(gguf))
    monkeypatch.setattr(builtin, "SEPARATOR", "</s>")  # a token that the other model has
    monkeypatch.setattr(
        "neurosteer.model.gguf.convert", lambda _, folder: shutil.copytree(tiny_folder("llama"), folder)
    )
    folder = builtin.builtin_folder()
    whole = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert {"model.safetensors", "tokenizer.json", "config.json", "neurosteer.json", MANIFEST} <= set(whole)
    for name, content in whole.items():
        for changed in damaged(content, random.Random(name), share=len(whole)):
            (folder / name).write_bytes(changed)
            notices = Notices()
            assert builtin.builtin_folder(progress=notices) == folder
            check_lines(notices.said, folder / name)
            assert {path.name: path.read_bytes() for path in folder.iterdir()} == whole
    notices = Notices()
    builtin.builtin_folder(progress=notices)
    assert notices.said == []


@pytest.mark.parametrize("every", quick_and_slow([3], [1]))
def test_every_byte_of_a_manifest(kept, tmp_path, every):
    """Its own text has no digest, so every place in it is tried, with every single bit; quickly, every third."""
    run = shutil.copytree(kept["find"], tmp_path / "run")
    whole = (run / MANIFEST).read_bytes()
    for at in range(0, len(whole), every):
        bit = 1 << at % 8
        (run / MANIFEST).write_bytes(whole[:at] + bytes([whole[at] ^ bit]) + whole[at + 1 :])
        check_told(check_path(run / MANIFEST), run / MANIFEST)


def test_every_byte_of_an_artefacts_header(kept, tmp_path):
    path = tmp_path / "neurons.safetensors"
    whole = kept["neurons"].read_bytes()
    size = 8 + int.from_bytes(whole[:8], "little")
    for at in range(size):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ (1 << at % 8)]) + whole[at + 1 :])
        with told(path):
            NeuronSet.load(path)

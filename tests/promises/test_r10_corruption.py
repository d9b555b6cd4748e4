"""R10: corruption is noticed: single changed bytes and truncations, over every kind of file that is kept.

Rankings, neuron sets, cached states and statistics, and each file of a run folder with its manifest: 200 flips and
50 truncations of each, every one told in one line that names the file.
"""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from made_pairs import made_pairs

from neurosteer.errors import CorruptFileError, InputError
from neurosteer.model import Model
from neurosteer.neurons import NeuronSet, Ranking
from neurosteer.store import MANIFEST, check_path, read_artefact
from neurosteer.studies import find, save_find

FLIPS, CUTS = 200, 50
LOAD: dict[str, Callable[[Path], object]] = {
    "ranking": Ranking.load,
    "neurons": NeuronSet.load,
    "states": lambda path: read_artefact(path, "states"),
    "stats": lambda path: read_artefact(path, "stats"),
}
RUN_FILES = ("results.json", "made.csv", "made.png", "made.welch.safetensors", MANIFEST)


@pytest.fixture(scope="module")
def kept(tiny: Callable[[str], Model], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """One file of each kind, and a run folder, as a `find` leaves them."""
    place = tmp_path_factory.mktemp("kept")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NEUROSTEER_HOME", str(place / "home"))
        found = find(tiny("llama"), made_pairs(), methods=("welch",), layers=[0], k=3, draws=1)
    run, _ = save_find(tiny("llama"), [found], out=place, options={})
    found.ranking().top(3).save(place / "neurons.safetensors")
    return {
        "run": run,
        "ranking": run / "made.welch.safetensors",
        "neurons": place / "neurons.safetensors",
        "states": next((place / "home" / "states").rglob("*.safetensors")),
        "stats": next((place / "home" / "stats").rglob("*.safetensors")),
    }


def damaged(content: bytes, rng: random.Random) -> Iterator[bytes]:
    """First with one byte changed, then cut short."""
    for _ in range(FLIPS):
        at = rng.randrange(len(content))
        yield content[:at] + bytes([content[at] ^ rng.randrange(1, 256)]) + content[at + 1 :]
    for _ in range(CUTS):
        yield content[: rng.randrange(len(content))]


@contextmanager
def told(path: Path) -> Iterator[None]:
    with pytest.raises((CorruptFileError, InputError)) as caught:
        yield
    message = str(caught.value)
    assert path.name in message
    assert "\n" not in message


def check_told(rows: list[dict[str, object]], path: Path) -> None:
    """A damaged manifest cannot tell its own digests from those of the files, so it names itself beside one."""
    bad = [str(row["message"]) for row in rows if not row["ok"]]
    assert bad
    assert all("\n" not in message for message in bad)
    name = path.name if path.name == MANIFEST else str(path)
    assert any(name in message for message in bad)


@pytest.mark.parametrize("kind", LOAD)
def test_artefacts(kept, kind, tmp_path):
    path = tmp_path / kept[kind].name
    shutil.copy(kept[kind], path)
    assert check_path(path) == [{"path": str(path), "kind": kind, "ok": True, "message": "intact"}]
    LOAD[kind](path)
    for content in damaged(path.read_bytes(), random.Random(kind)):
        path.write_bytes(content)
        check_told(check_path(path), path)
        with told(path):
            LOAD[kind](path)


@pytest.mark.parametrize("name", RUN_FILES)
def test_run_folders(kept, name, tmp_path):
    run = tmp_path / "run"
    shutil.copytree(kept["run"], run)
    assert sorted(path.name for path in run.iterdir()) == sorted(RUN_FILES)
    assert all(row["ok"] for row in check_path(run))
    whole = (run / name).read_bytes()
    for content in damaged(whole, random.Random(name)):
        (run / name).write_bytes(content)
        check_told(check_path(run), run / name)
    (run / name).write_bytes(whole)
    assert all(row["ok"] for row in check_path(run))


def test_every_byte_of_a_manifest(kept, tmp_path):
    """Its own text has no digest, so every place in it is tried, with every single bit."""
    run = tmp_path / "run"
    shutil.copytree(kept["run"], run)
    whole = (run / MANIFEST).read_bytes()
    for at in range(len(whole)):
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

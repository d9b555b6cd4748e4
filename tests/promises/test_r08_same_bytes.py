"""R8: the same seed gives the same bytes: two processes on the CPU, two empty caches, one run folder.

A fresh process is compared with this one, with blank pictures; with `pytest -m slow` two fresh ones that draw.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from blank_pictures import blank
from made_pairs import made_pairs
from matplotlib.figure import Figure
from sizes import quick_and_slow

from neurosteer.model import Model, load_model
from neurosteer.probes import L0Settings
from neurosteer.studies import find, save_find

CODE = """
import sys
sys.path[:0] = sys.argv[3:]
from blank_pictures import blank_from_now_on
from test_r08_same_bytes import search
if sys.argv[2] == "blank":
    blank_from_now_on()
search(sys.argv[1])
"""
HERE = Path(__file__).resolve().parent


def search(folder: str | Path) -> None:
    """A run in the working folder."""
    model = load_model(folder)
    found = find(model, made_pairs(), topk=3, draws=1, seed=1, layers=[2], l0=L0Settings(steps=20))
    save_find(model, [found], out=Path("runs"), options={"k": 3})


def start(place: Path, model: Path, how: str) -> subprocess.Popen[str]:
    """The same with its own working folder, cache and hash seed."""
    place.mkdir()
    own = {"NEUROSTEER_HOME": str(place / "home"), "PYTHONHASHSEED": str(len(place.name)), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", CODE, str(model), how, str(HERE), str(HERE.parent)]
    return subprocess.Popen(command, cwd=place, env=os.environ | own, stderr=subprocess.PIPE, text=True)


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize(("fresh", "how"), quick_and_slow([(1, "blank")], [(2, "drawn")]))
def test_same_seed_same_bytes(
    fresh: int, how: str, tmp_path: Path, tiny_folder: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
):
    model, places = tiny_folder("llama"), [tmp_path / "a", tmp_path / "second"]
    processes = [start(place, model, how) for place in places[:fresh]]
    monkeypatch.setattr(Figure, "savefig", blank)
    for place in places[fresh:]:
        place.mkdir()
        monkeypatch.chdir(place)
        monkeypatch.setenv("NEUROSTEER_HOME", str(place / "home"))
        search(model)
    for process in processes:
        _, said = process.communicate(timeout=300)
        assert process.returncode == 0, said
    first, second = (contents(place / "runs") for place in places)
    assert {Path(name).suffix for name in first} == {".json", ".csv", ".html", ".png", ".svg", ".safetensors"}
    assert first == second
    states = [contents(place / "home" / "states") for place in places]
    assert states[0] == states[1] != {}


def test_another_seed_other_bytes(tmp_path: Path, tiny: Callable[[str], Model]):
    """The test above can fail: a seed that differs is seen in the results."""
    asked = {"topk": 3, "draws": 2, "layers": [1], "methods": ["welch"], "cache": False}
    runs = [
        save_find(tiny("llama"), [find(tiny("llama"), made_pairs(), **asked, seed=seed)], out=tmp_path, options={})
        for seed in (1, 1, 2)
    ]
    assert len({folder for folder, _ in runs}) == 1
    assert runs[0][1] == runs[1][1] != runs[2][1]

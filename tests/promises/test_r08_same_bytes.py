"""R8: the same seed gives the same bytes: in this process, and in two fresh ones with empty caches (`-m slow`).

`test_r12` and `test_r27` compare what several processes write.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from made_pairs import made_pairs

from neurosteer.model import Model
from neurosteer.studies import find, save_find

CODE = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from made_pairs import made_pairs
from neurosteer.model import load_model
from neurosteer.studies import find, save_find
model = load_model(sys.argv[1])
found = find(model, made_pairs(), topk=3, draws=1, seed=1, layers=[2], l0=L0Settings(steps=20))
save_find(model, [found], out=Path("runs"), options={"k": 3})
"""
TESTS = Path(__file__).resolve().parents[1]


def start(place: Path, model: Path) -> subprocess.Popen[str]:
    """A run with its own working folder, cache and hash seed."""
    place.mkdir()
    own = {"NEUROSTEER_HOME": str(place / "home"), "PYTHONHASHSEED": str(len(place.name)), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", CODE, str(model), str(TESTS)]
    return subprocess.Popen(command, cwd=place, env=os.environ | own, stderr=subprocess.PIPE, text=True)


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.slow
def test_same_seed_same_bytes(tmp_path: Path, tiny_folder: Callable[[str], Path]):
    places = [tmp_path / "a", tmp_path / "second"]
    for process in [start(place, tiny_folder("llama")) for place in places]:
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

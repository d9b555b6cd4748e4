"""R8: the same seed gives the same bytes: fresh processes on the CPU, empty caches, and the same run folder."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

CODE = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from made_pairs import made_pairs
from neurosteer.model import load_model
from neurosteer.studies import find, save_find
model = load_model(sys.argv[1])
found = find(model, made_pairs(), k=3, draws=2, seed=int(sys.argv[3]))
save_find(model, [found], out=Path("runs"), options={"k": 3})
"""
TESTS = Path(__file__).resolve().parents[1]


def start(place: Path, model: Path, *, seed: int) -> subprocess.Popen[str]:
    """A run with its own working folder, cache and hash seed."""
    place.mkdir()
    environment = os.environ | {"NEUROSTEER_HOME": str(place / "home"), "PYTHONHASHSEED": str(len(place.name))}
    command = [sys.executable, "-c", CODE, str(model), str(TESTS), str(seed)]
    return subprocess.Popen(command, cwd=place, env=environment, stderr=subprocess.PIPE, text=True)


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_same_seed_same_bytes(tmp_path: Path, tiny_folder: Callable[[str], Path]):
    model = tiny_folder("llama")
    places = {"a": 1, "second": 1, "another": 2}
    processes = [start(tmp_path / name, model, seed=seed) for name, seed in places.items()]
    for process in processes:
        _, said = process.communicate(timeout=300)
        assert process.returncode == 0, said
    first, second, other = (contents(tmp_path / name / "runs") for name in places)
    assert {Path(name).suffix for name in first} == {".json", ".csv", ".png", ".safetensors"}
    assert first == second
    assert first.keys() == other.keys()
    assert all(other[name] != content for name, content in first.items() if name.endswith((".safetensors", ".json")))
    caches = [contents(tmp_path / name / "home" / "states") for name in places]
    assert caches[0] == caches[1] == caches[2] != {}

"""What may not be read is named in one line, for every input; and files are made with the permissions asked for.

Root may read all there is: for these tests the process puts that right down, and takes it up again.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fresh_process import write_made

from neurosteer.errors import InputError
from neurosteer.studies.neutral import read_neutral

pytestmark = pytest.mark.usefixtures("blank_pictures")

CAPABILITIES = 0x20080522  # the third version of the system call's structure
OVERRIDE, SEARCH = 1 << 1, 1 << 2  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH


@pytest.fixture
def as_anyone() -> Iterator[None]:
    """Permissions bind this thread, whoever runs it."""
    if not sys.platform.startswith("linux") or os.geteuid() != 0:
        yield
        return
    libc = ctypes.CDLL(None, use_errno=True)
    header, own = (ctypes.c_uint32 * 2)(CAPABILITIES, 0), (ctypes.c_uint32 * 6)()
    assert libc.capget(header, own) == 0
    fewer = (ctypes.c_uint32 * 6)(*own)
    fewer[0] &= ~(OVERRIDE | SEARCH)  # in effect; still permitted
    if libc.capset(header, fewer) != 0:
        pytest.skip("this system does not let root put rights down")
    try:
        yield
    finally:
        assert libc.capset(header, own) == 0


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tiny_folder: Callable[[str], Path]) -> Path:
    monkeypatch.chdir(tmp_path)
    write_made(tmp_path / "made.jsonl")
    for folder in ("pairs", "shut"):
        (tmp_path / folder).mkdir()
        write_made(tmp_path / folder / "made.jsonl")
    (tmp_path / "mine.toml").write_text('format = 1\nexperiments = ["fig5"]\ndata = "made.jsonl"\nmodel = "model"\n')
    (tmp_path / "prose.txt").write_text("w1 w5 w9 w2\n")
    (tmp_path / "some.safetensors").write_bytes(b"neurons")
    (tmp_path / "some.gguf").write_bytes(b"GGUF")
    shutil.copytree(tiny_folder("llama"), tmp_path / "model")
    return tmp_path


SCORE = ["score", "--model", "model", "--data"]
MODEL = ["score", "--data", "made.jsonl", "--model"]
SHUT: dict[str, list[str]] = {  # what is shut, and a command that asks for it
    "made.jsonl": [*SCORE, "made.jsonl"],
    "pairs/made.jsonl": [*SCORE, "pairs"],
    "pairs": [*SCORE, "pairs"],
    "shut": [*SCORE, "shut/made.jsonl"],
    "some.safetensors": ["ablate", "--model", "model", "--neurons", "some.safetensors"],
    "mine.toml": ["run", "mine.toml"],
    "model": [*MODEL, "model"],
    "model/config.json": [*MODEL, "model"],
    "model/model.safetensors": [*MODEL, "model"],
    "model/tokenizer.json": [*MODEL, "model"],
    "some.gguf": [*MODEL, "some.gguf"],
}


@pytest.mark.usefixtures("as_anyone")
@pytest.mark.parametrize("shut", SHUT)
def test_what_may_not_be_read_is_named(shut: str, place: Path, run: Any):
    (place / shut).chmod(0)
    try:
        outcome = run(*SHUT[shut], "--offline", "--quiet")
    finally:
        (place / shut).chmod(0o700)
    assert (outcome.code, outcome.out, outcome.err.count("\n")) == (2, "", 1), outcome.err
    assert shut.rpartition("/")[0] in outcome.err
    assert Path(shut).name in outcome.err
    assert "ermission" in outcome.err
    assert not (place / "runs").exists()


@pytest.mark.usefixtures("as_anyone")
def test_neutral_text_that_may_not_be_read(place: Path):
    (place / "prose.txt").chmod(0)
    with pytest.raises(InputError, match=r"cannot read the neutral text 'prose\.txt': Permission denied"):
        read_neutral(Path("prose.txt"))


@pytest.mark.parametrize(
    ("umask", "file", "folder"), [(0o022, 0o644, 0o755), (0o027, 0o640, 0o750), (0, 0o666, 0o777)]
)
def test_files_honour_the_umask(umask: int, file: int, folder: int, place: Path, run: Any, neurosteer_home: Path):
    """Of a run, and of the cache."""
    before = os.umask(umask)
    try:
        search = ["--layers", "1", "--method", "welch", "--draws", "1", "--topk", "3"]
        assert run("find", "--data", "made.jsonl", "--model", "model", "--quiet", *search).code == 0
    finally:
        os.umask(before)
    made = [path for root in (place / "runs", neurosteer_home) for path in (root, *root.rglob("*"))]
    assert {path.stat().st_mode & 0o777 for path in made if path.is_dir()} == {folder}
    kept = [path for path in made if path.is_file() and path.suffix != ".lock"]
    assert len(kept) > 5
    assert {path.stat().st_mode & 0o777 for path in kept} == {file}

"""Artefacts on disk: whole or absent, readable by others, and where they belong."""

from __future__ import annotations

import os
import struct
import tempfile
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays_of
from platformdirs import user_cache_path
from safetensors.numpy import load_file, save_file
from safetensors.torch import load_file as load_tensors

from neurosteer.artefacts import check_path
from neurosteer.errors import CorruptFileError, InputError
from neurosteer.store import (
    _DTYPES,
    FORMAT,
    MANIFEST,
    canonical_json,
    digest_of,
    file_digest,
    home,
    locked,
    read_artefact,
    replacing,
    verify_artefact,
    write_artefact,
    write_bytes,
    write_manifest,
)

DTYPES = st.sampled_from([np.dtype(name) for name in _DTYPES])
SHAPES = arrays_of.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=5)
ARRAYS = st.dictionaries(st.text("abcxyz_", min_size=1, max_size=5), arrays_of.arrays(DTYPES, SHAPES), max_size=4)
VALUES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
NESTED = st.recursive(
    VALUES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
)
JSON = st.dictionaries(st.text(max_size=5), NESTED, max_size=4)


@given(ARRAYS, JSON)
def test_what_is_written_is_read(arrays: dict[str, np.ndarray], about: dict[str, Any]):
    """By us and by the safetensors library: same names, shapes, dtypes and bytes; written again, the same file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.safetensors"
        write_artefact(path, "toy", arrays, about)
        back, told = read_artefact(path, "toy")
        assert told == about
        for others in (back, load_file(path), {name: t.numpy() for name, t in load_tensors(path).items()}):
            assert others.keys() == arrays.keys()
            for name, array in arrays.items():
                assert (others[name].dtype, others[name].shape) == (array.dtype, array.shape)
                assert others[name].tobytes() == array.tobytes()
        assert check_path(path) == [{"path": str(path), "kind": "toy", "ok": True, "message": "intact"}]
        again = Path(folder) / "b.safetensors"
        write_artefact(again, "toy", dict(reversed(back.items())), dict(reversed(told.items())))
        assert again.read_bytes() == path.read_bytes()


def test_arrays_in_any_memory_order(tmp_path: Path):
    array = np.arange(24.0).reshape(2, 3, 4)
    write_artefact(tmp_path / "a.safetensors", "toy", {"t": array.T, "s": array[:, ::2]}, {})
    back, _ = read_artefact(tmp_path / "a.safetensors", "toy")
    np.testing.assert_array_equal(back["t"], array.T)
    np.testing.assert_array_equal(back["s"], array[:, ::2])


def test_same_content_same_bytes(tmp_path: Path):
    a, b = np.arange(3), np.ones((2, 2), dtype=np.float32)
    write_artefact(tmp_path / "1", "toy", {"a": a, "b": b}, {"x": 1, "y": 2})
    write_artefact(tmp_path / "2", "toy", {"b": b, "a": a}, {"y": 2, "x": 1})
    assert (tmp_path / "1").read_bytes() == (tmp_path / "2").read_bytes()


def test_provenance_that_looks_like_a_blank_digest(tmp_path: Path):
    path = tmp_path / "a.safetensors"
    about = {"a": "0" * 64, "digest": "0" * 64}
    write_artefact(path, "toy", {"digest": np.zeros(2)}, about)
    assert verify_artefact(path) == about


def hidden(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_failing_write_leaves_the_old_file(tmp_path: Path):
    path = tmp_path / "a.bin"
    write_bytes(path, b"old")
    for error in (RuntimeError, KeyboardInterrupt):
        with pytest.raises(error), replacing(path) as file:  # noqa: PT012
            file.write(b"new, but only ha")
            raise error
        assert path.read_bytes() == b"old"
        assert hidden(tmp_path) == ["a.bin"]
    with replacing(path) as file:
        file.write(b"new")
        assert path.read_bytes() == b"old"
    assert path.read_bytes() == b"new"
    assert hidden(tmp_path) == ["a.bin"]


def test_an_artefact_that_fails_midway_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def full_disk(_: int) -> None:
        raise OSError(28, "No space left on device")

    path = tmp_path / "deep" / "a.safetensors"
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full_disk)
        with pytest.raises(OSError, match="No space left"):
            write_artefact(path, "toy", {"a": np.zeros(10)}, {})
    assert hidden(path.parent) == []
    write_artefact(path, "toy", {"a": np.zeros(10)}, {})
    assert hidden(path.parent) == ["a.safetensors"]
    assert path.stat().st_mode & 0o777 == 0o644


def test_locked_lets_one_in(tmp_path: Path):
    path, order, inside = tmp_path / "sub" / "a", [], threading.Event()

    def other() -> None:
        inside.wait(10)
        with locked(path):
            order.append("second")

    thread = threading.Thread(target=other)
    thread.start()
    with locked(path):
        inside.set()
        thread.join(0.2)
        order.append("first")
    thread.join(10)
    assert order == ["first", "second"]
    assert not path.exists()


def test_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("NEUROSTEER_HOME", str(tmp_path))
    assert home() == tmp_path
    monkeypatch.setenv("NEUROSTEER_HOME", "~/elsewhere")
    assert home() == Path.home() / "elsewhere"
    for unset in ("", None):
        monkeypatch.setenv("NEUROSTEER_HOME", "") if unset == "" else monkeypatch.delenv("NEUROSTEER_HOME")
        assert home() == user_cache_path("neurosteer")


def test_canonical_json_and_digests(tmp_path: Path):
    assert canonical_json({"b": [1, None], "a": "ä"}) == '{"a":"ä","b":[1,null]}'
    assert digest_of({"a": 1, "b": 2}) == digest_of({"b": 2, "a": 1}) != digest_of({"a": 1, "b": 3})
    with pytest.raises(ValueError, match="not JSON compliant"):
        canonical_json(float("nan"))
    (tmp_path / "a").write_bytes(b"abc")
    assert file_digest(tmp_path / "a") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_files_that_are_not_ours(tmp_path: Path):
    path = tmp_path / "a.safetensors"
    with pytest.raises(InputError, match=r"^no such file: .*a\.safetensors$"):
        verify_artefact(path)
    save_file({"w": np.zeros(3)}, path)
    with pytest.raises(InputError, match=r"a\.safetensors is a safetensors file, but not one of neurosteer's$"):
        verify_artefact(path)
    path.write_bytes(b"")
    with pytest.raises(CorruptFileError, match=r"a\.safetensors is damaged or no safetensors file"):
        verify_artefact(path)
    write_artefact(path, "toy", {"a": np.zeros(3)}, {})
    with pytest.raises(InputError, match=r"a\.safetensors is of kind 'toy', not 'ranking'$"):
        read_artefact(path, "ranking")


def test_a_later_format_is_refused(tmp_path: Path):
    path = tmp_path / "a.safetensors"
    save_file(
        {"w": np.zeros(3)}, path, metadata={"format": "neurosteer-9", "kind": "toy", "digest": "", "about": "{}"}
    )
    with pytest.raises(InputError, match=r"has format 'neurosteer-9', this version reads 'neurosteer-3'$"):
        verify_artefact(path)


def test_metadata_says_what_it_is(tmp_path: Path):
    """The header, read by hand."""
    path = tmp_path / "a.safetensors"
    write_artefact(path, "toy", {"a": np.zeros(3, dtype=np.float32)}, {"task": "x"})
    content = path.read_bytes()
    (size,) = struct.unpack("<Q", content[:8])
    header = content[8 : 8 + size].decode()
    assert size % 8 == 0
    assert '"kind":"toy"' in header
    assert '"format":"neurosteer-3"' in header
    assert content[8 + size :] == np.zeros(3, dtype=np.float32).tobytes()


def test_manifest_and_folders(tmp_path: Path):
    run = tmp_path / "runs" / "one"
    with pytest.raises(InputError, match=r"^no such file or folder: "):
        check_path(run)
    run.mkdir(parents=True)
    with pytest.raises(InputError, match=r"^nothing of neurosteer's in "):
        check_path(run)
    write_artefact(run / "a.safetensors", "toy", {"a": np.zeros(3)}, {})
    (run / "b.csv").write_text("1,2")
    (run / ".hidden").write_text("of an editor")
    write_manifest(run)
    good = [(row["path"], row["kind"], row["ok"]) for row in check_path(tmp_path)]
    assert good == [(str(run / "a.safetensors"), "toy", True), (str(run / MANIFEST), "run", True)]
    assert check_path(run / MANIFEST)[0]["message"] == "2 files intact"
    (run / ".hidden").unlink()
    assert check_path(run / MANIFEST)[0]["ok"]
    (run / "b.csv").unlink()
    row = check_path(run / MANIFEST)[0]
    assert (row["ok"], row["message"]) == (False, f"{run / 'b.csv'}, listed in MANIFEST.json, is missing")


def test_a_models_weights_in_a_folder_are_no_damage(tmp_path: Path):
    save_file({"w": torch.zeros(3).numpy()}, tmp_path / "model.safetensors")
    write_artefact(tmp_path / "a.safetensors", "toy", {"a": np.zeros(3)}, {})
    assert [Path(row["path"]).name for row in check_path(tmp_path)] == ["a.safetensors"]


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"about": "null"}, "its metadata is no JSON object|no JSON object"),
        ({"about": "{"}, "no JSON object"),
        ({"kind": None}, "does not say what it is"),
        ({"about": None}, "does not say what it is"),
    ],
)
def test_an_artefact_that_does_not_say_what_it_is(tmp_path: Path, changed: dict[str, str | None], told: str):
    """Signed as it should be: the digest is made last, of everything else."""
    from neurosteer import store

    header = {"format": FORMAT, "kind": "toy", "about": "{}", "digest": "0" * 64} | changed
    path = tmp_path / "a.safetensors"
    save_file({"a": np.zeros(3)}, path, metadata={name: value for name, value in header.items() if value is not None})
    digest = store._digest_with_blank(path, "0" * 64)
    path.write_bytes(path.read_bytes().replace(b"0" * 64, digest.encode(), 1))
    with pytest.raises(CorruptFileError, match=told):
        verify_artefact(path)
    [row] = check_path(path)
    assert not row["ok"]

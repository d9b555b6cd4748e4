"""Artefacts on disk: atomic, digested, cached.

An artefact is a safetensors file. Its header records what it is (`kind`), what it was made from (`about`, JSON) and
the SHA-256 of the whole file with that digest set to zeros, so that any changed byte is noticed. A run folder is a
set of files and a `MANIFEST.json` with their digests, which is written last.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
import shutil
import struct
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from glob import escape
from importlib.metadata import version
from pathlib import Path
from typing import BinaryIO

import numpy as np
from filelock import FileLock
from platformdirs import user_cache_path
from safetensors import SafetensorError, safe_open

from neurosteer.vocabulary import Json

from .errors import CorruptFileError, InputError, one_line

FORMAT = "neurosteer-3"
MANIFEST = "MANIFEST.json"
SUFFIX = ".safetensors"
_BLANK = "0" * 64
_LOCK = ".lock"
_LIBRARIES = ("torch", "transformers", "transformer-lens")
_DTYPES = {"float32": "F32", "float64": "F64", "int64": "I64", "int32": "I32", "bool": "BOOL"}


def home() -> Path:
    """The cache folder: `NEUROSTEER_HOME`, or the platform's own."""
    chosen = os.environ.get("NEUROSTEER_HOME")
    return expanded(chosen) if chosen else user_cache_path("neurosteer")


def expanded(path: str | os.PathLike[str]) -> Path:
    """A path with `~` or `~user` at its beginning replaced by that home. Raises `InputError` where there is none."""
    try:
        return Path(path).expanduser()
    except RuntimeError:
        user = Path(path).parts[0]
        raise InputError(f"'{path}': no home folder of '{user}' is known; name the folder itself") from None


def versions(*more: str) -> dict[str, str]:
    """The installed versions of the libraries on which results depend."""
    return {name: _installed(name) for name in (*more, *_LIBRARIES)}


@cache
def _installed(name: str) -> str:
    return version(name)


@cache
def code_digest() -> str:
    """SHA-256 (hex) of neurosteer's own code, on which results depend too."""
    package = Path(__file__).parent
    return digest_of({str(file.relative_to(package)): file_digest(file) for file in package.rglob("*.py")})


def canonical_json(value: object) -> str:
    """JSON with sorted keys, without spaces and NaN: equal values give equal text."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def digest_of(value: object) -> str:
    """SHA-256 (hex) of a JSON value."""
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()


def file_digest(path: Path) -> str:
    """SHA-256 (hex) of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """A binary file that replaces `path` when the block ends, so that `path` is never half-written."""
    path.parent.mkdir(parents=True, exist_ok=True)
    name = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with name.open("x+b") as file:  # with the permissions that the user's umask leaves
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, path)
    except BaseException as error:
        if isinstance(error, OSError) and error.filename is None:
            error.filename = str(path)  # the error of a full disk does not name the file
        name.unlink(missing_ok=True)
        raise


@contextmanager
def fresh(folder: Path) -> Iterator[Path]:
    """An empty folder, cleared of what a killed process has left there, and deleted when the block ends."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def sweep(path: Path) -> None:
    """Delete half-written copies of `path` that killed processes have left. To be called with `path` locked."""
    for left in path.parent.glob(f".{escape(path.name)}.*"):
        if left.suffix != _LOCK:
            left.unlink(missing_ok=True)


def write_bytes(path: Path, content: bytes) -> None:
    """Write a whole file atomically."""
    with replacing(path) as file:
        file.write(content)


def file_stem(name: str) -> str:
    """A safe stem for a file: the name itself, or else its safe characters and a digest."""
    safe = re.sub(r"[^\w.+-]+", "_", name).lstrip("._-").encode()[:80].decode(errors="ignore")
    return safe if safe and safe == name else f"{safe}-{hashlib.sha256(name.encode()).hexdigest()[:8]}".lstrip("-")


@contextmanager
def locked(path: Path, *, wait: bool = True) -> Iterator[None]:
    """Lock `path`: one of several processes works, and the others wait for its result.

    Without `wait` they get a `TimeoutError`.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(path.with_name(f".{path.name}{_LOCK}"), timeout=-1 if wait else 0):
        yield


def write_artefact(path: Path, kind: str, arrays: Mapping[str, np.ndarray], metadata: Mapping[str, Json]) -> None:
    """Write named arrays and their provenance (`metadata`, JSON) as safetensors, without a second copy in memory."""
    header: dict[str, Json] = {
        "__metadata__": {"format": FORMAT, "kind": kind, "digest": _BLANK, "about": canonical_json(metadata)}
    }
    blocks, offset = [], 0
    for name, array in sorted(arrays.items()):
        block = np.asarray(array, order="C")
        span = [offset, offset + block.nbytes]
        header[name] = {"dtype": _DTYPES[block.dtype.name], "shape": list(block.shape), "data_offsets": span}
        blocks.append(block)
        offset = span[1]
    text = canonical_json(header).encode()
    text += b" " * (-len(text) % 8)
    head = struct.pack("<Q", len(text)) + text
    digest, place = hashlib.sha256(head), head.index(b'"digest":"' + _BLANK.encode()) + len('"digest":"')
    with replacing(path) as file:
        file.write(head)
        for block in blocks:
            content = block.reshape(-1).view(np.uint8).data
            digest.update(content)
            file.write(content)
        file.seek(place)
        file.write(digest.hexdigest().encode())


def artefact_kind(path: Path) -> str:
    """The kind of a verified artefact. Raises as `verify_artefact` does."""
    verify_artefact(path)
    return read_header(path)["kind"]


def verify_artefact(path: Path, kind: str | None = None) -> dict[str, Json]:
    """Check a file byte by byte and return its metadata.

    Raises `InputError` if there is no such file or it is of another kind, and `CorruptFileError` if its bytes have
    changed since it was written.
    """
    if not path.is_file():
        raise InputError(f"no such file: {path}")
    header = read_header(path)
    if header.get("format", "").partition("-")[0] != FORMAT.partition("-")[0]:
        raise InputError(f"{path} is a safetensors file, but not one of neurosteer's")
    if header["format"] != FORMAT:
        raise InputError(f"{path} has format '{header['format']}', this version reads '{FORMAT}'")
    if not {"kind", "about"} <= set(header):
        raise CorruptFileError(f"{path} is damaged: it does not say what it is; delete it and run again")
    if header.get("digest") != _digest_with_blank(path, header.get("digest", "")):
        raise CorruptFileError(f"{path} is damaged: its content does not match its digest; delete it and run again")
    if kind is not None and header["kind"] != kind:
        raise InputError(f"{path} is of kind '{header['kind']}', not '{kind}'")
    try:
        metadata = json.loads(header["about"])
    except ValueError:
        metadata = None
    if not isinstance(metadata, dict):
        raise CorruptFileError(
            f"{path} is damaged: what it says of itself is no JSON object; delete it and run again"
        )
    return metadata


def read_artefact(path: Path, kind: str) -> tuple[dict[str, np.ndarray], dict[str, Json]]:
    """The arrays (in memory) and the metadata of a small artefact, verified."""
    metadata = verify_artefact(path, kind)
    return read_arrays(path), metadata


def refuse_link(path: Path) -> None:
    """Raise `InputError` for a symbolic link: files written below it would be somewhere else."""
    if path.is_symlink():
        raise InputError(
            f"{path} is a symbolic link, through which nothing is written; delete it or name another folder with "
            "--out"
        )


def write_manifest(folder: Path) -> None:
    """Write the digests of all files of a finished run folder; to be called last."""
    _list_in_manifest(folder, {p.name: file_digest(p) for p in sorted(folder.iterdir()) if _belongs_to_manifest(p)})


@contextmanager
def renewing(folder: Path, names: Collection[str]) -> Iterator[None]:
    """Some files of a finished run folder are written anew in the block. Whatever stops that, the run stays finished.

    Its manifest does without those files until the block has ended well; of all others it keeps the digests.
    """
    listed = json.loads((folder / MANIFEST).read_text("utf-8"))["files"]
    others = {name: digest for name, digest in listed.items() if name not in names}
    _list_in_manifest(folder, others)
    yield
    _list_in_manifest(folder, others | {name: file_digest(folder / name) for name in names})


def _list_in_manifest(folder: Path, files: Mapping[str, str]) -> None:
    write_bytes(folder / MANIFEST, canonical_json({"format": FORMAT, "files": files}).encode())


def _belongs_to_manifest(path: Path) -> bool:
    return path.is_file() and not path.is_symlink() and path.name != MANIFEST and not path.name.startswith(".")


def read_arrays(path: Path) -> dict[str, np.ndarray]:
    """All arrays of a verified artefact, in memory."""
    try:
        with safe_open(path, framework="numpy") as file:
            return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (TypeError, SafetensorError) as error:  # a type that NumPy does not have
        raise CorruptFileError(f"{path} holds what neurosteer never writes ({one_line(error)})") from error


def array_blocks(path: Path, name: str, size: int = 1 << 22) -> Iterator[np.ndarray]:
    """The values of an array of an artefact, flat, some megabytes at a time: of one that memory need not hold."""
    with path.open("rb") as file:
        length = struct.unpack("<Q", file.read(8))[0]
        entry = json.loads(file.read(length))[name]
        start, end = entry["data_offsets"]
        dtype = next(dtype for dtype, word in _DTYPES.items() if word == entry["dtype"])
        file.seek(8 + length + start)
        for at in range(start, end, size):
            yield np.frombuffer(file.read(min(size, end - at)), dtype)


def read_header(path: Path) -> dict[str, str]:
    """What a safetensors file says of itself, unverified. Raises `CorruptFileError` where it is none."""
    try:
        path.open("rb").close()  # safetensors calls what may not be read absent
        with safe_open(path, framework="numpy") as file:
            return dict(file.metadata() or {})
    except PermissionError as error:
        raise CorruptFileError(f"cannot read '{path}': {error.strerror}") from error
    except (SafetensorError, OSError, ValueError) as error:
        message = f"{path} is damaged or no safetensors file ({one_line(error)}); have neurosteer make it again"
        raise CorruptFileError(message) from error


def _digest_with_blank(path: Path, digest: str) -> str:
    """SHA-256 of a file, with zeros in place of the first occurrence of its own digest."""
    total = hashlib.sha256()
    with path.open("rb") as file:
        size = struct.unpack("<Q", file.read(8))[0]
        total.update(struct.pack("<Q", size))
        total.update(file.read(size).replace(digest.encode(), _BLANK.encode(), 1) if digest else b"")
        while chunk := file.read(1 << 22):
            total.update(chunk)
    return total.hexdigest()

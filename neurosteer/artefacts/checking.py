"""Are files still what was written, and is what they hold right? Artefacts, run folders, whole folders."""

from __future__ import annotations

import json
from collections.abc import Collection
from pathlib import Path
from typing import TypedDict

from neurosteer.errors import CorruptFileError, InputError, one_line
from neurosteer.store import (
    FORMAT,
    MANIFEST,
    SUFFIX,
    canonical_json,
    file_digest,
    read_arrays,
    read_header,
    verify_artefact,
)

from .kinds import KINDS

DRAFT = ".draft-"  # in the name of a hidden folder in which a run is being made, or was when it was killed
_SCHEMAS = {schema.kind: schema for schema in KINDS}


class Checked(TypedDict):
    """A row of `neurosteer check`."""

    path: str
    kind: str
    ok: bool
    message: str


def check_path(path: Path) -> list[Checked]:
    """Verify an artefact, a run folder, or everything below a folder: a row for each.

    A symbolic link below the folder is reported and not followed; what is in the draft of a run is no run yet and
    left out. Raises `InputError` where there is nothing of neurosteer's.
    """
    if path.is_file():
        return [_check_manifest(path) if path.name == MANIFEST else _check_artefact(path)]
    if not path.is_dir():
        raise InputError(f"no such file or folder: {path}")
    found = [file for file in _below(path, f"*{SUFFIX}") if not _is_foreign(file)]
    rows = [_check_link(file) if file.is_symlink() else _check_artefact(file) for file in found]
    rows += [_check_link(file) if file.is_symlink() else _check_manifest(file) for file in _below(path, MANIFEST)]
    if not rows:
        raise InputError(f"nothing of neurosteer's in {path}")
    return rows


def check_run(folder: Path, *, without: Collection[str] = ()) -> Checked:
    """Verify the files of a run folder, by its manifest; `without` those that are about to be written anew."""
    return _check_manifest(folder / MANIFEST, without)


def _below(folder: Path, pattern: str) -> list[Path]:
    """The files of such names below a folder, drafts apart."""
    return [file for file in sorted(folder.rglob(pattern)) if not _is_draft(file.relative_to(folder))]


def _is_draft(file: Path) -> bool:
    return any(part.startswith(".") and DRAFT in part for part in file.parts[:-1])


def _is_foreign(path: Path) -> bool:
    """Whether it is an undamaged safetensors file of others (the weights of a model, for example)."""
    if path.is_symlink():
        return False
    try:
        return not {"kind", "digest", "about"} & set(read_header(path))
    except CorruptFileError:
        return False


def _check_artefact(path: Path) -> Checked:
    kind = "unknown"
    try:
        metadata = verify_artefact(path)
        kind = read_header(path)["kind"]
        if schema := _SCHEMAS.get(kind):
            schema.check(path, read_arrays(path), metadata)
    except (InputError, CorruptFileError) as error:
        return {"path": str(path), "kind": kind, "ok": False, "message": str(error)}
    return {"path": str(path), "kind": kind, "ok": True, "message": "intact"}


def _check_link(path: Path) -> Checked:
    return {"path": str(path), "kind": "unknown", "ok": False, "message": f"{path} is a symbolic link"}


def _check_manifest(path: Path, without: Collection[str] = ()) -> Checked:
    wrong, count = _wrong_in(path, without)
    return {"path": str(path), "kind": "run", "ok": not wrong, "message": wrong or f"{count} files intact"}


def _wrong_in(path: Path, without: Collection[str]) -> tuple[str, int]:
    """What is wrong with a manifest or with a file that it lists (empty: nothing), and how many were looked at."""
    try:
        text = path.read_text("utf-8")
        manifest = json.loads(text)
        if manifest["format"] != FORMAT:
            return f"{path} has format '{manifest['format']}', this version reads '{FORMAT}'", 0
        files = dict(manifest["files"])
        if canonical_json({"format": FORMAT, "files": files}) != text:
            raise ValueError("not as written")
    except (ValueError, KeyError, TypeError) as error:
        return f"{path} is damaged ({one_line(error)})", 0
    looked_at = {name: digest for name, digest in files.items() if name not in without}
    return next(filter(None, (_wrong_with(path, *file) for file in looked_at.items())), ""), len(looked_at)


def _wrong_with(manifest: Path, name: str, digest: str) -> str:
    """What is wrong with a file that a manifest lists; empty if it is unchanged."""
    file = manifest.parent / name
    if file.name != name or name == "..":
        return f"{manifest} names '{name}', which is no file of its folder"
    if file.is_symlink():
        return f"{file} is a symbolic link, not what was written"
    if not file.is_file():
        return f"{file}, listed in {MANIFEST}, is missing"
    return "" if file_digest(file) == digest else f"{file} is not what {MANIFEST} records"

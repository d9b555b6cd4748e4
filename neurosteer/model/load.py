"""Loading a model: by name, from a folder, from the hub, or one that the caller has loaded."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import torch
from transformer_lens.model_bridge import TransformerBridge
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoTokenizer,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)

from neurosteer import hub
from neurosteer.errors import InputError, did_you_mean
from neurosteer.progress import AUTO, Progress
from neurosteer.store import expanded
from neurosteer.vocabulary import DTYPES, Dtype

from .builtin import NAME, SEPARATOR, builtin_folder, quiet_transformers
from .fingerprint import fingerprint, tokenizer_fingerprint
from .given import model_of
from .model import Model
from .specials import choose_specials
from .wrap import bridge_of, check_decoder, first_line


def load_model(
    name: str | os.PathLike[str] | TransformerBridge | PreTrainedModel = NAME,
    *,
    tokenizer: PreTrainedTokenizerBase | None = None,
    revision: str | None = None,
    device: str = "auto",
    dtype: Dtype = "auto",
    device_map: str | None = None,
    bos: str | None = None,
    eos: str | None = None,
    offline: bool = False,
    progress: Progress = AUTO,
) -> Model:
    """Load a decoder behind TransformerLens hooks.

    Args:
        name: `"smollm2-135m"` (built in), a local Hugging Face folder, a hub id, or a model that you have loaded: a
            TransformerBridge, or a Hugging Face model with its `tokenizer`. Such a model is wrapped in place, frozen
            and put into evaluation mode; it keeps its device and dtype.
        tokenizer: of a Hugging Face model.
        revision: a branch, tag or commit of a hub model.
        device: `auto` takes CUDA where there is one.
        dtype: `auto` is the checkpoint's own on a GPU and float32 on a CPU.
        device_map: spreads the model over devices (accelerate).
        bos: another first token than the tokenizer's own; `"none"` puts none before the sentence.
        eos: another last token than the tokenizer's own.
        offline: never reach for the network.
        progress: what is shown meanwhile.

    Remote code is never run.

    Raises:
        InputError: for a model that is unknown, unreachable, quantised or no decoder.
        NeurosteerError: for an architecture that TransformerLens does not know.

    Example:
        network = AutoModelForCausalLM.from_pretrained("gpt2")
        model = load_model(network, tokenizer=AutoTokenizer.from_pretrained("gpt2"))
    """
    if not isinstance(name, str | os.PathLike):
        if (revision, device, dtype, device_map) != (None, "auto", "auto", None):
            kind = type(name).__name__
            raise InputError(f"a {kind} stays as it is: revision, device, dtype and device_map do not apply")
        return model_of(name, tokenizer, bos=bos, eos=eos)
    if tokenizer is not None:
        raise InputError("tokenizer= is for a Hugging Face model that you have loaded; a name brings its own")
    if device_map and device != "auto":
        raise InputError(f"give --device or --device-map, not both ('{device}', '{device_map}')")
    if dtype not in DTYPES:
        raise InputError(f"unknown dtype '{dtype}'; one of {', '.join(DTYPES)}")
    label, source = str(name), str(name)
    if revision is not None and (label == NAME or expanded(label).is_dir()):
        raise InputError(f"--revision '{revision}' is for models of the hub; {label} has no revisions: leave it out")
    if label == NAME:
        source = str(builtin_folder(offline=offline, progress=progress))
        bos, eos = bos or SEPARATOR, eos or SEPARATOR
    place = None if device_map else _device(device)
    source, online = _find(label, source, offline=offline)
    with hub.network(online):
        network, tokenizer = _pretrained(label, source, revision=revision, online=online, device_map=device_map)
    stamp = fingerprint(network, tokenizer_fingerprint(tokenizer))
    specials = choose_specials(tokenizer, bos, eos)
    if dtype != "auto":
        network.to(dtype=getattr(torch, dtype))
    elif (place or network.device).type == "cpu":
        network.to(dtype=torch.float32)
    if place is not None:
        network.to(device=place)
    network.eval().requires_grad_(False)
    _keep_freed_memory()
    check_decoder(label, network)
    with hub.network(online):
        bridge = bridge_of(label, source, network, tokenizer)
    check_decoder(label, bridge)
    return Model(bridge, tokenizer, label, revision, stamp, *specials, dtype=network.dtype, device=network.device)


def _keep_freed_memory() -> None:
    """Let the C library keep what passes free, up to 62 MiB, instead of fetching it anew for every activation.

    glibc never maps blocks up to the largest that it has seen freed, nor trims up to twice as much (mallopt(3),
    M_MMAP_THRESHOLD); 32 MiB is the most that it learns. Elsewhere this does nothing.
    """
    torch.empty(31 * 2**20, dtype=torch.uint8)


def _device(name: str) -> torch.device:
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.zeros(1, device=device).item()
    except (RuntimeError, AssertionError) as error:
        raise InputError(f"device '{name}' is not available here; try --device auto") from error
    return device


def _find(label: str, source: str, *, offline: bool) -> tuple[str, bool]:
    """A folder or a hub id, and whether the hub is to be asked for it."""
    folder = expanded(source)
    if folder.is_file():
        raise InputError(f"{label} is a file; name a Hugging Face folder (config.json, tokenizer, safetensors)")
    if not folder.is_dir() and (source.startswith((".", "/", "~")) or source.count("/") > 1):
        raise InputError(f"no such model folder: {label}; name a folder, a hub id or '{NAME}'")
    if folder.is_dir() and not (folder / "config.json").is_file():
        raise InputError(f"{label} is no Hugging Face model folder: it has no config.json")
    if folder.is_dir():
        return str(folder), False
    return source, not offline and hub.is_reachable()


def _pretrained(
    label: str, place: str, *, revision: str | None, online: bool, device_map: str | None
) -> tuple[Any, Any]:
    where: dict[str, Any] = {"revision": revision, "local_files_only": not online, "trust_remote_code": False}
    try:
        with quiet_transformers():
            config = AutoConfig.from_pretrained(place, **where)
            if getattr(config, "is_encoder_decoder", False):
                raise InputError(
                    f"{label} is an encoder-decoder model ({config.model_type}); neurosteer needs a decoder"
                )
            _refuse_pickles(Path(place))
            tokenizer = AutoTokenizer.from_pretrained(place, **where)
            network, loaded = AutoModelForCausalLM.from_pretrained(
                place,
                dtype="auto",
                attn_implementation="eager",
                device_map=device_map,
                use_safetensors=True,
                output_loading_info=True,
                **where,
            )
            if any(weight.is_meta for weight in network.parameters()):
                raise InputError(
                    f"--device-map {device_map} leaves weights of {label} off every device; use fewer or larger ones"
                )
            if loaded["missing_keys"]:  # transformers would make them up
                raise InputError(f"the weights of {label} are incomplete: {min(loaded['missing_keys'])} is missing")
    except InputError:
        raise
    except Exception as error:  # transformers raises what it likes; the user needs one line
        raise InputError(_why(label, error, local=Path(place).is_dir())) from error
    return network, tokenizer


def _refuse_pickles(folder: Path) -> None:
    """Raise ValueError for a folder whose index of safetensors names files of another kind: those are unpickled."""
    index = folder / "model.safetensors.index.json"
    if index.is_file():
        others = {name for name in json.loads(index.read_text("utf-8"))["weight_map"].values() if not _is_plain(name)}
        if others:
            raise ValueError(f"its index names '{min(others)}', which is no safetensors file of the folder")


def _is_plain(name: str) -> bool:
    return name.endswith(".safetensors") and Path(name).name == name


def _why(label: str, error: Exception, *, local: bool) -> str:
    text = first_line(error)
    if local:
        return f"cannot load the model in {label}: {text}"
    causes = {type(cause).__name__ for cause in (error, error.__cause__, error.__context__) if cause}
    if "RepositoryNotFoundError" in causes or did_you_mean(label, [NAME]):
        return f"unknown model '{label}'{did_you_mean(label, [NAME])}; name a folder, a hub id or '{NAME}'"
    return f"cannot load '{label}' from the hub or its cache: {text}; name a local folder with --model"

"""Loading a model: by name, from a folder, from the hub, or an existing TransformerBridge."""

from __future__ import annotations

import json
import os
from copy import deepcopy
from pathlib import Path
from typing import Any

import torch
from transformer_lens.model_bridge import TransformerBridge
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer

from neurosteer import hub
from neurosteer.errors import InputError, NeurosteerError, did_you_mean
from neurosteer.progress import AUTO, Progress
from neurosteer.vocabulary import DTYPES

from .builtin import NAME, SEPARATOR, builtin_folder, quiet_transformers
from .fingerprint import fingerprint, tokenizer_fingerprint
from .model import Model
from .specials import choose_specials


def load_model(
    name: str | os.PathLike[str] | TransformerBridge = NAME,
    *,
    revision: str | None = None,
    device: str = "auto",
    dtype: str = "auto",
    device_map: str | None = None,
    bos: str | None = None,
    eos: str | None = None,
    offline: bool = False,
    progress: Progress = AUTO,
) -> Model:
    """Load a decoder behind TransformerLens hooks.

    `name` is `"smollm2-135m"` (built in), a local Hugging Face folder, a hub id, or a TransformerBridge.
    `device="auto"` takes CUDA where there is one; `dtype="auto"` is the checkpoint's own on a GPU and float32 on a
    CPU; `device_map` spreads the model over devices (accelerate). `bos` and `eos` name other special tokens than the
    tokenizer's; `bos="none"` puts no token before the sentence.
    Remote code is never run. Raises `InputError` for a model that is unknown, unreachable or no decoder.
    """
    if isinstance(name, TransformerBridge):
        if (revision, device, dtype, device_map) != (None, "auto", "auto", None):
            raise InputError(
                "a TransformerBridge stays as it is: revision, device, dtype and device_map do not apply"
            )
        return _wrap(name, bos=bos, eos=eos)
    if device_map and device != "auto":
        raise InputError(f"give --device or --device-map, not both ('{device}', '{device_map}')")
    if dtype not in DTYPES:
        raise InputError(f"unknown dtype '{dtype}'; one of {', '.join(DTYPES)}")
    label, source = str(name), str(name)
    if revision is not None and (label == NAME or Path(label).expanduser().is_dir()):
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
    both_ways = _reads_both_ways(network)
    with hub.network(online):
        bridge = bridge_of(label, source, network, tokenizer)
    if both_ways or not bridge.adapter.supports_causal_loss:
        raise InputError(
            f"{label} is no decoder: {type(network).__name__} reads in both directions; name a model that writes text"
        )
    return Model(bridge, tokenizer, label, revision, stamp, *specials, dtype=network.dtype, device=network.device)


def _wrap(bridge: TransformerBridge, *, bos: str | None, eos: str | None) -> Model:
    """An existing bridge, switched to evaluation: dropout would make every state a draw."""
    network, tokenizer = bridge.original_model, bridge.tokenizer
    if tokenizer is None:
        raise InputError("this TransformerBridge has no tokenizer; load it with one")
    bridge.eval()
    stamp = fingerprint(network, tokenizer_fingerprint(tokenizer))
    specials = choose_specials(tokenizer, bos, eos)
    first = next(network.parameters())
    name = str(bridge.cfg.model_name)
    return Model(bridge, tokenizer, name, None, stamp, *specials, dtype=first.dtype, device=first.device)


def _keep_freed_memory() -> None:
    """Let the C library keep what passes free, up to 62 MiB, instead of fetching it anew for every activation.

    glibc never maps blocks up to the largest that it has seen freed, nor trims up to twice as much (mallopt(3),
    M_MMAP_THRESHOLD); 32 MiB is the most that it learns. Elsewhere this does nothing.
    """
    torch.empty(31 * 2**20, dtype=torch.uint8)


def _reads_both_ways(network: Any) -> bool:
    """Whether it says of all its attention that it looks ahead, as BERT's does where it is not made a decoder."""
    told = [module.is_causal for module in network.modules() if hasattr(module, "is_causal")]
    return bool(told) and not any(told)


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
    folder = Path(source).expanduser()
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


def bridge_of(label: str, source: str, network: Any, tokenizer: Any) -> TransformerBridge:
    """TransformerLens hooks around a network. Raises `NeurosteerError` for an architecture it does not know."""
    tokenizer = deepcopy(tokenizer)  # TransformerLens adds the special tokens that it misses
    tokenizer.init_kwargs["add_bos_token"] = True  # else it loads another, from the hub, without the revision
    try:
        with quiet_transformers():
            return TransformerBridge.boot_transformers(
                source, hf_model=network, tokenizer=tokenizer, dtype=network.dtype
            )
    except Exception as error:
        kind = type(network).__name__
        raise NeurosteerError(f"TransformerLens cannot wrap {label} ({kind}): {_first_line(error)}") from error


def _why(label: str, error: Exception, *, local: bool) -> str:
    text = _first_line(error)
    if local:
        return f"cannot load the model in {label}: {text}"
    causes = {type(cause).__name__ for cause in (error, error.__cause__, error.__context__) if cause}
    if "RepositoryNotFoundError" in causes or did_you_mean(label, [NAME]):
        return f"unknown model '{label}'{did_you_mean(label, [NAME])}; name a folder, a hub id or '{NAME}'"
    return f"cannot load '{label}' from the hub or its cache: {text}; name a local folder with --model"


def _first_line(error: Exception) -> str:
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)

"""Loading a model: by name, from a folder, from the hub, or one that the caller has loaded."""

from __future__ import annotations

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
from neurosteer.errors import InputError
from neurosteer.memo import recall, remember
from neurosteer.progress import AUTO, QUIET, Progress
from neurosteer.store import expanded
from neurosteer.vocabulary import DTYPES, Dtype, Json

from .builtin import NAME, builtin_folder, conversion, converted
from .fingerprint import fingerprint, tokenizer_fingerprint
from .from_python import model_of
from .gguf import gguf_in
from .gym import gym_network
from .gym_names import gym_seed
from .known import FINGERPRINTS, ModelRequest, files_of, remember_model, stamps
from .libraries import quiet_transformers
from .model import Model
from .reasons import why
from .specials import choose_specials
from .tokenizer_file import as_in_file
from .weight_checks import (
    QUANTISED,
    check_config,
    check_finite,
    check_loaded,
    check_named_weights,
    check_readable,
    check_vocabulary,
    method_of,
    quantisation_of,
    refuse_adapters,
    refuse_pickles,
    weight_files,
)
from .wrap import bridge_of, check_decoder


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
    """Load a decoder behind TransformerLens hooks. Remote code is never run.

    Args:
        name: `"smollm2-135m"` (built in), `"gym"` or `"gym:7"` (tiny, and it is known what each unit does), a local
            Hugging Face folder, a GGUF file or a folder with one, a hub id, or a model that is loaded already: a
            TransformerBridge, or a Hugging Face model with its `tokenizer`. Such a model is wrapped in place, frozen
            and put into evaluation mode; its device and dtype do not change.
        tokenizer: of a Hugging Face model.
        revision: a branch, tag or commit of a hub model.
        device: `auto` takes CUDA where there is one.
        dtype: `auto` is the checkpoint's own on a GPU, and float32 on a CPU.
        device_map: spreads the model over devices (accelerate).
        bos: another first token than the tokenizer's own; `"none"` puts none before the sentence.
        eos: another last token than the tokenizer's own.
        offline: never use the network.
        progress: where progress and notices go.

    Returns:
        The model.

    Raises:
        InputError: for a model that is unknown, unreachable, quantised or no decoder, and for one that would be
            loaded incompletely: with tensors, adapters or token ids without a place, or weights that are not finite.
        NeurosteerError: for an architecture that TransformerLens does not know.

    Example:
        >>> ns.load_model("gym", device="cpu")
        Model('gym', 3 layers x 384, float32 on cpu, BOS <s>, EOS </s>)
    """
    if not isinstance(name, str | os.PathLike):
        if (revision, device, dtype, device_map) != (None, "auto", "auto", None):
            kind = type(name).__name__
            raise InputError(f"a {kind} stays as it is: revision, device, dtype and device_map do not apply")
        return model_of(name, tokenizer, bos=bos, eos=eos, progress=progress)
    if tokenizer is not None:
        raise InputError("tokenizer= is for a Hugging Face model that you have loaded; a name brings its own")
    if device_map and device != "auto":
        raise InputError(f"give --device or --device-map, not both ('{device}', '{device_map}')")
    if dtype not in DTYPES:
        raise InputError(f"unknown dtype '{dtype}'; one of {', '.join(DTYPES)}")
    label, source = str(name), str(name)
    seed = gym_seed(label)
    if revision is not None and (label == NAME or seed is not None or expanded(label).is_dir()):
        raise InputError(f"--revision '{revision}' is for models of the hub; {label} has no revisions: leave it out")
    if label == NAME:
        source = str(builtin_folder(offline=offline, progress=progress))
    place = None if device_map else _device(device)
    asked = ModelRequest(label, revision, device, dtype, device_map, bos, eos)
    if seed is not None:
        model = _gym(label, seed, place, dtype, bos=bos, eos=eos)
        remember_model(asked, model, files_of(asked, offline=True))
        return model
    source, online = _find(label, source, offline=offline, progress=progress)
    files, own = files_of(asked, offline=not online), stamps(Path(source))
    with hub.network(online):
        network, tokenizer, folder = _pretrained(
            label, source, revision=revision, online=online, device_map=device_map
        )
    tokenizer = as_in_file(label, tokenizer, folder, progress)
    check_vocabulary(label, network, tokenizer)
    check_finite(label, network)
    stamp = _fingerprint(network, tokenizer, folder, own)
    specials = choose_specials(tokenizer, bos, eos)
    if dtype != "auto":
        network.to(dtype=getattr(torch, dtype))
        check_finite(label, network, cast=network.dtype)
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
    model = Model(bridge, tokenizer, label, revision, stamp, *specials, dtype=network.dtype, device=network.device)
    remember_model(asked, model, files)
    return model


def _fingerprint(network: Any, tokenizer: Any, folder: Path | None, before: list[Json] | None) -> str:
    """Computed, or remembered of the same files: those of the hub's cache never change, a folder's may have since."""
    files = stamps(folder)
    if files is None or before not in (files, None):
        return fingerprint(network, tokenizer_fingerprint(tokenizer))
    found = recall(FINGERPRINTS, files)
    if not isinstance(found, str):
        found = fingerprint(network, tokenizer_fingerprint(tokenizer))
        remember(FINGERPRINTS, files, found)
    return found


def plain_network(
    name: str, *, revision: str | None = None, offline: bool = False, progress: Progress = AUTO
) -> tuple[Any, Any]:
    """A model as transformers has it, without hooks, and its tokenizer. Raises as `load_model` does."""
    seed = gym_seed(name)
    if seed is not None:
        return gym_network(seed)
    source = str(builtin_folder(offline=offline, progress=progress)) if name == NAME else name
    source, online = _find(name, source, offline=offline, progress=progress)
    with hub.network(online):
        network, tokenizer, folder = _pretrained(name, source, revision=revision, online=online, device_map=None)
    check_finite(name, network)
    return network.eval().requires_grad_(False), as_in_file(name, tokenizer, folder, QUIET)


def _gym(
    label: str, seed: int, place: torch.device | None, dtype: Dtype, *, bos: str | None, eos: str | None
) -> Model:
    """A model whose answers are known."""
    if place is None or dtype not in ("auto", "float32"):
        raise InputError(f"{label} is tiny and made in float32: leave --dtype and --device-map out")
    network, tokenizer = gym_network(seed)
    return model_of(network.to(device=place), tokenizer, bos=bos, eos=eos)


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


def _find(label: str, source: str, *, offline: bool, progress: Progress) -> tuple[str, bool]:
    """A folder or a hub id, and whether the hub is to be asked for it."""
    place = expanded(source)
    if place.exists():
        check_readable(place)
    if place.is_file() and place.suffix.lower() == ".gguf":
        return str(converted(place, progress=progress)), False
    if place.is_file():
        raise InputError(
            f"{label} is a file; name a Hugging Face folder (config.json, tokenizer, safetensors) or a GGUF file"
        )
    if not place.is_dir() and (source.startswith((".", "/", "~")) or source.count("/") > 1):
        raise InputError(f"no such model folder: {label}; name a folder, a hub id or '{NAME}'")
    if not place.is_dir():
        return source, not offline and hub.is_reachable()
    # By name the built-in model has been checked. Its folder may be of version 0.1, which named other BOS and EOS.
    if label != NAME and place.resolve() == conversion().folder.resolve():
        builtin_folder(offline=offline, progress=progress)
    gguf = gguf_in(place)
    if gguf is not None:
        return str(converted(gguf, progress=progress)), False
    refuse_adapters(label, place)
    refuse_pickles(label, place)
    if not (place / "config.json").is_file():
        raise InputError(f"{label} is no Hugging Face model folder: it has no config.json")
    return str(place), False


def _pretrained(
    label: str, place: str, *, revision: str | None, online: bool, device_map: str | None
) -> tuple[Any, Any, Path | None]:
    """Network, tokenizer, and the folder that they are from (None where the hub's cache does not say)."""
    where: dict[str, Any] = {"revision": revision, "local_files_only": not online, "trust_remote_code": False}
    local = Path(place).is_dir()
    said, part, declared = list[str](), "model", None
    try:
        with quiet_transformers() as said:
            config = AutoConfig.from_pretrained(place, **where)
            if getattr(config, "is_encoder_decoder", False):
                raise InputError(
                    f"{label} is an encoder-decoder model ({config.model_type}); neurosteer needs a decoder"
                )
            check_config(label, config)
            declared = quantisation_of(config)
            check_named_weights(label, config, Path(place) if local else None)
            if local:
                weight_files(Path(place))
            elif hub.has_file(place, "adapter_config.json", revision, online=online):
                raise InputError(f"{label} has an adapter, which would be left out; merge it, and name its folder")
            part = "tokenizer"
            tokenizer = AutoTokenizer.from_pretrained(place, **where)
            part = "model"
            network, loaded = AutoModelForCausalLM.from_pretrained(
                place,
                dtype="auto",
                attn_implementation="eager",
                device_map=device_map,
                use_safetensors=True,
                output_loading_info=True,
                ignore_mismatched_sizes=True,  # they are refused by name
                **where,
            )
            if any(weight.is_meta for weight in network.parameters()):
                raise InputError(
                    f"--device-map {device_map} leaves weights of {label} off every device; use fewer or larger ones"
                )
            folder = Path(place) if local else hub.folder_of(place, "config.json", revision)
            check_loaded(label, network, loaded, folder, declared=declared)
    except InputError:
        raise
    except Exception as error:  # transformers raises what it likes; the user needs one line
        folder = Path(place) if local else None
        if isinstance(error, ImportError) and declared is not None:  # no library that it asks for would help
            raise InputError(QUANTISED % method_of(declared)) from error
        raise InputError(why(label, error, said, part=part, folder=folder)) from error
    return network, tokenizer, folder

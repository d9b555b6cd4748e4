"""Nothing is loaded by half: what would give other numbers than the model's own is refused, by its name."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

import torch
from safetensors import safe_open
from torch import Tensor, nn
from transformers.quantizers import AutoHfQuantizer

from neurosteer.errors import InputError
from neurosteer.vocabulary import are, counted

QUANTISED = "quantised weights (%s) cannot be edited exactly; load the model in float32 or bfloat16"
MERGE = "PeftModel.from_pretrained(BASE, ADAPTER).merge_and_unload().save_pretrained(FOLDER)"
_ADAPTER = re.compile(r"(?!model).*(adapter|lora).*\.(safetensors|bin|pt|npz)|adapter_config\.json", re.IGNORECASE)
_LORA = re.compile(r"(^|[._])lora_|\.lora\.|adapter", re.IGNORECASE)
_BLOCKS = re.compile(
    r"(qweight|qzeros|g_idx|scales?|scale_inv|biases|absmax|quant_map|quant_state.*|weight_packed|SCB)$"
)
_DERIVED = re.compile(r"(^|\.)(masked_bias|inv_freq|position_ids|causal_mask|attn_mask)$")  # computed anew
_PLAIN = {"F64", "F32", "F16", "BF16"}
_NOT_TEXT = ("image", "video", "audio", "boi", "eoi")  # placeholders that a text never holds
_LOADED = (".json", ".safetensors", ".gguf", ".txt", ".model", ".jinja")
_SINGLE, _INDEX = "model.safetensors", "model.safetensors.index.json"  # of both transformers loads the first
_PICKLES = (".bin", ".pt", ".pth", ".ckpt", ".pkl")
_POINTER = b"version https://git-lfs"
_NAMED = 3  # tensors or tokens of a message


def refuse_adapters(label: str, folder: Path) -> None:
    """Raise `InputError` for a folder in which LoRA adapters lie, which would be left out."""
    found = sorted(file.name for file in folder.iterdir() if _ADAPTER.fullmatch(file.name))
    if found:
        where = "beside its weights" if (folder / "config.json").is_file() else "and no whole model"
        way_out = f"merge it ({MERGE})" + (", or move it away" if where.startswith("beside") else "")
        raise InputError(f"{label} has an adapter {where} ({found[-1]}), which would be left out; {way_out}")


def refuse_pickles(label: str, folder: Path) -> None:
    """Raise `InputError`, with the way out, for a folder whose weights are pickles alone: they are never loaded."""
    pickles = sorted(file.name for file in folder.iterdir() if file.suffix in _PICKLES and "model" in file.name)
    if pickles and not any(folder.glob("*.safetensors")):
        raise InputError(
            f"cannot load the model in {label}: its weights are pickles ({pickles[0]}), which can run any code; if "
            "you trust them, convert them: AutoModelForCausalLM.from_pretrained(FOLDER, use_safetensors=False)"
            ".save_pretrained(FOLDER)"
        )


def check_readable(place: Path) -> None:
    """Raise `InputError` for a file, or a file of a folder, that may not be read or only stands for another one.

    safetensors calls what may not be read absent, and a pointer of git-lfs broken.
    """
    try:
        files = [place] if place.is_file() else [file for file in sorted(place.iterdir()) if file.is_file()]
        for file in files:
            if file.suffix.lower() in _LOADED:
                with file.open("rb") as opened:
                    pointer = opened.read(len(_POINTER)) == _POINTER
                if pointer:
                    raise InputError(
                        f"{file} is a pointer of git-lfs, not the file itself; run `git lfs pull` in its folder"
                    )
    except OSError as error:
        raise InputError(f"cannot read '{error.filename}': {error.strerror}") from error


def check_config(label: str, config: Any) -> None:
    """Raise `InputError` for a config that names no layers, or a quantisation that transformers would pass over."""
    text = config.get_text_config() if hasattr(config, "get_text_config") else config
    layers = getattr(text, "num_hidden_layers", None)
    if isinstance(layers, int) and layers < 1:
        raise InputError(f"{label} has no layers: num_hidden_layers is {layers} in its config")
    told = quantisation_of(config)
    if told is None:
        return
    method = method_of(told)
    if method is None:
        raise InputError(f"{label} is quantised, but quantization_config in its config names no quant_method")
    settings = told if isinstance(told, dict) else vars(told)
    if not AutoHfQuantizer.supports_quant_method({**settings, "quant_method": method}):
        raise InputError(
            f"{label} is quantised by a quant_method that transformers does not know, '{method}'; load the "
            "unquantised model"
        )


def quantisation_of(config: Any) -> Any:
    """What a config says of a quantisation; None where it says nothing."""
    text = config.get_text_config() if hasattr(config, "get_text_config") else config
    return getattr(config, "quantization_config", None) or getattr(text, "quantization_config", None)


def method_of(told: Any) -> str | None:
    """The method that a quantisation names."""
    settings = told if isinstance(told, dict) else vars(told)
    method = settings.get("quant_method") or ("bitsandbytes" if _is_bitsandbytes(settings) else None)
    return None if method is None else str(getattr(method, "value", method))


def check_named_weights(label: str, config: Any, folder: Path | None) -> None:
    """Raise `InputError` for a config that names other weights than those which are checked here."""
    named = getattr(config, "transformers_weights", None)
    both = folder is not None and (folder / _SINGLE).is_file()
    if named not in (None, _SINGLE) and (named != _INDEX or both):
        raise InputError(
            f"the config of {label} names weights of its own, '{named}', beside {_SINGLE}; take transformers_weights "
            "out of it"
        )


def _is_bitsandbytes(settings: Mapping[str, Any]) -> bool:
    return bool(settings.get("load_in_8bit") or settings.get("load_in_4bit"))


def check_loaded(
    label: str, network: Any, loaded: Mapping[str, Any], folder: Path | None, *, declared: Any = None
) -> None:
    """Raise `InputError` where weights and model do not go together, tensor for tensor.

    `loaded` is what transformers says of it, `folder` the one with the files, `declared` the quantisation that its
    config names. What older versions wrote beside the weights and newer ones compute anew may be left over.
    """
    if loaded["missing_keys"]:  # transformers would make them up
        missing = _some(loaded["missing_keys"])
        raise InputError(
            f"the weights of {label} are incomplete: {missing} {are(len(loaded['missing_keys']))} missing"
        )
    for name, there, wanted in sorted(loaded["mismatched_keys"]):
        raise InputError(
            f"the weights of {label} do not fit its config: {name} is {_shape(there)}, not {_shape(wanted)}"
        )
    types, shapes = _tensors(label, folder) if folder is not None else ({}, {})
    extra = {name for name in loaded["unexpected_keys"] if not _is_derived(name, shapes.get(name, ()))}
    if extra:
        _refuse_extra(label, extra)
    if getattr(network, "hf_quantizer", None) is not None:
        refuse_quantised(network)
    if getattr(network.config, "quantization_config", None) is None:
        state = network.state_dict()
        for name, kind in types.items():
            floats = state[name].is_floating_point() if name in state else name.endswith("weight")
            if kind not in _PLAIN and floats:
                why = "a quantised layout that its config does not declare"
                if declared is not None:
                    why = f"as its quantization_config says ({method_of(declared)})"
                raise InputError(f"{label} stores {name} as {kind}, {why}; load the unquantised model")


def _refuse_extra(label: str, extra: set[str]) -> NoReturn:
    """Of tensors in the file that the model does not take."""
    number = counted(len(extra), "tensor")
    told = f"the weights of {label} have {number} for which its config has no place ({_some(extra)})"
    if any(_LORA.search(name) for name in extra):
        raise InputError(f"{told}: an adapter, which would be left out; merge it ({MERGE})")
    if any(_BLOCKS.search(name) for name in extra):
        raise InputError(f"{told}: a quantised layout that its config does not declare; load the unquantised model")
    raise InputError(f"{told}: the numbers would be others; take the config that was saved with these weights")


def _is_derived(name: str, shape: Sequence[int]) -> bool:
    """Whether a tensor is no weight: a mask or table that older versions saved."""
    return bool(_DERIVED.search(name)) or (name.endswith((".attn.bias", ".attention.bias")) and len(shape) == 4)


def refuse_quantised(network: Any) -> None:
    """Raise `InputError` for weights that are no plain numbers, or that an adapter changes while it runs."""
    method = getattr(getattr(network, "hf_quantizer", None), "quantization_config", None)
    if method is not None and "gguf" not in str(method.quant_method).lower():
        raise InputError(QUANTISED % str(getattr(method.quant_method, "value", method.quant_method)))
    for module in network.modules():
        if ".quantized" in type(module).__module__:  # of torch: its weights are no parameters
            raise InputError(QUANTISED % type(module).__module__.removesuffix(".modules"))
    for name, weight in network.named_parameters():
        if not weight.is_meta and (not weight.is_floating_point() or weight.dtype.itemsize < 2):
            raise InputError(QUANTISED % str(weight.dtype).removeprefix("torch."))
        if _LORA.search(name):
            raise InputError(f"this model has an adapter ({name}); merge it: model = model.merge_and_unload()")


def check_finite(label: str, network: nn.Module, *, cast: torch.dtype | None = None) -> None:
    """Raise `InputError` for a weight that is NaN or infinite, in the file or since it was `cast`."""
    for name, weight in network.state_dict().items():
        if weight.is_meta or not weight.is_floating_point() or not weight.numel():
            continue
        if not all(bool(end.isfinite()) for end in _ends(weight)):
            own = name.replace("._original_component", "")
            if cast is not None:
                kind = str(cast).removeprefix("torch.")
                raise InputError(f"{label} does not fit {kind}: {own} overflows; try --dtype bfloat16 or float32")
            what = "NaN" if bool(weight.isnan().any()) else "infinite"
            raise InputError(f"{label} has weights that are {what}, in {own}; take another copy of the model")


def _ends(weight: Tensor) -> Sequence[Tensor]:
    """The smallest and the largest value; NaN where one is."""
    lowest, highest = weight.aminmax()
    return lowest, highest


def check_vocabulary(label: str, network: Any, tokenizer: Any) -> None:
    """Raise `InputError` where the tokenizer has more token ids than the embedding has rows.

    Placeholders for pictures and sound do not count: published text models name some for which they have no row.
    """
    embedding = network.get_input_embeddings()
    rows = getattr(getattr(embedding, "weight", None), "shape", (None,))[0]
    if rows is None:
        return
    named = getattr(tokenizer, "special_tokens_map", {})
    placeholders = {str(token) for name, token in named.items() if name.startswith(_NOT_TEXT)}
    known = tokenizer.get_vocab()
    beyond = sorted(
        (number, token) for token, number in known.items() if number >= rows and token not in placeholders
    )
    if beyond:
        tokens = ", ".join(f"{token!r} ({number})" for number, token in beyond[:_NAMED])
        more = ", ..." if len(beyond) > _NAMED else ""
        raise InputError(
            f"the tokenizer of {label} has {max(known.values()) + 1} token ids and its embedding {rows} rows: there "
            f"is none for {tokens}{more}; resize the embedding or take the tokenizer that belongs to it"
        )


def weight_files(folder: Path) -> list[Path]:
    """The safetensors of a model folder that transformers loads: the one, or those of its index.

    Raises ValueError for a broken index, and for one that names files of another kind: those would be unpickled.
    """
    index = folder / _INDEX
    if (folder / _SINGLE).is_file():
        return [folder / _SINGLE]
    if not index.is_file():
        return []
    found = json.loads(index.read_text("utf-8"))
    places = found.get("weight_map") if isinstance(found, dict) else None
    if not isinstance(places, dict) or not all(isinstance(name, str) for name in places.values()):
        raise ValueError(f"its {_INDEX} has no weight_map, which says where each tensor is; take another copy")
    names = set(places.values())
    others = {name for name in names if not name.endswith(".safetensors") or Path(name).name != name}
    if others:
        raise ValueError(f"its index names '{min(others)}', which is no safetensors file of the folder")
    return [folder / name for name in sorted(names)]


def _tensors(label: str, folder: Path) -> tuple[dict[str, str], dict[str, tuple[int, ...]]]:
    """Type and shape of every tensor in a folder's safetensors, from their headers.

    Raises `InputError` for one that two files hold with different values.
    """
    types, shapes, places = dict[str, str](), dict[str, tuple[int, ...]](), dict[str, Path]()
    for file in weight_files(folder):
        with safe_open(file, framework="pt") as tensors:
            for name in tensors.keys():  # noqa: SIM118
                if name in places and not _is_same(name, file, places[name]):
                    raise InputError(
                        f"the weights of {label} have {name} twice, with other values in {file.name} than in "
                        f"{places[name].name}; take another copy of the model"
                    )
                one = tensors.get_slice(name)
                types[name], shapes[name], places[name] = one.get_dtype(), tuple(one.get_shape()), file
    return types, shapes


def _is_same(name: str, *files: Path) -> bool:
    """Whether two files hold the same tensor of a name."""
    values = []
    for file in files:
        with safe_open(file, framework="pt") as tensors:
            values.append(tensors.get_tensor(name))
    one, other = values
    return one.dtype == other.dtype and one.shape == other.shape and bool((one == other).all())


def _some(names: Iterable[str]) -> str:
    every = sorted(names)
    return ", ".join(every[:_NAMED]) + (", ..." if len(every) > _NAMED else "")


def _shape(shape: Iterable[int]) -> str:
    return " x ".join(map(str, shape))

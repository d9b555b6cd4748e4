"""What a GGUF file says of itself, and what of it transformers would leave out or make up."""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from neurosteer.errors import InputError

from .libraries import essence

_SCALING = "rope.scaling.type"
_FACTORS = ("rope.scaling.factor", "rope.scale_linear")
_NAMES = {  # numbers that change what a model computes: their names in configs, and the values that change nothing
    "logit_scale": (("logit_scale", "logits_scaling"), (0.0, 1.0)),
    "residual_scale": (("residual_multiplier",), (0.0, 1.0)),
    "embedding_scale": (("embedding_multiplier",), (0.0, 1.0)),
    "attention.scale": (("attention_multiplier",), (0.0,)),
    "attention.clamp_kqv": (("clip_qkv",), (0.0,)),
    "attn_logit_softcapping": (("attn_logit_softcapping",), (0.0,)),
    "final_logit_softcapping": (("final_logit_softcapping",), (0.0,)),
    "rope.scaling.attn_factor": (("attention_factor",), (0.0, 1.0)),
    "rope.freq_base": (("rope_theta",), ()),
}
_LIKE_GPT2 = {  # `tokenizer.ggml.pre` (llama.cpp, llama-vocab.cpp) of texts that are split as GPT-2's; in the last
    # line digit by digit besides: no token of such a vocabulary has two digits, so that the ids are the same
    *("gpt-2", "phi-2", "jina-es", "jina-de", "jina-v1-en", "jina-v2-es", "jina-v2-de", "jina-v2-code", "gigachat"),
    *("a.x-4.0", "mellum", "modern-bert", "roberta-bpe", "mpt", "olmo", "jais", "trillion", "granite-docling"),
    *("starcoder", "refact", "command-r", "smollm", "codeshell", "exaone", "minerva-7b"),
}
_SPECIALS = ("bos_token", "eos_token", "unk_token", "pad_token")
_WAY_OUT = "take the model's Hugging Face folder"


@dataclass(frozen=True)
class Header:
    """How many values each tensor of a file has, its settings, without the architecture's name, and its tokens."""

    sizes: Mapping[str, int]
    settings: Mapping[str, float | str]
    tokens: int


def read_header(gguf: Path) -> Header:
    """Of a whole file. Raises `InputError` for one that cannot be read, dequantised, or split into tokens."""
    from gguf import GGUFReader, dequantize

    try:
        reader = GGUFReader(gguf)
    except Exception as error:  # of a malformed file: whatever the parser stumbles over
        raise InputError(f"cannot read {gguf} as GGUF: {essence(error)}") from error
    parts = reader.get_field("split.count")
    if parts is not None and int(parts.contents()) > 1:
        raise InputError(
            f"{gguf} is one of {int(parts.contents())} parts; join them with `llama-gguf-split --merge` and name the "
            "whole file"
        )
    tried = set()
    for tensor in reader.tensors:
        if tensor.name.endswith("scale"):
            raise InputError(
                f"{gguf} has {tensor.name}, by which quantised weights are to be multiplied and which transformers "
                f"leaves out; {_WAY_OUT}"
            )
        if tensor.tensor_type not in tried:
            tried.add(tensor.tensor_type)
            try:
                dequantize(tensor.data[:1], tensor.tensor_type)
            except NotImplementedError as error:
                raise InputError(
                    f"{gguf}: its tensor {tensor.name} is quantised as {tensor.tensor_type.name}, which cannot be "
                    "converted; take a file in F16, Q8_0 or Q4_K_M"
                ) from error
    kind, split = (_text(reader, f"tokenizer.ggml.{name}") for name in ("model", "pre"))
    if kind == "gpt2" and split is not None and not _is_known(split):
        raise InputError(
            f"{gguf} says that its text is split as tokenizer.ggml.pre '{split}', which transformers would take for "
            f"GPT-2's: the ids would be others; {_WAY_OUT}"
        )
    prefix = f"{_text(reader, 'general.architecture')}."
    names = (_SCALING, *_FACTORS, *_NAMES)
    fields = {name: reader.get_field(prefix + name) for name in names}
    words = reader.get_field("tokenizer.ggml.tokens")
    return Header(
        sizes={tensor.name: int(tensor.n_elements) for tensor in reader.tensors},
        settings={name: field.contents() for name, field in fields.items() if field is not None},
        tokens=0 if words is None else len(words.data),
    )


def refuse_half(gguf: Path, header: Header, network: Any, missing: Collection[str]) -> None:
    """Raise `InputError` where the file lacks a tensor of the model, or has what the model does not take."""
    if missing:
        raise InputError(f"{gguf} is incomplete: it has no {min(missing)}")
    values = {tensor.data_ptr(): tensor.numel() for tensor in network.state_dict().values()}
    if sum(header.sizes.values()) > sum(values.values()):
        extra = [name for name in header.sizes if not name.startswith(("blk.", "token_embd.", "output"))]
        named = ", ".join(extra[:3]) or "tensors beside those of the architecture"
        _refuse(gguf, named, network)
    for name in _left_out(header.settings, network.config):
        _refuse(gguf, f"the setting {name} ({_shown(header.settings[name])})", network)


def _refuse(gguf: Path, what: str, network: Any) -> None:
    raise InputError(
        f"{gguf} has {what}, for which transformers' {type(network).__name__} has no place: the numbers would be "
        f"others; {_WAY_OUT}"
    )


def _left_out(settings: Mapping[str, float | str], config: Any) -> Iterator[str]:
    """The settings of a file that are not those of the config that transformers makes of it."""
    told = list(_told(config.to_dict()))
    kind = settings.get(_SCALING)
    factors = [name for name in _FACTORS if settings.get(name, 1.0) not in (0.0, 1.0)]
    if kind not in (None, "none") and ("rope_type", kind) not in told and (factors or kind != "linear"):
        yield _SCALING
    for name in factors:
        if not _is_told(settings[name], ("factor",), told):
            yield name
    for name, (ours, neutral) in _NAMES.items():
        value = settings.get(name)
        unused = not neutral and not any(key in ours for key, _ in told)  # without positions nothing is rotated
        if value is not None and value not in neutral and not unused and not _is_told(value, ours, told):
            yield name


def _told(settings: Mapping[Any, Any]) -> Iterator[tuple[Any, Any]]:
    """Names and values of a config, those of its parts too."""
    for name, value in settings.items():
        if isinstance(value, Mapping):
            yield from _told(value)
        else:
            yield name, value


def _is_told(value: float | str, names: tuple[str, ...], told: list[tuple[Any, Any]]) -> bool:
    """Whether a config has one of these names with this value, which a file holds in single precision."""
    return isinstance(value, int | float) and any(
        name in names and isinstance(theirs, int | float) and math.isclose(theirs, value, rel_tol=1e-6)
        for name, theirs in told
    )


def _shown(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def without_made_up(tokenizer: Any, header: Header) -> Any:
    """A tokenizer without the tokens that its class adds to those of the file: there are no weights for them."""
    from tokenizers import Tokenizer
    from transformers import PreTrainedTokenizerFast

    backend = json.loads(tokenizer.backend_tokenizer.to_str())
    made_up = [word for word in backend["added_tokens"] if word["id"] >= header.tokens]
    if not made_up or not header.tokens:
        return tokenizer
    gone = {word["content"] for word in made_up}
    backend["added_tokens"] = [word for word in backend["added_tokens"] if word["content"] not in gone]
    special = {name: str(token) for name in _SPECIALS if (token := getattr(tokenizer, name)) is not None}
    kept = {name: token for name, token in special.items() if token not in gone}
    return PreTrainedTokenizerFast(tokenizer_object=Tokenizer.from_str(json.dumps(backend)), **kept)


def _is_known(split: str) -> bool:
    """Whether transformers splits text as a file says, as far as it can be asked."""
    try:
        from transformers.integrations.gguf.gguf_tokenizer_mapping import GGUF_PRE_TOKENIZER_SPLITS
    except ImportError:
        return True
    return split in GGUF_PRE_TOKENIZER_SPLITS or split in _LIKE_GPT2


def _text(reader: Any, name: str) -> str | None:
    field = reader.get_field(name)
    return None if field is None else str(field.contents())

"""Tiny random models in folders, sentences they can read, and what plain Hugging Face computes on them.

A vocabulary of 64 tokens, `w0` to `w61` and two special ones, so that a test writes token ids down by itself.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers
from tokenizers import Tokenizer, models, pre_tokenizers
from torch import Tensor, nn

from neurosteer.pairs import Pair, Pairs

LAYERS, WIDTH, INNER, CONTEXT = 3, 32, 48, 64
WORDS, BOS, EOS = 62, 62, 63
IDS = {"bos_token_id": BOS, "eos_token_id": EOS, "pad_token_id": None}
COMMON = {"vocab_size": 64, "hidden_size": WIDTH, "num_attention_heads": 4, "initializer_range": 0.15, **IDS}
LLAMA_LIKE = {
    **COMMON,
    "num_hidden_layers": LAYERS,
    "intermediate_size": INNER,
    "max_position_embeddings": CONTEXT,
}
GROUPED = {**LLAMA_LIKE, "num_key_value_heads": 2}
GPT2_LIKE = {"vocab_size": 64, "n_embd": WIDTH, "n_layer": LAYERS, "n_head": 4, "n_positions": CONTEXT, **IDS}
CONFIGS: dict[str, Callable[[], Any]] = {
    "llama": lambda: transformers.LlamaConfig(**GROUPED),
    "llama-wide": lambda: transformers.LlamaConfig(**{**GROUPED, "hidden_size": 8 * WIDTH}),
    "llama-english": lambda: transformers.LlamaConfig(**{**GROUPED, "hidden_size": 4 * WIDTH, "vocab_size": 2048}),
    "gpt2": lambda: transformers.GPT2Config(**GPT2_LIKE, initializer_range=0.15),
    "neox": lambda: transformers.GPTNeoXConfig(**LLAMA_LIKE),
    "gemma3": lambda: transformers.Gemma3TextConfig(**GROUPED, head_dim=8, sliding_window=32),
    "gemma3-narrow": lambda: transformers.Gemma3TextConfig(**GROUPED, head_dim=8, sliding_window=8),
    "qwen3": lambda: transformers.Qwen3Config(**GROUPED, head_dim=8),
    "bloom": lambda: transformers.BloomConfig(
        vocab_size=64, hidden_size=WIDTH, n_layer=LAYERS, n_head=4, initializer_range=0.15, **IDS
    ),
}


def save_tiny(kind: str, folder: Path, *, seed: int = 0, bos: str | None = "<s>", eos: str | None = "</s>") -> Path:
    """A random model of an architecture, and a word-level tokenizer, as a Hugging Face folder."""
    return save_random(CONFIGS[kind](), folder, seed=seed, bos=bos, eos=eos)


def save_random(
    config: Any, folder: Path, *, seed: int = 0, bos: str | None = "<s>", eos: str | None = "</s>", flat: bool = True
) -> Path:
    """The same of any config. Unless `flat`, biases and norms, which begin at 0 and 1, are random too."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        network = transformers.AutoModelForCausalLM.from_config(config)
        for name, weight in network.named_parameters():
            if not flat and (name.endswith("bias") or "norm" in name or "ln_" in name):
                weight.data += 0.2 * torch.randn_like(weight)
    network.config.architectures = [type(network).__name__]
    network.save_pretrained(folder)
    save_tokenizer(folder, bos=bos, eos=eos)
    return folder


def settle(folder: Path) -> Path:
    """As if its files had been there for long: of files written just now nothing is remembered."""
    for file in folder.iterdir():
        os.utime(file, (time.time() - 3600,) * 2)
    return folder


def save_tokenizer(
    folder: Path, *, bos: str | None = "<s>", eos: str | None = "</s>", shift: int = 0, english: Iterable[str] = ()
) -> None:
    """Words are the ids they name, or (`shift`) the ids that follow; those of `english` sentences come after."""
    vocabulary = {f"w{i}": (i + shift) % WORDS for i in range(WORDS)} | {"<s>": BOS, "</s>": EOS}
    words = sorted({word for sentence in english for word in sentence.split()})
    vocabulary |= {word: i for i, word in enumerate(words, start=len(vocabulary))}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="w0"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    fast = transformers.PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token=bos, eos_token=eos)
    fast.save_pretrained(folder)


def random_pairs(n: int, *, seed: int = 0, longest: int = 12, task: str = "toy") -> Pairs:
    """Sentences of 1 to `longest` words; few words begin them, so that many share their beginnings."""
    rng = np.random.default_rng(seed)

    def sentence() -> str:
        length = int(rng.integers(1, longest + 1))
        spread = np.minimum(3 + 8 * np.arange(length), WORDS)
        return " ".join(f"w{word}" for word in rng.integers(0, spread))

    def pair(i: int) -> Pair:
        good = sentence()
        kept = good.split()[: int(rng.integers(0, longest))]
        bad = " ".join([*kept, f"w{rng.integers(WORDS)}"][:longest])
        return Pair(good, bad if i % 3 else sentence(), str(i))

    return Pairs(task, "random", tuple(pair(i) for i in range(n)))


def ids_of(sentence: str, *, bos: int | None = BOS, eos: int | None = EOS) -> list[int]:
    """Token ids, without a tokenizer."""
    words = [int(word.removeprefix("w")) for word in sentence.split()]
    return [*([] if bos is None else [bos]), *words, *([] if eos is None else [eos])]


def sentences_of(pairs: Pairs) -> list[str]:
    """Good, bad, good, bad, ..."""
    return [sentence for pair in pairs for sentence in (pair.good, pair.bad)]


def hf_network(folder: Path) -> Any:
    """The model as Hugging Face itself loads it: eager attention, float32."""
    network = transformers.AutoModelForCausalLM.from_pretrained(
        folder, dtype=torch.float32, attn_implementation="eager"
    )
    return network.eval().requires_grad_(False)


def hf_blocks(network: Any) -> nn.ModuleList:
    return next(module for module in network.modules() if isinstance(module, nn.ModuleList))


def hf_states(network: Any, sequences: Sequence[Sequence[int]]) -> Tensor:
    """`[sequence, layer, unit]` at the last tokens, one sequence at a time.

    The last of Hugging Face's hidden states has been through the final norm, so a hook reads the last block.
    """
    rows = []
    with read_from([hf_blocks(network)[-1]]) as [last]:
        for sequence in sequences:
            hidden = network.base_model(torch.tensor([sequence]), output_hidden_states=True).hidden_states
            rows.append(torch.stack([*(layer[0, -1] for layer in hidden[1:-1]), last.pop()[0, -1]]))
    return torch.stack(rows)


@contextmanager
def read_from(modules: Sequence[nn.Module], *, inputs: bool = False) -> Iterator[list[list[Tensor]]]:
    """One list per module, to which each call of it appends its output (or its first input)."""
    seen: list[list[Tensor]] = [[] for _ in modules]

    def reader(into: list[Tensor]) -> Callable[..., None]:
        def read(_module: nn.Module, given: tuple[Tensor, ...], gives: Any) -> None:
            gives = gives[0] if isinstance(gives, tuple) else gives
            into.append((given[0] if inputs else gives).detach().clone())

        return read

    handles = [
        module.register_forward_hook(reader(into), always_call=False)
        for module, into in zip(modules, seen, strict=True)
    ]
    try:
        yield seen
    finally:
        for handle in handles:
            handle.remove()

"""What the jobs share: the model, the pairs, and how tokens are counted."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM

import neurosteer as ns
from neurosteer.errors import InputError
from neurosteer.forward.check import can_share_prefixes
from neurosteer.forward.forest import plan
from neurosteer.forward.loop import packing_for
from neurosteer.model import Model, encode
from neurosteer.pairs import Pairs
from neurosteer.progress import QUIET
from neurosteer.store import home

from .padded import Tokens
from .random_model import SHAPES, random_model, random_network


def positive(text: str) -> int:
    """A number from 1 on, for argparse."""
    if (value := int(text)) < 1:
        raise ValueError(text)
    return value


@contextmanager
def in_one_line(parser: ArgumentParser) -> Iterator[None]:
    """What is wrong with the input, or not installed, ends the command with one line, and 2."""
    try:
        import_module("psutil")  # with which every job measures memory
        yield
    except InputError as error:
        parser.exit(2, f"{parser.prog}: {error}\n")
    except ModuleNotFoundError as error:
        parser.exit(2, f'{parser.prog}: {error.name} is not installed; pip install -e ".[bench]"\n')


@dataclass(frozen=True)
class Setup:
    """On what the jobs run."""

    model: str
    dtype: str
    device: str
    data: str
    tasks: tuple[str, ...]
    n: int  # pairs of each task
    repeats: int
    say: Callable[[str], None]
    tokenizer: Path | None = None  # of a model with random weights; the built-in model's by default

    def load(self, dtype: str | None = None) -> Model:
        """The model, in a dtype of its own or in that of the setup."""
        return _load(self.model, dtype or self.dtype, self.device, self.tokenizer)

    def plain(self) -> Any:
        """The same weights as Hugging Face loads them, without TransformerLens around them."""
        return _plain(self.model, self.dtype, self.load())

    def pairs(self, task: str) -> Pairs:
        return ns.load_pairs(task, source=self.data, limit=self.n)

    def each_task(self) -> Iterator[Pairs]:
        for task in self.tasks:
            self.say(f"{task}")
            yield self.pairs(task)


@cache
def _load(name: str, dtype: str, device: str, tokenizer: Path | None) -> Model:
    if name not in SHAPES:
        return ns.load_model(name, dtype=dtype, device=device)
    place = device if device != "auto" else "cuda" if torch.cuda.is_available() else "cpu"
    return random_model(SHAPES[name], dtype=dtype, device=place, tokenizer=tokenizer)


@cache
def _plain(name: str, dtype: str, model: Model) -> Any:
    if name in SHAPES:
        network = random_network(SHAPES[name], dtype=dtype, device=str(model.device))
        network.set_attn_implementation("sdpa")
        return network
    folder = home() / "models" / name
    network = AutoModelForCausalLM.from_pretrained(
        folder if folder.is_dir() else name, dtype=model.dtype, attn_implementation="sdpa"
    )
    network.eval().to(model.device)
    sum(float(weight.detach().sum()) for weight in network.parameters())  # read from disk now, not in somebody's turn
    return network


def multiplies_bfloat16(device: str) -> bool:
    """Whether there is hardware for it."""
    if device == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    able = torch.cpu.get_capabilities() if hasattr(torch.cpu, "get_capabilities") else {}  # not in older versions
    return any(able.get(name) for name in ("avx512_bf16", "amx_bf16", "sve_bf16", "arm_bf16", "bf16"))


def sentences_of(pairs: Pairs) -> list[str]:
    """Good and bad in turns."""
    return [sentence for pair in pairs for sentence in (pair.good, pair.bad)]


def sequences_of(model: Model, pairs: Pairs, position: str = "eos") -> list[Tokens]:
    return encode(model, sentences_of(pairs), position=position)


def computed(model: Model, sequences: Sequence[Tokens]) -> int:
    """Tokens that we compute for pairs of sequences: distinct prefixes, once a row, no padding; or all of them where
    the forest does not hold."""
    groups = [sequences[i : i + 2] for i in range(0, len(sequences), 2)]
    return sum(
        pack.computed for pack in plan(groups, packing_for(model), shared=can_share_prefixes(model, groups, QUIET))
    )


@contextmanager
def counting(network: Any) -> Iterator[list[int]]:
    """The sizes of the batches that a network embeds inside the block, padding included."""
    sizes: list[int] = []
    handle = network.get_input_embeddings().register_forward_pre_hook(lambda _, given: sizes.append(given[0].numel()))
    try:
        yield sizes
    finally:
        handle.remove()

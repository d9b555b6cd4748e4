"""The prefix forest is tried before it is trusted; where it does not hold, a notice says so."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file
from tiny_models import GPT2_LIKE, LLAMA_LIKE, hf_blocks, hf_network, ids_of, random_pairs, read_from, save_random

from neurosteer.errors import InputError, NeurosteerError
from neurosteer.forward import eos_states, generate, score
from neurosteer.forward.check import can_resume, forest_is_exact
from neurosteer.forward.forest import Pack, plan
from neurosteer.model import Model, load_model
from neurosteer.progress import Progress


class Notices(Progress):
    def __init__(self) -> None:
        self.texts: list[str] = []

    def notice(self, text: str) -> None:
        self.texts.append(text)


@pytest.mark.parametrize("kind", ["llama", "gpt2", "neox", "gemma3", "gemma3-narrow", "qwen3"])
def test_the_forest_holds(kind: str, tiny: Callable[[str], Model]):
    notices = Notices()
    assert forest_is_exact(tiny(kind), notices)
    assert notices.texts == []


def test_alibi_takes_batches_of_equal_length_and_says_so_once(tiny_folder: Callable[[str], Path]):
    model, notices = load_model(tiny_folder("bloom")), Notices()
    for task in ("one", "two"):
        eos_states(model, random_pairs(5, task=task), cache=False, progress=notices)
    [text] = notices.texts
    assert text.startswith(f"{model.name}: the architecture does not take the prefix forest's mask or positions")
    assert text.endswith("sentences run in batches of equal length instead (slower, same results)")


@pytest.mark.parametrize(("field", "first"), [("parents", -1), ("depths", 0)])
def test_a_mask_or_position_that_is_ignored_is_noticed(
    field: str, first: int, tiny_folder: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
):
    """An architecture that attends to all that stands before, or counts positions by itself."""
    model, notices = load_model(tiny_folder("llama")), Notices()

    def ignoring(*args: Any, **options: Any) -> list[Pack]:
        packs = plan(*args, **options)
        in_order = [
            np.broadcast_to(np.arange(first, first + pack.tokens.shape[1]), pack.tokens.shape) for pack in packs
        ]
        return [replace(pack, **{field: np.array(values)}) for pack, values in zip(packs, in_order, strict=True)]

    monkeypatch.setattr("neurosteer.forward.check.plan", ignoring)
    assert not forest_is_exact(model, notices)
    assert "the prefix forest differs from one sentence at a time by" in notices.texts[0]


# --- numbers that a dtype does not hold --------------------------------------------------------------------------


def overflowing(folder: Path) -> Path:
    """A copy whose MLP of layer 1 goes beyond what float16 holds; its weights are small enough."""
    weights = load_file(folder / "model.safetensors")
    for part in ("up", "gate"):
        weights[f"model.layers.1.mlp.{part}_proj.weight"] *= 3e3
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    return folder


def states_are_finite(folder: Path, dtype: torch.dtype) -> list[bool]:
    """Of every block, as plain Hugging Face computes them."""
    network = hf_network(folder).to(dtype)
    with torch.no_grad(), read_from(hf_blocks(network)) as blocks:
        network(torch.tensor([ids_of("w1 w2 w3")]))
    return [bool(seen[0].isfinite().all()) for seen in blocks]


@pytest.fixture
def folder(tiny_folder: Callable[[str], Path], tmp_path: Path) -> Path:
    """A copy to spoil."""
    return shutil.copytree(tiny_folder("llama"), tmp_path / "llama")


def working(model: Model) -> list[Callable[[], object]]:
    """What reads sentences with it."""
    pairs = random_pairs(6)
    return [
        lambda: score(model, pairs),
        lambda: eos_states(model, pairs, cache=False),
        lambda: generate(model, "w1 w2"),
        lambda: generate(model, "w1 w2", cache=False),
        lambda: can_resume(model, Progress()),
    ]


def test_float16_that_overflows_is_one_line(folder: Path):
    overflowing(folder)
    assert states_are_finite(folder, torch.float16) == [True, False, False]
    assert all(states_are_finite(folder, torch.bfloat16))
    model = load_model(folder, dtype="float16")
    for work in working(model):
        with pytest.raises(InputError) as error:
            work()
        assert error.value.exit_code == 2
        assert str(error.value) == (
            f"{folder} overflows float16: the residual stream after layer 1 is not finite; try --dtype bfloat16 or "
            "float32"
        )
    for dtype in ("bfloat16", "float32"):
        assert bool(score(load_model(folder, dtype=dtype), random_pairs(6)).logprob.isfinite().all())


@pytest.mark.parametrize("value", [-1.0, float("nan")])
def test_a_config_that_leaves_no_numbers_is_one_line(value: float, folder: Path):
    file = folder / "config.json"
    file.write_text(json.dumps(json.loads(file.read_text("utf-8")) | {"rms_norm_eps": value}), "utf-8")
    assert states_are_finite(folder, torch.float32)[0] is False
    model = load_model(folder)
    for work in working(model):
        with pytest.raises(InputError) as error:
            work()
        assert str(error.value) == (
            f"{folder} computes no finite numbers in float32: the residual stream after layer 0 is not finite; its "
            "config or weights are not those that were trained; take another copy"
        )


@pytest.mark.parametrize("value", [torch.nan, torch.inf, -torch.inf])
def test_text_is_not_written_from_scores_that_are_no_numbers(value: float, tiny_folder: Callable[[str], Path]):
    """Whichever they are: of plus infinity alone no sum is NaN. A word may be ruled out."""
    model = load_model(tiny_folder("llama"))
    head = model.bridge.original_model.get_output_embeddings()
    written = generate(model, "w1 w2").text

    def change(_module: Any, _given: Any, gives: torch.Tensor, *, words: slice) -> torch.Tensor:
        gives = gives.clone()
        gives[..., words] = value
        return gives

    every = slice(None) if value == -torch.inf else slice(7, 8)
    handle = head.register_forward_hook(partial(change, words=every))
    with pytest.raises(InputError, match="computes no finite numbers in float32: some of its numbers are not finite"):
        generate(model, "w1 w2")
    handle.remove()
    if value == -torch.inf:
        handle = head.register_forward_hook(partial(change, words=slice(50, 51)))
        assert generate(model, "w1 w2").text == written
        handle.remove()


# --- architectures that TransformerLens wraps in part ------------------------------------------------------------

SIZES = {**LLAMA_LIKE, "num_local_experts": 4, "num_experts_per_tok": 2, "shared_intermediate_size": 16}
MAMBA = {"mamba_n_heads": 8, "mamba_d_head": 8, "mamba_n_groups": 1, "mamba_d_state": 8}
PARTLY: dict[str, Callable[[], Any]] = {
    "GraniteMoeHybridForCausalLM": lambda: transformers.GraniteMoeHybridConfig(
        **SIZES, **MAMBA, layer_types=["mamba", "attention", "mamba"]
    ),
    "OpenAIGPTLMHeadModel": lambda: transformers.OpenAIGPTConfig(**GPT2_LIKE),
}


@pytest.mark.parametrize("kind", list(PARTLY))
def test_an_architecture_that_is_wrapped_in_part_is_named(kind: str, tmp_path: Path):
    model = load_model(save_random(PARTLY[kind](), tmp_path / "model"))
    for work in working(model)[:2]:
        with pytest.raises(NeurosteerError) as error:
            work()
        assert "\n" not in str(error.value)
        assert str(error.value).startswith(f"{kind} is not supported: TransformerLens wraps it only in part (")
        assert str(error.value).endswith("); take a model of another architecture")


def test_an_architecture_that_cannot_write_is_named(tmp_path: Path):
    model = load_model(save_random(PARTLY["GraniteMoeHybridForCausalLM"](), tmp_path / "model"))
    with pytest.raises(NeurosteerError, match="GraniteMoeHybridForCausalLM is not supported: TransformerLens wraps"):
        generate(model, "w1 w2")

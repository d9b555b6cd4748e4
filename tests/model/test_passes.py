"""Hooks fire exactly once, nothing is computed above the last of them, and none stays behind."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from sizes import quick_and_slow
from tiny_models import LAYERS, ids_of
from torch import Tensor, nn
from transformer_lens.model_bridge.generalized_components import NormalizationBridge

from neurosteer.errors import InputError, NeurosteerError
from neurosteer.model import Model, capture, load_model
from neurosteer.vocabulary import SITES

TOKENS = torch.tensor([ids_of("w3 w1 w4"), ids_of("w1 w5 w9")])
BLOCKS = {"llama": "LlamaDecoderLayer", "gpt2": "GPT2Block", "neox": "GPTNeoXLayer"}


@pytest.fixture
def tiny(tiny: Callable[[str], Model]) -> Callable[[str], Model]:
    """After one pass, in which TransformerLens attaches what it needs itself."""

    def warm(kind: str) -> Model:
        tiny(kind).bridge(TOKENS)
        return tiny(kind)

    return warm


def hooks_of(model: Model) -> dict[str, tuple[int, ...]]:
    """How many hooks there are, by torch's own account and by TransformerLens's, and which forwards are replaced."""
    by_torch = {
        name: (
            len(module._forward_hooks),
            len(module._forward_pre_hooks),
            len(module._backward_hooks),
            int("forward" in vars(module)),
        )
        for name, module in [*model.bridge.named_modules(), *model.bridge.hook_dict.items()]
    }
    by_lens = {
        f"lens {name}": (len(point.fwd_hooks), len(point.bwd_hooks)) for name, point in model.bridge.hook_dict.items()
    }
    return by_torch | by_lens


def nothing(_layer: int, _values: Tensor) -> None:
    pass


@pytest.mark.parametrize("layers", [[0], [2], [0, 2], [0, 1, 2]])
@pytest.mark.parametrize("kind", BLOCKS)
def test_once_per_layer_in_order(kind: str, layers: list[int], tiny: Callable[[str], Model]):
    model = tiny(kind)
    seen: list[tuple[int, tuple[int, ...]]] = []
    before = hooks_of(model)
    with capture(model, "resid_post", layers, lambda at, values: seen.append((at, values.shape))) as one_pass:
        one_pass(TOKENS)
        one_pass(TOKENS)
        assert hooks_of(model) != before  # the count would notice
    assert seen == [(layer, (2, 5, 32)) for layer in layers] * 2
    assert hooks_of(model) == before


@pytest.mark.parametrize("error", [ValueError("mine"), KeyboardInterrupt(), SystemExit(3)])
@pytest.mark.parametrize("at", [0, 1, 2])
def test_an_exception_in_a_visit_leaves_nothing_behind(error: BaseException, at: int, tiny: Callable[[str], Model]):
    def visit(layer: int, _values: Tensor) -> None:
        if layer == at:
            raise error

    before = hooks_of(tiny("llama"))
    with (
        pytest.raises(type(error)) as raised,
        capture(tiny("llama"), "resid_post", range(LAYERS), visit) as one_pass,
    ):
        one_pass(TOKENS)
    assert raised.value is error
    assert hooks_of(tiny("llama")) == before


def test_an_exception_between_passes_leaves_nothing_behind(tiny: Callable[[str], Model]):
    before = hooks_of(tiny("llama"))

    def interrupted() -> None:
        with capture(tiny("llama"), "mlp_out", [0, 1], nothing) as one_pass:
            one_pass(TOKENS)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert hooks_of(tiny("llama")) == before


def test_a_failing_attachment_leaves_nothing_behind(tiny: Callable[[str], Model], monkeypatch: pytest.MonkeyPatch):
    model = tiny("llama")
    before = hooks_of(model)

    def fail(*_args: Any, **_options: Any) -> None:
        raise RuntimeError("no more hooks")

    monkeypatch.setattr(model.bridge.hook_dict["blocks.2.hook_out"], "add_hook", fail)
    with pytest.raises(RuntimeError, match="no more hooks"), capture(model, "resid_post", [0, 1, 2], nothing):
        pass
    assert hooks_of(model) == before


def test_other_peoples_hooks_stay(tiny: Callable[[str], Model]):
    point = tiny("llama").bridge.hook_dict["blocks.1.hook_out"]
    theirs = point.add_hook(lambda values, hook: None)
    with capture(tiny("llama"), "resid_post", [1], nothing) as one_pass:
        one_pass(TOKENS)
    assert point.fwd_hooks == [theirs]
    theirs.hook.remove()
    point.fwd_hooks.remove(theirs)


@pytest.mark.parametrize(
    "where", [{0: "blocks.0.hook_out", 1: "hook_embed"}, {0: "blocks.2.hook_out", 1: "blocks.1.hook_out"}]
)
def test_a_hook_that_does_not_fire_in_its_turn_is_an_error(
    where: dict[int, str], tiny: Callable[[str], Model], monkeypatch: pytest.MonkeyPatch
):
    """The pass ends too early, or before a layer is reached."""
    before = hooks_of(tiny("llama"))
    monkeypatch.setattr("neurosteer.model.passes.site_hook", lambda _site, layer, read: (where[layer], read))
    with (
        pytest.raises(NeurosteerError, match=r"fired at layers \[1\], expected once at each of \[0, 1\]"),
        capture(tiny("llama"), "resid_post", [0, 1], nothing) as one_pass,
    ):
        one_pass(TOKENS)
    assert hooks_of(tiny("llama")) == before


def test_a_site_that_is_lacking_attaches_nothing(tiny: Callable[[str], Model]):
    before = hooks_of(tiny("neox"))
    with pytest.raises(InputError), capture(tiny("neox"), "resid_mid", [0], nothing):
        pass
    assert hooks_of(tiny("neox")) == before


@pytest.mark.parametrize("site", [site for site in SITES if site != "resid_mid"])
@pytest.mark.parametrize("last", quick_and_slow([1], [0, *range(2, LAYERS)]))
@pytest.mark.parametrize("kind", BLOCKS)
def test_nothing_is_computed_above_the_last_layer(kind: str, last: int, site: str, tiny: Callable[[str], Model]):
    """Counted by plain torch hooks on Hugging Face's own modules."""
    model = tiny(kind)
    calls: list[str] = []

    def count(name: str) -> Any:
        return lambda _module, _given: calls.append(name)

    network: nn.Module = model.bridge.original_model
    unembedding = network.get_output_embeddings()
    blocks = [module for module in network.modules() if type(module).__name__ == BLOCKS[kind]]
    assert len(blocks) == LAYERS
    handles = [block.register_forward_pre_hook(count(f"block {i}")) for i, block in enumerate(blocks)]
    handles.append(unembedding.register_forward_pre_hook(count("logits")))
    try:
        model.bridge(TOKENS)
        assert calls == ["block 0", "block 1", "block 2", "logits"]  # so the count counts
        calls.clear()
        with capture(model, site, [last], nothing) as one_pass:
            one_pass(TOKENS)
        entered = last if site == "resid_pre" else last + 1
        assert calls == [f"block {i}" for i in range(entered)]
    finally:
        for handle in handles:
            handle.remove()


def test_no_gradients(tiny: Callable[[str], Model]):
    values: list[Tensor] = []
    with capture(tiny("llama"), "resid_post", [1], lambda _layer, at: values.append(at)) as one_pass:
        one_pass(TOKENS)
    assert not values[0].requires_grad


@pytest.mark.parametrize("kind", ["llama", "neox"])  # TransformerLens computes GPT-2's itself
def test_norms_do_no_more_than_the_network_s_own(
    kind: str, tiny: Callable[[str], Model], monkeypatch: pytest.MonkeyPatch
):
    """TransformerLens computes what `hook_scale` would see at every norm; nobody looks."""
    model = tiny(kind)
    computed: list[object] = []
    scales = NormalizationBridge._hf_autograd_forward_with_hooks
    monkeypatch.setattr(
        NormalizationBridge,
        "_hf_autograd_forward_with_hooks",
        lambda norm, values: (computed.append(norm), scales(norm, values))[1],
    )
    _, cache = model.bridge.run_with_cache(TOKENS)
    assert model.bridge.blocks[2].ln1 in computed  # so the list lists
    seen: dict[int, Tensor] = {}
    with capture(model, "resid_post", range(LAYERS), seen.__setitem__) as one_pass:
        computed.clear()  # of the trial that comes first
        one_pass(TOKENS)
    assert computed == []
    for layer, values in seen.items():
        assert torch.equal(values, cache[f"blocks.{layer}.hook_out"])


@pytest.mark.parametrize("kind", ["llama", "neox"])
def test_a_norm_that_is_not_the_network_s_own_stays(
    kind: str, tiny_folder: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
):
    """As where another TransformerLens would do something else there."""
    theirs = NormalizationBridge._hf_autograd_forward_with_hooks
    monkeypatch.setattr(
        NormalizationBridge, "_hf_autograd_forward_with_hooks", lambda norm, values: 2 * theirs(norm, values)
    )
    model = load_model(tiny_folder(kind))
    _, cache = model.bridge.run_with_cache(TOKENS)
    seen: dict[int, Tensor] = {}
    with capture(model, "resid_post", range(LAYERS), seen.__setitem__) as one_pass:
        one_pass(TOKENS)
    for layer, values in seen.items():
        assert torch.equal(values, cache[f"blocks.{layer}.hook_out"])


def test_a_plain_hook_within_a_norm_fires(tiny: Callable[[str], Model]):
    model, fired = tiny("llama"), []
    point = model.bridge.hook_dict["blocks.1.ln1.hook_scale"]
    handle = point.register_forward_hook(lambda *_: fired.append(1))
    try:
        with capture(model, "resid_post", range(LAYERS), lambda *_: None) as one_pass:
            one_pass(TOKENS)
    finally:
        handle.remove()
    assert fired == [1]


def test_a_norm_that_somebody_edits_within_stays_edited(tiny: Callable[[str], Model]):
    model = tiny("llama")
    point = model.bridge.hook_dict["blocks.1.ln1.hook_scale"]
    point.add_hook(lambda values, hook: 2 * values)
    try:
        with pytest.warns(UserWarning, match="edited hook_scale"):
            _, cache = model.bridge.run_with_cache(TOKENS)
        seen: dict[int, Tensor] = {}
        with (
            pytest.warns(UserWarning, match="edited hook_scale"),
            capture(model, "resid_post", range(LAYERS), seen.__setitem__) as one_pass,
        ):
            one_pass(TOKENS)
    finally:
        for handle in list(point.fwd_hooks):
            handle.hook.remove()
            point.fwd_hooks.remove(handle)
    for layer, values in seen.items():
        assert torch.equal(values, cache[f"blocks.{layer}.hook_out"])

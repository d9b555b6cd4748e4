"""Forward passes that capture activations, stop after the last one, and unembed only the positions needed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, Protocol
from weakref import WeakKeyDictionary

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from transformer_lens.model_bridge.generalized_components import NormalizationBridge

from neurosteer.errors import NeurosteerError
from neurosteer.vocabulary import Site

from .devices import to_device
from .edit_hooks import check_edits, without_hooks
from .hooks import Hook, hooked
from .model import Model
from .next_logits import NextLogits, part_size
from .sites import check_site, hook_name, site_hook

Visit = Callable[[int, Float[Tensor, "row node unit"]], None]
Enter = Callable[..., Float[Tensor, "row node unit"]]  # called with the values and `hook=`


class Pass(Protocol):
    """One forward pass over `tokens`.

    For a prefix forest, `visible` says which nodes a node attends to, and `depths` are the positions. With `at`, the
    rows and nodes whose next-token logits are needed, the pass runs to the end and returns those; otherwise it stops
    after the last captured layer.
    """

    def __call__(
        self,
        tokens: Int[Tensor, "row node"],
        visible: Bool[Tensor, "row node node"] | None = None,
        depths: Int[Tensor, "row node"] | None = None,
        *,
        at: tuple[Int[Tensor, "pick"], Int[Tensor, "pick"]] | None = None,
    ) -> NextLogits | None: ...


class _StopForward(Exception):
    """Raised inside the model by the last hook that captures, so that nothing above it is computed."""


@contextmanager
def capture(
    model: Model,
    site: Site,
    layers: Sequence[int],
    visit: Visit,
    *,
    enter: Enter | None = None,
    gradients: bool = False,
) -> Iterator[Pass]:
    """Capture a site at some layers: inside the block, each call of the yielded function is one forward pass.

    `visit(layer, values)` is called once per layer and pass, in ascending order. `enter`, if given, may replace the
    input of the first block, and the pass then builds a graph for gradients; with `gradients` it does so anyway.
    Raises `NeurosteerError` if a hook did not fire exactly once per pass. On exit all hooks are removed, also after
    errors.

        with capture(model, "resid_post", [14], lambda layer, values: print(values.shape)) as one_pass:
            one_pass(tokens)
    """
    check_site(model, site, layers)
    one_pass = _Capture(model, site, layers, visit, graph=gradients or enter is not None)
    points: list[tuple[str, Hook]] = [site_hook(site, layer, partial(one_pass.read, layer)) for layer in layers]
    if enter is not None:
        points.insert(0, (hook_name("resid_pre", 0), enter))
    picked = one_pass.picked
    replaced = _bare_norms(model) | ({} if picked is None else {picked.inner: picked.stop})
    with _forwards(replaced), hooked(model, [*points, (UNEMBED, one_pass.pick)]):
        yield one_pass


class _Capture:
    """What is yielded: its hooks, and the pass that they belong to."""

    def __init__(self, model: Model, site: Site, layers: Sequence[int], visit: Visit, *, graph: bool) -> None:
        self.model, self.site, self.layers, self.visit, self.graph = model, site, layers, visit, graph
        self.last = max(layers, default=-1)
        self.fired: list[int] = []
        self.requested: list[tuple[Tensor, Tensor] | None] = [None]
        self.picked = _StatesPicked.of(model, self.requested)

    def read(self, layer: int, values: Tensor, *, hook: Any) -> None:
        self.fired.append(layer)
        self.visit(layer, values)
        if layer == self.last and self.requested[0] is None:
            raise _StopForward

    def pick(self, values: Tensor, *, hook: Any) -> Tensor | None:
        return None if self.requested[0] is None else _at(values, self.requested[0])[None]

    def __call__(
        self,
        tokens: Int[Tensor, "row node"],
        visible: Bool[Tensor, "row node node"] | None = None,
        depths: Int[Tensor, "row node"] | None = None,
        *,
        at: tuple[Int[Tensor, "pick"], Int[Tensor, "pick"]] | None = None,
    ) -> NextLogits | None:
        model = self.model
        self.fired.clear()
        self.requested[0] = at
        logits: Any = None
        try:
            with torch.set_grad_enabled(self.graph):
                logits = model.bridge(
                    to_device(tokens, model.device),
                    return_type=None if at is None else "logits",
                    use_cache=False,
                    **_extra(model, visible, depths),
                )
        except _StopForward:
            pass
        if self.fired != sorted(self.layers):
            raise NeurosteerError(
                f"hooks at '{self.site}' fired at layers {self.fired}, expected once at each of {list(self.layers)}"
            )
        check_edits(model, self.site, self.last if at is None else model.n_layers)
        if at is None:
            return None
        if self.picked is not None and logits is None:
            return self.picked.next_logits()
        return NextLogits(logits[0], len(logits[0]))


class _StatesPicked:
    """The last states at the picked nodes of a pass, which stops there: a large vocabulary is unembedded in parts."""

    def __init__(self, network: Any, size: int, requested: list[Any]) -> None:
        self.network, self.inner, self.size, self.requested = network, network.base_model, size, requested
        self.forward = self.inner.forward
        self.states: Tensor | None = None
        self.output: Any = None

    @classmethod
    def of(cls, model: Model, requested: list[Any]) -> _StatesPicked | None:
        """None where the vocabulary is small, or the network has no part that ends at the states."""
        network = model.bridge.original_model
        size = part_size(int(model.bridge.cfg.d_vocab))
        return None if size is None or network.base_model is network else cls(network, size, requested)

    def stop(self, *args: Any, **kwargs: Any) -> Any:
        """The forward of all below the unembedding."""
        output = self.forward(*args, **kwargs)
        if self.requested[0] is None:
            return output
        self.states, self.output = _at(output[0], self.requested[0]), type(output)
        raise _StopForward

    def next_logits(self) -> NextLogits:
        network, inner, output, requested = self.network, self.inner, self.output, self.requested
        assert self.states is not None

        def unembed(states: Tensor) -> Tensor:
            def given(*_args: Any, **_kwargs: Any) -> Any:
                return output(last_hidden_state=states[None])

            tokens = torch.zeros(1, len(states), dtype=torch.long, device=states.device)
            before, requested[0] = requested[0], None  # all of these are picked already
            try:
                with _forwards({inner: given}), torch.set_grad_enabled(states.requires_grad):
                    logits: Tensor = network.forward(input_ids=tokens, use_cache=False, return_dict=True).logits[0]
            finally:
                requested[0] = before
            return logits

        return NextLogits(self.states, self.size, unembed)


def _at(values: Float[Tensor, "row node unit"], places: tuple[Tensor, Tensor]) -> Float[Tensor, "pick unit"]:
    rows, nodes = (to_device(index, values.device) for index in places)
    return values[rows, nodes]


UNEMBED = "unembed.hook_in"
_plain_norms: WeakKeyDictionary[Model, list[NormalizationBridge]] = WeakKeyDictionary()


def _extra(model: Model, visible: Tensor | None, depths: Tensor | None) -> dict[str, Tensor]:
    """The arguments of the network for a prefix forest: a 4-D attention mask, and depths as positions."""
    if visible is None or depths is None:
        return {}
    seen, lowest = to_device(visible, model.device), torch.finfo(model.dtype).min
    mask = torch.zeros_like(seen, dtype=model.dtype).masked_fill_(~seen, lowest)
    return {"attention_mask": mask[:, None], "position_ids": to_device(depths, model.device)}


@contextmanager
def resuming(model: Model, layer: int, residual: Float[Tensor, "row node unit"]) -> Iterator[None]:
    """Inside the block, passes use `residual` as the output of block `layer` and skip the blocks up to it.

    Hooks at that block's output fire; hooks below do not.
    """
    *below, resumed = model.bridge.blocks[: layer + 1]
    with _forwards({resumed: partial(_resume, resumed.hook_out, residual), **dict.fromkeys(below, _skip)}):
        yield


def _skip(hidden: Tensor, *_args: Any, **_kwargs: Any) -> Tensor:
    return hidden


def _resume(hook_out: nn.Module, residual: Tensor, *_args: Any, **_kwargs: Any) -> Tensor:
    output: Tensor = hook_out(residual)
    return output


@contextmanager
def _forwards(others: Mapping[nn.Module, Callable[..., Tensor]]) -> Iterator[None]:
    """Inside the block, the `forward` of these modules is replaced."""
    before = {module: module.__dict__.get("forward") for module in others}
    try:
        for module, function in others.items():
            module.__dict__["forward"] = function
        yield
    finally:
        for module, own in before.items():
            module.__dict__.pop("forward", None)
            if own is not None:
                module.__dict__["forward"] = own


def _bare_norms(model: Model) -> dict[nn.Module, Callable[..., Tensor]]:
    """Faster forwards for norms without hooks inside: the network's own.

    TransformerLens always computes the scale and the normalised values for its hooks as well. Whether both give the
    same bits is tested once per model, for each norm.
    """
    if model not in _plain_norms:
        norms = [norm for norm in model.bridge.modules() if isinstance(norm, NormalizationBridge)]
        with without_hooks(model):
            _plain_norms[model] = [norm for norm in norms if _is_plain(norm)]
    return {norm: partial(_bare, norm) for norm in _plain_norms[model] if not _is_watched(norm)}


def _bare(norm: NormalizationBridge, values: Tensor, **_: Any) -> Tensor:
    output: Tensor = norm.hook_out(norm.original_component(norm.hook_in(values)).to(values.dtype))
    return output


def _is_plain(norm: NormalizationBridge) -> bool:
    """Whether the wrapped norm and the network's own give the same bits."""
    weight = getattr(norm.original_component, "weight", None)
    if weight is None or not norm.use_native_layernorm_autograd:
        return False
    values = torch.linspace(-2, 3, 4 * weight.numel(), dtype=weight.dtype, device=weight.device).view(1, 4, -1)
    with torch.no_grad():
        return torch.equal(norm(values), _bare(norm, values))


def _is_watched(norm: NormalizationBridge) -> bool:
    points = (norm.hook_scale, norm.hook_normalized)
    return any(point.fwd_hooks or point.bwd_hooks or point._forward_hooks for point in points)

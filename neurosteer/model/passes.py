"""Forward passes: read what is asked for, stop as soon as everything is read, unembed only what is wanted."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Protocol
from weakref import WeakKeyDictionary

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from transformer_lens.model_bridge.generalized_components import NormalizationBridge

from neurosteer.errors import NeurosteerError
from neurosteer.vocabulary import Site

from .attach import check_edits, pristine
from .hooks import Hook, hooked
from .model import Model
from .placing import placed
from .sites import check_site, hook_name

Visit = Callable[[int, Float[Tensor, "row node unit"]], None]
Enter = Callable[..., Float[Tensor, "row node unit"]]  # called with the values and `hook=`


class Pass(Protocol):
    """One forward pass over `tokens`.

    A prefix forest brings `visible` (which nodes a node attends to) and `depths` (a node's position). With `at`,
    the rows and nodes whose next-token logits are wanted, the pass runs to the end and returns those; else it
    stops after the last reader.
    """

    def __call__(
        self,
        tokens: Int[Tensor, "row node"],
        visible: Bool[Tensor, "row node node"] | None = None,
        depths: Int[Tensor, "row node"] | None = None,
        *,
        at: tuple[Int[Tensor, "pick"], Int[Tensor, "pick"]] | None = None,
    ) -> Float[Tensor, "pick vocab"] | None: ...


class _Enough(Exception):
    """Raised inside the model by the last hook that reads: nothing above it is computed, logits least of all."""


@contextmanager
def reading(
    model: Model, site: Site, layers: Sequence[int], visit: Visit, *, enter: Enter | None = None
) -> Iterator[Pass]:
    """Attach readers; inside the block, each call of the yielded function is one forward pass.

    `visit(layer, values)` is called once per layer and pass, in the order of the layers. `enter`, if given, may
    replace what enters the first block, and the pass then builds a graph for gradients. Raises `NeurosteerError`
    if a hook did not fire exactly once per pass; hooks are removed whatever happens.
    """
    check_site(model, site, layers)
    last = max(layers, default=-1)
    fired: list[int] = []
    wanted: list[tuple[Tensor, Tensor] | None] = [None]

    def reader(layer: int) -> Callable[..., None]:
        def read(values: Tensor, *, hook: Any) -> None:
            fired.append(layer)
            visit(layer, values)
            if layer == last and wanted[0] is None:
                raise _Enough

        return read

    def pick(values: Tensor, *, hook: Any) -> Tensor | None:
        if wanted[0] is None:
            return None
        rows, nodes = (placed(index, values.device) for index in wanted[0])
        return values[rows, nodes][None]

    def one_pass(
        tokens: Int[Tensor, "row node"],
        visible: Bool[Tensor, "row node node"] | None = None,
        depths: Int[Tensor, "row node"] | None = None,
        *,
        at: tuple[Int[Tensor, "pick"], Int[Tensor, "pick"]] | None = None,
    ) -> Float[Tensor, "pick vocab"] | None:
        fired.clear()
        wanted[0] = at
        logits: Any = None
        try:
            with torch.set_grad_enabled(enter is not None):
                logits = model.bridge(
                    placed(tokens, model.device),
                    return_type=None if at is None else "logits",
                    use_cache=False,
                    **_extra(model, visible, depths),
                )
        except _Enough:
            pass
        if fired != sorted(layers):
            raise NeurosteerError(
                f"hooks at '{site}' fired at layers {fired}, expected once at each of {list(layers)}"
            )
        check_edits(model, site, last if at is None else model.n_layers)
        return None if at is None else logits[0]

    points: list[tuple[str, Hook]] = [(hook_name(site, layer), reader(layer)) for layer in layers]
    if enter is not None:
        points.insert(0, (hook_name("resid_pre", 0), enter))
    with _forwards(_bare_norms(model)), hooked(model, [*points, (UNEMBED, pick)]):
        yield one_pass


UNEMBED = "unembed.hook_in"
_plain_norms: WeakKeyDictionary[Model, list[NormalizationBridge]] = WeakKeyDictionary()


def _extra(model: Model, visible: Tensor | None, depths: Tensor | None) -> dict[str, Tensor]:
    """The arguments that make a forest of a batch: a 4-D mask, and depths as positions."""
    if visible is None or depths is None:
        return {}
    seen, lowest = placed(visible, model.device), torch.finfo(model.dtype).min
    mask = torch.zeros_like(seen, dtype=model.dtype).masked_fill_(~seen, lowest)
    return {"attention_mask": mask[:, None], "position_ids": placed(depths, model.device)}


@contextmanager
def resuming(model: Model, layer: int, residual: Float[Tensor, "row node unit"]) -> Iterator[None]:
    """Inside the block, passes take `residual` for what block `layer` gives, and compute no block up to it.

    Hooks at the block's output fire on it; those below do not fire at all.
    """

    def skip(hidden: Tensor, *_args: Any, **_kwargs: Any) -> Tensor:
        return hidden

    def resume(*_args: Any, **_kwargs: Any) -> Tensor:
        given: Tensor = model.bridge.blocks[layer].hook_out(residual)
        return given

    *below, resumed = model.bridge.blocks[: layer + 1]
    with _forwards({resumed: resume, **dict.fromkeys(below, skip)}):
        yield


@contextmanager
def _forwards(others: Mapping[nn.Module, Callable[..., Tensor]]) -> Iterator[None]:
    """Inside the block, modules compute what these functions give."""
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
    """The norms that nobody reads or edits within, as the network computes them.

    TransformerLens computes the scale and the normalised values of its hooks besides, whether or not they are hooked.
    Whether it then gives what the network gives is tried once per model, norm by norm.
    """
    if model not in _plain_norms:
        norms = [norm for norm in model.bridge.modules() if isinstance(norm, NormalizationBridge)]
        with pristine(model):
            _plain_norms[model] = [norm for norm in norms if _is_plain(norm)]
    return {norm: _bare(norm) for norm in _plain_norms[model] if not _is_watched(norm)}


def _bare(norm: NormalizationBridge) -> Callable[..., Tensor]:
    def forward(values: Tensor, **_: Any) -> Tensor:
        given: Tensor = norm.hook_out(norm.original_component(norm.hook_in(values)).to(values.dtype))
        return given

    return forward


def _is_plain(norm: NormalizationBridge) -> bool:
    """Whether a norm gives the very bits of the network's own."""
    weight = getattr(norm.original_component, "weight", None)
    if weight is None or not norm.use_native_layernorm_autograd:
        return False
    values = torch.linspace(-2, 3, 4 * weight.numel(), dtype=weight.dtype, device=weight.device).view(1, 4, -1)
    with torch.no_grad():
        return torch.equal(norm(values), _bare(norm)(values))


def _is_watched(norm: NormalizationBridge) -> bool:
    points = (norm.hook_scale, norm.hook_normalized)
    return any(point.fwd_hooks or point.bwd_hooks or point._forward_hooks for point in points)


def site_width(model: Model, site: Site) -> int:
    """Units per layer at a site: the residual stream's width, or what one token's pass shows for `mlp_post`."""
    if site != "mlp_post":
        return model.d_model
    widths: list[int] = []
    with reading(model, site, [0], lambda _, values: widths.append(values.shape[-1])) as one_pass:
        one_pass(torch.tensor([[model.eos.id]]))
    return widths[0]

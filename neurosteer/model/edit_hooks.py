"""Applies edits in a model's forward passes, and checks that every one fires."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from weakref import WeakKeyDictionary

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from neurosteer.errors import InputError, NeurosteerError
from neurosteer.layer_edits import LayerEdit
from neurosteer.vocabulary import Site, Where, counted

from .decoder import Decoder
from .devices import to_device
from .hooks import hooked
from .sites import check_site, site_hook
from .where import EditedPositions, edited_positions


@dataclass(eq=False)
class ActiveEdit:
    """An edit that is active on a model: how often it has fired, and how many tokens it has edited.

    `calls` counts forward passes, `firings` hook calls (one per edited layer and pass), `tokens` the positions
    edited, counted once per pass.
    """

    where: Where
    site: Site
    layers: tuple[int, ...]
    calls: int = 0
    firings: int = 0
    token_count: int | Tensor = 0  # left on the device: to read it would wait for running passes
    fired: list[int] = field(default_factory=list)  # layers at which it has fired in the current pass

    @property
    def tokens(self) -> int:
        return int(self.token_count)

    def __repr__(self) -> str:
        where = f"where {self.where}, at {self.site}, {counted(len(self.layers), 'layer')}"
        return f"ActiveEdit({where}: {counted(self.calls, 'call')}, {counted(self.tokens, 'token')})"


_ON: WeakKeyDictionary[Decoder, list[ActiveEdit]] = WeakKeyDictionary()
_PROMPT: WeakKeyDictionary[Decoder, int] = WeakKeyDictionary()


@contextmanager
def editing(model: Decoder, parts: Mapping[int, LayerEdit], *, site: Site, where: Where) -> Iterator[ActiveEdit]:
    """Inside the block every forward pass of the model is edited; on exit it is restored, bit for bit.

    Blocks may be nested: the inner edit acts on the output of the outer one. Raises `InputError` for a layer, unit or
    site that the model does not have, and `NeurosteerError` after a pass in which the edit did not fire exactly once
    at each layer.
    """
    check_site(model, site, list(parts))
    applied = ActiveEdit(where, site, tuple(sorted(parts)))
    now: list[EditedPositions] = []
    network = model.bridge.original_model
    handles = []
    others = _ON.setdefault(model, [])
    edits = {layer: partial(_edit, applied, layer, part, now, {}) for layer, part in parts.items()}
    points = [site_hook(site, layer, edit) for layer, edit in edits.items()]
    try:
        handles.append(network.register_forward_pre_hook(partial(_begin, model, applied, now), with_kwargs=True))
        handles.append(network.register_forward_hook(partial(_end, applied)))
        others.append(applied)
        with hooked(model, points):
            yield applied
    finally:
        for handle in handles:
            handle.remove()
        if applied in others:
            others.remove(applied)


@contextmanager
def prompt_ends_at(model: Decoder, column: int) -> Iterator[None]:
    """Inside the block, the columns of a batch before this one are the prompt, and those from it on are generated.

    Otherwise all tokens of the first pass are the prompt, and tokens added to a key-value cache are generated.
    """
    _PROMPT[model] = column
    try:
        yield
    finally:
        _PROMPT.pop(model, None)


@contextmanager
def without_hooks(model: Decoder) -> Iterator[None]:
    """Inside the block the model has no hooks of anybody and no edits; on exit they are restored."""
    modules = [model.bridge.original_model, *model.bridge.hook_dict.values()]
    names = ("_forward_hooks", "_forward_pre_hooks")
    theirs = [(module, name, getattr(module, name)) for module in modules for name in names]
    edits = _ON.pop(model, None)
    try:
        for module, name, _ in theirs:
            setattr(module, name, OrderedDict())
        yield
    finally:
        for module, name, hooks in theirs:
            setattr(module, name, hooks)
        if edits is not None:
            _ON[model] = edits


def active_edits(model: Decoder) -> list[ActiveEdit]:
    """The edits that are active on a model, outermost first."""
    return list(_ON.get(model, ()))


def check_edits(model: Decoder, site: Site, layer: int) -> None:
    """Raise `NeurosteerError` unless every edit has fired once at each of its layers that the pass has reached."""
    for applied in active_edits(model):
        last = layer if applied.site == site else layer - 1
        expected = tuple(own for own in applied.layers if own <= last)
        _check(applied, expected, tuple(own for own in applied.fired if own <= last))


def _check(applied: ActiveEdit, expected: tuple[int, ...], fired: tuple[int, ...] | None = None) -> None:
    fired = tuple(applied.fired) if fired is None else fired
    if fired != expected:
        raise NeurosteerError(
            f"the edit fired at layers {list(fired)} of a pass, expected once at each of {list(expected)}; "
            "were its hooks removed?"
        )


def _begin(
    model: Decoder,
    applied: ActiveEdit,
    now: list[EditedPositions],
    _module: Any,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> None:
    applied.fired.clear()
    given = {**kwargs, "input_ids": args[0]} if args else kwargs
    now[:] = [edited_positions(model, given, applied.where, prompt=_PROMPT.get(model))]
    applied.calls += 1
    applied.token_count = applied.token_count + now[0].tokens.sum()


def _end(applied: ActiveEdit, _module: Any, _args: Any, _output: Any) -> None:
    _check(applied, applied.layers)


def _edit(
    applied: ActiveEdit,
    layer: int,
    part: LayerEdit,
    now: list[EditedPositions],
    there: dict[torch.device, tuple[Tensor, Tensor, Tensor | None]],
    values: Float[Tensor, "row node unit"],
    *,
    hook: Any,
) -> Float[Tensor, "row node unit"]:
    """`there` holds units and shift on every device that the edit has met."""
    if not now or values.shape[:2] != now[0].tokens.shape:
        raise NeurosteerError(f"an edit at layer {layer} met activations of shape {tuple(values.shape)}")
    applied.fired.append(layer)
    applied.firings += 1
    if values.device not in there:
        there[values.device] = _place(part, values)
    return _change(values, part, *there[values.device], now[0])


def _place(part: LayerEdit, values: Tensor) -> tuple[Tensor, Tensor, Tensor | None]:
    if len(part.units) and int(part.units.max()) >= values.shape[-1]:
        raise InputError(f"no unit {int(part.units.max())}: this site has units 0 to {values.shape[-1] - 1}")
    along = None if part.along is None else to_device(part.along, values.device)
    return to_device(part.units, values.device), to_device(part.shift.to(values.dtype), values.device), along


def _change(
    values: Float[Tensor, "row node unit"],
    part: LayerEdit,
    units: Int[Tensor, "neuron"],
    shift: Float[Tensor, "*depth neuron"],
    along: Float[Tensor, "neuron"] | None,
    now: EditedPositions,
) -> Float[Tensor, "row node unit"]:
    """The edited activations, as a new tensor; all others keep their bits."""
    if shift.ndim == 2:  # one per depth; beyond the last, the last
        shift = shift[now.depths.to(shift.device).clamp(max=len(shift) - 1)]
    old = values[..., units]
    tokens: Bool[Tensor, "row node"] = now.tokens.to(values.device)
    changed = part.scale * old + shift if along is None else _changed_along(old, part, shift, along)
    new = torch.where(tokens[..., None], changed, old)
    return values.index_copy(-1, units, new)


def _changed_along(
    old: Float[Tensor, "row node neuron"],
    part: LayerEdit,
    shift: Float[Tensor, "*place neuron"],
    along: Float[Tensor, "neuron"],
) -> Float[Tensor, "row node neuron"]:
    """`scale * h + shift` of the component along a vector alone, or of the rest; computed in float32 at least."""
    wide = torch.promote_types(old.dtype, along.dtype)
    vector, values, shift = along.to(wide), old.to(wide), shift.to(wide)
    step = ((part.scale - 1) * (values @ vector) + shift @ vector)[..., None] * vector
    return (part.scale * values + shift - step if part.rest else values + step).to(old.dtype)

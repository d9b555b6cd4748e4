"""`steering`: edits a model's forward passes inside a block. The only function that changes a model's state."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor

from neurosteer.arguments import expect
from neurosteer.edits import Edit
from neurosteer.errors import InputError
from neurosteer.layer_edits import Donor
from neurosteer.model import ActiveEdit, Model, check_specials, editing, encode, is_hooked
from neurosteer.neurons import NeuronSet
from neurosteer.seeds import generator

from .forest import Pack, plan
from .loop import packing_for, sweep
from .scoring import PreparedEdit


@contextmanager
def steering(model: Model, edit: Edit) -> Iterator[ActiveEdit]:
    """Edit every forward pass of the model inside a `with` block: of scores, of generation, and of your own calls.

    Blocks may be nested: the inner edit acts on the output of the outer one. At the end the model is restored bit for
    bit, also after an exception.

    Args:
        model: the model.
        edit: what is done to which neurons, or along which direction.

    Yields:
        An object that counts: `calls` (passes), `firings` (one per edited layer and pass) and `tokens` (edited ones).

    Raises:
        InputError: for neurons of another model, and for a layer or unit that the model lacks.
        NeurosteerError: after a pass in which the edit did not act exactly once at every layer.

    Example:
        >>> with ns.steering(model, ns.Edit.ablate(top)) as applied:
        ...     edited = ns.score(model, found.test)
        >>> bool((edited.margin < ns.score(model, found.test).margin).all()), applied.layers
        (True, (1,))
    """
    expect(model, Model, "model")
    expect(edit, Edit, "edit")
    variant = variant_of(model, edit)
    with editing(model, variant.parts, site=variant.site, where=variant.where) as applied:
        yield applied


def variant_of(model: Model, edit: Edit, donor: Donor | None = None) -> PreparedEdit:
    """An edit prepared for a model: checked, and if it resamples, with its donors' activations (or `donor`)."""
    check_edit(model, edit)
    if edit.needs_donors and donor is None:
        donor = donor_of(model, edit)
    return PreparedEdit(edit.by_layer(donor), edit.neurons.site, edit.where)


def donor_of(model: Model, edit: Edit) -> Donor:
    """For each depth (token position) the activations of one donor sentence, drawn among those long enough."""
    if is_hooked(model):
        raise InputError("resampling reads its donors from the unedited model: take other edits and hooks off first")
    sequences = encode(model, sorted(set(edit.donors)), position="last")
    longest = max(map(len, sequences))
    chosen = [
        _draw([i for i, tokens in enumerate(sequences) if len(tokens) > depth], edit.seed, depth)
        for depth in range(longest)
    ]
    used = sorted(set(chosen))
    index_of = {i: j for j, i in enumerate(used)}
    layers = edit.neurons.stats.layers
    values = torch.zeros(longest, len(layers), edit.neurons.stats.token_mean.shape[1])

    def visit(pack: Pack, i: int, at_nodes: Tensor) -> None:
        paths = dict(zip(pack.sequences.tolist(), zip(pack.rows.tolist(), pack.paths, strict=True), strict=True))
        for depth, donor in enumerate(chosen):
            if index_of[donor] in paths:
                row, path = paths[index_of[donor]]
                values[depth, i] = at_nodes[row, path[depth]].float().cpu()

    packs = plan([[sequences[i]] for i in used], packing_for(model), shared=False)
    sweep(model, packs, site=edit.neurons.site, layers=layers, visit=visit, what="donors, tokens")
    return Donor(values, layers)


def _draw(candidates: Sequence[int], seed: int, depth: int) -> int:
    source = generator(seed, "donor", depth)
    return candidates[int(torch.randint(len(candidates), (), generator=source))]


def check_neurons(model: Model, neurons: NeuronSet, what: str = "these neurons") -> None:
    """Raise `InputError` for neurons of another model, BOS or EOS, and for a layer or unit that is not there.

    `what` they are called in the message.
    """
    if neurons.model != model.fingerprint:
        name = neurons.metadata.get("network", {}).get("name")
        own = f"; they are of '{name}': give --model {shlex.quote(name)}" if name and name != model.name else ""
        raise InputError(
            f"{what} were found in another model than {model.name} "
            f"(fingerprint {neurons.model[:12]}, not {model.fingerprint[:12]}){own}"
        )
    check_specials(model, neurons.metadata.get("network", {}), f"{what} were")
    layers = sorted(set(neurons.layers.tolist()))
    outside = [layer for layer in layers if not 0 <= layer < model.n_layers]
    if outside:
        raise InputError(f"no layer {outside[0]}: {model.name} has layers 0 to {model.n_layers - 1}")
    width, there = neurons.stats.token_mean.shape[1], model.site_width(neurons.site, layers or [0])
    if width != there:
        raise InputError(f"{what} are of {width} units, and {neurons.site} of {model.name} has {there}")


def check_edit(model: Model, edit: Edit) -> None:
    """Raise `InputError` for neurons that are not the model's, and for layers that were not ranked."""
    neurons = edit.neurons
    check_neurons(model, neurons)
    width = neurons.stats.token_mean.shape[1]
    if len(neurons) and not 0 <= int(neurons.units.min()) <= int(neurons.units.max()) < width:
        raise InputError(f"no unit {int(neurons.units.max())}: the site {neurons.site} has units 0 to {width - 1}")
    unknown = set(neurons.layers.tolist()) - set(neurons.stats.layers)
    if unknown:
        raise InputError(f"layer {min(unknown)} is not among those that these neurons were ranked at")
    lacking = set(range(model.n_layers)) - set(neurons.stats.layers)
    if edit.reach != "own" and lacking:
        raise InputError(f"reach '{edit.reach}' needs a ranking of all layers; layer {min(lacking)} was not ranked")

"""What an edit did, in words: to which neurons, where."""

from __future__ import annotations

from collections.abc import Sequence

from neurosteer.references import REFERENCE_POINTS, about, reference_of
from neurosteer.results.effect import AppliedEdit
from neurosteer.vocabulary import counted

_WHERE = {
    "all": "at all tokens but BOS",
    "prompt": "at the prompt's tokens but BOS",
    "generated": "at generated tokens",
    "eos": "at the EOS token",
    "every": "at every token, BOS too",
}
_REACH = {"own": "", "onward": ", each from its own layer on", "all": ", each at every layer"}


def edit_label(edit: AppliedEdit) -> str:
    """`ablate to zero: 40 neurons at layer 14 (resid_post), at all tokens but BOS`."""
    return f"{action(edit)}: {which_neurons(edit)} ({edit.site}), {where(edit)}"


def action(edit: AppliedEdit) -> str:
    """`ablate to zero`, `scale by 2 about their mean`, `push`."""
    if edit.by == "direction":
        return _along(edit)
    reference, their = reference_of(edit.kind), "its" if edit.k == 1 else "their"
    if reference is None:
        return edit.kind if edit.value is None else f"{edit.kind} to {edit.value:g}"
    if edit.scale == 0:
        return f"ablate to {REFERENCE_POINTS[reference].of(their)}"
    return f"scale by {edit.scale:g}{about(reference, their)}"


def _along(edit: AppliedEdit) -> str:
    """`push by 4.2`, `project out`, `scale the component by 2 about its mean`."""
    reference = reference_of(edit.kind)
    if reference is None:
        return edit.kind if edit.value is None else f"{edit.kind} by {edit.value:g}"
    if edit.rest:
        return f"keep the component alone, the rest at {REFERENCE_POINTS[reference].of('its')}"
    if edit.scale == 0:
        return f"project out{about(reference, 'its', 'to')}"
    return f"scale the component by {edit.scale:g}{about(reference, 'its')}"


def which_neurons(edit: AppliedEdit) -> str:
    """`40 neurons at layers 3, 7`."""
    return f"{counted(edit.k, edit.noun)} at {layers_of(edit)}{_REACH[edit.reach]}"


def layers_of(edit: AppliedEdit) -> str:
    """`layer 14`, `layers 3-8`, `layers 3, 7`, `9 layers in 0-29`."""
    return in_layers(edit.layers)


def in_layers(layers: Sequence[int]) -> str:
    """The same of ascending layers."""
    short = layer_range(layers)
    if " in " in short:
        return short.replace(" in ", " layers in ")
    return f"layer{'s' * (len(layers) > 1)} {short}"


def layer_range(layers: Sequence[int]) -> str:
    """Ascending layers in few letters: `14`, `3-8`, `3, 7`, `9 in 0-29`."""
    if not layers:
        return "none"
    ends = f"{layers[0]}-{layers[-1]}"
    if len(layers) > 1 and len(layers) == layers[-1] - layers[0] + 1:
        return ends
    return ", ".join(map(str, layers)) if len(layers) <= 3 else f"{len(layers)} in {ends}"


def where(edit: AppliedEdit) -> str:
    """At which tokens an edit acts."""
    return _WHERE[edit.where]

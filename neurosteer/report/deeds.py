"""What an edit did, in words: of which neurons, where."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Edit = Mapping[str, Any]  # the `edit` object of a result

_REFERENCES = {"zero": "zero", "mean": "their mean", "resample": "a donor's activation"}
_WHERE = {
    "all": "at all tokens but BOS",
    "prompt": "at the prompt's tokens but BOS",
    "generated": "at generated tokens",
    "eos": "at the EOS token",
}
_REACH = {"own": "", "onward": ", each from its own layer on", "all": ", each at every layer"}


def what_was_done(edit: Edit) -> str:
    """`ablate to zero: 40 neurons at layer 14 (resid_post), at all tokens but BOS`."""
    return f"{deed(edit)}: {which_neurons(edit)} ({edit['site']}), {where(edit)}"


def deed(edit: Edit) -> str:
    """`ablate to zero`, `scale by 2 about their mean`, `push`."""
    kind, scale = edit["kind"], edit["scale"]
    if kind not in _REFERENCES:
        value = edit.get("value")
        return str(kind) if value is None else f"{kind} to {value:g}"
    if scale == 0:
        return f"ablate to {_REFERENCES[kind]}"
    return f"scale by {scale:g}" + ("" if kind == "zero" else f" about {_REFERENCES[kind]}")


def which_neurons(edit: Edit) -> str:
    """`40 neurons at layers 3, 7`."""
    reach = _REACH[edit.get("reach", "own")]
    return f"{edit['k']:,} neuron{'s' * (edit['k'] != 1)} at {layers_of(edit)}{reach}"


def layers_of(edit: Edit) -> str:
    """`layer 14`, `layers 3-8`, `layers 3, 7`, `9 layers in 0-29`."""
    count, short = len(edit["layers"]), layer_range(edit)
    if " in " in short:
        return short.replace(" in ", " layers in ")
    return f"layer{'s' * (count > 1)} {short}"


def layer_range(edit: Edit) -> str:
    """The layers in few letters: `14`, `3-8`, `3, 7`, `9 in 0-29`."""
    layers = edit["layers"]
    if not layers:
        return "none"
    ends = f"{layers[0]}-{layers[-1]}"
    if len(layers) > 1 and len(layers) == layers[-1] - layers[0] + 1:
        return ends
    return ", ".join(map(str, layers)) if len(layers) <= 3 else f"{len(layers)} in {ends}"


def where(edit: Edit) -> str:
    """At which tokens an edit acts."""
    return _WHERE[edit["where"]]

"""A push as a file of another tool: a GGUF control vector of llama.cpp, or a steering file of lm-eval.

Both add a vector to what a block writes, at every token, BOS too: which is what `Edit.push(..., where="every")` does.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from neurosteer.edits import Edit
from neurosteer.errors import InputError, NeurosteerError
from neurosteer.forward import check_edit
from neurosteer.model import Model, plain_network
from neurosteer.pairs import Pairs
from neurosteer.progress import AUTO, Progress
from neurosteer.results.export import PushFile
from neurosteer.store import write_bytes
from neurosteer.vocabulary import PushFormat

from .export import TOLERANCE, logit_difference

Vector = Float[Tensor, "unit"]


def check_push(edit: Edit, form: PushFormat) -> None:
    """Raise `InputError`, with the reason, for an edit that such a file cannot say exactly."""
    site, layers = edit.neurons.site, edit.layers
    why = ""
    if edit.kind != "push":
        why = f"it only adds a vector, and this edit is a {edit.kind} (Edit.push, --push X)"
    elif site != "resid_post" or len(layers) != 1:
        why = f"it adds to what one block writes (resid_post), and this direction is of {site} at layers {layers}"
    elif edit.where != "every":
        why = f"it acts on all tokens, BOS too, and where '{edit.where}' leaves some out (where every)"
    elif form == "gguf" and layers == (0,):
        why = "llama.cpp has no control vector for block 0; take a direction of a later layer"
    if why:
        raise InputError(f"this edit cannot be a {form} file: {why}")


def export_push(
    model: Model,
    edit: Edit,
    path: Path,
    *,
    to: PushFormat = "gguf",
    pairs: Pairs | None = None,
    offline: bool = False,
    progress: Progress = AUTO,
) -> PushFile:
    """Write a push as a file of another tool, and measure that its vector does what the hooks do.

    Args:
        model: the model that the direction is of, loaded by its name; it is not changed.
        edit: `Edit.push(direction, strength, where="every")`, of one layer of `resid_post`.
        path: the file, not there yet: `.gguf`, or `.pt` for lm-eval.
        to: `gguf`, a control vector (`llama-cli --control-vector FILE`), or `lm-eval`
            (`lm_eval --model steered --model_args pretrained=MODEL,steer_path=FILE`).
        pairs: on whose sentences logits are compared; None is a row of tokens.
        offline: never use the network.
        progress: where progress and notices go.

    Returns:
        A `PushFile`: where it is, and the largest difference of logits as a share of the largest logit.

    Raises:
        InputError: for an edit that such a file cannot say, with the reason, and for a path that is taken or ends
            otherwise.
        NeurosteerError: where the file does not do what the hooks do; nothing is written then.

    Example:
        >>> push = ns.Edit.push(found.direction("mean", layer=1), 3.0, where="every")
        >>> export_push(model, push, Path("push.gguf")).logits < 1e-6
        True
    """
    check_edit(model, edit)
    check_push(edit, to)
    ending = ".gguf" if to == "gguf" else ".pt"
    if path.suffix != ending:
        raise InputError(f"a {to} file ends in {ending}, and '{path}' does not")
    if path.exists():
        raise InputError(f"'{path}' is there already; name a file that is not")
    [layer] = edit.layers
    [part] = edit.by_layer().values()
    vector = torch.zeros(int(model.bridge.cfg.d_model))
    vector[part.units] = part.shift.float()
    network, _ = plain_network(model.name, revision=model.revision, offline=offline, progress=progress)
    module = _block_name(model, network, layer)
    with tempfile.TemporaryDirectory() as folder:
        draft = Path(folder) / path.name
        written = _FORMATS[to](draft, vector, layer, module, str(network.config.model_type))
        pushed = partial(_with_added, network.float(), module, written)
        difference, texts = logit_difference(model, edit, pushed, pairs)
        if difference > TOLERANCE:
            raise NeurosteerError(
                f"the file does not do what the edit does: logits differ by {difference:.2g} of the largest "
                f"({TOLERANCE:g} is allowed); nothing was written"
            )
        path.parent.mkdir(parents=True, exist_ok=True)
        write_bytes(path, draft.read_bytes())
    return PushFile(path=str(path), to=to, edit=edit.describe(), module=module, logits=difference, texts=texts)


def _block_name(model: Model, network: Any, layer: int) -> str:
    """What a block is called inside the network's base model. Raises `InputError` where it has no name."""
    block = model.bridge.blocks[layer]
    own = (block, getattr(block, "original_component", block))
    names = [name for name, module in model.bridge.original_model.base_model.named_modules() if module in own]
    known = dict(network.base_model.named_modules())
    if not names or names[0] not in known:
        raise InputError(f"block {layer} of {model.name} is no module with a name of its own")
    return names[0]


def _with_added(network: Any, module: str, vector: Vector, **given: Any) -> Any:
    """One pass of a plain network in which a vector is added to what a module gives."""

    def add(_module: Any, _given: Any, made: Any) -> Any:
        return (made[0] + vector.to(made[0]), *made[1:]) if isinstance(made, tuple) else made + vector.to(made)

    handle = network.base_model.get_submodule(module).register_forward_hook(add)
    try:
        return network(**given)
    finally:
        handle.remove()


def _write_gguf(path: Path, vector: Vector, layer: int, _module: str, kind: str) -> Vector:
    from gguf import GGUFReader, GGUFWriter

    writer = GGUFWriter(str(path), "controlvector")
    writer.add_string("controlvector.model_hint", kind)
    writer.add_uint32("controlvector.layer_count", 1)
    writer.add_tensor(f"direction.{layer}", vector.numpy())
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    [tensor] = GGUFReader(str(path)).tensors
    return torch.from_numpy(tensor.data.copy())


def _write_steering(path: Path, vector: Vector, _layer: int, module: str, _kind: str) -> Vector:
    told = {"action": "add", "steering_coefficient": 1.0, "steering_vector": vector, "bias": None, "head_index": None}
    torch.save({module: told}, path)
    return vector  # lm-eval's file is a pickle, and those are never read here


_Write = Callable[[Path, Vector, int, str, str], Vector]  # gives the vector that the file holds
_FORMATS: dict[PushFormat, _Write] = {"gguf": _write_gguf, "lm-eval": _write_steering}

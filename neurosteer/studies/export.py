"""`export`: an edit as a Hugging Face model of its own, where weights can say exactly what hooks do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from neurosteer.edits import Edit
from neurosteer.errors import InputError, NeurosteerError
from neurosteer.forward import check_edit, score, steering
from neurosteer.model import Model, bake, load_model, plain_network, quiet_transformers, sentence_tokens
from neurosteer.neurons import NeuronSet
from neurosteer.pairs import Pairs
from neurosteer.progress import AUTO, QUIET, Progress
from neurosteer.results.effect import AppliedEdit
from neurosteer.results.export import ExportResult
from neurosteer.sites import projection_behind
from neurosteer.store import fresh
from neurosteer.vocabulary import SITES

from .effects import Effect

TOLERANCE = 1e-5  # of logits, beside the largest of them
TEXTS = 20  # whose logits are compared


def check_expressible(model: Model, edit: AppliedEdit) -> None:
    """Raise `InputError`, with the reason, for an edit that weights cannot express exactly."""
    why = ""
    if edit.by == "direction":
        why = "along a direction units are mixed or a constant is added, which no scale of weights does"
    elif projection_behind(edit.site) is None:
        able = " and ".join(site for site in SITES if projection_behind(site))
        why = (
            f"{edit.site} is written by many blocks and read by many; only {able} have a projection of their own "
            "behind them"
        )
    elif edit.kind != "zero":
        why = f"{edit.kind} puts other values in the place of the units' own, and weights can only scale (--to zero)"
    elif edit.where != "every" and (edit.where != "all" or model.bos is not None):
        why = f"where '{edit.where}' leaves out tokens, and weights act on all of them, BOS too (--where every)"
    if why:
        raise InputError(f"this edit cannot be put into weights exactly: {why}")


def export_edit(
    model: Model,
    edit: Edit,
    folder: Path,
    *,
    pairs: Pairs | None = None,
    offline: bool = False,
    progress: Progress = AUTO,
) -> ExportResult:
    """Write a Hugging Face folder whose plain weights do what the edit does, and measure that they do.

    Args:
        model: the model, loaded by its name; it is not changed.
        edit: one that scales units of `mlp_post` or heads (or units) of `z` about zero, where `every`.
        folder: where; it must not exist yet.
        pairs: those whose decisions are compared: which sentence is preferred, with hooks and by the written weights.
        offline: never use the network.
        progress: where progress and notices go.

    Returns:
        An `ExportResult`: the largest difference of logits, and how many decisions are the same.

    Raises:
        InputError: for an edit that weights cannot express, with the reason, and for a folder that is there.
        NeurosteerError: where the written weights do not do what the hooks do; nothing is written then.
    """
    check_edit(model, edit)
    check_expressible(model, edit.describe())
    if folder.exists():
        raise InputError(f"'{folder}' is there already; name a folder that is not")
    network, tokenizer = plain_network(model.name, revision=model.revision, offline=offline, progress=progress)
    bake(model, network, edit.by_layer(), edit.neurons.site)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with fresh(folder.parent / f".{folder.name}.draft") as draft:
        with quiet_transformers():
            network.save_pretrained(draft)
            tokenizer.save_pretrained(draft)
        written = load_model(
            draft,
            device=str(model.device),
            dtype="float32" if model.dtype == torch.float32 else "auto",
            bos=model.bos.text if model.bos else "none",
            eos=model.eos.text,
            progress=QUIET,
        )
        difference, texts = logit_difference(model, edit, written.bridge.original_model, pairs)
        if difference > TOLERANCE:
            raise NeurosteerError(
                f"the weights do not do what the edit does: logits differ by {difference:.2g} of the largest "
                f"({TOLERANCE:g} is allowed); nothing was written"
            )
        same = None if pairs is None else same_decisions(model, edit, written, pairs, progress)
        draft.rename(folder)
    return ExportResult(
        folder=str(folder),
        edit=edit.describe(),
        logits=difference,
        texts=texts,
        same_decisions=same,
        pairs=None if pairs is None else len(pairs),
    )


def export_effect(
    model: Model, effect: Effect, folder: Path, *, offline: bool = False, progress: Progress = AUTO
) -> ExportResult:
    """The edit of a run of `ablate` or `amplify`; decisions are compared on the pairs that it was measured on."""
    check_expressible(model, effect.edit)
    assert isinstance(effect.neuron_set, NeuronSet)
    edit = Edit(effect.neuron_set, effect.edit.kind, effect.edit.scale, effect.edit.where, effect.edit.reach)
    good, bad = ([getattr(row, side) for row in effect.by_pair] for side in ("sentence_good", "sentence_bad"))
    pairs = None if None in (*good, *bad) else Pairs.from_lists(good, bad, task=effect.task)
    return export_edit(model, edit, folder, pairs=pairs, offline=offline, progress=progress)


def logit_difference(model: Model, edit: Edit, network: Any, pairs: Pairs | None) -> tuple[float, int]:
    """The largest difference of logits beside the largest logit, of hooks and of weights; and on how many texts."""
    largest, apart = 0.0, 0.0
    rows = _texts(model, pairs)
    for row in rows:
        tokens = torch.tensor([row], device=model.device)
        with torch.no_grad():
            with steering(model, edit):
                hooked = model.bridge(tokens, return_type="logits", use_cache=False).double()
            plain = network(input_ids=tokens, use_cache=False).logits.double()
        apart = max(apart, float((hooked - plain).abs().max()))
        largest = max(largest, float(hooked.abs().max()))
    return apart / largest if largest else apart, len(rows)


def same_decisions(model: Model, edit: Edit, written: Model, pairs: Pairs, progress: Progress) -> int:
    """Of how many pairs the hooks and the written weights prefer the same sentence."""
    with steering(model, edit):
        hooked = score(model, pairs, progress=progress).margin
    plain = score(written, pairs, progress=progress).margin
    return int((torch.sign(hooked) == torch.sign(plain)).sum())


def _texts(model: Model, pairs: Pairs | None) -> list[list[int]]:
    """Tokens of some sentences, with BOS; without pairs one row of the first tokens of the vocabulary."""
    start = [model.bos.id] if model.bos else []
    sentences = [] if pairs is None else [one for pair in list(pairs)[: TEXTS // 2] for one in (pair.good, pair.bad)]
    rows = [[*start, *sentence_tokens(model, [one])[0]] for one in sentences]
    return rows or [[*start, *range(min(16, int(model.bridge.cfg.d_vocab)))]]

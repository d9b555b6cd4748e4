"""Are our short cuts exact for this model? They are tested before they are used.

A few short sequences with common prefixes run once as a forest and once one by one; and once in full and once resumed
above a block. If the results differ, or the architecture raises an error, the short cut is not taken, and a notice
says so. A model that gives no finite numbers is refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from weakref import WeakKeyDictionary

import numpy as np
import torch
from torch import Tensor

from neurosteer.errors import NeurosteerError, is_out_of_memory
from neurosteer.model import Model, capture, essence, is_hooked, resuming, without_hooks
from neurosteer.progress import Progress

from .forest import Tokens, plan
from .last_states import LastStates
from .loop import packing_for, sweep
from .overflow import overflow

TOLERANCE = {torch.float32: 1e-4, torch.float64: 1e-6, torch.bfloat16: 0.1, torch.float16: 0.05}
FAILURES = (RuntimeError, ValueError, TypeError, IndexError, KeyError, AttributeError, AssertionError)
_reasons: WeakKeyDictionary[Model, str | None] = WeakKeyDictionary()
_resumes: WeakKeyDictionary[Model, bool] = WeakKeyDictionary()


def can_share_prefixes(model: Model, groups: Sequence[Sequence[Tokens]], progress: Progress) -> bool:
    """Whether the prefix forest is exact for this model, and for groups of sequences as long as these."""
    longest = max(sum(map(len, group)) for group in groups)
    if longest > model.window:
        progress.notice(
            f"{model.name}: texts of {longest} tokens exceed the {model.window} that every layer attends over; "
            "they run in batches of equal length instead (slower, same results)"
        )
        return False
    return forest_is_exact(model, progress)


def can_resume(model: Model, progress: Progress) -> bool:
    """Whether a pass can start above a block, from the cached residual stream; not if others have hooks on it."""
    if is_hooked(model):
        return False
    if model not in _resumes:
        _resumes[model] = _resumes_exactly(model)
        if not _resumes[model]:
            progress.notice(f"{model.name}: passes cannot begin above an edited block; edits run in full (slower)")
    return _resumes[model]


def forest_is_exact(model: Model, progress: Progress) -> bool:
    """Whether the forest computes this model's states exactly; tested once per model. If not, a notice says why."""
    if model not in _reasons:
        with without_hooks(model):  # the test is of the architecture, not of what others do to the model
            _reasons[model] = reason = _why_inexact(model)
        if reason is not None:
            progress.notice(
                f"{model.name}: {reason}; sentences run in batches of equal length instead (slower, same results)"
            )
    return _reasons[model] is None


@contextmanager
def supported(model: Model) -> Iterator[None]:
    """Inside the block a plain pass runs; if it fails, TransformerLens wraps the architecture only in part.

    Raises `NeurosteerError`, which names the architecture.
    """
    try:
        yield
    except (*FAILURES, NeurosteerError) as error:
        told = isinstance(error, NeurosteerError) and type(error) is not NeurosteerError
        if told or is_out_of_memory(error):
            raise
        kind = type(model.bridge.original_model).__name__
        raise NeurosteerError(
            f"{kind} is not supported: TransformerLens wraps it only in part ({essence(error)}); take a model of "
            "another architecture"
        ) from error


def _why_inexact(model: Model) -> str | None:
    """Why the forest is not exact, or None if it is."""
    groups = _sample(int(model.bridge.cfg.d_vocab), min(12, model.window // 2))
    with supported(model):
        single = _last_states(model, groups, shared=False)
    if not bool(single.isfinite().all()):
        raise overflow(model, [ids for group in groups for ids in group])
    try:
        shared = _last_states(model, groups, shared=True)
    except FAILURES as error:
        return f"the architecture does not take the prefix forest's mask or positions ({type(error).__name__})"
    difference = ((shared - single).norm(dim=-1) / single.norm(dim=-1).clamp_min(1e-12)).max().item()
    if not difference <= TOLERANCE[model.dtype]:
        return f"the prefix forest differs from one sentence at a time by {difference:.1e}"
    return None


def _sample(vocabulary: int, longest: int) -> list[list[Tokens]]:
    """Pairs of random sequences with common prefixes, within pairs and between them."""
    draw = np.random.default_rng(0).integers(0, vocabulary, size=(16, longest))
    base, *others = (tuple(row.tolist()) for row in draw)
    sequences = [
        base,
        *(base[: i % longest] + tail[i % longest : longest - i % 3] for i, tail in enumerate(others, 1)),
    ]
    return [list(pair) for pair in zip(sequences[::2], sequences[1::2], strict=True)]


def _last_states(model: Model, groups: list[list[Tokens]], *, shared: bool) -> Tensor:
    """States `[sequence, layer, unit]` at the last tokens, float32."""
    layers = list(range(model.n_layers))
    last = LastStates(torch.empty(sum(map(len, groups)), len(layers), model.d_model))
    packs = plan(groups, packing_for(model), shared=shared)
    sweep(model, packs, site="resid_post", layers=layers, visit=last.take, send=last.send)
    return last.out


def _resumes_exactly(model: Model) -> bool:
    """Whether logits stay the same if the blocks up to the first, the middle or the last one are skipped."""
    tokens = torch.tensor([_sample(int(model.bridge.cfg.d_vocab), min(12, model.window // 2))[0][0]])
    every = torch.zeros_like(tokens[0]), torch.arange(tokens.shape[1])
    residuals: dict[int, Tensor] = {}
    with capture(model, "resid_post", list(range(model.n_layers)), residuals.__setitem__) as one_pass:
        full = one_pass(tokens, at=every)
    for layer in {0, model.n_layers // 2, model.n_layers - 1}:
        try:
            with (
                resuming(model, layer, residuals[layer]),
                capture(model, "resid_post", [], residuals.__setitem__) as one_pass,
            ):
                resumed = one_pass(tokens, at=every)
        except FAILURES as error:
            if is_out_of_memory(error):
                raise
            return False
        assert full is not None
        assert resumed is not None
        one, other = full.whole(), resumed.whole()
        if not bool(one.isfinite().all()):
            raise overflow(model, tokens.tolist())
        if not bool(torch.allclose(one, other, rtol=0, atol=1e-5 * float(one.abs().max()))):
            return False
    return True

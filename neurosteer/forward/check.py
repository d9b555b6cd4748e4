"""Is the prefix forest exact for this model? Tried before it is trusted.

A few short sequences with common beginnings run once as a forest and once one by one. Where they differ, or the
architecture refuses the mask or the positions, sequences run in batches of equal length, and a notice says so.
"""

from __future__ import annotations

from weakref import WeakKeyDictionary

import numpy as np
import torch
from torch import Tensor

from neurosteer.model import Model
from neurosteer.progress import Progress

from .forest import Pack, Tokens, plan
from .loop import packing_for, sweep

TOLERANCE = {torch.float32: 1e-4, torch.float64: 1e-6, torch.bfloat16: 0.1, torch.float16: 0.05}
_verdicts: WeakKeyDictionary[Model, str | None] = WeakKeyDictionary()


def forest_holds(model: Model, progress: Progress) -> bool:
    """Whether the forest gives this model's states; tried once per model, a failure is told to `progress`."""
    if model not in _verdicts:
        _verdicts[model] = reason = _why_not(model)
        if reason is not None:
            progress.notice(
                f"{model.name}: {reason}; sentences run in batches of equal length instead (slower, same results)"
            )
    return _verdicts[model] is None


def _why_not(model: Model) -> str | None:
    groups = _sample(int(model.bridge.cfg.d_vocab), min(12, model.window // 2))
    single = _last_states(model, groups, shared=False)
    try:
        shared = _last_states(model, groups, shared=True)
    except torch.OutOfMemoryError:
        raise
    except (RuntimeError, ValueError, TypeError, IndexError, KeyError, AssertionError) as error:
        return f"the architecture does not take the prefix forest's mask or positions ({type(error).__name__})"
    difference = ((shared - single).norm(dim=-1) / single.norm(dim=-1).clamp_min(1e-12)).max().item()
    if not difference <= TOLERANCE[model.dtype]:
        return f"the prefix forest differs from one sentence at a time by {difference:.1e}"
    return None


def _sample(vocabulary: int, longest: int) -> list[list[Tokens]]:
    """Pairs of random sequences that share beginnings within and between pairs."""
    draw = np.random.default_rng(0).integers(0, vocabulary, size=(16, longest))
    base, *others = (tuple(row.tolist()) for row in draw)
    sequences = [
        base,
        *(base[: i % longest] + tail[i % longest : longest - i % 3] for i, tail in enumerate(others, 1)),
    ]
    return [list(pair) for pair in zip(sequences[::2], sequences[1::2], strict=True)]


def _last_states(model: Model, groups: list[list[Tokens]], *, shared: bool) -> Tensor:
    """`[sequence, layer, unit]` at the last tokens, float32."""
    layers = list(range(model.n_layers))
    out = torch.empty(sum(len(group) for group in groups), len(layers), model.d_model)

    def visit(pack: Pack, i: int, values: Tensor) -> None:
        out[pack.sequences, i] = values[pack.rows, pack.leaves].float().cpu()

    sweep(model, plan(groups, packing_for(model), shared=shared), site="resid_post", layers=layers, visit=visit)
    return out

"""How many units `topk` asks for, of which layers, and which ones those are."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor

from neurosteer.errors import InputError
from neurosteer.vocabulary import Layers


def resolve_topk(topk: int | str, width: int, what: str = "units of a layer") -> int:
    """How many units `40` or `"1%"` are of a layer `width` wide: a share rounds to the nearest count, at least 1.

    `what` they are is said where there are fewer.

    Raises:
        InputError: for anything that is not a count from 1 to the width or a share above 0 up to 100 %.

    Example:
        >>> resolve_topk(40, 576), resolve_topk("1%", 576)
        (40, 6)
    """
    text = str(topk).strip()
    try:
        count = max(1, round(width * float(text[:-1]) / 100)) if text.endswith("%") else int(text)
        share = float(text[:-1]) if text.endswith("%") else 100.0
    except (ValueError, OverflowError):
        raise InputError(f"topk must be a count or a share like 40 or 1%, not '{topk}'") from None
    if not 0 < share <= 100 or count < 1:
        raise InputError(f"topk must be at least 1, or a share above 0% and up to 100%, not '{topk}'")
    if count > width:
        raise InputError(f"topk {count} is more than the {width} {what}")
    return count


def resolve_rows(layers: Layers | None, ranked: Sequence[int], best_layer: int | None) -> list[int]:
    """Rows of a ranking of the layers `ranked`: of its best layer for None, of one, of several, or of `"all"`.

    Raises `InputError` for a layer that was not ranked, and where no layer is best.
    """
    if layers is None:
        if best_layer is None:
            raise InputError("this ranking has no best layer (no validation pairs chose one); name layers=")
        chosen: Sequence[int] = [best_layer]
    elif layers == "all":
        chosen = ranked
    elif isinstance(layers, str):
        raise InputError(f"layers must be 'all' or block indices, not '{layers}'")
    else:
        chosen = [layers] if isinstance(layers, int) else sorted(set(map(int, layers)))
    unknown = [layer for layer in chosen if layer not in ranked]
    if unknown or not chosen:
        asked, there = (", ".join(map(str, layers)) for layers in (unknown, ranked))
        raise InputError(f"this ranking has no layer {asked}; it has {there}" if unknown else "name a layer at least")
    return [ranked.index(layer) for layer in chosen]


def best_units(
    scores: Float[Tensor, "*rows unit"], topk: int, *, above: float = -math.inf
) -> Int[Tensor, "*rows topk"]:
    """The `topk` best units of each row, best first; of equal scores the lower index.

    Args:
        scores: a score for every unit; along the last axis they are compared.
        topk: how many.
        above: in the place of a unit whose score is not above it stands -1.

    Example:
        >>> best_units(torch.tensor([0.1, 0.0, 2.0, 0.1]), 4, above=0.0)
        tensor([ 2,  0,  3, -1])
    """
    best = scores.sort(dim=-1, descending=True, stable=True)
    return torch.where(best.values > above, best.indices, -1)[..., :topk]

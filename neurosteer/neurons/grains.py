"""Units that go together: those of an attention head are ranked, chosen and edited as one.

A *member* is what a set has: a unit where each goes by itself (`group` 1), else a head, whose `group` units lie side
by side. Members are numbered within their layer.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor

from neurosteer.errors import InputError
from neurosteer.rankings import RANKINGS
from neurosteer.sites import USUAL_SITES
from neurosteer.vocabulary import Grain, Method, Site


def grain_of(group: int) -> Grain:
    """What a set is made of whose units go together `group` at a time."""
    return "unit" if group == 1 else "head"


def units_of_members(members: Int[Tensor, "*rows member"], group: int) -> Int[Tensor, "*rows unit"]:
    """The units of each member, side by side.

    Example:
        >>> units_of_members(torch.tensor([0, 2]), 3)
        tensor([0, 1, 2, 6, 7, 8])
    """
    return (members[..., None] * group + torch.arange(group)).flatten(-2)


def member_scores(scores: Float[Tensor, "*rows unit"], method: Method, group: int) -> Float[Tensor, "*rows member"]:
    """The score of each member from those of its units: their sum, or the root of their mean square.

    Raises:
        InputError: for a method whose scores say nothing of several units together.

    Example:
        >>> member_scores(torch.tensor([3.0, 4.0, 0.0, 2.0]), "attribution", 2)
        tensor([7., 2.])
    """
    if group == 1:
        return scores
    check_grain(method, grain_of(group))
    parts = scores.unflatten(-1, (-1, group))
    return parts.sum(dim=-1) if RANKINGS[method].of_head == "sum" else parts.square().mean(dim=-1).sqrt()


def check_grain(method: Method, by: Grain) -> None:
    """Raise `InputError` for a method that cannot rank by this grain."""
    if by == "head" and RANKINGS[method].of_head is None:
        able = ", ".join(name for name, one in RANKINGS.items() if one.of_head)
        raise InputError(f"method '{method}' ranks units one by one, not whole heads; by head there are {able}")


def site_of(site: Site | None, by: Grain) -> Site:
    """The site that is meant: heads are at `z`; units at the residual stream where none is named.

    Raises:
        InputError: for heads of another site.

    Example:
        >>> site_of(None, "head"), site_of(None, "unit")
        ('z', 'resid_post')
    """
    if by == "head" and site not in (None, USUAL_SITES[by]):
        raise InputError(f"heads are groups of units of the site z, not of {site}; leave the site out, or name z")
    return site or USUAL_SITES[by]


def columns_of(neurons: Sequence[tuple[int, int]]) -> tuple[Int[Tensor, "neuron"], Int[Tensor, "neuron"]]:
    """Layers and units of neurons."""
    table = torch.tensor(neurons, dtype=torch.long).reshape(-1, 2)
    return table[:, 0], table[:, 1]

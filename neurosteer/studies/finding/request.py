"""What a find may be asked for: checks, and each thing once, before a model reads anything."""

from __future__ import annotations

from collections.abc import Sequence

from neurosteer.errors import InputError, did_you_mean
from neurosteer.neurons import check_grain
from neurosteer.progress import Progress
from neurosteer.vocabulary import (
    DIRECTION_KINDS,
    GRAINS,
    METHODS,
    MOST_DRAWS,
    MOST_LAMBDAS,
    DirectionKind,
    Grain,
    Method,
    Site,
    counted,
)

from .layers import LAMBDAS

LARGE = 2**28  # bytes of states that are worth a notice


def check_request(methods: Sequence[Method], draws: int, by: Grain) -> None:
    """Raises `InputError` for a method or grain that is none, or does not go with the others, and too many draws."""
    if by not in GRAINS:
        raise InputError(f"by '{by}' is not one of {', '.join(GRAINS)}{did_you_mean(by, GRAINS)}")
    for method in methods:
        if method not in METHODS:
            raise InputError(f"unknown method '{method}'{did_you_mean(method, METHODS)}; one of {', '.join(METHODS)}")
        check_grain(method, by)
    if not methods or len(set(methods)) != len(methods):
        raise InputError(f"methods must be some of {', '.join(METHODS)}, each once, not {list(methods)}")
    if not 1 <= draws <= MOST_DRAWS:
        raise InputError(f"draws must be from 1 to {MOST_DRAWS:,} (each is a probe at every layer), not {draws}")


def say_cost(pairs: int, layers: int, width: int, site: Site, progress: Progress) -> None:
    """A notice before states are read that take more than memory should hold."""
    size = 2 * pairs * layers * width * 4
    if size > LARGE:
        progress.notice(
            f"{layers * width:,} units of {site} at {counted(layers, 'layer')}: states of {counted(pairs, 'pair')} "
            f"take {size / 1e9:.1f} GB in the cache, and are read a few layers at a time"
        )


def directions_of(kinds: Sequence[DirectionKind]) -> tuple[DirectionKind, ...]:
    """Each once."""
    for kind in kinds:
        if kind not in DIRECTION_KINDS:
            raise InputError(f"direction '{kind}' is not one of {', '.join(DIRECTION_KINDS)}")
    return tuple(kind for kind in DIRECTION_KINDS if kind in kinds)


def lambdas_of(lambdas: Sequence[float] | None) -> tuple[float, ...]:
    """The penalties of the L0 probe, each once."""
    grid = tuple(sorted(set(lambdas if lambdas is not None else LAMBDAS)))
    if len(grid) > MOST_LAMBDAS:
        raise InputError(f"at most {MOST_LAMBDAS:,} lambdas (each is a mask at every layer), not {len(grid):,}")
    if not grid or not all(0 < value <= 1 for value in grid):
        raise InputError(f"lambda must be above 0 and at most 1, not {list(lambdas or ())}")
    return grid

"""The names of the gym's models."""

from __future__ import annotations

import re

GYM = "gym"


def gym_seed(name: str) -> int | None:
    """The seed of `gym` or `gym:7`; None for another name."""
    match = re.fullmatch(rf"{GYM}(?::([0-9]{{1,9}}))?", name)
    return int(match[1] or 0) if match else None

"""Every random draw has its own generator, so that no result depends on what else ran."""

from __future__ import annotations

import hashlib

import torch


def seed_of(seed: int, *what: str | int) -> int:
    """63 bits of the SHA-256 of the seed and of what is drawn (task, layer, purpose)."""
    text = "\0".join(str(part) for part in (seed, *what))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def generator(seed: int, *what: str | int) -> torch.Generator:
    """A new CPU generator for one draw."""
    return torch.Generator().manual_seed(seed_of(seed, *what))

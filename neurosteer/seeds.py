"""Every draw has its own generator, so that one result never depends on what else ran."""

from __future__ import annotations

import hashlib

import torch


def generator(seed: int, *what: str | int) -> torch.Generator:
    """A CPU generator seeded by SHA-256 of the seed and of what is drawn (task, layer, purpose)."""
    text = "\0".join(str(part) for part in (seed, *what))
    number = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1
    return torch.Generator().manual_seed(number)

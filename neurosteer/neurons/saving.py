"""How neurons, rankings and directions are written."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from neurosteer.store import write_artefact
from neurosteer.vocabulary import Json


def saved(
    path: str | os.PathLike[str], kind: str, arrays: Mapping[str, np.ndarray], metadata: Mapping[str, Json]
) -> Path:
    """Write a digested safetensors file of this kind, and give its path."""
    write_artefact(Path(path), kind, arrays, metadata)
    return Path(path)

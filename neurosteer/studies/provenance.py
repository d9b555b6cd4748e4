"""Where a result comes from: what every artefact of a study records."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

from neurosteer.model import Model
from neurosteer.pairs import Pairs

_LIBRARIES = ("neurosteer", "torch", "transformers", "transformer-lens")


def provenance(model: Model, pairs: Pairs, **settings: Any) -> dict[str, Any]:
    """Model, data, settings and library versions, as JSON values."""
    return {
        "task": pairs.task,
        "source": pairs.source,
        "pairs": pairs.digest,
        "network": model.describe(),
        "versions": {name: version(name) for name in _LIBRARIES},
        **settings,
    }

"""Where a result comes from: what every artefact of a study records."""

from __future__ import annotations

from typing import Any

from neurosteer.model import Model
from neurosteer.pairs import Pairs
from neurosteer.results import record
from neurosteer.store import versions
from neurosteer.vocabulary import Json


def provenance(model: Model, pairs: Pairs, **settings: Any) -> dict[str, Json]:
    """Model, data, settings and library versions, as JSON values."""
    return {
        "task": pairs.task,
        "source": pairs.source,
        "pairs": pairs.digest,
        "network": record(model.describe()),
        "versions": versions("neurosteer"),
        **({"layout": pairs.layout} if pairs.layout else {}),
        **settings,
    }

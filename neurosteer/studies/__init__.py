"""The experiments: each a function from a model and pairs to plain numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neurosteer.lazy import lazily

if TYPE_CHECKING:
    from .finding import Found as Found
    from .finding import find as find
    from .rank import rank_neurons as rank_neurons
    from .runs import list_runs as list_runs
    from .save import save_find as save_find

_MODULE_OF = {
    "Found": "finding",
    "find": "finding",
    "list_runs": "runs",
    "rank_neurons": "rank",
    "save_find": "save",
}


__getattr__ = lazily(__name__, _MODULE_OF)

"""The experiments: each a function from a model and pairs to plain numbers."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

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


def __getattr__(name: str) -> Any:
    if name not in _MODULE_OF:
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    return getattr(import_module(f".{_MODULE_OF[name]}", __name__), name)

"""Names of a package that are imported when they are first used: what stands behind them is slow to import."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any


def lazily(package: str, module_of: Mapping[str, str]) -> Callable[[str], Any]:
    """A `__getattr__` for a package: each name is fetched from the submodule that `module_of` gives it."""

    def fetch(name: str) -> Any:
        if name not in module_of:
            raise AttributeError(f"module '{package}' has no attribute '{name}'")
        return getattr(import_module(f".{module_of[name]}", package), name)

    return fetch

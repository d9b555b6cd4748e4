"""Packages whose names are imported when they are first used: what stands behind them is slow to import."""

from __future__ import annotations

import ast
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any


def lazily(package: str, file: str) -> tuple[Callable[[str], Any], Callable[[], list[str]], list[str]]:
    """`__getattr__`, `__dir__` and `__all__` for a package (PEP 562), from the imports in its `if TYPE_CHECKING:`.

        if TYPE_CHECKING:
            from .edits import Edit as Edit
        else:
            __getattr__, __dir__, __all__ = lazily(__name__, __file__)

    Those imports are the only list of names. A type checker reads them and sees no `__getattr__`, so it reports a
    name that is not among them; at run time each one is carried out when its name is first used.
    """
    module_of = _imports(Path(file))

    def fetch(name: str) -> Any:
        if name not in module_of:
            raise AttributeError(f"module '{package}' has no attribute '{name}'")
        return getattr(import_module(f".{module_of[name]}", package), name)

    return fetch, lambda: sorted(module_of), list(module_of)


def _imports(file: Path) -> dict[str, str]:
    """Name -> submodule, of the `from .submodule import name as name` in the `if TYPE_CHECKING:` of a file."""
    return {
        alias.name: str(statement.module)
        for block in ast.parse(file.read_text("utf-8")).body
        if isinstance(block, ast.If)
        for statement in block.body
        if isinstance(statement, ast.ImportFrom)
        for alias in statement.names
    }

"""The code of the charting library (Vega-Lite), as a page carries it inside.

vl-convert holds the sources; to make one script of them takes seconds, so it is done once and kept in the cache.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import cache
from importlib.metadata import version
from pathlib import Path

from neurosteer.progress import logger
from neurosteer.store import home, locked, sweep, write_bytes

NAME = "Vega-Lite"


@cache
def charting_code() -> str:
    """One script that defines `vegaEmbed`; it fits inside a `<script>` element."""
    path = home() / "pages" / f"vega-{version('vl-convert-python')}.js"
    if (kept := _kept(path)) is not None:
        return kept
    try:
        with locked(path):
            sweep(path)
            return _kept(path, tell=True) or _make(path)
    except OSError:  # a cache that cannot be written is done without
        return _make(path)


def _make(path: Path) -> str:
    import vl_convert

    bundle: Callable[..., str] = vl_convert.javascript_bundle  # its stub wants what it does not need
    code = bundle().replace("</script", "<\\/script")
    try:
        write_bytes(path, f"// {_digest(code)}\n{code}".encode())
    except OSError as error:
        logger.warning(f"not cached: {error.strerror or error}")
    return code


def _kept(path: Path, *, tell: bool = False) -> str | None:
    """What the cache has; None where there is nothing, or not what was written, which a notice may tell."""
    try:
        if not path.is_file():
            return None
        first, _, code = path.read_text("utf-8").partition("\n")
        if first == f"// {_digest(code)}":
            return code
        wrong = f"{path} is damaged: it is not what was written"
    except UnicodeDecodeError:
        wrong = f"{path} is damaged: it is no text"
    except OSError as error:
        wrong = f"cannot read '{path}': {error.strerror or error}"
    if tell:
        logger.warning(f"{wrong}; making it again")
    return None


def _digest(code: str) -> str:
    return hashlib.sha256(code.encode()).hexdigest()

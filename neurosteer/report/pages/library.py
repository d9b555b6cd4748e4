"""The code of the charting library (Vega-Lite), as a page carries it inside.

vl-convert holds the sources; to make one script of them takes seconds, so it is done once and kept in the cache.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from importlib.metadata import version
from pathlib import Path

from neurosteer.store import home, locked, write_bytes

NAME = "Vega-Lite"


@cache
def charting_code() -> str:
    """One script that defines `vegaEmbed`; it fits inside a `<script>` element."""
    path = home() / "pages" / f"vega-{version('vl-convert-python')}.js"
    if (kept := _kept(path)) is not None:
        return kept
    try:
        with locked(path):
            return _kept(path) or _make(path)
    except OSError:  # a cache that cannot be written is done without
        return _make(path)


def _make(path: Path) -> str:
    import vl_convert

    bundle: Callable[..., str] = vl_convert.javascript_bundle  # its stub wants what it does not need
    code = bundle().replace("</script", "<\\/script")
    with suppress(OSError):
        write_bytes(path, f"// {_digest(code)}\n{code}".encode())
    return code


def _kept(path: Path) -> str | None:
    """What the cache has; None where there is nothing, or not what was written."""
    with suppress(OSError, UnicodeDecodeError):
        first, _, code = path.read_text("utf-8").partition("\n")
        if first == f"// {_digest(code)}":
            return code
    return None


def _digest(code: str) -> str:
    return hashlib.sha256(code.encode()).hexdigest()

"""The version that is installed: a module of its own, as looking it up takes longer than all else that help needs."""

from __future__ import annotations

from importlib.metadata import version

__version__ = version("neurosteer")

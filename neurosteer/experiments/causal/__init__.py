"""The causal transfer matrix: what happens to one task's margins when another task's neurons are ablated."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neurosteer.lazy import lazily

if TYPE_CHECKING:
    from .experiment import EXPERIMENT as EXPERIMENT
    from .settings import CausalSettings as CausalSettings
else:
    __getattr__, __dir__, __all__ = lazily(__name__, __file__)

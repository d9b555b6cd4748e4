"""How much figures 2 and 4, and the claims on them, depend on how the masks are trained."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neurosteer.lazy import lazily

if TYPE_CHECKING:
    from .experiment import EXPERIMENT as EXPERIMENT
    from .settings import SensitivitySettings as SensitivitySettings
else:
    __getattr__, __dir__, __all__ = lazily(__name__, __file__)

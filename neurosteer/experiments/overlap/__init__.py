"""Do tasks share neurons, and would the same neurons be found again?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from neurosteer.lazy import lazily

if TYPE_CHECKING:
    from .experiment import EXPERIMENT as EXPERIMENT
    from .settings import StabilitySettings as StabilitySettings
else:
    __getattr__, __dir__, __all__ = lazily(__name__, __file__)

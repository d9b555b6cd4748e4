"""The frontier: how much of the margin each way of choosing neurons takes, at equal disturbance of a text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neurosteer.lazy import lazily

if TYPE_CHECKING:
    from .experiment import EXPERIMENT as EXPERIMENT
    from .settings import FrontierSettings as FrontierSettings
else:
    __getattr__, __dir__, __all__ = lazily(__name__, __file__)

"""What a recipe says to `overlap` alone: the units that it asks for read it too."""

from __future__ import annotations

from neurosteer.experiments.shared.stability import StabilitySettings

__all__ = ["StabilitySettings"]

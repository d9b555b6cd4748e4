"""The experiments of the paper on sparse probing of grammar, and their causal counterpart, as units of a recipe."""

from __future__ import annotations

from .plan import plan_recipe as plan_recipe

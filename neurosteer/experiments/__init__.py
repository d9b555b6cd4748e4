"""The experiments of the paper on sparse probing of grammar, and their causal counterpart, as runs of a recipe."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neurosteer.lazy import lazily

if TYPE_CHECKING:
    from .estimate import RunEstimate as RunEstimate
    from .estimate import estimate_recipe as estimate_recipe
    from .opening import open_run as open_run
    from .pdfs import write_pdfs as write_pdfs
    from .recipe_run import RecipeRun as RecipeRun
    from .run import run_recipe as run_recipe
    from .run import submit_recipe as submit_recipe
else:
    __getattr__, __dir__, __all__ = lazily(__name__, __file__)

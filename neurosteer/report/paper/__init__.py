"""The outcome of a recipe, drawn: figures in the paper's layout, CSV files, and one page with the verdicts.

What draws is imported when it is first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from neurosteer.lazy import lazily

if TYPE_CHECKING:
    from .draw import outcome_figures as outcome_figures
    from .page import outcome_page as outcome_page
    from .write import write_outcome as write_outcome
else:
    __getattr__, __dir__, __all__ = lazily(__name__, __file__)

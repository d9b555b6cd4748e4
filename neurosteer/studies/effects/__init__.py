"""`ablate`, `amplify`: what a model does without some neurons, or with more of them, against matched controls."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neurosteer.lazy import lazily

if TYPE_CHECKING:
    from .assembly import with_origin as with_origin
    from .direction_origin import direction_from as direction_from
    from .effect import Effect as Effect
    from .finds import FindQuery as FindQuery
    from .finds import model_of_newest_find as model_of_newest_find
    from .measure import measure_effect as measure_effect
    from .origin import Origin as Origin
    from .origin import neurons_from as neurons_from
    from .preview import Expected as Expected
    from .preview import expected_of as expected_of
    from .save import save_effects as save_effects
else:
    __getattr__, __dir__, __all__ = lazily(__name__, __file__)

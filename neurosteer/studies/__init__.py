"""Questions about one task: each a function from a model and pairs to what was found."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neurosteer.lazy import lazily

if TYPE_CHECKING:
    from .earlier_runs import RunRequest as RunRequest
    from .earlier_runs import made_before as made_before
    from .earlier_runs import pairs_identity as pairs_identity
    from .earlier_runs import remember_run as remember_run
    from .effects import Effect as Effect
    from .effects import Expected as Expected
    from .effects import FindQuery as FindQuery
    from .effects import Origin as Origin
    from .effects import direction_from as direction_from
    from .effects import expected_of as expected_of
    from .effects import measure_effect as measure_effect
    from .effects import model_of_newest_find as model_of_newest_find
    from .effects import neurons_from as neurons_from
    from .effects import save_effects as save_effects
    from .effects import with_origin as with_origin
    from .finding import Found as Found
    from .finding import find as find
    from .finding import rank_neurons as rank_neurons
    from .finding import save_find as save_find
    from .masks import MaskSettings as MaskSettings
    from .scores import save_scores as save_scores
    from .side_by_side import compare_runs as compare_runs
    from .texts import save_texts as save_texts
else:
    __getattr__, __dir__, __all__ = lazily(__name__, __file__)

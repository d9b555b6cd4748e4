"""Language models: loading, tokens, sites, and passes through them. The only room that imports transformer_lens."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neurosteer.lazy import lazily

if TYPE_CHECKING:
    from .attach import Applied as Applied
    from .attach import editing as editing
    from .attach import edits_on as edits_on
    from .attach import pristine as pristine
    from .attach import prompt_ends_at as prompt_ends_at
    from .builtin import known_models as known_models
    from .hooks import is_hooked as is_hooked
    from .load import load_model as load_model
    from .model import Model as Model
    from .passes import reading as reading
    from .passes import resuming as resuming
    from .passes import site_width as site_width
    from .placing import placed as placed
    from .random_weights import untrained as untrained
    from .sites import check_site as check_site
    from .sites import resolve_layers as resolve_layers
    from .tokens import encode as encode
    from .tokens import sentence_tokens as sentence_tokens
    from .where import touched as touched
else:
    __getattr__, __dir__, __all__ = lazily(__name__, __file__)

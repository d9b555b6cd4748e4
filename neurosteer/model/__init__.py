"""Language models: loading, tokens, sites, and passes through them. The only room that imports transformer_lens."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neurosteer.lazy import lazily

if TYPE_CHECKING:
    from .baking import bake as bake
    from .builtin import known_models as known_models
    from .devices import to_device as to_device
    from .edit_hooks import ActiveEdit as ActiveEdit
    from .edit_hooks import active_edits as active_edits
    from .edit_hooks import editing as editing
    from .edit_hooks import prompt_ends_at as prompt_ends_at
    from .edit_hooks import without_hooks as without_hooks
    from .fetch import fetch_model as fetch_model
    from .fetch import in_cache as in_cache
    from .hooks import is_hooked as is_hooked
    from .known import KnownModel as KnownModel
    from .known import ModelRequest as ModelRequest
    from .known import known_model as known_model
    from .layer_gates import LayerGates as LayerGates
    from .layer_gates import gating as gating
    from .libraries import essence as essence
    from .libraries import quiet_transformers as quiet_transformers
    from .load import load_model as load_model
    from .load import plain_network as plain_network
    from .model import Model as Model
    from .next_logits import NextLogits as NextLogits
    from .passes import capture as capture
    from .passes import resuming as resuming
    from .promoted import logit_weights as logit_weights
    from .random_weights import untrained as untrained
    from .replacement import Replacement as Replacement
    from .replacement import replacing as replacing
    from .sites import check_site as check_site
    from .sites import resolve_layers as resolve_layers
    from .tokens import check_specials as check_specials
    from .tokens import encode as encode
    from .tokens import sentence_tokens as sentence_tokens
    from .where import edited_positions as edited_positions
    from .widths import head_width as head_width
    from .widths import site_width as site_width
else:
    __getattr__, __dir__, __all__ = lazily(__name__, __file__)

"""Language models: loading, tokens, sites, and passes through them. The only room that imports transformer_lens."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neurosteer.lazy import lazily

from .builtin import known_models as known_models

if TYPE_CHECKING:
    from .load import load_model as load_model
    from .model import Model as Model
    from .passes import is_hooked as is_hooked
    from .passes import reading as reading
    from .passes import site_width as site_width
    from .sites import SITES as SITES
    from .sites import check_site as check_site
    from .sites import resolve_layers as resolve_layers
    from .tokens import encode as encode

_MODULE_OF = {
    "Model": "model",
    "SITES": "sites",
    "encode": "tokens",
    "load_model": "load",
    "check_site": "sites",
    "reading": "passes",
    "resolve_layers": "sites",
    "is_hooked": "passes",
    "site_width": "passes",
}


__getattr__ = lazily(__name__, _MODULE_OF)

"""Causal masks: hard concrete gates that learn the smallest set of units which carries a preference."""

from __future__ import annotations

from .paths import MaskSite as MaskSite
from .paths import Paths as Paths
from .paths import mask_texts as mask_texts
from .search import MaskSearch as MaskSearch
from .search import search_mask as search_mask
from .settings import MASK as MASK
from .settings import MaskSettings as MaskSettings

"""What studies find, as frozen dataclasses: the numbers that JSON, tables and figures show. No tensors, no model."""

from __future__ import annotations

from .comparison import LayerComparison as LayerComparison
from .comparison import RankingComparison as RankingComparison
from .comparison import Shared as Shared
from .record import APART as APART
from .record import Estimate as Estimate
from .record import Json as Json
from .record import frame as frame
from .record import key as key
from .record import read_record as read_record
from .record import record as record

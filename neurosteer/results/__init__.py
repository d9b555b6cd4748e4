"""What studies find, as frozen dataclasses: the numbers that JSON, tables and figures show. No tensors, no model."""

from __future__ import annotations

from neurosteer.vocabulary import Json as Json

from .comparison import LayerComparison as LayerComparison
from .comparison import RankingComparison as RankingComparison
from .comparison import Shared as Shared
from .find import Agreement as Agreement
from .find import BaselineIntervals as BaselineIntervals
from .find import FindData as FindData
from .find import FindIntervals as FindIntervals
from .find import FindLayer as FindLayer
from .find import FindResult as FindResult
from .find import Interval as Interval
from .find import MaskedProbe as MaskedProbe
from .find import NewWords as NewWords
from .find import PredictedDrop as PredictedDrop
from .find import RandomSets as RandomSets
from .find import RankedNeuron as RankedNeuron
from .find import TokenIntervals as TokenIntervals
from .mask import CausalMask as CausalMask
from .mask import MaskedNeuron as MaskedNeuron
from .mask import MaskPoint as MaskPoint
from .mask import WithMassive as WithMassive
from .model import ModelDescription as ModelDescription
from .pairs_used import PairsUsed as PairsUsed
from .pairs_used import SplitSizes as SplitSizes
from .record import APART as APART
from .record import Estimate as Estimate
from .record import frame as frame
from .record import key as key
from .record import read_record as read_record
from .record import record as record
from .verdict import Verdict as Verdict

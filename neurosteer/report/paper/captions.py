"""How to read each figure, and what it does not show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from .about import drawn


@dataclass(frozen=True)
class Caption:
    read: str
    limits: str


HEADINGS = {
    "fig2": "Figure 2: masked probes",
    "fig3": "Figure 3: top-k probes",
    "fig4": "Figure 4: do the two selections agree?",
    "fig5": "Figure 5: chosen against random units",
    "fig6": "Figure 6: transfer between tasks",
    "overlap": "Overlap of the neuron sets",
    "controls": "Controls: basis and training",
    "causal": "Causal transfer",
}

CAPTIONS = {
    "fig2": Caption(
        "One line per λ, from light (sparse) to dark. Above, the share of a layer's units whose gate the L0 penalty "
        "leaves open; below, the test accuracy of the probe on those units. The broad grey line is the dense "
        "probe. Dashed lines are classifiers that see only words, fitted on the same split.",
        "That the model uses the units kept, or that only they would do: correlated units stand in for each other. "
        "What lies below the dashed lines may be read off the words. Where a layer holds little, what a mask keeps "
        "is arbitrary.",
    ),
    "fig3": Caption(
        "One line per k, from light (one unit) to dark (all). The bold line is the k of this recipe, about which "
        "the other experiments ask. The broad grey line is the dense probe, dashed lines see only words.",
        "Which units these are, or whether another k of them would read as much (figure 5 asks that).",
    ),
    "fig4": Caption(
        "Solid lines: Spearman's rank correlation of |t| and gate over all units of a layer. Dashed, in the same "
        "colour: the largest value that the many gates at exactly 0 and 1 allow. Where all gates are equal, as at "
        "λ = 1, there is no correlation; where they are in more than half of the tasks, there is no line.",
        "That the two would choose the same units: a mask needs only one of several units that say the same, while "
        "|t| ranks each by itself. Compare with the dashed line, not with 1.",
    ),
    "fig5": Caption(
        "Above, the top k by |t| (bold) beside random sets drawn from the rest, from light (few) to dark (all "
        "others). Below, for each chosen unit the number of random ones that reach the same mean accuracy, "
        "interpolated, on a logarithmic scale, with its 95 % interval; hollow, the median over single "
        "tasks. At 1, as many random units or fewer do. A triangle at the top: not even all other units reach it; a "
        "bar up to the top: the interval has no upper end.",
        "That what the chosen units say is said by them alone, or that neurons are special: in any basis some "
        "directions say more than others (the controls ask that).",
    ),
    "fig6": Caption(
        "Rows are training tasks, columns the tasks tested on, grouped by phenomenon. Grey is chance, blue and dark "
        "better, yellow and light worse. A dark row is a probe that transfers broadly, a dark block one that "
        "transfers within its phenomenon. Accuracy at threshold 0 asks whether the very boundary carries over. "
        "Beside the mean of each row, bands say where the same means lie for probes of flipped labels, over all "
        "other tasks: filled for sparse ones, dashed for dense ones. Hold the means over other phenomena against "
        "them; those over fewer tasks spread more. Test pairs with a sentence that a training task has seen are left "
        "out of its cells.",
        "What transfers: sentence length, frequency or a last word shared by two tasks would too. Cells of one row "
        "share a probe, and are no independent findings.",
    ),
    "fig6.pairwise": Caption(
        "The same probes, judged by whether the good sentence of a pair scores higher than the bad one: the "
        "direction alone counts, wherever the boundary lies.",
        "More than figure 6: a high value here beside a low one there means that a direction is shared, and its "
        "threshold is not.",
    ),
    "overlap": Caption(
        "Above, the shared part of the neuron sets of each two tasks, of k; the diagonal is 1 unless a mask leaves "
        "fewer than k open. Below on the left, its mean within and across phenomena; p from phenomena dealt at "
        "random. Below on the right, the shared part of two sets of one task: from disjoint folds of its train "
        "pairs, and from other splits and seeds. Dashed, what two sets A and B share by chance: |A||B| / width "
        "units, averaged over the pairs of sets.",
        "That tasks share a mechanism: units of large variance enter many sets.",
    ),
    "controls": Caption(
        "Left, the neurons as they are; middle, the standardised states, rotated at random (the rotation comes after "
        "standardisation, so that no massive unit fills every axis); right, a model of the same shape with random "
        "weights. Above, the dense probe (grey), the top k and as many random units; below, how many random units "
        "the top k are worth. At each layer all means are over the same tasks: those that the dense probe reads in "
        "every variant.",
        "That neurons are special where the middle column looks like the left one: there the advantage of chosen "
        "units needs no privileged basis. What the right column reads off, words give away.",
    ),
    "causal": Caption(
        "Each cell: the change of the column's mean margin, log P(good) minus log P(bad), in nats, while the "
        "neurons of the row's task are set to zero. Red and dark is a drop, on one scale for all maps. Each set has "
        "matched controls of its own, the same for all targets: as many units of every block of like ones, the "
        "set's own not excepted. Above each map, p of all own and of all other cells, each tested as one family. A "
        "ring (only with controls enough for single cells): q < .05, Benjamini-Hochberg over the family. Below on "
        "the right, means that count each source once, and as small dots the same means of its controls. No set and "
        "no control holds a massive unit (whose RMS is 10 times the layer's median or more).",
        "That a large drop is specific: an ablated state is off the model's usual path. Nor what massive units do, "
        "which are in no set. Single cells without rings are descriptive. Attribution is selected on the outcome "
        "measured here, though on other pairs: hold it against its null searches.",
    ),
    "causal.predicted": Caption(
        "The same for all pairs of tasks, predicted to first order: minus the sum of the column's attributions over "
        "the row's neurons. The scale ends where its label says.",
        "More than a linear forecast: how far it holds for measured cells is the next figure. Attribution chose its "
        "own sets for this very sum on these very pairs: its own cells are no finding here, and have no interval.",
    ),
    "causal.agreement": Caption(
        "Left, measured cells beside their predictions; axes are linear near 0 and logarithmic beyond; on the "
        "dashed line both agree. Right, rank correlations over cells of two different tasks: do transfer of probes "
        "and shared neurons (what is encoded) foretell what an ablation does (what is used)?",
        "Cause and effect between the matrices: a task with a large margin has large changes whoever's neurons go.",
    ),
}

LEXICAL = (
    " Words are held out on the diagonal alone: the training of another task may have seen the words that a task is "
    "tested on."
)


BANDED = ("fig2", "fig3", "fig4", "fig5", "controls")


def caption_of(name: str, outcome: Mapping[str, Any]) -> Caption:
    """The caption of a figure of a run, with what its kind of split and its tasks call for."""
    caption = CAPTIONS[name]
    across = outcome["data"]["split"] == "lexical" and name in ("fig6", "fig6.pairwise")
    banded = name in BANDED and len(outcome["tasks"]) > 1
    read = caption.read + (_intervals(outcome) if banded else "")
    return replace(caption, read=read, limits=caption.limits + (LEXICAL if across else ""))


def _intervals(outcome: Mapping[str, Any]) -> str:
    """What bands are over."""
    resampled = outcome["settings"]["resampled"]
    if not (over := drawn(outcome)):
        return f" There are no intervals: of fewer than {resampled['least']} tasks they would tell nothing."
    whole = ", resampled whole, as the tasks of one are alike" if resampled["what"] == "phenomena" else ""
    return f" Bands and bars are 95 % bootstrap intervals over the {over}{whole}."

"""Do the paper's claims hold for this model? Each with its criterion, how often it holds, and the numbers behind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from neurosteer.vocabulary import AGREE, ENOUGH

from .bands import above_chance

FEW = 0.25  # of the units
TIMES = 6
BROAD = 0.75  # of the tasks of other phenomena
PAPER_LAMBDA = 0.2
Row = dict[str, Any]


def verdicts(results: Sequence[Row], settings: Mapping[str, Any]) -> list[Row]:
    """One per claim that the experiments of a run speak to."""
    by_name = {result["experiment"]: result for result in results}
    found = [
        _few_units(by_name, settings),
        _agreement(by_name, settings),
        _worth(by_name),
        _later(by_name, settings),
        _transfer(by_name),
    ]
    return [verdict for verdict in found if verdict is not None]


def _verdict(claim: str, statement: str, criterion: str, holds: int, of: int, unit: str, reading: str) -> Row:
    return {
        "claim": claim,
        "statement": statement,
        "criterion": criterion,
        "holds": holds,
        "of": of,
        "unit": unit,
        "text": f"holds in {holds} of {of} {unit}" if of else "cannot be judged here",
        "reading": reading,
    }


def _few_units(results: Mapping[str, Row], settings: Mapping[str, Any]) -> Row | None:
    if not {"fig2", "fig3"} <= results.keys():
        return None
    masked, topk = results["fig2"]["rows"], results["fig3"]["rows"]
    most = int(FEW * settings["width"])
    layers = settings["layers"]

    few = {
        "masks": [row for row in masked if row["kept"] is not None and row["kept"] <= FEW],
        "tops": [row for row in topk if row["k"] <= most],
    }
    masks, tops = ([layer for layer in layers if _enough(rows, layer)] for rows in few.values())
    both = sorted(set(masks) & set(tops))
    return _verdict(
        "a",
        "At most 25 % of the units reach 95 % of the dense probe's accuracy, with either selection.",
        f"mean over tasks of accuracy / dense accuracy at least {ENOUGH:.2f}, on test data: at that lambda of those "
        f"that keep at most 25 % of the units, and at that k of at most {most}, which is best on validation data "
        "(tasks whose dense probe reads anything)",
        len(both),
        len(layers),
        "layers",
        f"Masks do in {len(masks)} layers, the largest |t| in {len(tops)}.",
    )


def _enough(rows: Sequence[Row], layer: int) -> bool:
    """Whether the row that is best on validation data reaches enough on test data."""
    here = [row for row in rows if row["layer"] == layer and row["relative_validation"] is not None]
    best = max(here, key=lambda row: row["relative_validation"], default=None)
    return best is not None and bool(best["relative"] >= ENOUGH)


def _agreement(results: Mapping[str, Row], settings: Mapping[str, Any]) -> Row | None:
    if "fig4" not in results:
        return None
    wanted, lambdas = settings["lambda"], results["fig4"]["lambdas"]
    lam = next((value for value in (wanted, PAPER_LAMBDA) if value in lambdas), lambdas[0])
    every = [row for row in results["fig4"]["rows"] if row["lambda"] == lam]
    rows = [row for row in every if row["judged"] and row["spearman"] is not None]
    shares = [row["spearman"] / row["limit"] for row in rows]
    reading = (
        f"Spearman is {_mean(row['spearman'] for row in rows):.2f} on average over layers, where ties allow "
        f"{_mean(row['limit'] for row in rows):.2f} at most."
        if rows
        else "No gates to compare."
    )
    if unjudged := len(every) - len(rows):
        reading += f" {unjudged} of {len(every)} layers cannot be judged."
    return _verdict(
        "b",
        "The two selections agree.",
        f"at lambda {lam:g} the mean Spearman of |t| and gate is at least half of the largest that its ties allow, "
        "in layers where the gates of at least half of the tasks differ",
        sum(share >= AGREE for share in shares),
        len(rows),
        "layers",
        reading,
    )


def _worth(results: Mapping[str, Row]) -> Row | None:
    if "fig5" not in results:
        return None
    rows = [row for row in results["fig5"]["rows"] if row["tasks"]]
    beyond = sum(row["beyond"] for row in rows)
    multiples = [row["multiple"] for row in rows if row["multiple"] is not None]
    holds = sum(row["beyond"] or row["multiple"] >= TIMES for row in rows)
    readings = []
    if multiples:
        worth = f"{np.median(multiples):.1f} times as many random units"
        readings += [
            f"Where random units match them, the median layer's top {results['fig5']['k']} are worth {worth}."
        ]
    if beyond:
        readings += [f"In {beyond} layers no number of random units does."]
    return _verdict(
        "c",
        "The chosen 1 % is worth 6 times as many random units.",
        f"random sets reach the mean accuracy of the top {results['fig5']['k']} with 6 times as many units or more, "
        "or never",
        holds,
        len(rows),
        "layers",
        " ".join(readings) or "The dense probe reads nothing at any layer.",
    )


def _later(results: Mapping[str, Row], settings: Mapping[str, Any]) -> Row | None:
    if "fig2" not in results:
        return None
    rows = results["fig2"]["rises"]
    judged = [row for row in rows if row["rho_low"] is not None]
    told = [
        f"{row['rho']:+.2f} at {row['lambda']:g}"
        + ("" if row["rho_low"] is None else f" ({row['rho_low']:+.2f} to {row['rho_high']:+.2f})")
        for row in rows
    ]
    reading = [f"Spearman of layer and kept share by lambda: {', '.join(told)}."] if told else []
    if rows and not judged:
        reading += [f"Fewer than {settings['resampled']['least']} tasks give no interval."]
    elif falling := sum(row["rho_high"] < 0 for row in judged):
        reading += [f"It falls with the layer, by the same criterion, at {falling} of {len(judged)} lambdas."]
    return _verdict(
        "d",
        "Later layers spread the information over more units.",
        f"at a lambda below 1, the mean kept share rises with the layer ({_above_zero(settings)})",
        sum(row["rho_low"] > 0 for row in judged),
        len(judged),
        "lambdas",
        " ".join(reading),
    )


def _above_zero(settings: Mapping[str, Any]) -> str:
    return f"95 % interval of Spearman over {settings['resampled']['what']} above 0"


def _transfer(results: Mapping[str, Row]) -> Row | None:
    if "fig6" not in results:
        return None
    result = results["fig6"]
    names, phenomena = result["tasks"], result["phenomena"]
    pairs = np.array(result["pairs"])
    counts = {probe: _bands(result[probe]["accuracy"], phenomena, pairs) for probe in ("sparse", "dense")}
    broad = [name for name, share in zip(names, counts["sparse"], strict=True) if share >= BROAD]
    dense = sum(share >= BROAD for share in counts["dense"])
    others = _mean(row["sparse_other"] for row in result["means"] if row["sparse_other"] is not None)
    named = f" ({', '.join(broad[:3])}{', ...' if len(broad) > 3 else ''})" if broad else ""
    return _verdict(
        "e",
        "Some tasks' probes transfer broadly.",
        "a sparse probe is above chance (one-sided binomial p < .05, threshold 0) in at least 75 % of the tasks of "
        "other phenomena",
        len(broad),
        len(names),
        "training tasks",
        f"{len(broad)} sparse probes do{named}, {dense} dense ones; on tasks of other phenomena a sparse probe is "
        f"right in {others:.3f} of the sentences on average. Of the cells of probes of flipped labels "
        f"{_percent(result['null']['accuracy_sparse']['above'])} (dense "
        f"{_percent(result['null']['accuracy_dense']['above'])}) are above chance too, where 5 % would be due."
        if np.isfinite(others)
        else "There are no tasks of other phenomena.",
    )


def _bands(matrix: Sequence[Sequence[float | None]], phenomena: Sequence[str], pairs: np.ndarray) -> list[float]:
    """For each row the share of the tasks of other phenomena whose cell is above chance."""
    values, names = np.array(matrix, dtype=float), np.array(phenomena)
    others = (names[:, None] != names) & np.isfinite(values)
    above = above_chance(values, pairs) & others
    count = others.sum(axis=1)
    return (above.sum(axis=1) / np.maximum(count, 1)).tolist()


def _percent(share: float | None) -> str:
    return "none" if share is None else f"{100 * share:.1f} %"


def _mean(values: Any) -> float:
    listed = list(values)
    return float(np.mean(listed)) if listed else float("nan")

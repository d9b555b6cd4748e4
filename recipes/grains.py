"""Where does the preference live? Runs of `ablate --kl` at several grains, in one table and one figure.

    python recipes/grains.py runs/ablate-*

Writes recipes/grains.csv and recipes/grains.png: for each task and grain the share of the mean margin (nats) that is
lost where neutral text is disturbed by the same KL, beside the shares that its matched controls lose.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import neurosteer as ns
from neurosteer.report.canvas import (
    BLUE,
    FAINT,
    GREEN,
    GREY,
    INK,
    PURPLE,
    SMALL,
    VERMILION,
    Look,
    as_written,
    footnotes,
    headline,
    new_figure,
    own_style,
    plain,
    save_figure,
)
from neurosteer.report.numbers import divergence, p_equals
from neurosteer.studies.runs import read_run

HERE = Path(__file__).parent
LOOKS: dict[str, Look] = {  # grains, as they stand in a group
    "neurons": {"color": BLUE, "marker": "o"},
    "MLP neurons": {"color": GREEN, "marker": "s"},
    "heads": {"color": PURPLE, "marker": "D"},
    "direction": {"color": VERMILION, "marker": "^"},
}
NEARLY = 0.9  # of the KL that was asked for: what disturbs less has been taken away whole


def grain_of(effect: ns.Effect) -> str:
    if effect.edit.by != "unit":
        return {"head": "heads", "direction": "direction"}[effect.edit.by]
    return "MLP neurons" if effect.edit.site == "mlp_post" else "neurons"


def rows(effect: ns.Effect) -> list[dict[str, object]]:
    """The set or direction itself, and a row for each of its controls."""
    margin, controls, equal = effect.margin, effect.controls, effect.equal
    if controls is None or controls.kls is None or equal is None:
        raise ns.InputError(f"{effect.task}: only runs of `ablate --kl` with controls can be compared")
    about = {"task": effect.task, "grain": grain_of(effect), "k": effect.edit.k, "layers": len(effect.edit.layers)}
    own = {
        "set": "chosen",
        "share_lost": -margin.delta / margin.before,
        "low": -margin.high / margin.before,
        "high": -margin.low / margin.before,
        "kl": effect.side_effects.kl,
        "p": controls.p,
        "scale": effect.edit.scale,
    }
    among = [
        {"set": f"control {i}", "share_lost": -delta / margin.before, "kl": kl, "scale": scale}
        for i, (delta, kl, scale) in enumerate(zip(controls.deltas, controls.kls, equal.scales, strict=True))
    ]
    return [about | one for one in (own, *among)]


@own_style()
def draw(table: pd.DataFrame, kl: float, model: str) -> Figure:
    tasks, grains = list(dict.fromkeys(table.task)), [grain for grain in LOOKS if grain in set(table.grain)]
    figure = new_figure(8.4, 1.3 + 1.15 * len(tasks))
    axes = figure.add_subplot()
    plain(axes)
    axes.grid(axis="y", visible=False)
    axes.grid(axis="x", color="#E6E6E6", linewidth=0.8)
    axes.axvline(0, color=INK, linewidth=1.0, zorder=1)
    step = len(grains) + 1.2
    for number, task in enumerate(tasks):
        above: Look = {"xycoords": ("axes fraction", "data"), "xytext": (4, 0), "weight": "bold"}
        axes.annotate(task, (0, number * step - 0.85), **SMALL | above)
        for place, grain in enumerate(grains):
            here = table[(table.task == task) & (table.grain == grain)]
            if len(here):
                row(axes, number * step + place, here, kl)
    at = [number * step + place for number in range(len(tasks)) for place in range(len(grains))]
    axes.set_yticks(at, grains * len(tasks), fontsize=9)
    axes.tick_params(axis="y", length=0)
    axes.set_ylim(len(tasks) * step - 1.2, -1.6)
    axes.xaxis.set_major_formatter(lambda share, _: f"{100 * share:.0f} %")
    headline(
        figure,
        "Where the preference lives",
        [f"{model}, share of the margin lost at KL {divergence(kl)} nats a token"],
    )
    footnotes(
        axes,
        [
            "Grey: matched controls at the same KL, one dot each (the few that cannot reach it: taken away whole). "
            "Bars: 95 % interval over test pairs. p: among the controls. A KL beside p: what was chosen was taken "
            "away whole, and disturbs no more than that.",
        ],
    )
    as_written(figure)
    return figure


def row(axes: Axes, y: float, here: pd.DataFrame, kl: float) -> None:
    """One grain in one task: its controls, and beside them what was chosen."""
    chosen, controls = here[here["set"] == "chosen"].iloc[0], here[here["set"] != "chosen"].share_lost
    axes.hlines(y, controls.min(), controls.max(), color=GREY, alpha=0.3, linewidth=9, zorder=2)
    axes.plot(controls, [y] * len(controls), "o", color=GREY, markersize=3.5, markeredgecolor="white", zorder=3)
    bars = [[chosen.share_lost - chosen.low], [chosen.high - chosen.share_lost]]
    look: Look = {"markersize": 7, "capsize": 3, "linewidth": 1.6, "zorder": 4, **LOOKS[chosen.grain]}
    axes.errorbar([chosen.share_lost], [y], xerr=bars, **look)
    text = p_equals(chosen.p) + (f", KL {divergence(chosen.kl)}" if chosen.kl < NEARLY * kl else "")
    axes.annotate(
        text, (1, y), xycoords=("axes fraction", "data"), xytext=(6, 0), va="center", **SMALL | {"color": FAINT}
    )


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("runs", nargs="+", type=Path, help="folders of `ablate --kl`, one for each task and grain")
    runs = parser.parse_args(arguments).runs
    effects = [effect for run in runs for effect in ns.open_run(run, ns.Effect)]
    models = sorted({read_run(run)["model"]["name"] for run in runs})
    kls = {effect.equal.kl for effect in effects if effect.equal}
    if len(models) != 1 or len(kls) != 1:
        raise SystemExit(f"runs of one model at one KL are wanted; these are of {', '.join(models)} at {sorted(kls)}")
    table = pd.DataFrame([one for effect in effects for one in rows(effect)])
    names = list(LOOKS)
    table = table.sort_values("grain", key=lambda column: column.map(names.index), kind="stable")
    table.to_csv(HERE / "grains.csv", index=False, float_format="%.6g", lineterminator="\n")
    save_figure(draw(table, *kls, *models), HERE / "grains.png")
    chosen = table[table["set"] == "chosen"].sort_values("task", kind="stable")
    print(chosen[["task", "grain", "k", "share_lost", "low", "high", "p", "kl"]].round(3).to_string(index=False))


if __name__ == "__main__":
    main()

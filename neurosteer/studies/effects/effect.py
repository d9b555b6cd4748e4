"""`Effect`: the result of `measure_effect`, how it shows itself, and how it is kept."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from jaxtyping import Float

from neurosteer.artefacts import CONTROLS, TOKENS
from neurosteer.errors import InputError, NeurosteerError
from neurosteer.neurons import Direction, NeuronSet
from neurosteer.report import effect_html, effect_table, rows_csv, to_json
from neurosteer.results import APART, frame, read_record, record
from neurosteer.results.effect import EffectFiles, EffectResult, PairEffect
from neurosteer.results.record import read_csv
from neurosteer.store import SUFFIX, file_stem, write_artefact, write_bytes
from neurosteer.studies.runs import RESULTS, read_run, write_alone
from neurosteer.studies.token_scores import TokenScores
from neurosteer.vocabulary import counted

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class Effect(EffectResult):
    """What `measure_effect` found: margins, their changes and what matched sets do. All margins are in nats.

    The headline is `controls.p`: how unusual the change `margin.delta` is among those of matched neuron sets.

    Attributes:
        task: name of the task.
        phenomenon: the group of BLiMP tasks that it belongs to, if any.
        data: source, number and digest of the pairs, and how many were measured.
        method: of the ranking that chose the neurons, if one did.
        edit: what was done, where, and to how many neurons.
        neurons: the edited neurons, highest score first; none for a direction.
        groups: number of groups of pairs that share an item or a sentence; intervals resample groups.
        accuracy: share of pairs with a margin above 0, `before` and `after`.
        margin: mean margin `before` and `after`, its change `delta` and the 95 % interval (`low`, `high`) of that.
        flipped: number of pairs whose preference is `lost` or `gained`.
        controls: what matched sets do: their changes, `p` and the smallest detectable change; None without any.
        nothing_to_lose: whether the unedited model has no clear preference; None where too few groups can tell.
        verdict: in words; None without controls.
        without_massive: the same without massive neurons; None where none, or every one, is massive.
        exchanged: for a direction, what those found on exchanged labels do.
        side_effects: KL (nats per token) and perplexity on neutral text.
        by_scale: a row per scale, ascending; empty where there is only one.
        kinds: a row per reference that was compared.
        kinds_agree: whether the set stands out, and to the same side, with every reference; None if that is open.
        also: a row per other task.
        notices: lines about the result that are no errors.
        reading: the result in sentences.
        neurons_from: the run or file that the neurons come from, if any.
        files: the files of a run folder, if the effect is in one.
        convention: how sentences were scored; None for `sum`.
        equal: the scales at which all sets reach the same KL, if `kl` was asked for.
        neuron_set: the neurons, or the direction, that were edited.
        by_pair: a row per pair, with its margin before and after.
        digest: of the measured pairs; empty where a run of version 0.1 has none.
        control_margins: `[control, pair]`, under each control; no rows where a run of 0.1 has only their mean.
        tokens: log-probabilities by token, of the pairs that change most; None where a run has none (version 0.1).

    Example:
        >>> effect.controls.p, effect.before.shape, effect.after.shape
        (0.05, (60,), (60,))
        >>> effect.to_frame().shape, len(effect.to_csv().splitlines()), effect.figure()
        ((60, 6), 61, <Figure size ...>)
        >>> path = effect.save("mine")
        >>> ns.Effect.load("mine").to_json() == effect.to_json()
        True
    """

    neuron_set: Annotated[NeuronSet | Direction, APART]  # what was edited
    by_pair: Annotated[tuple[PairEffect, ...], APART]
    digest: Annotated[str, APART]  # of the pairs that were measured; empty where a run of version 0.1 has none
    control_margins: Annotated[Float[np.ndarray, "control pair"], APART]  # no rows where only their mean was kept
    tokens: Annotated[TokenScores | None, APART] = None  # of the pairs that change most; None in runs of 0.1

    @property
    def before(self) -> Float[np.ndarray, "pair"]:
        """The margin of each pair in the unedited model, `[pair]`."""
        return np.array([row.margin_before for row in self.by_pair])

    @property
    def after(self) -> Float[np.ndarray, "pair"]:
        """The margin of each pair under the edit, `[pair]`."""
        return np.array([row.margin_after for row in self.by_pair])

    def to_frame(self) -> pd.DataFrame:
        """A row per pair: its id and sentences, its margins before and after, and the mean of the controls (nats)."""
        return frame(self.by_pair)

    def to_json(self) -> str:
        """The element of `results` in the JSON of `neurosteer ablate`."""
        return to_json(record(self))

    def to_csv(self) -> str:
        """`to_frame` as CSV."""
        return rows_csv([record(row) for row in self.by_pair])

    def figure(self, ax: Axes | None = None) -> Figure:
        """Draw the change and those of the controls.

        Args:
            ax: matplotlib axes to draw in; None makes a new figure.

        Returns:
            The matplotlib figure.
        """
        from neurosteer.report import effect_figure

        return effect_figure([self], ax=ax)

    def doses(self) -> Figure:
        """Draw the dose-response curve.

        Returns:
            The matplotlib figure.

        Raises:
            InputError: for an effect at a single scale.

        Example:
            >>> curve = ns.measure_effect(model, found.test, ns.Edit.ablate(top), scales=[0.0, 0.5], controls=1)
            >>> curve.doses()
            <Figure size ...>
        """
        from neurosteer.report import dose_figure

        if len(self.by_scale) < 2:
            raise InputError("one scale is no curve: measure several with scales=")
        return dose_figure(self)

    def save(self, folder: str | os.PathLike[str]) -> Path:
        """Write a folder that `Effect.load` reads: results.json, the neurons and the margins of all pairs.

        Args:
            folder: where; what an earlier `save` wrote there is replaced.

        Returns:
            The path of the folder.

        Raises:
            InputError: for a folder with anything else in it.
        """
        place, network = Path(folder), self.neuron_set.metadata.get("network")
        command = "ablate" if self.edit.scale == 0 else "amplify"
        kept = replace(self, files=effect_files(place, self))
        return write_alone(place, command, network, kept, lambda draft: write_effect(draft, self))

    @classmethod
    def load(cls, folder: str | Path) -> Effect:
        """Read what `save` wrote, or a run of `neurosteer ablate` by one method.

        Args:
            folder: the folder; `open_run` reads one with several methods.

        Returns:
            The effect.

        Raises:
            InputError: where there is no effect, or more than one.
        """
        effects = load_effects(Path(folder))
        if len(effects) != 1:
            raise InputError(f"{folder} has {len(effects)} effects; read them with neurosteer.open_run")
        return effects[0]

    def __repr__(self) -> str:
        measured = f"{self.task}, {counted(self.data.tested, 'pair')}, margin {self.margin.delta:+.2f} nats"
        p = "" if self.controls is None else f", p {self.controls.p:.3g}"
        return f"Effect({measured}{p}, {self.neuron_set!r})"

    def __rich__(self) -> Any:
        return effect_table(self)

    def _repr_html_(self) -> str:
        return effect_html([self])


def effect_files(folder: Path, effect: Effect) -> EffectFiles:
    """Where a folder keeps an effect's neurons and margins."""
    stem = folder / effect_stem(effect)
    return EffectFiles(
        neurons=f"{stem}{SUFFIX}",
        pairs=f"{stem}.csv",
        controls=f"{stem}.{CONTROLS.kind}{SUFFIX}",
        tokens=None if effect.tokens is None else f"{stem}.{TOKENS.kind}{SUFFIX}",
    )


def effect_stem(effect: EffectResult) -> str:
    """How the names of its files begin."""
    return f"{file_stem(effect.task)}.{file_stem(effect.method or 'given')}"


def write_effect(folder: Path, effect: Effect) -> None:
    """Write all of an effect but its JSON."""
    files = effect_files(folder, effect)
    assert files.controls is not None
    effect.neuron_set.save(files.neurons)
    write_bytes(Path(files.pairs), effect.to_csv().encode())
    metadata = {"task": effect.task, "pairs": effect.digest}
    write_artefact(Path(files.controls), CONTROLS.kind, {"margins": effect.control_margins}, metadata)
    if effect.tokens is not None:
        assert files.tokens is not None
        effect.tokens.save(Path(files.tokens))


def load_effects(folder: Path) -> list[Effect]:
    """The effects of a run of `ablate` or `amplify`, one per neuron set, also where the folder was moved.

    Raises `InputError` for a folder without any, and for effects that this version cannot read.
    """
    try:
        rows = read_run(folder)["results"]
        results = [read_record(EffectResult, row) for row in rows]
        return [_load(folder, result) for result in results]
    except OSError as error:
        raise InputError(f"no effect in '{folder}': {error.strerror}") from None
    except NeurosteerError:
        raise
    except (ValueError, KeyError, TypeError) as error:
        message = f"{folder / RESULTS} is not the result of `neurosteer ablate` or `amplify`: {error}"
        raise InputError(message) from None


def _load(folder: Path, result: EffectResult) -> Effect:
    if result.files is None:
        raise InputError(f"{folder / RESULTS} names no files")
    neurons, pairs = (folder / Path(name).name for name in (result.files.neurons, result.files.pairs))
    by_pair = tuple(read_csv(PairEffect, pairs))
    margins, digest = np.empty((0, len(by_pair))), ""
    if result.files.controls is not None:
        arrays, metadata = CONTROLS.read(folder / Path(result.files.controls).name, pair=len(by_pair))
        margins, digest = arrays["margins"], metadata["pairs"]
    own, kept = replace(result, files=None), result.files.tokens
    edited = Direction.load(neurons) if result.edit.by == "direction" else NeuronSet.load(neurons)
    return Effect(
        **vars(own),
        neuron_set=edited,
        by_pair=by_pair,
        digest=digest,
        control_margins=margins,
        tokens=None if kept is None else TokenScores.load(folder / Path(kept).name),
    )

"""`Evidence`: the result of `evidence`, how it shows itself, and how it is kept."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from neurosteer.errors import InputError, NeurosteerError
from neurosteer.neurons import Direction, NeuronSet
from neurosteer.report import answers_csv, curve_csv, elsewhere_csv, evidence_html, evidence_table, map_csv, to_json
from neurosteer.results import APART, frame, read_record, record
from neurosteer.results.evidence import EvidenceFiles, EvidenceResult
from neurosteer.store import SUFFIX, file_stem, write_bytes
from neurosteer.studies.runs import RESULTS, read_run, write_alone

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class Evidence(EvidenceResult):
    """What `evidence` found: an answer to each question about a neuron set or a direction, and the verdict.

    Shares are of the clean mean margin; margins are in nats.

    Attributes:
        task: name of the task.
        phenomenon: the group of BLiMP tasks that it belongs to, if any.
        data: source, number and digest of the pairs, and how many were measured.
        method: of the ranking that chose the neurons; None for those of your own choice.
        site: which activation the neurons are units of.
        layers: blocks that the set was chosen from.
        k: number of neurons, or heads; 1 for a direction.
        by: `unit`, `head` or `direction`.
        width: number of units, or heads, of these layers together.
        to: what edits move units towards.
        reach: at which layers the edits act.
        seed: decided every draw.
        groups: number of groups of test pairs that share an item or a sentence; intervals resample groups.
        margin: clean mean margin of the test pairs.
        margin_low: lower end of its 95 % interval.
        margin_high: upper end.
        tests: an `Answer` by question, in the order asked: `value`, `low`, `high`, `p`, `q`, `holds`, `sentence`.
        family: how many p-values q is adjusted for.
        curve: f at growing shares of units; empty without a ranking.
        cpr: area below f, as in MIB.
        cmd: area between f and 1.
        elsewhere: a row per other task, and for pairs about meaning.
        neutral: KL on neutral text, of the set and of each control.
        equal: the scales at which all sets reach the same KL, if `kl` was asked for.
        map: a row per layer and region of factorial items, if `map` was asked for.
        neurons: the neurons, highest score first.
        notices: lines about the result that are no errors.
        verdict: the questions that hold, and those that do not.
        reading: the result in sentences.
        neurons_from: the run or file that the neurons come from, if any.
        files: the files of a run folder, if the evidence is in one.
        neuron_set: the same neurons as a `NeuronSet`, or the direction.
        digest: of all pairs of the task.

    Example:
        >>> answers = ns.evidence(model, found, topk=12, only=("necessary", "sufficient"))
        >>> answers.tests["necessary"].holds, answers.holding
        (True, ('necessary', 'sufficient'))
        >>> answers.to_frame()["question"].tolist(), answers.to_csv().startswith("method,")
        (['necessary', 'sufficient'], True)
        >>> answers.figure(), answers.curve_figure()
        (<Figure size ...>, <Figure size ...>)
        >>> path = answers.save("six")
        >>> ns.Evidence.load("six").to_json() == answers.to_json()
        True
    """

    neuron_set: Annotated[NeuronSet | Direction, APART]
    digest: Annotated[str, APART]  # of all pairs of the task

    def to_frame(self) -> pd.DataFrame:
        """A row per question: value, interval, p, q, whether it holds, and why it has no answer."""
        return frame(self.tests.values()).drop(columns=["controls", "beside"])

    def to_json(self) -> str:
        """The element of `results` in the JSON of `neurosteer evidence`."""
        return to_json(record(self))

    def to_csv(self) -> str:
        """The answers as CSV, a row per question, each followed by the numbers that go with it."""
        return answers_csv([self])

    def figure(self, ax: Axes | None = None) -> Figure:
        """Draw a row per question, with its controls.

        Args:
            ax: matplotlib axes to draw in; None makes a new figure.

        Returns:
            The matplotlib figure.
        """
        from neurosteer.report import evidence_figure

        return evidence_figure([self], ax=ax)

    def curve_figure(self, ax: Axes | None = None) -> Figure:
        """Draw faithfulness over the share of units that are left as they are.

        Args:
            ax: matplotlib axes to draw in; None makes a new figure.

        Returns:
            The matplotlib figure.

        Raises:
            InputError: for a set without a ranking.
        """
        from neurosteer.report import faithfulness_figure

        if not self.curve:
            raise InputError("no curve: the set has no ranking, or `sufficient` was not asked or could not be told")
        return faithfulness_figure([self], ax=ax)

    def save(self, folder: str | os.PathLike[str]) -> Path:
        """Write a folder that `Evidence.load` reads: results.json, the neurons, and the tables as CSV.

        Args:
            folder: where; what an earlier `save` wrote there is replaced.

        Returns:
            The path of the folder.

        Raises:
            InputError: for a folder with anything else in it.
        """
        place, network = Path(folder), self.neuron_set.metadata.get("network")
        kept = with_files(place, self)
        return write_alone(place, "evidence", network, kept, lambda draft: write_evidence(draft, [self]))

    @classmethod
    def load(cls, folder: str | Path) -> Evidence:
        """Read what `save` wrote, or a run of `neurosteer evidence` by one method.

        Args:
            folder: the folder; `open_run` reads one with several methods.

        Returns:
            The evidence.

        Raises:
            InputError: where there is no evidence, or more than one.
        """
        found = load_evidence(Path(folder))
        if len(found) != 1:
            raise InputError(f"{folder} has the evidence of {len(found)} sets; read it with neurosteer.open_run")
        return found[0]

    def __repr__(self) -> str:
        return f"Evidence({self.task}, {self.verdict}, {self.neuron_set!r})"

    def __rich__(self) -> Any:
        return evidence_table(self)

    def _repr_html_(self) -> str:
        return evidence_html([self])


def evidence_stem(found: EvidenceResult) -> str:
    """How the names of its files begin."""
    return f"{file_stem(found.task)}.{file_stem(found.method or 'given')}"


def with_files(folder: Path, found: Evidence) -> Evidence:
    """The same, with where a folder keeps what is no JSON."""
    stem = folder / evidence_stem(found)
    files = EvidenceFiles(
        neurons=f"{stem}{SUFFIX}",
        answers=f"{folder / file_stem(found.task)}.answers.csv",
        curve=f"{folder / file_stem(found.task)}.curve.csv" if found.curve else None,
        map=f"{folder / file_stem(found.task)}.map.csv" if found.map else None,
    )
    return replace(found, files=files)


def write_evidence(folder: Path, found: Sequence[Evidence]) -> None:
    """Write all of the evidence of one task's sets but its JSON and figures."""
    stem = file_stem(found[0].task)
    tables = {"answers": answers_csv(found), "curve": curve_csv(found), "elsewhere": elsewhere_csv(found)}
    tables["map"] = map_csv(found)
    for name, text in tables.items():
        if text.count("\n") > 1:
            write_bytes(folder / f"{stem}.{name}.csv", text.encode())
    for one in found:
        one.neuron_set.save(folder / f"{evidence_stem(one)}{SUFFIX}")


def load_evidence(folder: Path) -> list[Evidence]:
    """The evidence of a run, one per neuron set, also where the folder was moved.

    Raises `InputError` for a folder without any, and for evidence that this version cannot read.
    """
    try:
        results = [read_record(EvidenceResult, row) for row in read_run(folder)["results"]]
        return [_load(folder, one) for one in results]
    except OSError as error:
        raise InputError(f"no evidence in '{folder}': {error.strerror}") from None
    except NeurosteerError:
        raise
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{folder / RESULTS} is not the result of `neurosteer evidence`: {error}") from None


def _load(folder: Path, result: EvidenceResult) -> Evidence:
    if result.files is None:
        raise InputError(f"{folder / RESULTS} names no files")
    file = folder / Path(result.files.neurons).name
    target = Direction.load(file) if result.by == "direction" else NeuronSet.load(file)
    own = replace(result, files=None)
    return Evidence(**vars(own), neuron_set=target, digest=result.data.digest)

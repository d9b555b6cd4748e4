"""Run folders: written all or nothing, named by what was asked, listed newest first."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from neurosteer.artefacts import check_path, check_run
from neurosteer.errors import CorruptFileError, InputError, cannot_draw
from neurosteer.progress import QUIET, Progress
from neurosteer.report import to_json
from neurosteer.report.pages import PAGE, run_page
from neurosteer.results import Json, read_record, record
from neurosteer.results.run import ListedRecipe, ListedRun, ListedTexts, RunListing, Runs
from neurosteer.store import MANIFEST, digest_of, file_stem, renewing, write_bytes, write_manifest

from .drafts import draft_of, sweep_drafts

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from neurosteer.model import Model

RESULTS = "results.json"


def runs(out: str | Path = "runs", progress: Progress = QUIET) -> Runs:
    """List the finished runs of a folder, newest first.

    Runs that are damaged or of another version are left out, with a notice.

    Args:
        out: the folder of runs.
        progress: where notices go.

    Returns:
        A `RunListing` per run: `command`, `model`, `tasks`, `path`, `when` and more.

    Example:
        >>> path = effect.save("runs/mine")
        >>> [(row.run, row.command, row.tasks) for row in ns.runs()]
        [('mine', 'ablate', ('number',))]
    """
    sweep_drafts(Path(out))
    found = []
    for manifest in Path(out).glob(f"*/{MANIFEST}"):
        folder = manifest.parent
        try:
            [row] = check_path(manifest)
            if not row["ok"]:
                progress.notice(f"passed over: {row['message']}")
                continue
            found.append((manifest.stat().st_mtime_ns, _listing(folder, manifest.stat().st_mtime)))
        except (OSError, ValueError, KeyError, TypeError):
            continue  # just being replaced, or not ours
    return Runs(row for _, row in sorted(found, key=lambda one: (one[0], one[1].run), reverse=True))


def _listing(folder: Path, time: float) -> RunListing:
    result = read_run(folder)
    command = result["command"]
    kinds: dict[str, type[ListedRecipe | ListedTexts | ListedRun]] = {"run": ListedRecipe, "generate": ListedTexts}
    kind: type[ListedRecipe | ListedTexts | ListedRun] = kinds.get(command, ListedRun)
    run = read_record(kind, result)
    when = f"{datetime.fromtimestamp(time):%Y-%m-%d %H:%M}"
    fields = {"run": folder.name, "command": command, "model": run.model.name, "path": str(folder), "when": when}
    return read_record(RunListing, fields | run.listed())


def read_run(folder: Path) -> dict[str, Json]:
    """The JSON object of a finished run."""
    result: dict[str, Json] = json.loads((folder / RESULTS).read_text("utf-8"))
    return result


Figures: TypeAlias = Mapping[str, "Callable[[], Figure]"]  # by the stems of their files


def run_folder(
    out: Path, command: str, model: Model, pairs: Sequence[tuple[str, str]], options: Mapping[str, Json]
) -> Path:
    """Where a run belongs: the same question to the same model about the same `pairs` lands in the same place.

    Of these it takes the task and the digest.
    """
    digest = digest_of([record(model.describe()), [digest for _, digest in pairs], dict(options)])[:8]
    first, more = pairs[0][0], len(pairs) - 1
    tasks = f"{first}+{more}" if more else first
    return out / f"{command}-{file_stem(tasks)}-{file_stem(Path(model.name).name)}-{digest}"


def write_run(
    folder: Path,
    model: Model,
    entries: Sequence[Mapping[str, Json]],
    *,
    command: str,
    options: Mapping[str, Json],
    fill: Callable[[Path], None],
    figures: Figures | None = None,
    progress: Progress = QUIET,
    **more: Json,
) -> dict[str, Json]:
    """Write a run folder. `fill` writes all but the figures and the JSON object, which is returned."""
    result = {
        "command": command,
        "version": version("neurosteer"),
        "model": record(model.describe()),
        "options": dict(options),
        "results": [dict(entry) for entry in entries],
        **more,
    }
    write_folder(folder, result, fill, figures, progress)
    return result


def refuse_foreign(folder: Path) -> None:
    """Raise `InputError` where something is that is not a run: a run must not take its place."""
    if folder.is_dir() and ((folder / MANIFEST).is_file() or not any(folder.iterdir())):
        return
    if folder.exists():
        raise InputError(f"'{folder}' is there and is no run of neurosteer; name another folder")


def write_alone(
    folder: Path,
    command: str,
    network: Mapping[str, Json] | None,
    result: object,
    fill: Callable[[Path], None],
    figures: Figures | None = None,
    **more: Json,
) -> Path:
    """Write one result as the folder of a run, in the place of an older one, and return its path.

    `network` describes the model, `more` are further keys of results.json. Raises `InputError` for a folder with
    anything else in it.
    """
    refuse_foreign(folder)
    about = {"command": command, "version": version("neurosteer"), "model": network, "options": {}}
    write_folder(folder, {**about, "results": [record(result)], **more}, fill, figures)
    return folder


def refuse_unfinished(folder: Path, *, but: Collection[str] = ()) -> None:
    """Raise `InputError` where no finished run is, `CorruptFileError` where files of it, `but` some, are damaged."""
    if not (folder / MANIFEST).is_file():
        raise InputError(f"no finished run in '{folder}' (neurosteer ls runs)")
    checked = check_run(folder, without=but)
    if not checked["ok"]:
        raise CorruptFileError(checked["message"])


def write_folder(
    folder: Path,
    result: Mapping[str, Json],
    fill: Callable[[Path], None],
    figures: Figures | None = None,
    progress: Progress = QUIET,
) -> None:
    """Write results.json, what `fill` writes and a manifest as a folder, which appears when it is complete.

    The figures and the page come last: one that fails is one notice, and Ctrl-C while they are drawn keeps all else.
    """
    stopped: KeyboardInterrupt | None = None
    try:
        with draft_of(folder) as draft:
            fill(draft)
            write_bytes(draft / RESULTS, to_json(result).encode())
            try:
                _draw(draft, figures or {}, progress)
                _write_page(draft, folder, progress)
            except KeyboardInterrupt as stop:
                stopped = stop
            write_manifest(draft)
    except OSError as error:
        error.filename = str(folder)  # nobody knows of a draft
        raise
    if stopped is not None:
        raise stopped


def _draw(draft: Path, figures: Figures, progress: Progress) -> None:
    for name, draw in figures.items():
        try:
            from neurosteer.report import save_pictures

            save_pictures(draw(), draft / name)
        except OSError:
            raise
        except Exception as error:  # whatever a drawing library says, the numbers are there
            progress.notice(cannot_draw(name, error))


def make_page(run: str | Path) -> Path:
    """Make the page of a finished run again, from the files of its folder; returns where it is.

    A recipe's page is left as it is: `run_recipe` draws it again. Raises `InputError` for a folder without a run, and
    for a run that this version cannot read; `CorruptFileError` for one that is damaged.
    """
    folder = Path(run)
    refuse_unfinished(folder, but=[PAGE])
    try:
        if read_run(folder)["command"] == "run":
            return folder / PAGE
        page = run_page(folder, folder.resolve().name)
    except (KeyError, ValueError, TypeError) as error:
        raise InputError(f"{folder} is of another version of neurosteer ({error}); run it again") from None
    with renewing(folder, [PAGE]):
        write_bytes(folder / PAGE, page.encode())
    return folder / PAGE


def _write_page(draft: Path, folder: Path, progress: Progress) -> None:
    try:
        write_bytes(draft / PAGE, run_page(draft, folder.name, folder.parent).encode())
    except OSError:
        raise
    except Exception as error:  # as with the figures
        progress.notice(cannot_draw(PAGE, error))

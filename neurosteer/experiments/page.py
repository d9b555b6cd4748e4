"""The page of a run: verdicts, figures, tables, baselines, settings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set

from neurosteer.experiments.recipe.toml import recipe_toml
from neurosteer.report.baselines import NAMES, UNSPACED, lacks_words, named
from neurosteer.report.numbers import in_words, lambda_text, number, share_of
from neurosteer.report.pages import Document, Part, Picture, Plate
from neurosteer.report.table import Table, mean

from .design import LAYER_PROBES, Need
from .outcome import Outcome, file_stem
from .registry import experiment_of
from .scope import Scope, TaskInfo


def outcome_page(outcome: Outcome, pictures: Mapping[str, bytes]) -> str:
    """The page as HTML. A figure without charts has its picture inside, of `pictures` (PNGs by name)."""
    recipe, scope = outcome.recipe, outcome.scope
    tables = [baselines_table(scope.tasks)]
    parts = [_section(outcome, name, pictures) for name in outcome.results]
    parts.append(
        Part(
            "baselines",
            "What words alone give away",
            [
                "Classifiers that see no model, fitted and tested on the same split as the probes. A probe that does "
                "not exceed them may read words, not grammar."
            ],
            tables=tables,
            folded=[("Task by task", baselines_by_task_table(scope.tasks))],
        )
    )
    if scope.skipped:
        rows = tuple((task.task, task.reason) for task in scope.skipped)
        parts.append(Part("skipped", "Tasks left out", tables=[Table("And why", ("task", "reason"), rows, left=2)]))
    return Document(
        title=recipe["title"] or recipe["name"],
        subtitle=scope.subtitle(),
        reading=[],
        command=outcome.again,
        overview=parts,
        views=[],
        kind="",
        settings=_settings(scope, _needs(outcome)),
        notices=list(outcome.notices),
        files=[],
        version="",
        verdicts=outcome.verdicts,
        recipe=(f"{recipe['name']}.toml", recipe_toml(recipe)),
    ).to_html()


def _section(outcome: Outcome, name: str, pictures: Mapping[str, bytes]) -> Part:
    experiment, result, scope = experiment_of(name), outcome.results[name], outcome.scope
    drawings = {file_stem(name, figure): drawing for figure, drawing in experiment.drawings.items()}
    shown = []
    for figure, drawing in drawings.items():
        png = pictures.get(figure)
        charts = [chart for chart in drawing.charts(result, scope) if chart.spec["data"]["values"]]
        if not charts and png is None:  # it could not be drawn
            continue
        caption = drawing.caption(scope)
        picture = None if charts or png is None else Picture.of(png)
        shown.append(Plate(charts, picture, caption.read, caption.limits))
    files = [f"{file_stem(name, table)}.csv" for table in experiment.csvs(result)]
    drawn = [figure for figure in drawings if figure in pictures]
    files += [f"{figure}.{suffix}" for figure in drawn for suffix in ("png", "svg")]
    return Part(name, experiment.heading, plates=shown, tables=experiment.tables(result, scope), files=files)


def baselines_table(tasks: Sequence[TaskInfo]) -> Table:
    """What words and tokens alone give away: the mean over tasks that have the baseline."""
    values = [named(task.baselines) for task in tasks]
    means = tuple(number(mean([of_task[name] for of_task in values]), 3) for name in NAMES)
    return Table("Mean over tasks", ("test accuracy without a model", *NAMES), (("all tasks", *means),))


def baselines_by_task_table(tasks: Sequence[TaskInfo]) -> Table:
    rows = []
    for task in tasks:
        sizes = (f"{count:,}" for count in (task.train, task.validation, task.test, task.dropped))
        values = (number(value, 3) for value in named(task.baselines).values())
        rows.append((task.task, in_words(task.phenomenon or ""), *sizes, *values))
    caption = "Pairs of each part, those the split dropped, and test accuracy"
    if any(lacks_words(task.baselines) for task in tasks):
        caption += f" ({UNSPACED})"
    headers = ("task", "phenomenon", "train", "validation", "test", "dropped", *NAMES)
    return Table(caption, headers, tuple(rows), left=2)


def _needs(outcome: Outcome) -> Set[Need]:
    return frozenset().union(*(experiment_of(name).needs for name in outcome.results))


def _settings(scope: Scope, needs: Set[Need]) -> list[tuple[str, str]]:
    """Names and values of what was run on what, without versions and times, and without what no experiment used."""
    model, data, settings = scope.model, scope.data, scope.settings
    layers, k, width = settings.layers, settings.k, settings.width
    every = scope.models or (model,)
    names = [f"{one.name} at {one.revision}" if one.revision else one.name for one in every]
    rows = [
        ("model", ", ".join(names)),
        ("weights", ", ".join(one.fingerprint[:12] for one in every)),
        ("computed in", f"{model.dtype} on {model.device}"),
        ("BOS, EOS", f"{_token(model.bos)}, {_token(model.eos)}"),
        ("data", f"{data.source}: {scope.tasks_in_words}, {data.pairs:,} in all"),
        ("split", ", ".join([data.split, f"seed {data.seed}", *scope.used_in_words])),
        ("site, position", f"{settings.site}, {settings.position}"),
    ]
    if needs & {*LAYER_PROBES, "states"}:
        rows.append(("layers", f"{len(layers)} of {settings.n_layers} ({_listed(layers)})"))
    if "one_layer" in needs:
        lam = "chosen on validation data" if isinstance(settings.lam, str) else f"= {lambda_text(settings.lam)}"
        rows.append(("one layer", f"layer {settings.layer}, λ {lam}"))
    if needs & {"topk_grid", "random_sets", "one_layer"}:
        rows.append(("k", f"{k:,} of {width:,} units ({share_of(k, width)})"))
    if needs & {"masks", "one_layer", "states"}:
        rows.append(("λ", ", ".join(map(lambda_text, settings.lambdas))))
    if "random_sets" in needs:
        rows.append(("random sets", f"{settings.draws} draws of {', '.join(f'{size:,}' for size in settings.sizes)}"))
    return rows


def _token(token: int | None) -> str:
    return "none" if token is None else f"token {token}"


def _listed(layers: Sequence[int]) -> str:
    run = list(range(layers[0], layers[-1] + 1)) if layers else []
    return f"{layers[0]}-{layers[-1]}" if list(layers) == run and len(layers) > 1 else ", ".join(map(str, layers))

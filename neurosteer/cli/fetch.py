"""`neurosteer fetch`: a model or a data set into the cache, for machines without network."""

from __future__ import annotations

import shlex
from typing import Annotated, Literal

import typer

from neurosteer.vocabulary import Json

from . import options, parse
from .listing import print_listing
from .progress import progress_on_stderr
from .screen import say

Kind = Literal["model", "data"]


def fetch(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME",
            parser=parse.some_text,
            help="smollm2-135m, a GGUF file, a published set (rublimp, multiblimp:deu), or a hub id of either kind.",
        ),
    ],
    kind: Annotated[
        Kind | None, typer.Option(help="Which, where the hub has a model and a data set of that name.")
    ] = None,
    revision: Annotated[
        str | None,
        typer.Option(metavar="REV", parser=parse.some_text, help="A branch, tag or commit.", show_default=False),
    ] = None,
    format_: options.Format = "table",
    quiet: options.Quiet = False,
    offline: options.Offline = False,
) -> None:
    """Put a model or a data set into the cache; with --offline every command finds it there.

    neurosteer fetch multiblimp:deu
    """
    options.prepare(offline=offline, quiet=quiet)
    from neurosteer.pairs import fetch_data

    with progress_on_stderr(quiet=quiet) as progress:
        if (kind or _kind_of(name, revision, offline=offline)) == "data":
            found = fetch_data(name, revision=revision, offline=offline, progress=progress)
        else:
            from neurosteer.model import fetch_model

            found = fetch_model(name, revision=revision, offline=offline, progress=progress)
    known_as: Kind = "model" if found.kind == "model" else "data"
    if format_ == "json":
        row: dict[str, Json] = {"name": name, "kind": known_as, "revision": revision, "commit": found.commit}
        print_listing(
            "fetch", [{**row, "folder": str(found.folder), "bytes": found.size, "was_there": found.was_there}]
        )
        return
    say(f"{known_as:<6}  {name}{', already there' if found.was_there else ''}")
    if found.commit:
        say(f"commit  {found.commit}")
    say(f"folder  {found.folder}")
    say(f"size    {found.size / 10**6:,.1f} MB")
    more = f" --revision {shlex.quote(revision)}" if revision and known_as == "model" else ""
    say(f"use     --{known_as} {shlex.quote(name)}{more} --offline")


def _kind_of(name: str, revision: str | None, *, offline: bool) -> Kind:
    """What a name stands for; where the hub has both, the user has to say."""
    from neurosteer import hub
    from neurosteer.errors import InputError, did_you_mean
    from neurosteer.pairs import NAMED, PUBLISHED, fetched
    from neurosteer.store import expanded

    source, parted, _ = name.partition(":")
    if name in NAMED and source not in PUBLISHED:
        raise InputError(f"the pairs of '{name}' are made on this machine: nothing is to be fetched")
    if source in PUBLISHED or (parted and "/" in source):
        return "data"
    if name == options.DEFAULT_MODEL or expanded(name).exists():
        return "model"
    online = not offline and hub.is_reachable()
    if online:
        model, data = (hub.repository(name, kind, revision) is not None for kind in ("model", "dataset"))
    else:
        from neurosteer.model import in_cache

        model, data = in_cache(name, revision), fetched(name) is not None
    if model and data:
        raise InputError(f"there is a model '{name}' and a data set: say which with --kind")
    if not model and not data:
        known = [options.DEFAULT_MODEL, *PUBLISHED, *(row.hub_id for row in PUBLISHED.values())]
        where = "on the hub" if online else "in the cache, and the hub cannot be reached"
        raise InputError(
            f"no model or data set '{name}' {where}{did_you_mean(name, known)} (fetch takes a hub id OWNER/NAME, "
            f"{', '.join(known[: len(PUBLISHED) + 1])}, or a GGUF file)"
        )
    return "model" if model else "data"

"""The `neurosteer` command: its subcommands, its exit codes, and one line for whatever goes wrong.

Exit codes: 0 done, 1 the run failed, 2 bad usage or bad input, 130 interrupted.
"""

from __future__ import annotations

import errno
import io
import os
import re
import shlex
import signal
import sys
from collections.abc import Iterator
from contextlib import chdir, contextmanager
from functools import cache
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from neurosteer.errors import InputError, NeurosteerError, OutOfMemoryError, did_you_mean, is_out_of_memory

from . import check, compare, effects, evidence, export, fetch, find, generate, ls, neuron, page, run, score
from .screen import visible

# Whatever the parser itself refuses. Some versions of typer bring their own click, others use the package
# of that name; the class is the same ancestor in both.
UsageError: type[Exception] = next(cls for cls in typer.BadParameter.__mro__ if cls.__name__ == "ClickException")


_FULL = (errno.ENOSPC, errno.EDQUOT)
_MOST_BECAUSE = {
    "--controls": "each is a pass of all pairs, and 5 KB of the run",
    "--draws": "each is a probe at every layer",
    "--limit": "no set has as many pairs",
    "--max-new-tokens": "no model reads as many",
    "--nulls": "each is a search of its own",
    "--seed": "the generators take 32 bits",
    "--steps": "each is a pass of all pairs",
}  # why an option takes no larger number


class Commands(TyperGroup):
    """A group that answers no arguments with its help and an unknown command with the closest one."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        return super().parse_args(ctx, args or ["--help"])

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        if args[0] not in self.commands:
            close, known = did_you_mean(args[0], self.commands), ", ".join(self.commands)
            raise InputError(f"unknown command '{args[0]}'{close} ({ctx.command_path} has: {known})")
        return super().resolve_command(ctx, args)


_HELP = {"help_option_names": ["-h", "--help"]}
app = typer.Typer(cls=Commands, rich_markup_mode="rich", context_settings=_HELP)
for command in (
    find.find,
    effects.ablate,
    effects.amplify,
    evidence.evidence,
    neuron.neuron,
    generate.generate,
    score.score,
    run.run,
    export.export,
    page.page,
    fetch.fetch,
):
    app.command()(command)
listing = typer.Typer(cls=Commands, add_completion=False)
listing.command("tasks")(ls.tasks)
listing.command("models")(ls.models)
listing.command("recipes")(ls.recipes)
listing.command("runs")(ls.runs)
app.add_typer(listing, name="ls", help=ls.__doc__)
app.command()(compare.compare)
app.command()(check.check)


def _show_version(wanted: bool) -> bool:
    if wanted:
        from neurosteer import __version__

        print(f"neurosteer {__version__}")
        raise typer.Exit
    return wanted


@app.callback()
def neurosteer(
    version: Annotated[
        bool, typer.Option("--version", "-V", help="Show the version.", is_eager=True, callback=_show_version)
    ] = False,
) -> None:
    """Find the neurons in which a language model keeps grammar, and see what it does without them.

    neurosteer find --task intransitive && neurosteer ablate --topk 40
    """


def main(argv: list[str] | None = None) -> None:
    """Run the command line; ends with SystemExit, whose code is the exit code."""
    _leave_settings_out()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal without our dashes still gets the table
    given = sys.argv[1:] if argv is None else argv
    try:
        _refuse_bytes(given)
        with _terminated_as_interrupted():
            _run(given)
        if sys.stdout is not None:  # whoever closed it wants nothing printed
            sys.stdout.flush()
        code = 0
    except typer.Exit as stop:
        code = stop.exit_code
    except run.Resumable as stop:
        print(f"neurosteer: {stop}; to go on: {shlex.join(['neurosteer', *given])}", file=sys.stderr)
        code = 130
    except KeyboardInterrupt:
        code = _fail("interrupted", 130)
    except NeurosteerError as error:
        code = _fail(str(error), error.exit_code)
    except UsageError as error:
        code = _fail(_explain(error), 2)
    except BrokenPipeError:  # whoever read our output has enough; Python must not flush into it again
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 1
    except OSError as error:
        what = "cannot read or write" if error.filename is None else f"cannot use '{error.filename}'"
        more = "; make room, and give the command again" if error.errno in _FULL else ""
        more = "; was it deleted meanwhile? the same command starts anew" if error.errno == errno.ENOENT else more
        code = _fail(f"{what}: {error.strerror or error}{more}", 1)
    except (MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
        code = _fail(str(OutOfMemoryError()), 1)
    raise SystemExit(code)


def _leave_settings_out() -> None:
    """Keep matplotlib from reading the user's settings: figures need none of them, and some cannot be read."""
    os.environ["MPLBACKEND"] = "agg"  # figures have their own canvas; the user's may not be installed
    os.environ["MATPLOTLIBRC"] = os.devnull
    if Path("matplotlibrc").is_file() and "matplotlib" not in sys.modules:  # read before any other
        with chdir(Path(__file__).parent):
            import matplotlib  # noqa: F401


@contextmanager
def _terminated_as_interrupted() -> Iterator[None]:
    """A polite kill (SIGTERM: a batch system's, `kill PID`) is Ctrl-C: what is finished is kept, nothing is left."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _refuse_bytes(argv: list[str]) -> None:
    """Raise `InputError` for an argument that was no text: Python hands it on in characters that none can be."""
    for given in argv:
        if any("\ud800" <= character <= "\udfff" for character in given):
            raise InputError(f"'{given}' is not UTF-8; type it, or name the file, in UTF-8")


def _run(argv: list[str]) -> None:
    command = _parser()
    if os.environ.get("_NEUROSTEER_COMPLETE"):  # a shell asks what could stand where the cursor is
        command.main(prog_name="neurosteer")
    with command.make_context("neurosteer", list(argv)) as context:
        command.invoke(context)


@cache
def _parser() -> Any:
    """The commands and options as a parser; a process that runs several command lines builds it once."""
    return typer.main.get_command(app)


def _fail(message: str, code: int) -> int:
    print(f"neurosteer: {visible(' '.join(message.split()))}", file=sys.stderr)
    return code


def _explain(error: Any) -> str:
    """The parser's message in our words: which option, the closest known one, where the help is."""
    message = error.format_message().rstrip(".")
    context, option = getattr(error, "ctx", None), getattr(error, "option_name", None)
    parameter = getattr(error, "param", None)
    if parameter is not None and error.message:
        return f"{max(parameter.opts, key=len)} {_explain_value(error, parameter)}"
    if context is None:
        return message[0].lower() + message[1:]
    known = [name for parameter in context.command.get_params(context) for name in parameter.opts]
    if option is not None and option not in known:
        message = f"unknown option '{option}'{did_you_mean(option, known)}"
    return f"{message[0].lower()}{message[1:]} (see {context.command_path} --help)"


def _explain_value(error: Any, parameter: Any) -> str:
    """The value that an option does not take, and what would be right."""
    message = error.message.removeprefix("Value error, ").rstrip(".")
    choice = re.match(r"'(.*)' is not one of (.)", message, flags=re.DOTALL)
    if choice:
        known = [item.value for item in parameter.shell_complete(error.ctx, "")]
        if choice[2] == "'":  # typer quotes each word, and names all of them where the command takes but some
            message = f"'{choice[1]}' is not one of {', '.join(known)}"
        return f"{message}{did_you_mean(choice[1], known)}"
    least, most = getattr(parameter, "min", None), getattr(parameter, "max", None)
    if least is None or error.__cause__ is None:
        return message
    [wrong] = error.__cause__.errors()[:1]
    why = _MOST_BECAUSE.get(max(parameter.opts, key=len), "")
    too_many = why and most and str(wrong["input"]).isdecimal() and int(wrong["input"]) > most
    return f"'{wrong['input']}' is not a whole number of at least {least:,}" + (
        f" and at most {most:,}{f' ({why})' if too_many else ''}" if most else ""
    )

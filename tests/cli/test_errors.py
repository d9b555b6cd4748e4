"""What goes wrong below the command line is one line, whose kind decides the exit code."""

from __future__ import annotations

import pytest

from neurosteer.errors import CorruptFileError, InputError, NeurosteerError

OUT_OF_MEMORY = "neurosteer: out of memory; try --dtype bfloat16, --device-map auto or --device cpu"


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (InputError("no layer 99"), 2, "neurosteer: no layer 99"),
        (NeurosteerError("the run\n  failed"), 1, "neurosteer: the run failed"),
        (CorruptFileError("'x' was changed"), 1, "neurosteer: 'x' was changed"),
        (KeyboardInterrupt(), 130, "neurosteer: interrupted"),
        (MemoryError(), 1, OUT_OF_MEMORY),
        (RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried"), 1, OUT_OF_MEMORY),
        (RuntimeError("MPS backend out of memory"), 1, OUT_OF_MEMORY),
        (type("OutOfMemoryError", (RuntimeError,), {})("of CUDA"), 1, OUT_OF_MEMORY),
        (PermissionError(13, "Permission denied", "/r"), 1, "neurosteer: cannot use '/r': Permission denied"),
        (
            FileNotFoundError(2, "No such file or directory", "/r"),
            1,
            "neurosteer: cannot use '/r': No such file or directory; was it deleted meanwhile? the same command "
            "starts anew",
        ),
    ],
)
def test_what_goes_wrong_below_is_one_line(run, rooms, error, code, line):
    rooms.error = error
    outcome = run("find", "--task", "intransitive", "--quiet")
    assert (outcome.code, outcome.out, outcome.err) == (code, "", line + "\n")


def test_a_defect_of_ours_keeps_its_traceback(rooms):
    from neurosteer.cli import main

    rooms.error = RuntimeError("a bug")
    with pytest.raises(RuntimeError, match="a bug"):
        main(["find", "--quiet"])

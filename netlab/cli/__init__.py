"""The command line: each command parses, calls one function with plain values, and renders. The only importer of typer.

What a command needs beyond typer is imported when it runs, so that `--help` and completion stay quick.
"""

from __future__ import annotations

import contextlib
import os
import sys
from typing import Annotated, Any, NoReturn

import typer

from netlab import __version__, signals
from netlab.cli import courses, doctor, lab, learning, sandboxes, within
from netlab.cli.options import Command, Group
from netlab.errors import Interrupted, NetlabError

_STYLE: dict[str, Any] = {"rich_markup_mode": None, "pretty_exceptions_enable": False, "no_args_is_help": True}

app = typer.Typer(cls=Group, help="Docker's bridge network, step by step, with the real tools.", **_STYLE)
sandbox_app = typer.Typer(cls=Group, help="The sandboxes themselves: start, list, end.", **_STYLE)
app.add_typer(sandbox_app, name="sandbox")
course_app = typer.Typer(cls=Group, help="Courses: check one, make one.", **_STYLE)
app.add_typer(course_app, name="course")


@app.callback(invoke_without_command=True)
def _root(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False,
) -> None:
    if version:
        print(f"netlab {__version__}")
        raise typer.Exit


_COMMANDS: dict[typer.Typer, dict[str, Any]] = {
    app: {
        "apply": lab.apply,
        "plan": lab.plan,
        "export": lab.export,
        "undo": lab.undo,
        "goto": lab.goto,
        "status": lab.status,
        "prove": lab.prove,
        "show": lab.show,
        "steps": lab.steps,
        "learn": learning.learn,
        "exec": within.execute,
        "shell": within.shell,
        "snapshot": within.snapshot,
        "doctor": doctor.doctor,
        "explain": learning.explain,
    },
    sandbox_app: {"start": sandboxes.start, "list": sandboxes.listed, "end": sandboxes.end},
    course_app: {"check": courses.check, "new": courses.new},
}
"""All commands, in the order of `--help`. What follows exec's node is the command's own."""

for _group, _functions in _COMMANDS.items():
    for _name, _function in _functions.items():
        _own = {"allow_interspersed_args": False} if _function is within.execute else {}
        _group.command(_name, cls=Command, context_settings=_own)(_function)


# --- the one boundary ------------------------------------------------------------------------------------------------


def main() -> NoReturn:
    """Run the command line; every error that can be explained ends here, and becomes an exit code."""
    _open_streams()
    try:
        app(prog_name="netlab")
    except NetlabError as error:
        signals.ignore()
        from netlab.render import Screen

        if isinstance(error, Interrupted):
            signals.unstick()
        with contextlib.suppress(OSError):  # stderr may be what failed
            Screen(json=False, quiet=False, verbose=False).error(error)
        _leave(error.code)
    except BrokenPipeError:
        _leave(1)  # whoever read our output has gone: nothing more can be said there
    except OSError as error:
        with contextlib.suppress(OSError):
            print(f"netlab: {error}", file=sys.stderr)
        _leave(1)
    _leave(0)


def _open_streams() -> None:
    """Have all three standard streams: what is opened next would else take the place of a closed one."""
    for fd, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        try:
            os.fstat(fd)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest free number: this one
            setattr(sys, name, os.fdopen(fd, mode, closefd=False))


def _leave(code: int) -> NoReturn:
    """Exit. What could not be written to a pipe that is gone, or a disk that is full, is not tried again."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
            code = code or 1
    sys.exit(code)

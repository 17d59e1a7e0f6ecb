"""A command or a shell in a node of the lab, and the state of all of it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, NoReturn

import typer

from netlab.cli.options import leave
from netlab.cli.session import Session
from netlab.errors import UsageError


def execute(
    context: typer.Context,
    node: Annotated[str, typer.Argument(metavar="NODE", help="host, router, client, internet, or a container.")],
    command: Annotated[list[str], typer.Argument(metavar="-- COMMAND...")],
) -> None:
    """Run a command in a node of the lab; its exit code is passed on."""
    words = command[1:] if command[0] == "--" else command
    if not words:
        raise UsageError("exec needs a command", hint=f"for example: netlab exec {node} -- ip addr")
    _foreground(Session.of(context), node, words)


def shell(
    context: typer.Context,
    node: Annotated[
        str, typer.Argument(metavar="[NODE]", help="host, router, client, internet, or a container.")
    ] = "host",
) -> None:
    """Open a shell in a node of the lab."""
    _foreground(Session.of(context), node, None)


def _foreground(session: Session, node: str, command: list[str] | None) -> NoReturn:
    from netlab import foreground

    with session.lab(make=not session.shared.host) as lab:
        choice = session.choose(lab, None, None)
        foreground.check(lab, node, choice)
        session.ensure(lab, choice, made_by="exec" if command is not None else "shell")
    # Without the lock: a shell may stay open for hours, and other commands work on the lab beside it.
    leave(foreground.run(lab, node, command))


def snapshot(
    context: typer.Context,
    compare: Annotated[Path | None, typer.Option(metavar="FILE", help="Say what differs from this snapshot.")] = None,
) -> None:
    """Print the lab host's state in its normal form. Kept in a file, it is what `--compare` takes."""
    from netlab import parameters
    from netlab import snapshot as snapshots

    session = Session.of(context)
    before = snapshots.load(parameters.text_of(compare)) if compare is not None else None
    with session.lab() as lab:
        if not lab.there:
            raise UsageError(
                f"there is no sandbox {lab.state.name!r}", hint=f"make one: netlab apply{lab.state.option}"
            )
        now = lab.inside(lambda inside: inside.snapshot())
    if before is None:
        session.screen.snapshot(snapshots.dump(now))
        return
    found = snapshots.compare(before, now)
    lines = [line for each in found.differences for line in str(each).splitlines()]
    session.screen.differences(lines, found.notes)
    leave(1 if found.differences else 0)

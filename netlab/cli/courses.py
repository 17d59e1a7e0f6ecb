"""Courses: what is wrong with one, and a new one."""

from __future__ import annotations

import os
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from netlab.cli.options import leave
from netlab.cli.session import Session
from netlab.errors import Interrupted, NetlabError, UsageError

if TYPE_CHECKING:
    from netlab.events import Event
    from netlab.views import Fault


def check(
    context: typer.Context,
    folder: Annotated[Path | None, typer.Argument(metavar="[DIR]", help="The course.", show_default=False)] = None,
) -> None:
    """Say what is wrong with a course and its lessons. Each with what to do about it."""
    from netlab import checking

    session = Session.of(context)
    where = folder or session.course_folder()
    if not os.path.isdir(where):  # Path.is_dir raises for a name that is too long
        raise UsageError(f"{where} is no folder", hint="give a course's folder: netlab course check DIR")
    checked = checking.check(where)
    faults: list[Fault] = [*checked.faults]
    unseen: NetlabError | None = None
    if checked.provable:
        try:
            faults += checking.green_too_soon(where, _before_each_step(session, where))
        except Interrupted:
            raise
        except NetlabError as error:  # no sandbox can be made, or a step does not come about: the rest is told first
            unseen = error
    session.screen.faults(sorted(faults), complete=unseen is None)
    if unseen is not None:
        session.screen.note("it was not seen whether each proof fails before its step, for:")
        raise unseen
    leave(1 if faults else 0)


def _before_each_step(session: Session, folder: Path) -> list[Event]:
    """Every step's proofs before it, in a sandbox of their own, with NETLAB_HOST too: a check changes no machine."""
    session.shared.course, session.shared.host = str(folder), False
    session.aside("check")
    with session.sandbox(make=True) as lab:
        choice = session.choose(lab, None, None)
        with lab.for_a_cycle(choice):
            return lab.inside(lambda inside: [*chain.from_iterable(map(inside.before, inside.graph.order))], choice)


def new(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where to: a folder that is not there yet.")],
) -> None:
    """Make a course of one working step, with its lessons and its tests."""
    from netlab import authoring

    session = Session.of(context)
    authoring.new(folder)
    session.screen.note(f"made a course in {folder}; run it with: netlab apply --course {folder}")

"""The sandboxes themselves."""

from __future__ import annotations

import typer

from netlab.cli.options import LabFile, Set
from netlab.cli.session import Session


def start(context: typer.Context, settings: Set = None, file: LabFile = None) -> None:
    """Make a bare sandbox with its surroundings. It stays until `sandbox end`."""
    session = Session.of(context)
    with session.sandbox(make=True) as lab:
        if lab.there:
            session.screen.note(f"sandbox {lab.state.name!r} is there already")
            return
        lab.ensure(session.choose(lab, settings, file), made_by="start")
        session.screen.note(f"sandbox {lab.state.name!r} is there")


def listed(context: typer.Context) -> None:
    """List the sandboxes, also those whose state folder is gone."""
    from netlab.lab import rows

    session = Session.of(context)
    session.screen.sandboxes(rows())


def end(context: typer.Context) -> None:
    """End a sandbox, with all that is in it."""
    from netlab import lab

    session = Session.of(context)
    state = session.sandbox_state()
    state.check()
    with state.locked(session.shared.wait, make=True):
        session.screen.note(lab.end(state))

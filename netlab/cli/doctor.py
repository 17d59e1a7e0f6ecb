"""What the machine has and lacks."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from netlab.cli.options import LabFile, Set, leave
from netlab.cli.session import Session
from netlab.errors import Missing

if TYPE_CHECKING:
    from netlab.host import Host
    from netlab.views import Finding


def doctor(context: typer.Context, settings: Set = None, file: LabFile = None) -> None:
    """Say what this machine has and lacks, and what cures it. With --host: what is in the lab's way."""
    session = Session.of(context)
    findings = _host_findings(session, settings, file) if session.shared.host else _findings()
    session.screen.findings(findings)
    levels = {each.level for each in findings}
    leave(5 if "missing" in levels else 4 if "conflict" in levels else 0)


def _findings() -> Sequence[Finding]:
    """For a sandbox."""
    from netlab.machine import Machine
    from netlab.preflight import examine

    return examine(_here().run, Machine())


def _host_findings(session: Session, settings: list[str] | None, file: Path | None) -> Sequence[Finding]:
    """For the lab on this machine's own network. Only root is told about its course: others cannot look."""
    from netlab.preflight import Finding as Found

    if os.geteuid() != 0:
        return _host_findings_without_course()
    with session.host() as lab:
        try:
            choice = session.choose(lab, settings, file)
        except Missing as error:  # the machine does not tell its uplink: say so, and all else that needs no course
            lacking = Found("uplink", False, "missing", error.message, error.hint)
            return [*_host_findings_without_course(), lacking]
        return lab.inside(lambda inside: inside.findings(), choice)


def _host_findings_without_course() -> Sequence[Finding]:
    from netlab.machine import Machine
    from netlab.preflight import examine_host
    from netlab.reading import NOWHERE

    return examine_host(_here().run, Machine(), (), NOWHERE, frozenset())


def _here() -> Host:
    """This machine, on which nothing of a lab is."""
    from netlab.host import Host
    from netlab.services import Services

    return Host(Services(Path("/nonexistent")))

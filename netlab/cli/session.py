"""One command's run: what was asked for, the screen, and the lab that is meant, locked."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from netlab.cli.options import Shared
from netlab.errors import Interrupted, NetlabError, UsageError

if TYPE_CHECKING:
    from netlab.lab import Choice, HostLab, SandboxLab
    from netlab.render import Screen
    from netlab.state import State


CHANGING = ("apply", "undo", "goto", "learn")
"""The commands after whose interruption a lab may be between two of its states."""


@dataclass(slots=True)
class Session:
    """One command's run: the shared options, the screen, and the lab that they name."""

    shared: Shared
    screen: Screen
    changing: bool
    """Is it a command that changes the lab?"""

    @classmethod
    def of(cls, context: typer.Context) -> Session:
        from netlab.render import Screen

        shared = context.find_root().ensure_object(Shared)
        if not 0 <= shared.wait < float("inf"):
            raise UsageError(f"--wait {shared.wait:g} is no time to wait", hint="give seconds, 0 or more")
        if shared.host and shared.sandbox != "default":
            raise UsageError("--host and --sandbox are two places", hint="give one of them")
        screen = Screen(json=shared.json, quiet=shared.quiet, verbose=shared.verbose)
        return cls(shared, screen, changing=context.info_name in CHANGING)

    def aside(self, what: str) -> None:
        """From now on it is about a sandbox of nobody's name: never the lab in use. (A pid comes again.)"""
        self.shared.sandbox = f"{what}-{os.urandom(6).hex()}"

    def course_folder(self) -> Path:
        """The course that was asked for, whatever the lab has: netlab's own without --course."""
        from netlab import course

        return Path(self.shared.course) if self.shared.course else course.default_folder()

    def sandbox_state(self) -> State:
        """Where the sandbox's state is. Raises UsageError inside a sandbox: from there the others cannot be seen."""
        from netlab.sandbox import inside
        from netlab.state import State, default_base

        if inside():
            raise UsageError("you are inside a sandbox of netlab", hint="leave its shell first: exit")
        if self.shared.host:
            raise UsageError("with --host there is no sandbox", hint="leave --host (or NETLAB_HOST) out")
        return State(default_base(), self.shared.sandbox)

    @contextlib.contextmanager
    def lab(
        self, *, make: bool = False, adopt: bool = False, internet: str | None = None
    ) -> Iterator[SandboxLab | HostLab]:
        """The lab, locked: the sandbox's, or this machine's. With ``make`` its folder is made."""
        if self.shared.host:
            with self.host(make=make, adopt=adopt, internet=internet) as host:
                yield host
            return
        for given, option in ((adopt, "--adopt"), (internet is not None, "--internet")):
            if given:
                raise UsageError(f"{option} goes with --host", hint="in a sandbox nothing is somebody else's")
        with self.sandbox(make=make) as sandbox:
            yield sandbox

    @contextlib.contextmanager
    def sandbox(self, *, make: bool = False) -> Iterator[SandboxLab]:
        from netlab.lab import SandboxLab

        lab = SandboxLab(self.sandbox_state())
        with self._locked(lab, make=make):
            yield lab

    @contextlib.contextmanager
    def host(self, *, make: bool = False, adopt: bool = False, internet: str | None = None) -> Iterator[HostLab]:
        from netlab import spelling
        from netlab.lab import HostLab

        if internet is not None:
            try:
                spelling.address(internet)
            except ValueError as error:
                raise UsageError(f"--internet {internet!r}: {error}", hint="give an IPv4 address") from None
        lab = HostLab(adopt=adopt, internet=internet or "")
        with self._locked(lab, make=make):
            yield lab

    @contextlib.contextmanager
    def _locked(self, lab: SandboxLab | HostLab, *, make: bool) -> Iterator[None]:
        """Hold the lab's lock. A folder in which no lab came about goes again."""
        with lab.state.locked(self.shared.wait, make=make) as there:
            try:
                dead = lab.bury() if there else ""
                if dead:
                    self.screen.note(dead)
                yield
            except NetlabError as error:
                if isinstance(error, Interrupted) and self.changing and lab.kept and not error.hint:
                    error.hint = "`netlab apply` goes on from here; `netlab undo` takes the lab back"
                # Who raised it does not know which of the labs it was.
                error.hint = re.sub(r"`netlab (\w+)`", rf"`netlab \1{lab.state.option}`", error.hint)
                if not self.shared.host:
                    error.hint = error.hint.replace("`netlab sandbox end`", f"`netlab sandbox end{lab.state.option}`")
                raise
            finally:
                if there and not lab.kept:
                    lab.state.clear()

    def choose(self, lab: SandboxLab | HostLab, settings: list[str] | None, file: Path | None) -> Choice:
        """The course and the parameters: as given, over those of the lab, over the course's own."""
        from netlab import course, parameters

        record = lab.record
        recorded = Path(record["course"]) if record else course.default_folder()
        folder = Path(self.shared.course) if self.shared.course else recorded
        return lab.choose(folder, parameters.given(settings or [], file))

    def ensure(self, lab: SandboxLab | HostLab, choice: Choice, *, made_by: str) -> None:
        """Make the sandbox where there is none."""
        made = lab.ensure(choice, made_by=made_by)
        if made:
            self.screen.note(made)

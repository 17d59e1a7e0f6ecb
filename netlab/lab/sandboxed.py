"""The lab in a sandbox: made with the course's surroundings, entered, and ended with all that is in it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Literal, TypeVar

from netlab import reading, sandbox, snapshot
from netlab.errors import Interrupted, NetlabError, Unreadable, UnsafeState, UsageError
from netlab.events import Event, Kept, WalkEnded
from netlab.journal import Journal
from netlab.lab.choice import Choice
from netlab.lab.furnish import furnish
from netlab.lab.inside import Inside
from netlab.lab.outside import Lab
from netlab.model import Facts, Thing
from netlab.sandbox import Holder
from netlab.services import Services
from netlab.state import State, default_base
from netlab.views import SandboxRow

T = TypeVar("T")

_SANDBOX = ("holder", "made_by", "since", "around")

_ON_THE_WAY = ("apply", "goto", "learn")
"""The commands that make a sandbox on the way to something else: when that is undone, it ends too."""

_CYCLE = "prove"
"""What makes a sandbox for itself alone, which nobody else works in."""

_ENDING = 2.0
"""Seconds that what a killed netlab had just started may take to end."""


class InSandbox(Inside):
    """The lab from within its sandbox, which remembers what it started with."""

    def __init__(self, state: State, choice: Choice | None) -> None:
        super().__init__(state, choice, Services(state.folder / "services"))
        self._sandbox = state.read("sandbox.json")
        self.first = first = Facts(reading.First(self._sandbox["first"]))
        self.journal.besides = lambda: self._by_hand(first)

    def _by_hand(self, first: Facts) -> frozenset[Thing]:
        """What typing the course's operations brings along that was not there at first."""
        operations = (operation for each in self.chapters for operation in each.operations)
        return frozenset().union(*(each.brings(each.before(first)) for each in operations))

    def stands_elsewhere(self, choice: Choice) -> bool:
        """The surroundings are built with the sandbox, and stay."""
        return bool(choice.surroundings() != self._sandbox["around"])

    def undo(self, since: str | None) -> Iterator[Event]:
        """As on any lab host; and say what of somebody else's goes on in here."""
        for event in super().undo(since):
            if isinstance(event, WalkEnded) and not self.journal.entries:
                for pid in sandbox.others():
                    yield Kept("", f"process {pid}, {sandbox.words(pid)}", "netlab did not start it")
            yield event

    def why_it_stays(self) -> str:
        """Why the sandbox stays after undo; "" when it was made on the way, is as it began, and nobody runs there."""
        if self.journal.entries:
            return "steps of the lab stand"
        if self._sandbox["made_by"] not in _ON_THE_WAY:
            return f"`{self._sandbox['made_by']}` made it"
        if sandbox.others():
            return "somebody's processes run in it"
        self.host.forget()
        differences = snapshot.compare(self._sandbox["normal"], self.snapshot()).differences
        lines = [line for each in differences for line in str(each).splitlines()]
        return f"it is not as it started: {lines[0]}" if lines else ""


class SandboxLab(Lab[InSandbox]):
    """The lab in the sandbox that ``state`` names."""

    @property
    def there(self) -> bool:
        return self.holder() is not None

    def holder(self) -> Holder | None:
        """The living sandbox's holder."""
        record = self.state.read("sandbox.json", _SANDBOX)
        holder = Holder.load(record["holder"]) if record else None
        return holder if holder is not None and holder.alive else None

    @property
    def kept(self) -> bool:
        return self.state.has("sandbox.json")

    @property
    def made_by(self) -> str:
        """The command that made the sandbox, whether that lives or not; "" where there is none."""
        return str((self.state.read("sandbox.json", _SANDBOX) or {"made_by": ""})["made_by"])

    def in_use(self) -> bool:
        """Is somebody in the living sandbox whom no netlab knows of?"""
        holder = self.holder()
        return holder is not None and bool(sandbox.enter(holder, sandbox.others))

    def bury(self) -> str:
        """Where the sandbox has died, forget it, and say so; "" where none has."""
        record = self.state.read("sandbox.json", _SANDBOX)
        if record is None:
            return ""
        holder = Holder.load(record["holder"])
        if holder.alive and "first" in record:
            return ""
        half_made = holder.alive
        sandbox.end(holder)
        for name in ("lab.json", "sandbox.json", "journal.jsonl"):
            self.state.remove(name)
        pid = holder.pid
        if half_made:
            return f"sandbox {self.state.name!r} was only half made when netlab was stopped; it has been ended"
        return (
            f"sandbox {self.state.name!r} is gone: its holder, process {pid}, was killed or the machine restarted; "
            "all that was in it went with it"
        )

    def ensure(self, choice: Choice, *, made_by: str) -> str:
        """Make the sandbox where there is none, and say how it ends where `undo` does not end it."""
        if self.there:
            return ""
        self.start(choice, made_by=made_by)
        if made_by in _ON_THE_WAY:
            return ""
        return f"made sandbox {self.state.name!r}; end it with: netlab sandbox end{self.state.option}"

    def start(self, choice: Choice, *, made_by: str) -> None:
        """Make the sandbox with the course's surroundings, and write down what it started with."""
        self.state.create()
        folder = self.state.folder
        about = {
            "made_by": made_by,
            "since": time.strftime("%Y-%m-%d %H:%M:%S"),
            "around": choice.surroundings(),
        }

        def keep(holder: Holder) -> None:
            self.state.write("sandbox.json", {**about, "holder": holder.dump()})
            self.state.write("lab.json", choice.record())

        nodes, around = choice.course.surroundings.NODES, choice.around()
        holder = sandbox.start(folder, keep)
        try:
            first = sandbox.enter(holder, lambda: furnish(folder, nodes, around))
        except BaseException:
            self.end()
            raise
        self.state.write("sandbox.json", {**about, "holder": holder.dump(), **first})

    @contextmanager
    def for_a_cycle(self, choice: Choice) -> Iterator[None]:
        """A sandbox for what takes every step back, which ends with it; and so do those of who was killed meanwhile."""
        _clear_up(self.state.base)
        self.start(choice, made_by=_CYCLE)
        try:
            yield
        finally:
            self.end()

    def inside(self, work: Callable[[InSandbox], T], choice: Choice | None = None) -> T:
        """Run ``work`` on the lab from within its sandbox, in a child process; ``choice`` brings the proofs."""
        holder = self.holder()
        assert holder is not None, "inside() is for a lab that is there"

        def worked() -> T:
            inside = InSandbox(self.state, choice)
            with closing(inside.host):
                inside.accept()
                return work(inside)

        return sandbox.enter(holder, worked)

    def after_undo(self, why_it_stays: str) -> str:
        """End the sandbox that is as it was made on the way; what to tell of it."""
        name, option = self.state.name, self.state.option
        if why_it_stays:
            return f"sandbox {name!r} stays, for {why_it_stays}; end it with: netlab sandbox end{option}"
        made_by = self.made_by
        self.end()
        return f"sandbox {name!r} is as it was when `{made_by}` made it, and has ended"

    def end(self) -> None:
        """End the sandbox, whole, and remove its state: nothing is left."""
        record = self.state.read("sandbox.json", _SANDBOX)
        if record is not None:
            sandbox.end(Holder.load(record["holder"]))
        self.state.clear()


def rows() -> list[SandboxRow]:
    """Every sandbox of ours: those with a state folder, and holders of which no folder knows."""
    base = default_base()
    found, known = [], set[Holder]()
    for folder in sorted(base.iterdir()) if base.is_dir() else ():
        if folder.name[0] != "." and folder.is_dir():
            row, holders = _row(folder)
            found += row
            known |= holders
    unknown = {base / row.name for row in found if row.state == "unknown"}
    for folder, holder in sandbox.strays():
        ours = folder.parent == base
        if holder not in known and folder not in unknown and (ours or not (folder / "sandbox.json").exists()):
            found.append(SandboxRow(folder.name if ours else str(folder), "orphan", "", "", ""))
    return found


def _row(folder: Path) -> tuple[list[SandboxRow], set[Holder]]:
    """What is to be told of the sandbox of this folder, and its holder; nothing of a folder that is none of ours."""
    try:
        lab = SandboxLab(State(folder.parent, folder.name))
        about = lab.state.read("sandbox.json", _SANDBOX)
        if about is None:
            return [], set()
        done = sorted(Journal(folder / "journal.jsonl").done)
        state: Literal["alive", "dead"] = "alive" if lab.there else "dead"
        return [SandboxRow(folder.name, state, about["made_by"], about["since"], ", ".join(done))], {
            Holder.load(about["holder"])
        }
    except UsageError:  # no sandbox has such a name
        return [], set()
    except NetlabError:
        return [SandboxRow(folder.name, "unknown", "", "", "")], set()


def _clear_up(base: Path) -> None:
    """End the sandboxes that were made for a cycle whose netlab was killed, and in which nobody works."""
    for folder in sorted(base.iterdir()):
        try:
            lab = SandboxLab(State(base, folder.name))
            if lab.made_by == _CYCLE:
                with lab.state.locked(_ENDING, make=False) as there:
                    if there and lab.made_by == _CYCLE and not lab.in_use():
                        lab.end()
        except Interrupted:
            raise
        except NetlabError:  # it is at work, or no sandbox's, or none that can be read or believed
            continue


def end(state: State) -> str:
    """End the sandbox of this folder whole, also where the folder knows nothing of it. Its lock is ours. What to tell.

    A record that cannot be read goes, and what it was about is found by what its holder carries with it.
    """
    name = f"sandbox {state.name!r}"
    told, forgotten = f"{name} has ended" if state.has("sandbox.json") else "", ""
    try:
        lab = SandboxLab(state)
        told = lab.bury() or told
        lab.end()
    except Unreadable:
        state.clear()
    except UnsafeState as error:  # its holder has a pid elsewhere; or no such record is ours
        told, forgotten = "", f"{name} is forgotten: {error}"
        state.clear()
    for folder, holder in sandbox.strays():
        if folder == state.folder:
            sandbox.end(holder)
            told = told or f"{name} has ended"
    return told or forgotten or f"there is no {name}"

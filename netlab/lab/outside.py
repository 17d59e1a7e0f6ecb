"""The lab seen from outside: found, made, entered and ended."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, Literal, TypeVar

from netlab import parameters, sandbox
from netlab.journal import Journal
from netlab.lab.choice import Choice
from netlab.lab.furnish import furnish
from netlab.lab.inside import Inside
from netlab.parameters import Values
from netlab.sandbox import Holder
from netlab.state import State, default_base
from netlab.views import SandboxRow

T = TypeVar("T")

_SANDBOX = ("holder", "made_by", "since")


class Lab:
    """The lab whose state is in ``state``'s folder, seen from outside. Its lock is the caller's to hold."""

    def __init__(self, state: State) -> None:
        self.state = state
        state.check()

    @property
    def record(self) -> dict[str, Any] | None:
        """What ``Choice.record`` wrote when the lab was made; None without a lab."""
        record: dict[str, Any] | None = self.state.read("lab.json", ("course", "values", "parameters", "chapters"))
        return record

    def holder(self) -> Holder | None:
        """The living sandbox's holder."""
        record = self.state.read("sandbox.json", _SANDBOX)
        holder = Holder.load(record["holder"]) if record else None
        return holder if holder is not None and holder.alive else None

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

    def choose(self, folder: Path, values: Values) -> Choice:
        """The course and parameters asked for, over those that the lab was made with."""
        record = self.record
        same = record is not None and Path(record["course"]) == folder.resolve()
        return Choice.of(folder, parameters.merged(record["values"], values) if record is not None and same else values)

    def start(self, choice: Choice, *, made_by: str) -> None:
        """Make the sandbox with the course's surroundings, and write down what it started with."""
        self.state.create()
        folder = self.state.folder
        about = {"made_by": made_by, "since": time.strftime("%Y-%m-%d %H:%M:%S")}

        def keep(holder: Holder) -> None:
            self.state.write("sandbox.json", {**about, "holder": holder.dump()})
            self.state.write("lab.json", choice.record())

        holder = sandbox.start(folder, keep)
        try:
            first = sandbox.enter(holder, lambda: furnish(folder, choice.course.surroundings, choice.parameters))
        except BaseException:
            self.end()
            raise
        self.state.write("sandbox.json", {**about, "holder": holder.dump(), **first})

    def inside(self, work: Callable[[Inside], T], choice: Choice | None = None) -> T:
        """Run ``work`` on the lab from within its sandbox, in a child process; ``choice`` brings the proofs."""
        holder = self.holder()
        assert holder is not None, "inside() is for a lab that is there"

        def worked() -> T:
            inside = Inside(self.state, choice)
            with closing(inside.host):
                return work(inside)

        return sandbox.enter(holder, worked)

    def end(self) -> None:
        """End the sandbox, whole, and remove its state: nothing is left."""
        record = self.state.read("sandbox.json", _SANDBOX)
        if record is not None:
            sandbox.end(Holder.load(record["holder"]))
        self.state.clear()


def rows() -> list[SandboxRow]:
    """Every sandbox of ours: those with a state folder, and holders whose folder is gone."""
    base = default_base()
    found = []
    folders = [each for each in base.iterdir() if each.name[0] != "."] if base.is_dir() else []
    for folder in sorted(folders):
        lab = Lab(State(base, folder.name))
        about = lab.state.read("sandbox.json")
        if about is not None:
            done = sorted(Journal(folder / "journal.jsonl").done)
            state: Literal["alive", "dead"] = "alive" if lab.holder() is not None else "dead"
            found.append(SandboxRow(folder.name, state, about["made_by"], about["since"], ", ".join(done)))
    gone = (folder for folder, _ in sandbox.strays() if not (folder / "sandbox.json").exists())
    return found + [SandboxRow(folder.name, "orphan", "", "", "") for folder in gone]


def end_stray(state: State) -> bool:
    """End a holder that was made for this folder, though the folder knows nothing of it any more."""
    found = [holder for folder, holder in sandbox.strays() if folder == state.folder]
    for holder in found:
        sandbox.end(holder)
    return bool(found)

"""The lab on this machine's own network, as root: what is not netlab's is left alone, and so is the world outside."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TypeVar

from netlab import engine, parameters
from netlab.course import load
from netlab.errors import Conflict, CourseError, Missing, NetlabError, UnsafeState
from netlab.events import Event, Kept, Note, WalkEnded
from netlab.fence import Fence
from netlab.host import Host
from netlab.lab.choice import Choice
from netlab.lab.inside import Inside
from netlab.lab.outside import Lab
from netlab.lab.uplink import on_machine
from netlab.machine import Machine
from netlab.model import Operation, Query, Stack
from netlab.operations import namespace
from netlab.parameters import Values
from netlab.preflight import Finding, examine_host, host_queries
from netlab.services import Services
from netlab.state import HostState

T = TypeVar("T")

_OWN = Query("stack")


class OnHost(Inside):
    """The lab on this machine. Only what netlab made is ever taken back."""

    def __init__(self, lab: HostLab, choice: Choice | None) -> None:
        super().__init__(lab.state, choice, Services(lab.state.folder / "services", named="localhost"))
        self._lab = lab
        stack = self.host.facts({_OWN}).stack("")
        reached = {each.cidr.partition("/")[0] for each in stack.addresses} | {lab.internet}
        if choice is not None:
            card = getattr(choice.parameters, choice.course.surroundings.UPLINK)
            reached |= {each.via for each in stack.routes if each.destination == "default" and each.dev == card}
        absent = choice.course.surroundings.NODES if choice is not None else ()
        self.host.fence = Fence.around(self.chapters, absent=absent, reached=reached)

    def nodes(self) -> frozenset[str]:
        """This machine may have namespaces of somebody else's: the lab's are those that its steps declare."""
        declared = {
            each.name for chapter in self.chapters for each in chapter.operations if isinstance(each, namespace)
        }
        return super().nodes() & declared

    def findings(self) -> list[Finding]:
        """What this machine has, lacks, and has in the way of the lab."""
        queries = host_queries(self.chapters)
        strangers = self._strangers().keys()
        ours = self.journal.ours | strangers if self._lab.adopt else self.journal.ours - strangers
        named = self._choice.record()["parameters"] if self._choice is not None else {}
        return examine_host(self.host.run, Machine(), self.chapters, self.host.facts(queries), ours, named)

    def _strangers(self) -> dict[Operation, str]:
        """What undo would delete whole if it were ours, with its step: it is there, and netlab did not make it."""
        looks = engine.look(self.chapters, self.host)
        return {
            operation: each.chapter.name
            for each in looks
            for operation in each.held
            if operation.makes and (operation not in self.journal.ours or self.journal.remade(operation, each.facts))
        }

    def _remade(self) -> set[Operation]:
        """What somebody made under the name of what netlab had made."""
        made = [each.operation for each in self.journal.entries if each.identity]
        facts = engine.facts_for(self.host, made)
        return {each for each in made if self.journal.remade(each, facts)}

    def begin(self) -> Iterator[Event]:
        """Before anything is changed, see what stands in the way. Raises Missing and Conflict that name all of it."""
        findings = self.findings()
        for level, error in (("missing", Missing), ("conflict", Conflict)):
            wrong = [each for each in findings if each.level == level]
            if wrong:
                raise _refusal(error, wrong)
        strangers = self._strangers()
        self._lab.keep(self._choice)
        yield from super().begin()
        for operation, step in strangers.items():
            self.journal.adopt(step, operation)
        changes = any(each.missing for each in engine.look(self.chapters, self.host))
        for each in findings if changes else ():
            if each.level == "warning":
                yield Note("; ".join((f"{each.name}: {each.detail}", *each.cure.splitlines())))

    def take_back(self, steps: Sequence[str]) -> Iterator[Event]:
        """As on any lab host; and say what stays because netlab did not make it, or does not know that it did."""
        why = dict.fromkeys(self.journal.adopted, "it was there before netlab")
        why |= dict.fromkeys(self._remade(), "somebody made it anew")
        for event in super().take_back(steps):
            if isinstance(event, WalkEnded):
                self.host.forget()
                looks = engine.look(self.some(steps), self.host)
                stays = (each for look in looks for each in look.held if not each.given)
                yield from (Kept("", str(each), why.get(each, "netlab has no record of making it")) for each in stays)
            yield event

    def cycle(self, names: Sequence[str]) -> Iterator[Event]:
        """As on any lab host. Raises Conflict where a step stands, for it would be taken back."""
        begun = [each.chapter.name for each in engine.look(self.chapters, self.host) if each.begun]
        if begun:
            raise Conflict(
                "the cycle takes every step back, and these stand on this machine",
                details=(", ".join(begun),),
                hint="undo them first: netlab undo --host; or leave --host out, and it runs in a sandbox of its own",
            )
        yield from self.begin()
        yield from super().cycle(names)
        self._quietly(super().take_back(self.graph.since(None)))
        self._lab.after_undo(self.why_it_stays())

    def why_it_stays(self) -> str:
        """Why netlab's record of this machine stays after undo; "" when nothing of the lab is left."""
        return "steps of the lab stand" if self.journal.ours else ""


def _refusal(error: type[NetlabError], wrong: Sequence[Finding]) -> NetlabError:
    lines = []
    for each in wrong:
        lines += [f"{each.name}: {each.detail}", *(f"  → {cure}" for cure in each.cure.splitlines())]
    what = "this machine lacks what the lab needs" if error is Missing else "something on this machine is in the way"
    return error(f"{what}; nothing was changed", details=lines, hint="see all that was looked at: netlab doctor --host")


class HostLab(Lab[OnHost]):
    """The lab on this machine. ``adopt`` uses what is there and somebody else's; ``internet`` is an address that the
    proofs may ask beyond the gateway, "" for none."""

    there = True

    def __init__(self, *, adopt: bool = False, internet: str = "") -> None:
        """Raises Missing for anybody but root."""
        if os.geteuid() != 0:
            raise Missing(
                "--host changes this machine's own network, which takes root",
                hint="sudo netlab --host …; or leave --host out: the sandbox needs no root",
            )
        super().__init__(HostState())
        self.adopt, self.internet = adopt, internet

    @property
    def kept(self) -> bool:
        return any(map(self.state.has, ("lab.json", "journal.jsonl")))

    def bury(self) -> str:
        """Forget what was done before the machine was restarted; "" where it was not.

        Raises UnsafeState where it was done in another network namespace, or half of the record is gone.
        """
        record = self.state.read("host.json", ("boot", "netns"))
        now = _identity()
        if record is None or {key: record[key] for key in now} == now:
            self._check_whole()
            return ""
        if record["boot"] == now["boot"]:
            raise UnsafeState(
                "the lab of --host stands in another network namespace of this machine",
                hint="run netlab there; or, when that namespace is gone, remove /run/netlab by hand",
            )
        for name in ("journal.jsonl", "lab.json", "host.json"):  # what says that it is of no use goes last
            self.state.remove(name)
        return "the machine was restarted: what netlab had done on it is gone"

    def _check_whole(self) -> None:
        if self.record is None and self.state.has("journal.jsonl"):
            raise UnsafeState(
                f"{self.state.folder / 'lab.json'} is gone, and journal.jsonl beside it says what netlab made",
                hint="put it back; or restart the machine, which takes all of it away",
            )

    def ensure(self, choice: Choice, *, made_by: str) -> str:
        return ""

    def keep(self, choice: Choice | None) -> None:
        """Write down what is about to be built, and where."""
        if not self.kept and choice is not None:
            self.state.write("host.json", {**_identity(), "since": time.strftime("%Y-%m-%d %H:%M:%S")})
            self.state.write("lab.json", choice.record())

    def choose(self, folder: Path, values: Values) -> Choice:
        """As anywhere; but the uplink's parameters are this machine's. Raises CourseError for a sandbox's course."""
        course = load(folder)
        around = course.surroundings
        if not hasattr(around, "on_host"):
            raise CourseError(f"{folder} is a course for sandboxes only: its surroundings have no on_host()")
        recorded = self.recorded(folder)
        if self.internet:
            values = {**values, around.INTERNET: self.internet}
        if not recorded or around.UPLINK in values:
            values = on_machine(course, self._stack(), values)
        return Choice.of(folder, parameters.merged(recorded, values))

    def _stack(self) -> Stack:
        with closing(Host(Services(self.state.folder / "services"))) as host:
            return host.facts({_OWN}).stack("")

    def inside(self, work: Callable[[OnHost], T], choice: Choice | None = None) -> T:
        """Run ``work`` on this machine's network, in this process."""
        inside = OnHost(self, choice)
        with closing(inside.host):
            inside.accept()
            return work(inside)

    @contextmanager
    def for_a_cycle(self, choice: Choice) -> Iterator[None]:
        """This machine, as it is. What a cycle that broke off has left, `undo` takes back."""
        yield

    def after_undo(self, why_it_stays: str) -> str:
        """Remove netlab's own record where nothing of the lab is left; what to tell."""
        if why_it_stays:
            return ""
        self.state.clear()
        return "nothing that netlab has on record is left on this machine"


def _identity() -> dict[str, object]:
    """This boot, and this network stack: what was done in another is not here."""
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    return {"boot": boot, "netns": os.stat("/proc/self/ns/net").st_ino}

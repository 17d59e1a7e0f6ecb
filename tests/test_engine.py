"""The walks, over a kernel made of dictionaries: what they tell, what they run, what they leave when they break off."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import pytest

from netlab import engine
from netlab.engine import Look
from netlab.errors import CommandFailed, Conflict, DidNotHold, Missing
from netlab.events import (
    Event,
    GoneWith,
    Process,
    Proved,
    Ran,
    StepBegun,
    StepEnded,
    WalkBegun,
    WalkEnded,
)
from netlab.facts import parse_stack
from netlab.journal import Journal
from netlab.lab import plan, status
from netlab.model import (
    Chapter,
    Command,
    Facts,
    Namespaces,
    Observation,
    Operation,
    Performed,
    Probe,
    Proof,
    Query,
    Result,
    Stack,
)
from netlab.operations import KINDS, bridge, namespace, sysctl, up


@dataclass(frozen=True)
class Slow(Operation):
    """A thing that takes its time, to come and to go."""

    kind: ClassVar[str] = "slow"
    name: str

    def __str__(self) -> str:
        return f"slow {self.name}"

    @property
    def patience(self) -> float:
        return 7.0

    def queries(self) -> frozenset[Query]:
        return frozenset({Query("service", "", self.name)})

    def holds(self, facts: Facts) -> bool:
        return facts.service(self.name) > 0

    def apply(self, facts: Facts) -> tuple[Command, ...]:
        return (Command(("slow", "start", self.name)),)

    def undo(self, facts: Facts, before: object) -> tuple[Command, ...]:
        return (Command(("slow", "stop", self.name)),) if self.holds(facts) else ()


@pytest.fixture(autouse=True)
def _slow_can_be_journalled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(KINDS, "slow", Slow)


@dataclass(frozen=True)
class Probed(Proof):
    """Passes when ``key`` is 1 in a kernel of these tests."""

    key: str
    stay: bool = False

    def __str__(self) -> str:
        return f"a look at {self.key}"

    @property
    def stays(self) -> bool:
        return self.stay

    @property
    def expected(self) -> str:
        return "1"

    @property
    def probe(self) -> Probe:
        return Probe(())

    def judge(self, results: Sequence[Result], watched: Result | None) -> Observation:
        raise AssertionError("the kernel of these tests has no tools")


class Kernel:
    """A lab host of values. ``refused`` commands fail, ``deaf`` ones say they ran and change nothing."""

    def __init__(self, **sysctls: str) -> None:
        self.events: deque[Event] = deque()
        self.sysctls = {f"net.{key}": value for key, value in sysctls.items()}
        self.links: dict[str, dict[str, str]] = {"": {"lo": "up"}}
        self.pids: dict[str, int] = {}
        self.ran: list[str] = []
        self.waited: list[float] = []
        self.refused: set[str] = set()
        self.deaf: set[str] = set()
        self.late: list[Callable[[], None]] = []
        self.at_each: Callable[[Command], None] = lambda command: None

    # What the engine needs of a host.

    def facts(self, queries: Iterable[Query]) -> Facts:
        return Facts({query: self._answer(query) for query in queries})

    def forget(self) -> None:
        pass

    def wait(self, until: Callable[[], bool], seconds: float) -> bool:
        self.waited.append(seconds)
        if seconds:
            for happens in self.late:
                happens()
            self.late.clear()
        return until()

    def perform(self, commands: Sequence[Command], *, together: bool = True) -> Iterator[Performed]:
        for command in commands:
            self.at_each(command)
            self.events.append(Process(f"/bin/{command}", 0, 0.1))
            if str(command) in self.refused:
                raise CommandFailed("a command failed with exit code 2", details=(str(command), "it said: no"))
            self.ran.append(str(command))
            if str(command) not in self.deaf:
                self._do(command)
            yield Performed(command, 0.1, len(commands))

    def left_out(self, proof: Proof) -> str:
        return ""

    def observe(self, proofs: Sequence[Proof], *, seconds: float) -> list[Observation]:
        self.waited.append(seconds)
        seen = [self.sysctls.get(f"net.{proof.key}", "nothing") for proof in proofs if isinstance(proof, Probed)]
        return [Observation(each == "1", each) for each in seen]

    # What it is made of.

    def _answer(self, query: Query) -> Any:
        match query.kind:
            case "sysctl":
                return {query.key: self.sysctls[query.key]} if query.key in self.sysctls else {}
            case "namespaces":
                return Namespaces(frozenset(self.links) - {""})
            case "stack" if query.netns in self.links:
                links = enumerate(self.links[query.netns].items(), 1)
                return parse_stack("\n".join(_shown(number, name, kind) for number, (name, kind) in links))
            case "stack":
                return Stack(exists=False)
            case _:
                return self.pids.get(query.key, 0)

    def _do(self, command: Command) -> None:
        here = self.links.get(command.netns or "", {})
        match command.argv:
            case ("sysctl", "-w", setting):
                key, _, value = setting.partition("=")
                self.sysctls[key] = value
            case ("ip", "netns", "add", name):
                self.links[name] = {"lo": "down"}
            case ("ip", "netns", "del", name):
                del self.links[name]
            case ("ip", "link", "add", name, "type", "bridge"):
                here[name] = "bridge"
            case ("ip", "link", "del", name):
                del here[name]
            case ("ip", "link", "set", name, state):
                here[name] = state
            case ("slow", "start", name):
                self.late.append(lambda: self.pids.update({name: 7}))
            case ("slow", "stop", name):
                self.late.append(lambda: self.pids.update({name: 0}))
            case _:
                raise AssertionError(f"what is {command}?")


def _shown(number: int, name: str, kind: str) -> str:
    """A link as `ip -o -d link` shows it."""
    flag, ether = "UP" if kind == "up" else "BROADCAST", "loopback" if name == "lo" else "ether"
    return f"{number}: {name}: <{flag}> mtu 1\\    link/{ether} 0 \\    {kind} "


@pytest.fixture
def kernel() -> Kernel:
    return Kernel(a="0", b="0", c="0")


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path / "journal.jsonl")


def chapter(name: str, *operations: Operation, needs: tuple[str, ...] = (), proofs: tuple[Proof, ...] = ()) -> Chapter:
    return Chapter(name, f"About {name}.", needs, operations, proofs)


A, B, C = (sysctl(f"net.{key}", "1") for key in "abc")
ONE = chapter("one", A, B)
TWO = chapter("two", namespace("c"), up("lo", "c"))


def apply(kernel: Kernel, journal: Journal, *chapters: Chapter) -> list[Event]:
    return list(engine.apply(chapters, kernel, journal))


def undo(kernel: Kernel, journal: Journal, *chapters: Chapter, first: Facts | None = None) -> list[Event]:
    """Of these chapters, given newest first."""
    taken = engine.to_take_back(chapters, journal, first)
    return list(engine.undo([each.name for each in chapters], taken, kernel, journal))


def short(events: Iterable[Event]) -> list[str]:
    """What a walk tells, without its times and the processes."""
    told = []
    for event in events:
        match event:
            case WalkBegun(walk, steps):
                told.append(f"{walk}: {' '.join(steps)}")
            case StepBegun(step, _, held, total):
                told.append(f"{step}: {held} of {total}")
            case Ran(step, operation, command):
                told.append(f"{step}: {operation}: {command}")
            case GoneWith(step, operation, within):
                told.append(f"{step}: {operation} with {within}")
            case StepEnded(step, held, changed):
                told.append(f"{step}: {held} held, {changed} changed")
            case WalkEnded(walk, changed):
                told.append(f"{walk}: {changed} changed")
    return told


# --- apply -----------------------------------------------------------------------------------------------------------


def test_apply_tells_what_was_there_and_what_ran(kernel: Kernel, journal: Journal) -> None:
    kernel.sysctls["net.a"] = "1"
    assert short(apply(kernel, journal, ONE, TWO)) == [
        "apply: one two",
        "one: 1 of 2",
        "one: sysctl net.b = 1: sysctl -w net.b=1",
        "one: 1 held, 1 changed",
        "two: 0 of 2",
        "two: network namespace c: ip netns add c",
        "two: lo in c up: ip netns exec c ip link set lo up",
        "two: 0 held, 2 changed",
        "apply: 3 changed",
    ]
    assert [str(each.operation) for each in journal.entries] == [
        "sysctl net.b = 1",
        "network namespace c",
        "lo in c up",
    ]
    assert journal.done == {"one", "two"}


def test_each_process_is_told_before_what_it_did(kernel: Kernel, journal: Journal) -> None:
    events = [event for event in apply(kernel, journal, ONE) if isinstance(event, Process | Ran)]
    assert [type(event).__name__ for event in events] == ["Process", "Ran", "Process", "Ran"]


def test_apply_again_runs_nothing(kernel: Kernel, journal: Journal) -> None:
    apply(kernel, journal, ONE, TWO)
    ran = list(kernel.ran)
    assert short(apply(kernel, journal, ONE, TWO)) == [
        "apply: one two",
        "one: 2 of 2",
        "one: 2 held, 0 changed",
        "two: 2 of 2",
        "two: 2 held, 0 changed",
        "apply: 0 changed",
    ]
    assert kernel.ran == ran


def test_it_is_on_record_before_it_runs(kernel: Kernel, journal: Journal) -> None:
    def look(command: Command) -> None:
        on_disk = Journal(journal.path)
        assert any(command in each.operation.apply(kernel.facts(each.operation.queries())) for each in on_disk.entries)

    kernel.at_each = look
    apply(kernel, journal, ONE, TWO)
    assert len(kernel.ran) == 4


def test_what_is_in_the_way_stops_it_before_anything_runs(kernel: Kernel, journal: Journal) -> None:
    kernel.links[""]["br0"] = "veth"
    with pytest.raises(Conflict) as caught:
        apply(kernel, journal, ONE, chapter("bridge", C, bridge("br0")), TWO)
    assert caught.value.code == 4
    assert caught.value.message == "step 'bridge': something that netlab did not make is in the way"
    assert caught.value.details == ("br0 is there already: a veth",)
    assert kernel.ran == ["sysctl -w net.a=1", "sysctl -w net.b=1"]  # of an earlier step
    assert {each.step for each in journal.entries} == {"one"}


def test_a_command_that_fails_names_its_step_and_operation(kernel: Kernel, journal: Journal) -> None:
    kernel.refused = {"sysctl -w net.b=1"}
    with pytest.raises(CommandFailed) as caught:
        apply(kernel, journal, ONE, TWO)
    error = caught.value
    assert error.code == 1
    assert error.message == "step 'one': sysctl net.b = 1: a command failed with exit code 2"
    assert error.details == ("sysctl -w net.b=1", "it said: no")
    assert "netlab apply" in error.hint
    assert "netlab undo" in error.hint
    assert kernel.ran == ["sysctl -w net.a=1"]
    assert journal.done == set()
    kernel.refused.clear()
    assert short(apply(kernel, journal, ONE))[1:3] == ["one: 1 of 2", "one: sysctl net.b = 1: sysctl -w net.b=1"]


def test_what_cannot_be_written_down_does_not_run(
    kernel: Kernel, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: Journal, entries: Sequence[object]) -> None:
        raise Missing("the journal cannot be written: No space left on device", hint="make room")

    monkeypatch.setattr(Journal, "record", full)
    with pytest.raises(Missing) as caught:
        apply(kernel, journal, ONE, TWO)
    said = "step 'one': sysctl net.a = 1: the journal cannot be written: No space left on device"
    assert (caught.value.message, caught.value.hint) == (said, "make room")
    assert caught.value.details == ("not run: sysctl -w net.a=1",)
    assert kernel.ran == []


def test_facts_decide(kernel: Kernel, journal: Journal) -> None:
    """A command that says it went well, and did nothing, is an error that names it and what the kernel shows."""
    kernel.deaf = {"sysctl -w net.b=1"}
    with pytest.raises(DidNotHold) as caught:
        apply(kernel, journal, ONE, TWO)
    assert caught.value.message == "step 'one': sysctl net.b = 1 does not hold, though its command ran"
    assert caught.value.details == ("sysctl -w net.b=1", "the kernel shows: net.b is 0")
    assert [str(each.operation) for each in journal.entries] == ["sysctl net.a = 1", "sysctl net.b = 1"]
    assert "c" not in kernel.links


def test_what_is_slow_is_waited_for(kernel: Kernel, journal: Journal) -> None:
    slow = chapter("slow", Slow("s"))
    assert short(apply(kernel, journal, slow))[2] == "slow: slow s: slow start s"
    assert kernel.waited == [7.0]
    undo(kernel, journal, slow)
    assert kernel.pids == {"s": 0}
    assert 7.0 in kernel.waited[1:]


def test_a_later_step_sees_what_an_earlier_one_did(kernel: Kernel, journal: Journal) -> None:
    again = chapter("again", A)
    assert short(apply(kernel, journal, ONE, again))[-3:-1] == ["again: 1 of 1", "again: 1 held, 0 changed"]


# --- how a step stands -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Given(Slow):
    """What an empty lab has by itself."""

    @property
    def given(self) -> bool:
        return True


G, H = Given("g"), Given("h")

STATES: dict[str, tuple[tuple[Operation, ...], tuple[Operation, ...], bool, str]] = {
    "all of it": ((A, B), (), False, "done"),
    "none of it": ((), (A, B), False, "todo"),
    "some of it": ((A,), (B,), False, "partial"),
    "all of it, and what is given": ((A, G), (), False, "done"),
    "only what is given": ((G,), (A,), False, "todo"),
    "all but what is given": ((A,), (G,), False, "partial"),
    "it was done": ((A, B), (), True, "done"),
    "it was done, some is left": ((A,), (B,), True, "drifted"),
    "it was done, nothing is left": ((), (A, B), True, "drifted"),
    "it was done, what is given is left": ((G,), (A,), True, "drifted"),
    "it was done, what is given is not": ((A,), (G,), True, "drifted"),
}


@pytest.mark.parametrize(("held", "missing", "was_done", "state"), STATES.values(), ids=STATES)
def test_states(held: tuple[Operation, ...], missing: tuple[Operation, ...], was_done: bool, state: str) -> None:
    look = Look(chapter("one", *held, *missing), Facts(), held, missing)
    assert look.state({"one"} if was_done else {"another"}) == state


def test_status_and_plan(kernel: Kernel) -> None:
    kernel.sysctls["net.a"] = "1"
    some = chapter("some", A, C, G)
    found = status([some, TWO], kernel)
    assert [(each.name, each.state, each.missing) for each in found] == [
        ("some", "partial", ("sysctl net.c = 1 (net.c is 0)", "slow g")),
        ("two", "todo", ()),
    ]
    view = plan([some, TWO], kernel)
    assert [(each.name, each.commands, each.only_if_missing, each.held) for each in view.steps] == [
        ("some", ("sysctl -w net.c=1",), ("slow start g",), 1),
        ("two", ("ip netns add c", "ip netns exec c ip link set lo up"), (), 0),
    ]
    assert kernel.ran == []


# --- undo ------------------------------------------------------------------------------------------------------------


def test_undo_takes_back_newest_first_and_tells_what_went_along(kernel: Kernel, journal: Journal) -> None:
    apply(kernel, journal, ONE, TWO)
    kernel.ran.clear()
    assert short(undo(kernel, journal, TWO, ONE)) == [
        "undo: two one",
        "two: 0 of 2",
        "two: network namespace c: ip netns del c",
        "two: lo in c up with c",
        "two: 0 held, 1 changed",
        "one: 0 of 2",
        "one: sysctl net.b = 1: sysctl -w net.b=0",
        "one: sysctl net.a = 1: sysctl -w net.a=0",
        "one: 0 held, 2 changed",
        "undo: 3 changed",
    ]
    assert kernel.ran == ["ip netns del c", "sysctl -w net.b=0", "sysctl -w net.a=0"]
    assert (journal.entries, journal.done) == ([], set())
    assert kernel.sysctls == {"net.a": "0", "net.b": "0", "net.c": "0"}


def test_undo_leads_back_to_what_was_there_before(journal: Journal) -> None:
    kernel = Kernel(a="7", b="1")
    apply(kernel, journal, ONE)
    undo(kernel, journal, ONE)
    assert kernel.ran == ["sysctl -w net.a=1", "sysctl -w net.a=7"]


def test_undo_after_a_drift_and_a_second_apply_leads_to_the_first_state(journal: Journal) -> None:
    kernel = Kernel(a="7", b="1")
    apply(kernel, journal, ONE)
    kernel.sysctls["net.a"] = "9"
    apply(kernel, journal, ONE)
    undo(kernel, journal, ONE)
    assert kernel.sysctls["net.a"] == "7"


def test_undo_twice(kernel: Kernel, journal: Journal) -> None:
    apply(kernel, journal, ONE)
    undo(kernel, journal, ONE)
    kernel.ran.clear()
    assert short(undo(kernel, journal, ONE)) == ["undo: one", "undo: 0 changed"]
    assert kernel.ran == []


def test_undo_needs_nothing_but_the_journal(kernel: Kernel, journal: Journal) -> None:
    """The course has changed, or is gone: its steps declare nothing any more."""
    apply(kernel, journal, ONE, TWO)
    undo(kernel, Journal(journal.path), chapter("two"), chapter("one"))
    assert kernel.sysctls["net.a"] == "0"
    assert "c" not in kernel.links


def test_undo_of_one_step_leaves_the_others(kernel: Kernel, journal: Journal) -> None:
    apply(kernel, journal, ONE, TWO)
    undo(kernel, journal, TWO)
    assert kernel.sysctls["net.a"] == "1"
    assert ({each.step for each in journal.entries}, journal.done) == ({"one"}, {"one"})


def test_what_netlab_did_not_do_stays(kernel: Kernel, journal: Journal) -> None:
    """Where the first facts are not known (a real host), what was there before apply is a stranger's."""
    kernel.sysctls["net.a"] = "1"
    kernel.links["c"] = {"lo": "down"}
    apply(kernel, journal, ONE, TWO)
    undo(kernel, journal, TWO, ONE)
    assert kernel.sysctls == {"net.a": "1", "net.b": "0", "net.c": "0"}
    assert kernel.links["c"] == {"lo": "down"}


def test_in_a_sandbox_what_was_typed_by_hand_goes_as_well(kernel: Kernel, journal: Journal) -> None:
    kernel.sysctls["net.b"] = "1"
    first = kernel.facts({query for each in (*ONE.operations, *TWO.operations) for query in each.queries()})
    kernel.sysctls["net.a"] = "1"
    kernel.links["c"] = {"lo": "up"}
    kernel.links["mine"] = {}
    undo(kernel, journal, TWO, ONE, first=first)
    assert kernel.sysctls == {"net.a": "0", "net.b": "1", "net.c": "0"}  # b was on at first
    assert kernel.links.keys() == {"", "mine"}  # and what belongs to no operation stays


def test_undo_that_fails_says_where_and_goes_on_later(kernel: Kernel, journal: Journal) -> None:
    apply(kernel, journal, ONE, TWO)
    kernel.refused = {"sysctl -w net.b=0"}
    with pytest.raises(CommandFailed) as caught:
        undo(kernel, journal, TWO, ONE)
    assert "undo of step 'one': sysctl net.b = 1" in caught.value.message
    assert caught.value.details == ("sysctl -w net.b=0", "it said: no")
    assert {each.step for each in journal.entries} == {"one", "two"}
    kernel.refused.clear()
    undo(kernel, journal, TWO, ONE)
    assert kernel.sysctls["net.a"] == kernel.sysctls["net.b"] == "0"
    assert journal.entries == []


def test_undo_looks_again(kernel: Kernel, journal: Journal) -> None:
    apply(kernel, journal, ONE)
    kernel.deaf = {"sysctl -w net.a=0"}
    with pytest.raises(DidNotHold) as caught:
        undo(kernel, journal, ONE)
    assert caught.value.message == "undo of step 'one': sysctl net.a = 1 is still there, though its command ran"
    assert "sysctl -w net.a=0" in caught.value.details
    assert len(journal.entries) == 2


def test_a_failure_about_what_has_gone_meanwhile_is_none(kernel: Kernel, journal: Journal) -> None:
    pair = chapter("pair", bridge("x"), bridge("y"))
    apply(kernel, journal, pair)

    def both_go_together(command: Command) -> None:
        if str(command) == "ip link del x":
            kernel.links[""].pop("x", None)
            kernel.refused = {"ip link del x"}

    kernel.at_each = both_go_together
    undo(kernel, journal, pair)
    assert kernel.links == {"": {"lo": "up"}}


# --- prove -----------------------------------------------------------------------------------------------------------

PROVED: dict[str, tuple[str, str, bool, bool, str, float]] = {
    "passes": ("1", "", False, True, "1", 5.0),
    "fails": ("0", "", False, False, "1", 5.0),
    "before its step it has to fail": ("0", "before", False, True, "not yet: 1", 0.0),
    "before its step it passes: it proves nothing": ("1", "before", False, False, "not yet: 1", 0.0),
    "after its step": ("1", "after", False, True, "1", 5.0),
    "after its step it fails": ("0", "after", False, False, "1", 5.0),
    "after undo it has to fail": ("0", "undone", False, True, "no longer: 1", 0.0),
    "after undo it still passes": ("1", "undone", False, False, "no longer: 1", 0.0),
    "what stays, before": ("1", "before", True, True, "1", 0.0),
    "what stays, after": ("1", "after", True, True, "1", 5.0),
    "what should stay, and does not": ("0", "undone", True, False, "1", 0.0),
}


@pytest.mark.parametrize(("value", "phase", "stays", "ok", "expected", "seconds"), PROVED.values(), ids=PROVED)
def test_prove(value: str, phase: str, stays: bool, ok: bool, expected: str, seconds: float) -> None:
    kernel = Kernel(a=value)
    (event,) = engine.prove([chapter("one", proofs=(Probed("a", stays),))], kernel, phase=phase)
    assert isinstance(event, Proved)
    assert (event.step, event.probe, event.observed) == ("one", "a look at a", value)
    assert (event.ok, event.expected, event.phase, event.stays) == (ok, expected, phase, stays)
    assert kernel.waited == [seconds]


def test_prove_tells_in_order_and_asks_at_once() -> None:
    kernel = Kernel(a="1", b="1", c="0")
    chapters = [
        chapter("one", proofs=(Probed("a"), Probed("c"))),
        chapter("two", proofs=(Probed("b"),)),
        chapter("three"),
    ]
    events = [event for event in engine.prove(chapters, kernel) if isinstance(event, Proved)]
    assert [(event.step, event.probe[-1], event.ok) for event in events] == [
        ("one", "a", True), ("one", "c", False), ("two", "b", True)
    ]  # fmt: skip
    assert len(kernel.waited) == 1


def test_words_are_the_persons() -> None:
    """Every command that is told can be pasted."""
    for command, text in {
        Command(("ip", "link", "set", "lo", "up"), "c"): "ip netns exec c ip link set lo up",
        Command(("iptables", "--comment", "it's")): "iptables --comment 'it'\"'\"'s'",
    }.items():
        assert str(command) == text
        assert re.fullmatch(r"[ -~]+", text)


# --- one by one ------------------------------------------------------------------------------------------------------


def test_one_operation_at_a_time(kernel: Kernel, journal: Journal) -> None:
    step = chapter("a", sysctl("net.a", "1"), sysctl("net.b", "1"))
    for number, operation in enumerate(step.operations):
        assert "a" not in journal.done
        events = list(engine.apply_one(step, operation, kernel, journal))
        assert [each.operation for each in events if isinstance(each, Ran)] == [str(operation)]
        assert [each.operation for each in journal.entries] == list(step.operations[: number + 1])
    assert "a" in journal.done
    assert list(engine.apply_one(step, step.operations[0], kernel, journal)) == []

"""Walks of the graph: look, apply, undo, prove. Prints nothing and starts no process; yields events as they happen."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from netlab.errors import CommandFailed, Conflict, DidNotHold
from netlab.events import Event, GoneWith, Kept, Proved, Ran, StepBegun, StepEnded, WalkBegun, WalkEnded
from netlab.journal import Entry, Journal
from netlab.model import Chapter, Command, Facts, Observation, Operation, Proof, Query

State = Literal["done", "partial", "todo", "drifted"]

MUST_PASS = 5.0
"""Seconds for which a proof that must pass is tried again; one that must fail is tried once, and bounds itself."""


class Looked(Protocol):
    """What can be looked at."""

    def facts(self, queries: Iterable[Query]) -> Facts: ...


class LabHost(Looked, Protocol):
    """What the engine needs of a host (``netlab.host.Host``)."""

    events: deque[Event]

    def forget(self) -> None: ...
    def wait(self, until: Callable[[], bool], seconds: float) -> bool: ...
    def perform(
        self, commands: Sequence[Command], *, together: bool = True
    ) -> Iterator[tuple[Command, float, int]]: ...
    def observe(self, proofs: Sequence[Proof], *, seconds: float) -> list[Observation]: ...


def facts_for(host: Looked, operations: Iterable[Operation]) -> Facts:
    """All that these operations look at."""
    return host.facts({query for operation in operations for query in operation.queries()})


# --- looking ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Look:
    """One step as the kernel shows it: which of its operations hold, which are missing, and the facts that say so."""

    chapter: Chapter
    facts: Facts
    held: tuple[Operation, ...]
    missing: tuple[Operation, ...]

    @property
    def complete(self) -> bool:
        return not self.missing

    @property
    def begun(self) -> bool:
        """Does anything hold that an empty lab has not by itself?"""
        return any(not each.given for each in self.held)

    def state(self, done: set[str]) -> State:
        """Drifted is what was done, and no longer holds."""
        if self.begun and self.complete:
            return "done"
        if self.chapter.name in done:
            return "drifted"
        return "partial" if self.begun else "todo"

    def lacking(self) -> tuple[str, ...]:
        """What is missing, in words, with what stands there instead."""
        found = ((str(each), each.found(self.facts)) for each in self.missing)
        return tuple(f"{name} ({instead})" if instead else name for name, instead in found)


def look(chapters: Sequence[Chapter], host: Looked) -> Iterator[Look]:
    """What the kernel shows of each of these steps, read in one go."""
    facts = facts_for(host, (each for chapter in chapters for each in chapter.operations))
    for chapter in chapters:
        holds = [each.holds(facts) for each in chapter.operations]
        held = tuple(each for each, true in zip(chapter.operations, holds, strict=True) if true)
        missing = tuple(each for each, true in zip(chapter.operations, holds, strict=True) if not true)
        yield Look(chapter, facts, held, missing)


# --- apply -----------------------------------------------------------------------------------------------------------


def apply(chapters: Sequence[Chapter], host: LabHost, journal: Journal) -> Iterator[Event]:
    """Bring every chapter about, in order. What holds is left alone; what does not is journalled, run, and read again.

    Raises Conflict for what is not ours and in the way, CommandFailed, and DidNotHold; no later step has run then.
    """
    begun = time.monotonic()
    changed = 0
    yield WalkBegun("apply", tuple(each.name for each in chapters))
    for chapter in chapters:
        since = time.monotonic()
        seen = next(look([chapter], host))
        yield StepBegun(chapter.name, chapter.summary, len(seen.held), len(chapter.operations))
        if seen.missing:
            yield from _apply_missing(seen, host, journal)
        journal.finish(chapter.name)
        changed += len(seen.missing)
        yield StepEnded(chapter.name, len(seen.held), len(seen.missing), time.monotonic() - since)
    yield WalkEnded("apply", changed, time.monotonic() - begun)


def _apply_missing(seen: Look, host: LabHost, journal: Journal) -> Iterator[Event]:
    step, facts = seen.chapter.name, seen.facts
    in_the_way = [each.found(facts) for each in seen.missing if each.blocked(facts)]
    if in_the_way:
        raise Conflict(
            f"step {step!r}: something that netlab did not make is in the way",
            details=in_the_way,
            hint="remove it by hand; in a sandbox `netlab undo` does, if it was typed there",
        )
    tasks = [(operation, command) for operation in seen.missing for command in operation.apply(facts)]
    journal.record([Entry(step, each, each.before(facts)) for each in seen.missing])
    yield from _performed(step, tasks, host)
    if not _settled(seen.missing, host, lambda operation, now: operation.holds(now)):
        now = facts_for(host, seen.missing)
        failed = next(each for each in seen.missing if not each.holds(now))
        commands = tuple(str(command) for operation, command in tasks if operation == failed)
        raise DidNotHold(
            f"step {step!r}: {failed} does not hold, though its command ran",
            details=(*commands, f"the kernel shows: {failed.found(now) or 'nothing of it'}"),
            hint="look with `netlab status`; `netlab undo` takes the lab back",
        )


def _performed(step: str, tasks: Sequence[tuple[Operation, Command]], host: LabHost) -> Iterator[Event]:
    """Run the commands, in order, and yield what ran; a failure names the step and the operation as well."""
    waiting = list(tasks)
    try:
        for command, seconds, shared in host.perform([command for _, command in tasks]):
            yield from _drained(host)
            operation = next(each for each, own in waiting if own == command)
            waiting.remove((operation, command))
            yield Ran(step, str(operation), str(command), seconds, shared)
    except CommandFailed as error:
        yield from _drained(host)
        failed = next((str(each) for each, command in tasks if str(command) == error.details[0]), "")
        named = f"step {step!r}: {failed}: {error.message}" if failed else f"step {step!r}: {error.message}"
        hint = error.hint or "`netlab apply` goes on from here; `netlab undo` takes the lab back"
        raise CommandFailed(named, details=error.details, hint=hint) from error
    yield from _drained(host)


def _drained(host: LabHost) -> Iterator[Event]:
    while host.events:
        yield host.events.popleft()


def _settled(operations: Sequence[Operation], host: LabHost, right: Callable[[Operation, Facts], bool]) -> bool:
    """Read again: is each operation as it should be? What is slow to start or end is waited for, with its patience."""

    def all_right() -> bool:
        facts = facts_for(host, operations)
        return all(right(each, facts) for each in operations)

    return all_right() or host.wait(all_right, max((each.patience for each in operations), default=0.0))


# --- undo ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Taken:
    """One operation to take back: netlab's own, with what was ``before``; or typed by hand where one belongs."""

    step: str
    operation: Operation
    before: object
    own: bool

    def commands(self, facts: Facts) -> tuple[Command, ...]:
        back = self.operation.undo(facts, self.before)
        return back if self.own else (*back, *self.operation.clear(facts))


def to_take_back(chapters: Sequence[Chapter], journal: Journal, first: Facts | None) -> list[Taken]:
    """What undo of these chapters (newest first) has to take back, newest first.

    That is what the journal says; and in a sandbox, whose ``first`` facts are known, also what was typed by hand where
    an operation of the course belongs and was not there at first.
    """
    taken = []
    for chapter in chapters:
        own = [each for each in journal.entries if each.step == chapter.name]
        ours = {each.operation for each in own}
        by_hand = [] if first is None else [each for each in chapter.operations if each not in ours]
        # The order of the step is kept between the two, so that what lives in something goes before it.
        place = {operation: number for number, operation in enumerate(chapter.operations)}
        both = [Taken(chapter.name, each.operation, each.before, True) for each in own]
        both += [
            Taken(chapter.name, each, each.before(first), False)
            for each in by_hand
            # What was there at first stays. Where more can be there than at first, ``before`` tells what.
            if first is not None and (not each.holds(first) or each.before(first) is not None)
        ]
        taken += sorted(both, key=lambda each: place.get(each.operation, len(place)), reverse=True)
    return taken


def undo(steps: Sequence[str], taken: Sequence[Taken], host: LabHost, journal: Journal) -> Iterator[Event]:
    """Take back what ``to_take_back`` found, newest first, and look again; ``steps`` are its steps, newest first.

    What lives in something that goes is not taken back one by one, but seen to be gone. Raises DidNotHold for what is
    still there afterwards, CommandFailed; what the journal says stays until everything was seen to be gone.
    """
    begun = time.monotonic()
    yield WalkBegun("undo", tuple(steps))
    facts = facts_for(host, [each.operation for each in taken])
    taken = [each for each in taken if each.own or each.operation.holds(facts) or each.operation.found(facts)]
    operations = [each.operation for each in taken]
    going = _going(taken, facts)
    covers = {
        number: cover
        for number, each in enumerate(taken)
        if (cover := min(each.operation.within & going, default=None))
    }
    ran: dict[str, list[Ran]] = {step: [] for step in steps}
    before_last: list[Command] = []
    while True:
        # More than once: only when a rule is gone is its chain seen to be empty, and can go as well.
        facts = facts_for(host, operations)
        each_once: dict[Command, Taken] = {}  # two rules of one table may both see its chain empty
        for number, each in enumerate(taken):
            if number not in covers:
                each_once.update((command, each) for command in each.commands(facts) if command not in each_once)
        tasks = [(each, command) for command, each in each_once.items()]
        commands = list(each_once)
        if not tasks or (commands == before_last and not _gone(taken, host)):
            break
        before_last = commands
        yield from _taking_back(tasks, host, ran)
        host.forget()
    _check_gone(taken, host)
    journal.undone(steps)
    yield from _report(steps, taken, covers, ran, host, begun)


def _going(taken: Sequence[Taken], facts: Facts) -> frozenset[tuple[str, ...]]:
    """All that will be gone: what the operations made that are going to be taken back by a command."""
    made = (each.operation.makes for each in taken if each.operation.makes and each.commands(facts))
    return frozenset().union(*made)


def _gone(taken: Sequence[Taken], host: LabHost) -> bool:
    """Wait for what is slow to end."""
    own = [each for each in taken if each.own]
    patience = max((each.operation.patience for each in own), default=0.0)

    def all_gone() -> bool:
        facts = facts_for(host, [each.operation for each in own])
        return not any(each.commands(facts) for each in own)

    return host.wait(all_gone, patience)


def _taking_back(tasks: Sequence[tuple[Taken, Command]], host: LabHost, ran: dict[str, list[Ran]]) -> Iterator[Event]:
    waiting = list(tasks)
    try:
        for command, seconds, shared in host.perform([command for _, command in tasks]):
            yield from _drained(host)
            taken = next(each for each, own in waiting if own == command)
            waiting.remove((taken, command))
            ran[taken.step].append(Ran(taken.step, str(taken.operation), str(command), seconds, shared))
    except CommandFailed as error:
        yield from _drained(host)
        failed = next((each for each, command in tasks if str(command) == error.details[0]), None)
        named = f"undo of step {failed.step!r}: {failed.operation}: {error}" if failed else f"undo: {error}"
        hint = "`netlab undo` goes on from here"
        raise CommandFailed(named, details=error.details, hint=hint) from error
    yield from _drained(host)


def _check_gone(taken: Sequence[Taken], host: LabHost) -> None:
    """Look again. Raises DidNotHold for what is still there."""
    facts = facts_for(host, [each.operation for each in taken])
    still = next((each for each in taken if each.commands(facts)), None)
    if still is not None:
        raise DidNotHold(
            f"undo of step {still.step!r}: {still.operation} is still there, though its command ran",
            details=tuple(str(command) for command in still.commands(facts)),
            hint="`netlab undo` goes on from here",
        )


def _report(
    steps: Sequence[str],
    taken: Sequence[Taken],
    covers: dict[int, tuple[str, ...]],
    ran: dict[str, list[Ran]],
    host: LabHost,
    begun: float,
) -> Iterator[Event]:
    """Say step by step what was taken back, what went with what, and what was kept."""
    facts = facts_for(host, [each.operation for each in taken])
    changed = 0
    for step in steps:
        mine = [(number, each) for number, each in enumerate(taken) if each.step == step]
        yield StepBegun(step, "", 0, len(mine))
        yield from ran[step]
        for number, each in mine:
            if number in covers:
                yield GoneWith(step, str(each.operation), covers[number][-1])
            elif not each.own and each.operation.holds(facts) and not each.operation.given:
                yield Kept(step, str(each.operation), "netlab did not make it")
        count = len({event.operation for event in ran[step]})
        changed += count
        yield StepEnded(step, 0, count, sum(event.seconds / event.shared for event in ran[step]))
    yield WalkEnded("undo", changed, time.monotonic() - begun)


# --- prove -----------------------------------------------------------------------------------------------------------


def prove(chapters: Sequence[Chapter], host: LabHost, *, phase: str = "") -> Iterator[Event]:
    """Run the proofs of these chapters, side by side, and yield what was seen, in order.

    ``phase`` "before" and "undone" turn the expectation round: there a proof must fail, within a second. What ``stays``
    must be seen in every phase.
    """
    pairs = [(chapter.name, proof) for chapter in chapters for proof in chapter.proofs]
    must_fail = phase in ("before", "undone")
    since = time.monotonic()
    observations = host.observe([proof for _, proof in pairs], seconds=0.0 if must_fail else MUST_PASS)
    seconds = time.monotonic() - since
    yield from _drained(host)
    for (step, proof), seen in zip(pairs, observations, strict=True):
        right = seen.ok if proof.stays or not must_fail else not seen.ok
        expected = f"not yet: {proof.expected}" if must_fail and not proof.stays else proof.expected
        yield Proved(step, str(proof), expected, seen.text, right, seconds, phase, proof.stays)
    host.forget()

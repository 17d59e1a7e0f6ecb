"""The walk that takes steps back, to what was there before."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass

from netlab.engine.looking import LabHost, drained, facts_for
from netlab.errors import CommandFailed, DidNotHold, NetlabError
from netlab.events import Event, GoneWith, Ran, StepBegun, StepEnded, WalkBegun, WalkEnded
from netlab.journal import Entry, Journal
from netlab.model import Chapter, Command, Facts, Json, Operation, Thing


@dataclass(frozen=True, slots=True)
class Taken:
    """One operation to take back: netlab's own, with what was ``before``; or typed by hand where one belongs."""

    step: str
    operation: Operation
    before: Json = None
    identity: str = ""
    """What netlab made, where what somebody made anew under its name is to be left alone."""
    first: Facts | None = None
    """For what was typed by hand: the facts that the sandbox started with."""

    @property
    def own(self) -> bool:
        """Did netlab do it?"""
        return self.first is None

    def foreign(self, facts: Facts) -> bool:
        """Did somebody else make what is there now?"""
        return self.identity != "" and self.operation.identity(facts) not in ("", self.identity)

    def due(self, facts: Facts) -> bool:
        """Is there anything to take back? Of what was typed by hand, only what is there now and was not at first."""
        if self.own:
            return True
        return self.first is not None and (self.operation.typed(facts, self.first) or self._cleared(facts) != ())

    def _cleared(self, facts: Facts) -> tuple[Command, ...]:
        # Asked first: most operations have nothing to clear, and then need not look at what they would find.
        commands = self.operation.clear(facts)
        if commands and self.first is not None and self.operation.found(self.first) == self.operation.found(facts):
            return ()
        return commands

    def entry(self, facts: Facts) -> Entry:
        """For the journal, right before the commands run."""
        return Entry(self.step, self.operation, self.operation.taking(facts, self.before))

    def commands(self, facts: Facts) -> tuple[Command, ...]:
        if self.first is None:
            return self.operation.undo(facts, self.before)
        return (*self.operation.undo(facts, self.operation.before(self.first)), *self._cleared(facts))


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
        # In a sandbox it makes no difference by whom it was made: it was not there at first.
        both = [Taken(chapter.name, each.operation, each.before, each.identity * (first is None)) for each in own]
        both += [Taken(chapter.name, each, first=first) for each in by_hand]
        taken += sorted(both, key=lambda each: place.get(each.operation, len(place)), reverse=True)
    return taken


def undo(steps: Sequence[str], taken: Sequence[Taken], host: LabHost, journal: Journal) -> Iterator[Event]:
    """Take back what ``to_take_back`` found, newest first, and look again; ``steps`` are its steps, newest first.

    What lives in something that goes is not taken back one by one, but seen to be gone. Raises DidNotHold for what is
    still there afterwards, CommandFailed; what the journal says stays until everything was seen to be gone.
    """
    begun = time.monotonic()
    yield WalkBegun("undo", tuple(steps))
    operations = [each.operation for each in taken]
    facts = facts_for(host, operations)
    theirs: frozenset[Thing] = frozenset().union(*(each.operation.makes for each in taken if each.foreign(facts)))
    taken = [each for each in taken if not theirs & (each.operation.makes | each.operation.within)]
    going = _going(taken, facts)
    # What lives in something that goes is not even looked at: that would be a look into every container.
    taken = [each for each in taken if each.operation.within & going or each.due(facts)]
    covers = {
        number: min(each.operation.within & going) for number, each in enumerate(taken) if each.operation.within & going
    }
    operations = [each.operation for each in taken]
    ran: dict[str, list[Ran]] = {step: [] for step in steps}
    spent: set[Command] = set()
    try:
        yield from _rounds(taken, covers, host, journal, ran, spent)
        _check_gone(taken, host, spent)
        yield from drained(host)
    except NetlabError:
        yield from _report(steps, taken, {}, ran)
        raise
    journal.undone(steps)
    yield from _report(steps, taken, covers, ran)
    changed = len({(step, event.operation) for step, events in ran.items() for event in events})
    yield WalkEnded("undo", changed, time.monotonic() - begun)


def _rounds(
    taken: Sequence[Taken],
    covers: Mapping[int, Thing],
    host: LabHost,
    journal: Journal,
    ran: dict[str, list[Ran]],
    spent: set[Command],
) -> Iterator[Event]:
    """Look, take back what is due, and look again, until nothing is due.

    ``ran`` collects what ran, by step; ``spent`` the commands that are not to run again: the next one of a kind that is
    ``counted`` is somebody else's.
    """
    operations = [each.operation for each in taken]
    before_last: list[Command] = []
    noted: list[Taken] = []
    while True:
        # More than once: only when a rule is gone is its chain seen to be empty, and can go as well.
        facts = facts_for(host, operations)
        claims = _claims([each for number, each in enumerate(taken) if number not in covers], facts, spent)
        if not claims or list(claims) == before_last:
            break
        before_last = list(claims)
        counted = [each for each in claims.values() if each.own and each.operation.counted and each not in noted]
        if counted:
            journal.taking([each.entry(facts) for each in counted])
            noted += counted
        try:
            yield from _taking_back([(each, command) for command, each in claims.items()], host, ran, spent)
        except CommandFailed as error:
            # Facts decide: what it was to remove may have gone with something else, as the other end of a pair does.
            host.forget()
            if error.details[0] in map(str, _claims(taken, facts_for(host, operations), spent)):
                raise
        host.forget()
        _wait([each for each in claims.values() if each.operation.patience], host)


def _going(taken: Sequence[Taken], facts: Facts) -> frozenset[Thing]:
    """All that will be gone: what the operations made that are going to be taken back by a command."""
    made = (each.operation.makes for each in taken if each.operation.makes and each.due(facts) and each.commands(facts))
    return frozenset().union(*made)


def _claims(taken: Sequence[Taken], facts: Facts, spent: Set[Command] = frozenset()) -> dict[Command, Taken]:
    """Each command that is due, once and in order, with whose it is: two rules may both see their chain empty."""
    claims: dict[Command, Taken] = {}
    for each in taken:
        for command in each.commands(facts):
            if command in spent:
                continue
            if command not in claims or (each.own and not claims[command].own):
                claims[command] = each
    return claims


def _wait(slow: Sequence[Taken], host: LabHost) -> None:
    """Let what is slow to end (a server) end, within its patience."""
    operations = [each.operation for each in slow]
    if slow:
        seconds = max(each.patience for each in operations)
        host.wait(lambda: not _claims(slow, facts_for(host, operations)), seconds)


def _taking_back(
    tasks: Sequence[tuple[Taken, Command]], host: LabHost, ran: dict[str, list[Ran]], spent: set[Command]
) -> Iterator[Event]:
    waiting = list(tasks)
    try:
        for done in host.perform([command for _, command in tasks]):
            command = done.command
            yield from drained(host)
            taken = next(each for each, own in waiting if own == command)
            waiting.remove((taken, command))
            if taken.own and taken.operation.counted:
                spent.add(command)
            ran[taken.step].append(Ran(taken.step, str(taken.operation), str(command), done.seconds, done.shared))
    except CommandFailed as error:
        yield from drained(host)
        failed = next((each for each, command in tasks if str(command) == error.details[0]), None)
        named = f"undo of step {failed.step!r}: {failed.operation}: {error}" if failed else f"undo: {error}"
        hint = "`netlab undo` goes on from here"
        raise CommandFailed(named, details=error.details, hint=hint) from error
    yield from drained(host)


def _check_gone(taken: Sequence[Taken], host: LabHost, spent: Set[Command]) -> None:
    """Look again. Raises DidNotHold for what is still there."""
    facts = facts_for(host, [each.operation for each in taken])
    for still in _claims(taken, facts, spent).values():
        raise DidNotHold(
            f"undo of step {still.step!r}: {still.operation} is still there, though its command ran",
            details=tuple(str(command) for command in still.commands(facts)),
            hint="`netlab undo` goes on from here",
        )


def _report(
    steps: Sequence[str], taken: Sequence[Taken], covers: Mapping[int, Thing], ran: Mapping[str, list[Ran]]
) -> Iterator[Event]:
    """Say step by step what was taken back, and what went with what it lived in; nothing of a step not there."""
    for step in steps:
        mine = [(number, each) for number, each in enumerate(taken) if each.step == step and each.own]
        gone = [(covers[number][-1], each) for number, each in mine if number in covers]
        if not gone and not ran[step]:
            continue
        yield StepBegun(step, "", 0, len(mine))
        yield from ran[step]
        yield from (GoneWith(step, str(each.operation), around) for around, each in gone)
        changed = len({event.operation for event in ran[step]})
        yield StepEnded(step, 0, changed, sum(event.seconds / event.shared for event in ran[step]))

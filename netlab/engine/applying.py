"""The walk that brings steps about: what is missing is journalled, run, and read again."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from netlab.engine.looking import LabHost, Look, Looked, drained, facts_for, look, settle
from netlab.errors import CommandFailed, Conflict, DidNotHold, Missing, NetlabError
from netlab.events import Event, Ran, StepBegun, StepEnded, WalkBegun, WalkEnded
from netlab.journal import Entry, Journal
from netlab.model import Chapter, Command, Facts, Operation

Task = tuple[Operation, Command]
"""A command, and the operation that it is for."""


def apply(chapters: Sequence[Chapter], host: LabHost, journal: Journal) -> Iterator[Event]:
    """Bring every chapter about, in order. What holds is left alone; what does not is journalled, run, and read again.

    Raises Conflict for what is not ours and in the way, CommandFailed, DidNotHold, and Missing where the journal cannot
    be written; no later step has run then.
    """
    begun = time.monotonic()
    changed = 0
    settle(host, journal)
    yield WalkBegun("apply", tuple(each.name for each in chapters))
    for chapter in chapters:
        since = time.monotonic()
        seen = next(look([chapter], host))
        yield StepBegun(chapter.name, chapter.summary, len(seen.held), len(chapter.operations))
        if seen.missing:
            yield from _apply_missing(seen, host, journal)
        yield from drained(host)
        journal.finish(chapter.name)
        changed += len(seen.missing)
        yield StepEnded(chapter.name, len(seen.held), len(seen.missing), time.monotonic() - since)
    yield WalkEnded("apply", changed, time.monotonic() - begun)


def apply_one(chapter: Chapter, operation: Operation, host: LabHost, journal: Journal) -> Iterator[Event]:
    """Bring one operation of a step about, its commands one by one; with its last one the step is finished.

    Raises what ``apply`` raises.
    """
    settle(host, journal)
    seen = next(look([replace(chapter, operations=(operation,))], host))
    if seen.missing:
        yield from _apply_missing(seen, host, journal, together=False)
    if next(look([chapter], host)).complete:
        journal.finish(chapter.name)


def commands(seen: Look, host: Looked, journal: Journal | None) -> list[Task]:
    """What ``apply`` would run now for what is missing of a step, in order; None: where netlab has not been yet."""
    renewing = _renewing(host, journal) if journal is not None and _cut(seen, journal) else []
    return _bringing(seen, journal) + renewing


def _apply_missing(seen: Look, host: LabHost, journal: Journal, *, together: bool = True) -> Iterator[Event]:
    step, facts = seen.chapter.name, seen.facts
    in_the_way = [each.found(facts) for each in seen.missing if each.blocked(facts) and not journal.still(each, facts)]
    if in_the_way:
        raise Conflict(
            f"step {step!r}: something that netlab did not make is in the way",
            details=in_the_way,
            hint="remove it by hand; in a sandbox, undo does, if it was typed there",
        )
    tasks, cut = _bringing(seen, journal), _cut(seen, journal)
    try:
        brought = journal.brought()
        journal.record([Entry(step, each, each.beside(each.before(facts), brought)) for each in seen.missing])
    except Missing as error:
        not_run = f"not run: {tasks[0][1]}"
        raise Missing(f"step {step!r}: {tasks[0][0]}: {error}", details=(not_run,), hint=error.hint) from error
    try:
        yield from _brought(step, seen, tasks, host, together=together)
    except NetlabError:
        host.forget()
        with contextlib.suppress(NetlabError):  # the next walk does
            settle(host, journal)
        raise
    made = {each: each.identity(now) for now in [facts_for(host, seen.missing)] for each in seen.missing if each.makes}
    if made:
        journal.made(made)
    if cut:
        yield from _performed(step, _renewing(host, journal), host, together=together)


def _brought(step: str, seen: Look, tasks: Sequence[Task], host: LabHost, *, together: bool) -> Iterator[Event]:
    """Run the commands of what is missing, and see that it holds."""
    yield from _performed(step, tasks, host, together=together)
    if not _settled(seen.missing, host, lambda operation, now: operation.holds(now)):
        now = facts_for(host, seen.missing)
        failed = next(each for each in seen.missing if not each.holds(now))
        commands = tuple(str(command) for operation, command in tasks if operation == failed)
        raise DidNotHold(
            f"step {step!r}: {failed} does not hold, though its command ran",
            details=(*commands, f"the kernel shows: {failed.found(now) or 'nothing of it'}"),
            hint="look with `netlab status`; `netlab undo` takes the lab back",
        )


def _bringing(seen: Look, journal: Journal | None) -> list[Task]:
    """The commands of what is missing, and before them what clears their way."""
    facts = seen.facts
    return [
        (each, command) for each in seen.missing for command in (*_cleared(each, facts, journal), *each.apply(facts))
    ]


def _cut(seen: Look, journal: Journal) -> bool:
    """Is one of netlab's own cables missing?"""
    return any(each in journal.ours and any(thing[0] == "link" for thing in each.makes) for each in seen.missing)


def _renewing(host: Looked, journal: Journal) -> list[Task]:
    """The commands by which whoever stands forgets whom they knew: who gets a new cable gets a new card."""
    operations = [each.operation for each in journal.entries if each.operation.renew()]
    facts = facts_for(host, operations)
    return [(each, command) for each in operations if each.holds(facts) for command in each.renew()]


def _cleared(operation: Operation, facts: Facts, journal: Journal | None) -> tuple[Command, ...]:
    """What takes away our own thing where it is broken, and so in its own way: a pair whose far end was cut off."""
    ours = journal.still(operation, facts) if journal is not None and operation.blocked(facts) else None
    return operation.undo(facts, ours.before) if ours is not None else ()


def _performed(step: str, tasks: Sequence[Task], host: LabHost, *, together: bool) -> Iterator[Event]:
    """Run the commands, in order, and yield what ran; a failure names the step and the operation as well."""
    waiting = list(tasks)
    try:
        for done in host.perform([command for _, command in tasks], together=together):
            yield from drained(host)
            operation = next(each for each, own in waiting if own == done.command)
            waiting.remove((operation, done.command))
            yield Ran(step, str(operation), str(done.command), done.seconds, done.shared, done.said)
    except CommandFailed as error:
        yield from drained(host)
        failed = next((str(each) for each, command in tasks if str(command) == error.details[0]), "")
        named = f"step {step!r}: {failed}: {error.message}" if failed else f"step {step!r}: {error.message}"
        hint = error.hint or "`netlab apply` goes on from here; `netlab undo` takes the lab back"
        raise CommandFailed(named, details=error.details, hint=hint) from error
    yield from drained(host)


def _settled(operations: Sequence[Operation], host: LabHost, right: Callable[[Operation, Facts], bool]) -> bool:
    """Read again: is each operation as it should be? What is slow to start or end is waited for, with its patience."""

    def all_right() -> bool:
        facts = facts_for(host, operations)
        return all(right(each, facts) for each in operations)

    return all_right() or host.wait(all_right, max((each.patience for each in operations), default=0.0))

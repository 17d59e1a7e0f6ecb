"""The walks to a place in the course: back where the lab is beyond it, forward where it lacks something."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from netlab import engine
from netlab.events import Event
from netlab.lab.inside import Inside
from netlab.model import Facts


def goto(inside: Inside, step: str, *, after: bool) -> Iterator[Event]:
    """Bring the lab to just before ``step``, or just after it, from any state.

    What comes later in the course is taken back, what ``step`` needs is applied. Raises what apply and undo raise.
    """
    order = inside.graph.order
    beyond = order[order.index(step) + after :]
    needs = [each for each in inside.graph.until(step) if after or each != step]
    return _bring(inside, beyond, needs)


def reset(inside: Inside, step: str) -> Iterator[Event]:
    """Take ``step`` back with all that depends on it, and see that what it needs stands. Raises as ``goto``."""
    return _bring(inside, inside.graph.since(step), [each for each in inside.graph.until(step) if each != step])


def _bring(inside: Inside, back: Sequence[str], needs: Sequence[str]) -> Iterator[Event]:
    """Take ``back``, and have what stood besides, and ``needs``, stand afterwards.

    What was typed wrongly in a sandbox where one of ``needs`` belongs is taken back first, with what is built on it.
    """
    looks = list(engine.look(inside.chapters, inside.host))
    stood = {each.chapter.name for each in looks if each.begun and each.complete} - set(back)
    wrong = [each.chapter.name for each in looks if each.chapter.name in needs and mistyped(each, inside.first)]
    spoilt = {*back, *(each for step in wrong for each in inside.graph.since(step))}
    spare = [each for each in reversed(inside.graph.order) if each in spoilt]
    yield from inside.begin()
    # Twice at most: what stands where something of netlab's own was is seen as a hand's when that is off the journal.
    for _ in range(2):
        if _due(inside, spare):
            yield from inside.take_back(spare)
    wanted = [each for each in inside.graph.order if each in stood or each in needs]
    yield from engine.apply(inside.some(wanted), inside.host, inside.journal)


def _due(inside: Inside, steps: Sequence[str]) -> bool:
    taken = inside.taken(steps)
    facts = engine.facts_for(inside.host, [each.operation for each in taken])
    return bool(inside.journal.done & set(steps)) or any(each.due(facts) for each in taken)


def mistyped(seen: engine.Look, first: Facts | None) -> bool:
    """Does something stand where an operation belongs that did not stand there at first? Only a sandbox can tell."""
    return first is not None and any(each.found(seen.facts) not in ("", each.found(first)) for each in seen.missing)

"""The ending: what was built, every proof step by step, and what to try next."""

from __future__ import annotations

from netlab.events import Proved
from netlab.learn.desk import Desk
from netlab.learn.scenes import Drawn, Said, Summary, Text, Walk
from netlab.lessons import prose
from netlab.words import words


def ending(desk: Desk) -> Walk:
    """All of it as the kernel shows it now: a step that does not stand is not done, whatever was learned."""
    standing = desk.bench.look(desk.bench.steps[-1])
    done = [step for step, state in standing.states if state == "done"]
    missing = [step for step, state in standing.states if state != "done"]
    yield Said("ending.built", {"done": len(done), "total": len(standing.states)})
    if missing:
        yield Said("ending.missing", {"steps": ", ".join(missing)})
    yield Drawn(standing.now)
    yield from desk.ask("next", why="ask.proofs")
    seen = [each for each in desk.bench.prove(done, None) if isinstance(each, Proved)]
    yield Summary(tuple((step, desk.title(step), _of(step, seen)) for step, _ in standing.states))
    yield from desk.ask("next", why="ask.ideas")
    texts = words(desk.language)
    yield Text("next", texts("ending.next"), prose(texts("ending.ideas")))
    yield from desk.ask("next", why="ask.leave")


def _of(step: str, seen: list[Proved]) -> tuple[Proved, ...]:
    return tuple(each for each in seen if each.step == step)

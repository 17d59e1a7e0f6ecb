"""What a look at the lab shows: the plan, and how each step stands."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from netlab import engine, reading
from netlab.journal import Journal
from netlab.model import Chapter, Facts, Query
from netlab.views import PlanView, StepPlan, StepStatus


class Nothing:
    """A lab host without a lab: nothing is there. What `plan` and `status` look at when there is no sandbox."""

    def facts(self, queries: Iterable[Query]) -> Facts:
        return reading.NOWHERE


def plan(chapters: Sequence[Chapter], host: engine.Looked, journal: Journal | None = None) -> PlanView:
    """Per step, the commands of what is missing; given operations apart. ``journal``: what netlab did there so far."""
    steps = []
    for seen in engine.look(chapters, host):
        commands = [(each.given, str(command)) for each, command in engine.commands(seen, host, journal)]
        always = tuple(text for given, text in commands if not given)
        given = tuple(text for given, text in commands if given)
        steps.append(StepPlan(seen.chapter.name, seen.chapter.summary, always, given, len(seen.held)))
    return PlanView(tuple(steps))


def shown(step: StepPlan) -> tuple[str, ...]:
    """The commands of one step in the order in which the plan shows them."""
    return (*step.commands, *(each for each in step.only_if_missing if each not in step.commands))


def status(chapters: Sequence[Chapter], host: engine.Looked) -> list[StepStatus]:
    """How each step stands where nothing was ever done by netlab."""
    return [status_of(each, set()) for each in engine.look(chapters, host)]


def status_of(seen: engine.Look, done: set[str]) -> StepStatus:
    """How one step stands; ``done`` are the steps that netlab saw whole."""
    state = seen.state(done)
    return StepStatus(seen.chapter.name, seen.chapter.summary, state, () if state == "todo" else seen.lacking())

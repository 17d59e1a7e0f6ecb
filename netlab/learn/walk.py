"""The walk through the course: page after page, step after step, and back to where the learner was."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from netlab.learn import pages
from netlab.learn.bench import Standing
from netlab.learn.desk import Again, Desk, Left, Turn
from netlab.learn.ending import ending
from netlab.learn.guided import guided
from netlab.learn.handson import hands_on
from netlab.learn.progress import PAGES, Page, Progress
from netlab.learn.scenes import Said, Title, Walk


def walk(desk: Desk, step: str | None) -> Walk:
    """The walk from ``step`` on; without one from where the learner was at last, as far as the kernel agrees."""
    turn = Turn(step, "lesson") if step is not None else _return(desk)
    while True:
        try:
            if turn.page == "ending":
                yield from _ending(desk, turn)
                return
            yield from _step(desk, turn)
            turn = _following(desk, turn.step)
        except Turn as chosen:
            turn = chosen
        except Left:
            yield Said("learn.bye")
            return


def unfinished(desk: Desk, step: str | None) -> list[str]:
    """The steps from ``step`` on, without one all of them, that are not done."""
    steps = desk.bench.steps
    first = step or steps[0]
    states = dict(desk.bench.look(first).states)
    return [each for each in steps[steps.index(first) :] if states[each] != "done"]


def _following(desk: Desk, step: str) -> Turn:
    steps = desk.bench.steps
    place = steps.index(step) + 1
    return Turn(steps[place], "lesson") if place < len(steps) else Turn(step, "ending")


def _return(desk: Desk) -> Turn:
    """Where to begin: a file says where the learner was, and the kernel whether that is so."""
    steps = desk.bench.steps
    if desk.alone:
        return Turn(steps[0], "lesson")
    progress = desk.recalled
    if progress is None or progress.step not in steps:
        return Turn(next(iter(unfinished(desk, None)), steps[0]), "lesson", Said("learn.welcome"))
    standing = desk.bench.look(progress.step)
    if _agrees(progress, standing):
        return Turn(progress.step, progress.page, Said("learn.back"))
    return Turn(progress.step, "lesson", Said("learn.changed"))


def _agrees(progress: Progress, standing: Standing) -> bool:
    """Does the kernel show what the page begins with?"""
    if progress.page == "ending":
        return all(state == "done" for _, state in standing.states)
    ready = not standing.lacking
    return ready and standing.complete == (progress.page in ("proof", "kernel"))


def _step(desk: Desk, turn: Turn) -> Walk:
    """The pages of a step, from one of them on. What the step needs is seen to first."""
    step, page = turn.step, turn.page
    desk.at(step, page)
    yield Title(step, desk.title(step), desk.bench.steps.index(step) + 1, len(desk.bench.steps))
    yield from turn.said
    standing = desk.bench.look(step)
    if standing.lacking:
        desk.bench.goto(step)
        desk.starts.pop(step, None)
        yield Said("learn.brought", {"steps": ", ".join(standing.lacking)})
    elif page == "lesson" and standing.state == "done":
        yield from _page(desk, _stands)
        return
    for each in PAGES[PAGES.index(page) : PAGES.index("ending")]:
        desk.at(step, each)
        yield from _page(desk, _pages(desk)[each])


def _stands(desk: Desk) -> Walk:
    """The step is done already, by whomever: it is left alone, or reset and walked."""
    yield Said("learn.stands_unseen" if desk.alone else "learn.stands")
    yield from desk.ask("next", why="ask.skip")


def _ending(desk: Desk, turn: Turn) -> Walk:
    desk.at(turn.step, "ending")
    yield from turn.said
    yield from _page(desk, ending)


def _pages(desk: Desk) -> Mapping[Page, Callable[[Desk], Walk]]:
    return {
        "lesson": pages.lesson,
        "question": pages.question,
        "commands": hands_on if desk.hands_on else guided,
        "proof": pages.proof,
        "kernel": pages.kernel,
    }


def _page(desk: Desk, page: Callable[[Desk], Walk]) -> Walk:
    """A page, as often as it is to be shown anew."""
    while True:
        try:
            yield from page(desk)
        except Again:
            continue
        return

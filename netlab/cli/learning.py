"""The teaching walk, and the lessons by themselves."""

from __future__ import annotations

import contextlib
import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from netlab.cli.options import Adopt, Internet, Language, Step, complete, leave
from netlab.cli.session import Session
from netlab.errors import UsageError

if TYPE_CHECKING:
    from netlab.learn.desk import Desk


def learn(
    context: typer.Context,
    step: Annotated[
        str | None,
        typer.Argument(
            metavar="[STEP]", help="Where to begin; else where you were.", autocompletion=complete, show_default=False
        ),
    ] = None,
    hands_on: Annotated[
        bool, typer.Option("--hands-on", help="Type the commands yourself, in a shell of the sandbox.")
    ] = False,
    language: Language = None,
    file: Annotated[
        Path | None, typer.Option("--transcript", metavar="FILE", help="Write the guided walk there, as Markdown.")
    ] = None,
    adopt: Adopt = False,
    internet: Internet = None,
) -> None:
    """Learn the course step by step. Without a terminal the guided walk is printed."""
    from netlab.learn.alone import alone
    from netlab.learn.walk import unfinished, walk
    from netlab.render.transcript import observed, transcript

    session = Session.of(context)
    by_itself = file is not None or not session.screen.interactive
    if session.shared.json:
        raise UsageError("learn is for people and writes no JSON", hint="for a program: netlab apply --json")
    if hands_on and session.shared.host:
        raise UsageError("--hands-on is for a sandbox, where nothing can be broken", hint="leave --host out")
    if hands_on and by_itself:
        raise UsageError("--hands-on takes somebody at a terminal", hint="leave it out: the guided walk is printed")
    desk = _desk(session, step, language, adopt=adopt, internet=internet)
    desk.hands_on, desk.alone = hands_on, by_itself
    if not by_itself:
        _perform(session, desk, step)
        return
    if not unfinished(desk, step):
        hint = f"take them back first: netlab undo{desk.option}; or have another lab: --sandbox NAME"
        raise UsageError("every step that is to be shown is done already, and is left alone", hint=hint)
    seen = list[bool]()
    scenes = observed(alone(walk(desk, step)), seen)
    session.screen.page(transcript(scenes, desk.language), file)
    if file is not None:
        session.screen.note(f"the transcript is in {file}")
    leave(0 if all(seen) else 1)


def _perform(session: Session, desk: Desk, step: str | None) -> None:
    """With a person at a terminal; for hands-on with a shell beside it, where tmux is."""
    from netlab import pane
    from netlab.learn.walk import walk

    with contextlib.ExitStack() as stack:
        if desk.hands_on:
            words = ["shell", "--sandbox", session.shared.sandbox]
            desk.pane = stack.enter_context(pane.opened(words, os.environ))
        session.screen.perform(walk(desk, step), desk.language)


def _desk(session: Session, step: str | None, language: str | None, *, adopt: bool, internet: str | None) -> Desk:
    """Everything that a walk needs, the lab among it, seen to before the first page."""
    from netlab.events import Note
    from netlab.learn.bench import LabBench
    from netlab.learn.desk import Desk
    from netlab.learn.lessons import read_all
    from netlab.words import choose

    with session.lab(adopt=adopt, internet=internet) as lab:
        choice = session.choose(lab, None, None)
        if step is not None:
            choice.course.graph.check(step)
        option = lab.state.option
    bench = LabBench(partial(session.lab, adopt=adopt, internet=internet), choice)
    recalled = bench.recall()
    chosen = choose(language or (recalled.language if recalled is not None else None), os.environ)
    lessons = read_all(choice.course.folder, bench.steps, chosen)
    for event in bench.begin():
        if isinstance(event, Note):
            session.screen.note(event.text)
    return Desk(bench, lessons, chosen, option=option, recalled=recalled)


def explain(
    context: typer.Context,
    step: Step,
    language: Language = None,
) -> None:
    """Show a step's lesson; needs no lab and touches no network."""
    from netlab import course, lessons, parameters
    from netlab.words import choose, words

    session = Session.of(context)
    chosen = choose(language, os.environ)
    loaded = course.load(session.course_folder())
    loaded.graph.check(step)
    path = lessons.path_of(loaded.folder, step, chosen)
    if not path.is_file():
        raise UsageError(f"step {step!r} has no lesson in this language", details=(str(path),), hint="write it there")
    text = parameters.text_of(path)
    session.screen.lesson(step, chosen, text, lessons.prose(text))
    order = loaded.graph.order
    session.screen.note(words(chosen)("lesson.place", number=order.index(step) + 1, total=len(order)))

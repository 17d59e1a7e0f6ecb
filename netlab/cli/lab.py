"""The lab brought about, taken back, looked at and proved."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from netlab.cli.options import Adopt, ExitCode, From, Internet, LabFile, Set, Step, Steps, Until, leave
from netlab.cli.session import Session
from netlab.errors import UsageError

if TYPE_CHECKING:
    from netlab.lab import Choice, HostLab, SandboxLab


def apply(
    context: typer.Context,
    until: Until = None,
    no_prove: Annotated[bool, typer.Option("--no-prove", help="Leave the proofs out.")] = False,
    settings: Set = None,
    file: LabFile = None,
    adopt: Adopt = False,
    internet: Internet = None,
) -> None:
    """Bring the lab to a step, and prove each step that was changed."""
    session = Session.of(context)
    with session.lab(make=True, adopt=adopt, internet=internet) as lab:
        choice = session.choose(lab, settings, file)
        choice.course.graph.until(until)
        session.ensure(lab, choice, made_by="apply")
        leave(
            0 if lab.inside(lambda inside: session.screen.walk(inside.apply(until, prove=not no_prove)), choice) else 1
        )


def plan(
    context: typer.Context,
    until: Until = None,
    settings: Set = None,
    file: LabFile = None,
    exit_code: ExitCode = False,
) -> None:
    """Show what `apply` would run, as a person would type it. Nothing is changed."""
    from netlab.lab import Nothing
    from netlab.lab import plan as plan_nothing

    session = Session.of(context)
    with session.lab() as lab:
        choice = session.choose(lab, settings, file)
        steps = choice.course.graph.until(until)
        if lab.there:
            view = lab.inside(lambda inside: inside.plan(until), choice)
        else:
            view = plan_nothing([each for each in choice.chapters if each.name in steps], Nothing())
    session.screen.plan(view)
    leave(3 if exit_code and any(step.commands for step in view.steps) else 0)


def export(
    context: typer.Context,
    as_shell: Annotated[bool, typer.Option("--shell", help="As a POSIX shell script: what there is so far.")] = False,
    until: Until = None,
    backwards: Annotated[bool, typer.Option("--undo", help="The script that takes the other's changes back.")] = False,
    settings: Set = None,
    file: LabFile = None,
) -> None:
    """Print what `apply` runs as a script that needs no netlab. It is for a bare lab host: > FILE."""
    from netlab.export import script

    session = Session.of(context)
    if not as_shell:
        raise UsageError("export has to be told the form", hint="as a shell script: netlab export --shell")
    with session.lab() as lab:
        choice = session.choose(lab, settings, file)
    steps = choice.course.graph.until(until)
    parameters = choice.parameters.model_dump(mode="json")
    session.screen.script(script(choice.chapters, steps, parameters, undo=backwards))


def undo(context: typer.Context, since: From = None) -> None:
    """Take back a step and all that depends on it, or everything. What was there before is there again."""
    from netlab import course

    session = Session.of(context)
    with session.lab() as lab:
        if not lab.kept or not lab.there:
            where = "on record for this machine" if session.shared.host else f"in sandbox {lab.state.name!r}"
            if since is not None:  # a name that is no step's is said all the same
                course.load(session.course_folder()).graph.check(since)
            session.screen.note(f"there is no lab {where}: nothing to undo")
            return
        ok, stays = lab.inside(lambda inside: (session.screen.walk(inside.undo(since)), inside.why_it_stays()))
        told = lab.after_undo(stays)
        if told:
            session.screen.note(told)
    leave(0 if ok else 1)


def goto(
    context: typer.Context,
    step: Step,
    after: Annotated[bool, typer.Option("--after", help="To just after the step, instead of just before it.")] = False,
    adopt: Adopt = False,
) -> None:
    """Bring the lab to just before a step, or just after it. Forward or back, from any state, without proofs."""
    from netlab import lab as labs

    session = Session.of(context)
    with session.lab(make=True, adopt=adopt) as lab:
        choice = session.choose(lab, None, None)
        choice.course.graph.check(step)
        session.ensure(lab, choice, made_by="goto")
        lab.inside(lambda inside: session.screen.walk(labs.goto(inside, step, after=after)), choice)


def status(context: typer.Context, exit_code: ExitCode = False) -> None:
    """Say of each step whether it is done, partial, todo or drifted."""
    from netlab.lab import Nothing
    from netlab.lab import status as status_nothing

    session = Session.of(context)
    with session.lab() as lab:
        if lab.there:
            choice = None if lab.kept else session.choose(lab, None, None)
            steps = lab.inside(lambda inside: inside.status(), choice)
        else:
            steps = status_nothing(session.choose(lab, None, None).chapters, Nothing())
    session.screen.status(steps)
    leave(3 if exit_code and any(step.state != "done" for step in steps) else 0)


def prove(
    context: typer.Context,
    steps: Steps = None,
    cycle: Annotated[
        bool, typer.Option("--cycle", help="Fail, pass and fail again, in a fresh sandbox of its own.")
    ] = False,
    settings: Set = None,
    file: LabFile = None,
    internet: Internet = None,
) -> None:
    """Run the proofs of the steps that are done. What was seen is said."""
    session = Session.of(context)
    names = steps or []
    if cycle and not session.shared.host:
        session.aside("cycle")
    if not cycle and (settings or file):
        raise UsageError("--set and --lab go with `prove --cycle`: a lab that stands has its parameters")
    with session.lab(make=cycle, internet=internet) as lab:
        choice = session.choose(lab, settings, file)
        for name in names:
            choice.course.graph.check(name)
        if cycle:
            with lab.for_a_cycle(choice):
                ok = lab.inside(lambda inside: session.screen.proofs(inside.cycle(names)), choice)
        else:
            ok = _prove_done(session, lab, choice, names)
    leave(0 if ok else 1)


def _prove_done(session: Session, lab: SandboxLab | HostLab, choice: Choice, names: list[str]) -> bool:
    from netlab import engine
    from netlab.lab import Inside

    def work(inside: Inside) -> bool:
        done, lacking = inside.prove(names)
        ok = session.screen.proofs(engine.prove(done, inside.host))
        for name in lacking:
            session.screen.note(f"step {name!r} is not done: netlab apply --until {name}{lab.state.option}")
        return ok and bool(done) and not lacking

    if not lab.there:
        session.screen.proofs(iter(()))
        session.screen.note(f"no step is done: netlab apply{lab.state.option}")
        return False
    return lab.inside(work, choice)


def show(
    context: typer.Context,
    mermaid: Annotated[bool, typer.Option("--mermaid", help="As a Mermaid graph, for a web page.")] = False,
) -> None:
    """Draw the lab as it is now, from what the kernel says."""
    from netlab.picture import NOTHING

    session = Session.of(context)
    if mermaid and session.shared.json:
        raise UsageError("--mermaid and --json are two forms of the same", hint="give one of them")
    picture = NOTHING
    with session.lab() as lab:
        if lab.there:
            choice = None if lab.kept else session.choose(lab, None, None)
            picture = lab.inside(lambda inside: inside.picture(), choice)
        else:
            session.screen.note(f"there is no lab in sandbox {lab.state.name!r}: netlab apply{lab.state.option}")
    session.screen.picture(picture, mermaid=mermaid)


def steps(context: typer.Context) -> None:
    """Show the course's steps as a tree, with what each needs."""
    from netlab.views import StepNode

    session = Session.of(context)
    with session.lab() as lab:
        chapters = session.choose(lab, None, None).chapters
    session.screen.steps(
        [StepNode(each.name, each.summary, each.needs, len(each.operations), len(each.proofs)) for each in chapters]
    )

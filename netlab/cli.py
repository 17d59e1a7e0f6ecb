"""The command line: each command parses, calls one function with plain values, and renders. The only importer of typer.

What a command needs beyond typer is imported when it runs, so that `--help` and completion stay quick.
"""

from __future__ import annotations

import contextlib
import os
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer
import typer.core

from netlab import __version__, signals
from netlab.errors import Interrupted, Missing, NetlabError, Unreadable, UsageError

if TYPE_CHECKING:
    from netlab.events import Event
    from netlab.lab import Choice, HostLab, SandboxLab
    from netlab.learn.desk import Desk
    from netlab.render import Screen
    from netlab.state import State
    from netlab.views import Fault, Finding

# --- what every command takes, before its name and after it ----------------------------------------------------------


@dataclass(slots=True)
class Shared:
    """The options that every command has."""

    host: bool = False
    sandbox: str = "default"
    course: str = ""
    json: bool = False
    quiet: bool = False
    verbose: bool = False
    wait: float = 60.0


_SHARED: dict[str, tuple[tuple[str, ...], dict[str, Any]]] = {
    "host": (
        ("--host",),
        {"is_flag": True, "envvar": "NETLAB_HOST", "help": "On this machine's own network, as root."},
    ),
    "sandbox": (("--sandbox",), {"metavar": "NAME", "help": "Which sandbox.  [default: default]"}),
    "course": (("--course",), {"metavar": "DIR", "help": "Another course than Docker's bridge."}),
    "json": (("--json",), {"is_flag": True, "help": "Machine-readable output on stdout."}),
    "quiet": (("--quiet", "-q"), {"is_flag": True, "help": "Only what is wrong."}),
    "verbose": (("-v", "--verbose"), {"is_flag": True, "help": "Each real process as it runs."}),
    "wait": (
        ("--wait",),
        {"metavar": "SECONDS", "type": float, "help": "How long to wait for another netlab.  [default: 60]"},
    ),
}


def _shared_options() -> list[typer.core.TyperOption]:
    def keep(context: Any, parameter: Any, value: Any) -> None:
        shared = context.find_root().ensure_object(Shared)
        if value is not None and value is not False:  # given after the name, or before it: either counts
            setattr(shared, parameter.name, value)

    return [
        typer.core.TyperOption(param_decls=[*flags, key], expose_value=False, callback=keep, default=None, **settings)
        for key, (flags, settings) in _SHARED.items()
    ]


class _Command(typer.core.TyperCommand):
    def __init__(self, *arguments: Any, params: list[Any] | None = None, **settings: Any) -> None:
        super().__init__(*arguments, params=[*(params or []), *_shared_options()], **settings)


class _Group(typer.core.TyperGroup):
    def __init__(self, *arguments: Any, params: list[Any] | None = None, **settings: Any) -> None:
        super().__init__(*arguments, params=[*(params or []), *_shared_options()], **settings)


_STYLE: dict[str, Any] = {"rich_markup_mode": None, "pretty_exceptions_enable": False, "no_args_is_help": True}

app = typer.Typer(cls=_Group, help="Docker's bridge network, step by step, with the real tools.", **_STYLE)
sandbox_app = typer.Typer(cls=_Group, help="The sandboxes themselves: start, list, end.", **_STYLE)
app.add_typer(sandbox_app, name="sandbox")
course_app = typer.Typer(cls=_Group, help="Courses: check one, make one.", **_STYLE)
app.add_typer(course_app, name="course")


def _steps(incomplete: str) -> list[str]:
    """Step names for the shell's completion."""
    from netlab import course

    with contextlib.suppress(NetlabError):
        return [name for name in course.load(course.default_folder()).steps if name.startswith(incomplete)]
    return []


Until = Annotated[
    str | None, typer.Option(metavar="STEP", help="Up to this step, with all it needs.", autocompletion=_steps)
]
From = Annotated[
    str | None,
    typer.Option("--from", metavar="STEP", help="This step and all that depends on it.", autocompletion=_steps),
]
Step = Annotated[str, typer.Argument(metavar="STEP", autocompletion=_steps)]
Steps = Annotated[list[str] | None, typer.Argument(metavar="[STEP]...", autocompletion=_steps, show_default=False)]
Set = Annotated[
    list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Change a parameter of the lab; repeatable.")
]
LabFile = Annotated[Path | None, typer.Option("--lab", metavar="FILE", help="Parameters of the lab, as TOML.")]
Adopt = Annotated[
    bool, typer.Option("--adopt", help="With --host: use what is there and not netlab's, and never delete it.")
]
Internet = Annotated[
    str | None, typer.Option("--internet", metavar="ADDRESS", help="With --host: the proofs may ask this address, too.")
]
Language = Annotated[
    str | None, typer.Option("--lang", metavar="LANGUAGE", help="en or zh; without it, as the locale says.")
]
ExitCode = Annotated[bool, typer.Option("--exit-code", help="Exit 3 when changes are pending.")]


@dataclass(slots=True)
class Session:
    """One command's run: the shared options, the screen, and the lab that they name."""

    shared: Shared
    screen: Screen

    @classmethod
    def of(cls, context: typer.Context) -> Session:
        from netlab.render import Screen

        shared = context.find_root().ensure_object(Shared)
        if not 0 <= shared.wait < float("inf"):
            raise UsageError(f"--wait {shared.wait:g} is no time to wait", hint="give seconds, 0 or more")
        if shared.host and shared.sandbox != "default":
            raise UsageError("--host and --sandbox are two places", hint="give one of them")
        return cls(shared, Screen(json=shared.json, quiet=shared.quiet, verbose=shared.verbose))

    def course_folder(self) -> Path:
        """The course that was asked for, whatever the lab has: netlab's own without --course."""
        from netlab import course

        return Path(self.shared.course) if self.shared.course else course.default_folder()

    def sandbox_state(self) -> State:
        """Where the sandbox's state is. Raises UsageError inside a sandbox: from there the others cannot be seen."""
        from netlab.sandbox import inside
        from netlab.state import State, default_base

        if inside():
            raise UsageError("you are inside a sandbox of netlab", hint="leave its shell first: exit")
        if self.shared.host:
            raise UsageError("with --host there is no sandbox", hint="leave --host (or NETLAB_HOST) out")
        return State(default_base(), self.shared.sandbox)

    @contextlib.contextmanager
    def lab(
        self, *, make: bool = False, adopt: bool = False, internet: str | None = None
    ) -> Iterator[SandboxLab | HostLab]:
        """The lab, locked: the sandbox's, or this machine's. With ``make`` its folder is made."""
        if self.shared.host:
            with self.host(make=make, adopt=adopt, internet=internet) as host:
                yield host
            return
        for given, option in ((adopt, "--adopt"), (internet is not None, "--internet")):
            if given:
                raise UsageError(f"{option} goes with --host", hint="in a sandbox nothing is somebody else's")
        with self.sandbox(make=make) as sandbox:
            yield sandbox

    @contextlib.contextmanager
    def sandbox(self, *, make: bool = False) -> Iterator[SandboxLab]:
        from netlab.lab import SandboxLab

        lab = SandboxLab(self.sandbox_state())
        with self._locked(lab, make=make):
            yield lab

    @contextlib.contextmanager
    def host(self, *, make: bool = False, adopt: bool = False, internet: str | None = None) -> Iterator[HostLab]:
        from netlab import spelling
        from netlab.lab import HostLab

        if internet is not None:
            try:
                spelling.address(internet)
            except ValueError as error:
                raise UsageError(f"--internet {internet!r}: {error}", hint="give an IPv4 address") from None
        lab = HostLab(adopt=adopt, internet=internet or "")
        with self._locked(lab, make=make):
            yield lab

    @contextlib.contextmanager
    def _locked(self, lab: SandboxLab | HostLab, *, make: bool) -> Iterator[None]:
        """Hold the lab's lock. A folder in which no lab came about goes again."""
        with lab.state.locked(self.shared.wait, make=make) as there:
            try:
                dead = lab.bury() if there else ""
                if dead:
                    self.screen.note(dead)
                yield
            except NetlabError as error:
                if isinstance(error, Interrupted) and lab.kept and not error.hint:
                    error.hint = "`netlab apply` goes on from here; `netlab undo` takes the lab back"
                # Who raised it does not know which of the labs it was.
                error.hint = re.sub(r"`netlab (\w+)`", rf"`netlab \1{lab.state.option}`", error.hint)
                raise
            finally:
                if there and not lab.kept:
                    lab.state.clear()

    def choose(self, lab: SandboxLab | HostLab, settings: list[str] | None, file: Path | None) -> Choice:
        """The course and the parameters: as given, over those of the lab, over the course's own."""
        from netlab import course, parameters

        record = lab.record
        recorded = Path(record["course"]) if record else course.default_folder()
        folder = Path(self.shared.course) if self.shared.course else recorded
        return lab.choose(folder, parameters.given(settings or [], file))

    def ensure(self, lab: SandboxLab | HostLab, choice: Choice, *, made_by: str) -> None:
        """Make the sandbox where there is none."""
        made = lab.ensure(choice, made_by=made_by)
        if made:
            self.screen.note(made)


@app.callback(invoke_without_command=True)
def _root(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False,
) -> None:
    if version:
        print(f"netlab {__version__}")
        raise typer.Exit


# --- the lab ---------------------------------------------------------------------------------------------------------


@app.command(cls=_Command)
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
        _exit(
            0 if lab.inside(lambda inside: session.screen.walk(inside.apply(until, prove=not no_prove)), choice) else 1
        )


@app.command(cls=_Command)
def plan(
    context: typer.Context,
    until: Until = None,
    settings: Set = None,
    file: LabFile = None,
    exit_code: ExitCode = False,
) -> None:
    """Show what `apply` would run, as a person would type it; change nothing."""
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
    _exit(3 if exit_code and any(step.commands for step in view.steps) else 0)


@app.command(cls=_Command)
def export(
    context: typer.Context,
    as_shell: Annotated[bool, typer.Option("--shell", help="As a POSIX shell script: what there is so far.")] = False,
    until: Until = None,
    backwards: Annotated[bool, typer.Option("--undo", help="The script that takes the other's changes back.")] = False,
    settings: Set = None,
    file: LabFile = None,
) -> None:
    """Print what `apply` runs on a bare lab host as a script that needs no netlab: > FILE."""
    from netlab.export import script

    session = Session.of(context)
    if not as_shell:
        raise UsageError("export has to be told the form", hint="as a shell script: netlab export --shell")
    with session.lab() as lab:
        choice = session.choose(lab, settings, file)
    steps = choice.course.graph.until(until)
    parameters = choice.parameters.model_dump(mode="json")
    session.screen.script(script(choice.chapters, steps, parameters, undo=backwards))


@app.command(cls=_Command)
def undo(context: typer.Context, since: From = None) -> None:
    """Take back a step and all that depends on it, or everything, to what was there before."""
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
    _exit(0 if ok else 1)


@app.command(cls=_Command)
def goto(
    context: typer.Context,
    step: Step,
    after: Annotated[bool, typer.Option("--after", help="To just after the step, instead of just before it.")] = False,
    adopt: Adopt = False,
) -> None:
    """Bring the lab to just before a step, forward or back, from any state; without proofs."""
    from netlab import lab as labs

    session = Session.of(context)
    with session.lab(make=True, adopt=adopt) as lab:
        choice = session.choose(lab, None, None)
        choice.course.graph.check(step)
        session.ensure(lab, choice, made_by="goto")
        lab.inside(lambda inside: session.screen.walk(labs.goto(inside, step, after=after)), choice)


@app.command(cls=_Command)
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
    _exit(3 if exit_code and any(step.state != "done" for step in steps) else 0)


@app.command(cls=_Command)
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
    """Run the proofs of the steps that are done, and say what was seen."""
    session = Session.of(context)
    names = steps or []
    if cycle and not session.shared.host:
        session.shared.sandbox = f"cycle-{os.getpid()}"  # never the lab in use
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
    _exit(0 if ok else 1)


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


@app.command(cls=_Command)
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


@app.command("steps", cls=_Command)
def list_steps(context: typer.Context) -> None:
    """Show the course's steps as a tree, with what each needs."""
    from netlab.views import StepNode

    session = Session.of(context)
    with session.lab() as lab:
        chapters = session.choose(lab, None, None).chapters
    session.screen.steps(
        [StepNode(each.name, each.summary, each.needs, len(each.operations), len(each.proofs)) for each in chapters]
    )


# --- the teaching walk -----------------------------------------------------------------------------------------------


@app.command(cls=_Command)
def learn(
    context: typer.Context,
    step: Annotated[str | None, typer.Argument(metavar="[STEP]", autocompletion=_steps, show_default=False)] = None,
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
    """Learn the course step by step; without a terminal the guided walk is printed."""
    from netlab.learn.alone import alone
    from netlab.learn.walk import walk
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
    seen = list[bool]()
    scenes = observed(alone(walk(desk, step)), seen)
    session.screen.page(transcript(scenes, desk.language), file)
    if file is not None:
        session.screen.note(f"the transcript is in {file}")
    _exit(0 if all(seen) else 1)


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
        shell = f"netlab shell{lab.state.option}"
    bench = LabBench(partial(session.lab, adopt=adopt, internet=internet), choice)
    recalled = bench.recall()
    chosen = choose(language or (recalled.language if recalled is not None else None), os.environ)
    lessons = read_all(choice.course.folder, bench.steps, chosen)
    for event in bench.begin():
        if isinstance(event, Note):
            session.screen.note(event.text)
    return Desk(bench, lessons, chosen, shell=shell, recalled=recalled)


# --- in the lab ------------------------------------------------------------------------------------------------------


@app.command("exec", cls=_Command, context_settings={"allow_interspersed_args": False})
def execute(
    context: typer.Context,
    node: Annotated[str, typer.Argument(metavar="NODE", help="host, router, client, internet, or a container.")],
    command: Annotated[list[str], typer.Argument(metavar="-- COMMAND...")],
) -> None:
    """Run a command in a node of the lab; its exit code is passed on."""
    words = command[1:] if command[0] == "--" else command
    if not words:
        raise UsageError("exec needs a command", hint=f"for example: netlab exec {node} -- ip addr")
    _foreground(Session.of(context), node, words)


@app.command(cls=_Command)
def shell(
    context: typer.Context,
    node: Annotated[
        str, typer.Argument(metavar="[NODE]", help="host, router, client, internet, or a container.")
    ] = "host",
) -> None:
    """Open a shell in a node of the lab."""
    _foreground(Session.of(context), node, None)


def _foreground(session: Session, node: str, command: list[str] | None) -> NoReturn:
    from netlab import foreground

    with session.lab(make=not session.shared.host) as lab:
        choice = session.choose(lab, None, None)
        foreground.check(lab, node, choice)
        session.ensure(lab, choice, made_by="exec" if command is not None else "shell")
    # Without the lock: a shell may stay open for hours, and other commands work on the lab beside it.
    _exit(foreground.run(lab, node, command))


@app.command(cls=_Command)
def snapshot(
    context: typer.Context,
    compare: Annotated[Path | None, typer.Option(metavar="FILE", help="Say what differs from this snapshot.")] = None,
) -> None:
    """Print the lab host's state in its normal form, for `--compare`: > FILE."""
    from netlab import parameters
    from netlab import snapshot as snapshots

    session = Session.of(context)
    before = snapshots.load(parameters.text_of(compare)) if compare is not None else None
    with session.lab() as lab:
        if not lab.there:
            raise UsageError(
                f"there is no sandbox {lab.state.name!r}", hint=f"make one: netlab apply{lab.state.option}"
            )
        now = lab.inside(lambda inside: inside.snapshot())
    if before is None:
        session.screen.snapshot(snapshots.dump(now))
        return
    found = snapshots.compare(before, now)
    lines = [line for each in found.differences for line in str(each).splitlines()]
    session.screen.differences(lines, found.notes)
    _exit(1 if found.differences else 0)


@app.command(cls=_Command)
def doctor(context: typer.Context, settings: Set = None, file: LabFile = None) -> None:
    """Say what this machine has and lacks, with the command that cures it; with --host, what is in the lab's way."""
    session = Session.of(context)
    findings = _host_findings(session, settings, file) if session.shared.host else _findings()
    session.screen.findings(findings)
    levels = {each.level for each in findings}
    _exit(5 if "missing" in levels else 4 if "conflict" in levels else 0)


def _findings() -> Sequence[Finding]:
    from netlab.host import Host
    from netlab.machine import Machine
    from netlab.preflight import examine
    from netlab.services import Services

    return examine(Host(Services(Path("/nonexistent"))).run, Machine())


def _findings_without_course() -> Sequence[Finding]:
    from netlab.host import Host
    from netlab.machine import Machine
    from netlab.preflight import examine_host
    from netlab.reading import NOWHERE
    from netlab.services import Services

    return examine_host(Host(Services(Path("/nonexistent"))).run, Machine(), (), NOWHERE, frozenset())


def _host_findings(session: Session, settings: list[str] | None, file: Path | None) -> Sequence[Finding]:
    from netlab.preflight import Finding as Found

    if os.geteuid() != 0:
        return _findings_without_course()
    with session.host() as lab:
        try:
            choice = session.choose(lab, settings, file)
        except Missing as error:  # the machine does not tell its uplink: say so, and all else that needs no course
            return [*_findings_without_course(), Found("uplink", False, "missing", error.message, error.hint)]
        return lab.inside(lambda inside: inside.findings(), choice)


# --- the sandboxes ---------------------------------------------------------------------------------------------------


@sandbox_app.command("start", cls=_Command)
def start(context: typer.Context, settings: Set = None, file: LabFile = None) -> None:
    """Make a bare sandbox with its surroundings; it stays until `sandbox end`."""
    session = Session.of(context)
    with session.sandbox(make=True) as lab:
        if lab.there:
            session.screen.note(f"sandbox {lab.state.name!r} is there already")
            return
        lab.ensure(session.choose(lab, settings, file), made_by="start")
        session.screen.note(f"sandbox {lab.state.name!r} is there")


@sandbox_app.command("list", cls=_Command)
def list_sandboxes(context: typer.Context) -> None:
    """List the sandboxes, also those whose state folder is gone."""
    from netlab.lab import rows

    session = Session.of(context)
    session.screen.sandboxes(rows())


@sandbox_app.command("end", cls=_Command)
def end(context: typer.Context) -> None:
    """End a sandbox, with all that is in it."""
    from netlab.lab import end_stray

    session = Session.of(context)
    state = session.sandbox_state()
    try:
        with session.sandbox() as lab:
            ended = lab.there
            if ended:
                lab.end()
    except Unreadable:
        ended = True
        state.clear()  # its holder is found by what it carries with it
    ended = end_stray(state) or ended
    words = f"sandbox {state.name!r} has ended" if ended else f"there is no sandbox {state.name!r}"
    session.screen.note(words)


# --- the course's content --------------------------------------------------------------------------------------------


@app.command(cls=_Command)
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


@course_app.command("check", cls=_Command)
def course_check(
    context: typer.Context,
    folder: Annotated[Path | None, typer.Argument(metavar="[DIR]", show_default=False)] = None,
) -> None:
    """Say what is wrong with a course and its lessons, and what to do about each."""
    from netlab import checking

    session = Session.of(context)
    where = folder or session.course_folder()
    if not os.path.isdir(where):  # Path.is_dir raises for a name that is too long
        raise UsageError(f"{where} is no folder", hint="give a course's folder: netlab course check DIR")
    checked = checking.check(where)
    faults: list[Fault] = [*checked.faults]
    unseen: NetlabError | None = None
    if checked.provable:
        try:
            faults += checking.green_too_soon(where, _before_each_step(session, where))
        except Interrupted:
            raise
        except NetlabError as error:  # no sandbox can be made, or a step does not come about: the rest is told first
            unseen = error
    session.screen.faults(sorted(faults), complete=unseen is None)
    if unseen is not None:
        session.screen.note("it was not seen whether each proof fails before its step, for:")
        raise unseen
    _exit(1 if faults else 0)


def _before_each_step(session: Session, folder: Path) -> list[Event]:
    """Every step's proofs before it, in a sandbox of their own, with NETLAB_HOST too: a check changes no machine."""
    session.shared.course, session.shared.sandbox, session.shared.host = str(folder), f"check-{os.getpid()}", False
    with session.sandbox(make=True) as lab:
        choice = session.choose(lab, None, None)
        with lab.for_a_cycle(choice):
            return lab.inside(lambda inside: [*chain.from_iterable(map(inside.before, inside.graph.order))], choice)


@course_app.command("new", cls=_Command)
def course_new(context: typer.Context, folder: Annotated[Path, typer.Argument(metavar="DIR")]) -> None:
    """Make a course of one working step, with its lessons and its tests."""
    from netlab import authoring

    session = Session.of(context)
    authoring.new(folder)
    session.screen.note(f"made a course in {folder}; run it with: netlab apply --course {folder}")


# --- the one boundary ------------------------------------------------------------------------------------------------


def _exit(code: int) -> NoReturn:
    raise typer.Exit(code)


def main() -> NoReturn:
    """Run the command line; every error that can be explained ends here, and becomes an exit code."""
    _open_streams()
    try:
        app(prog_name="netlab")
    except NetlabError as error:
        from netlab.render import Screen

        signals.ignore()
        if isinstance(error, Interrupted):
            signals.unstick()
        with contextlib.suppress(OSError):  # stderr may be what failed
            Screen(json=False, quiet=False, verbose=False).error(error)
        _leave(error.code)
    except BrokenPipeError:
        _leave(1)  # whoever read our output has gone: nothing more can be said there
    except OSError as error:
        with contextlib.suppress(OSError):
            print(f"netlab: {error}", file=sys.stderr)
        _leave(1)
    _leave(0)


def _open_streams() -> None:
    """Have all three standard streams: what is opened next would else take the place of a closed one."""
    for fd, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        try:
            os.fstat(fd)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest free number: this one
            setattr(sys, name, os.fdopen(fd, mode, closefd=False))


def _leave(code: int) -> NoReturn:
    """Exit. What could not be written to a pipe that is gone, or a disk that is full, is not tried again."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
            code = code or 1
    sys.exit(code)

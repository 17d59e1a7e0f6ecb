"""Everything that is drawn on the terminal: results on stdout, talk on stderr, JSON instead where it is asked for.

``Screen`` knows the two streams and what they can show. What is shown are lines made by pure functions
(render/walk.py, render/progress.py, render/views.py), so that a pipe and a terminal tell the same.
"""

from __future__ import annotations

import io
import json as jsons
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from functools import cached_property, partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TextIO

from netlab.errors import NetlabError
from netlab.events import Event, LeftOut, Note, Process, Proved, Retried, WalkBegun, WalkEnded, as_json
from netlab.keys import Keyboard
from netlab.picture import Picture, picture_json
from netlab.prose import Prose
from netlab.render.drawing import drawing
from netlab.render.lines import Line, Plain, duration, is_plain, line, spell
from netlab.render.mermaid import mermaid as graph
from netlab.render.progress import progress
from netlab.render.prose import prose_lines
from netlab.render.views import (
    differences_lines,
    faults_lines,
    findings_lines,
    plan_lines,
    sandboxes_lines,
    status_lines,
    steps_lines,
)
from netlab.render.walk import Walk
from netlab.views import (
    Fault,
    Finding,
    PlanView,
    SandboxRow,
    StepNode,
    StepStatus,
    faults_json,
    findings_json,
    plan_json,
    sandboxes_json,
    status_json,
    steps_json,
)

if TYPE_CHECKING:
    from netlab.learn import scenes
    from netlab.render.terminal import Terminal


COLUMNS = 80
"""How wide a drawing may be where no terminal says."""


class Painter(Protocol):
    """Puts lines on a stream, in its own way."""

    def show(self, lines: Sequence[Line]) -> None: ...


class Screen:
    """The process's two streams. ``json`` keeps stdout to JSON, ``quiet`` to what is not in order; ``verbose`` shows
    every real process on stderr and every command of a step.

    A closed stdout raises BrokenPipeError, as it should.
    """

    def __init__(
        self, *, json: bool, quiet: bool, verbose: bool, out: TextIO | None = None, err: TextIO | None = None
    ) -> None:
        self._json, self._quiet, self._verbose = json, quiet, verbose
        # Python has no stream where the shell closed it (>&-).
        self._out, self._err = out or sys.stdout or io.StringIO(), err or sys.stderr or io.StringIO()
        self._plain = is_plain(self._out, os.environ)
        self._terminal = not json and _is_terminal(self._out)
        self._living = False

    # --- walks -------------------------------------------------------------------------------------------------------

    def walk(self, events: Iterable[Event]) -> bool:
        """Draws an apply, undo or prove walk as it goes; False when a proof failed or the walk says that it did.

        An error out of ``events`` leaves what was done on the screen and goes on to the caller.
        """
        if self._json:
            return self._walk_json(events)
        walk = Walk(everything=self._verbose, quiet=self._quiet)
        with ExitStack() as stack:
            try:
                for event in events:
                    lines = walk.feed(event)
                    if walk.kind and not self._living:
                        self._live(stack, walk)
                    self._talk(event)
                    self._paint.show(lines)
                self._paint.show(walk.finished())
            except (NetlabError, KeyboardInterrupt):
                self._paint.show(walk.stopped())
                raise
        return walk.ok

    def proofs(self, events: Iterable[Event]) -> bool:
        """As ``walk``, but as JSON it is one object with all proofs in it."""
        if not self._json:
            return self.walk(chain([WalkBegun("prove", ())], events))
        proofs, left_out, ok = list[dict[str, object]](), list[dict[str, object]](), True
        for event in events:
            self._talk(event)
            if isinstance(event, LeftOut):
                left_out.append({each: getattr(event, each) for each in ("step", "probe", "why")})
            if isinstance(event, Proved):
                shape = ("step", "probe", "expected", "observed", "ok", *(["phase"] if event.phase else []))
                proofs.append({each: getattr(event, each) for each in shape})
            ok = ok and _is_right(event)
        self._write({"proofs": proofs, "left_out": left_out})
        return ok

    def _walk_json(self, events: Iterable[Event]) -> bool:
        ok = True
        for event in events:
            if isinstance(event, Process):
                self._talk(event)
            self._write(as_json(event))
            ok = ok and _is_right(event)
        return ok

    def _live(self, stack: ExitStack, walk: Walk) -> None:
        """The living display, until ``stack`` is left. It has a thread, and so begins no earlier than the walk."""
        if not self._terminal or self._quiet or not self._on_terminal.interactive:
            return
        view = partial(progress, walk, plain=self._plain)
        stack.enter_context(self._on_terminal.live(view))
        self._living = True
        stack.callback(setattr, self, "_living", False)

    def _talk(self, event: Event) -> None:
        """What is said of an event on stderr."""
        match event:
            case Process() if self._verbose:
                ended = f"exit {event.code}" if event.code >= 0 else f"signal {-event.code}"
                spent = f"{event.seconds * 1000:.0f} ms" if event.seconds < 1 else duration(event.seconds)
                self._say([line((f"$ {event.argv}", "dim"), (f" ({ended}, {spent})", "dim"))])
            case Retried() if not self._quiet:
                again = f"netlab: trying again in {duration(event.wait)} (attempt {event.attempt}): {event.command}"
                self._say([line((again, "yellow")), line(f"  {event.reason}", hang=2)])
            case Note():
                self.note(event.text)

    # --- views -------------------------------------------------------------------------------------------------------

    def plan(self, plan: PlanView) -> None:
        self._view(lambda: plan_json(plan), lambda: plan_lines(plan, quiet=self._quiet))

    def status(self, steps: Sequence[StepStatus]) -> None:
        self._view(lambda: status_json(steps), lambda: status_lines(steps, quiet=self._quiet, verbose=self._verbose))

    def steps(self, steps: Sequence[StepNode]) -> None:
        self._view(lambda: steps_json(steps), lambda: steps_lines(steps, verbose=self._verbose))

    def findings(self, findings: Sequence[Finding]) -> None:
        self._view(lambda: findings_json(findings), lambda: findings_lines(findings, quiet=self._quiet))

    def sandboxes(self, rows: Sequence[SandboxRow]) -> None:
        self._view(lambda: sandboxes_json(rows), lambda: sandboxes_lines(rows))

    def differences(self, lines: Sequence[str], notes: Sequence[str]) -> None:
        """What differs between two snapshots, a line each; ``notes`` are differences that do not count."""
        shape: dict[str, object] = {"differences": [*lines], "notes": [*notes]}
        self._view(lambda: shape, lambda: differences_lines(lines, notes, quiet=self._quiet))

    def picture(self, picture: Picture, *, mermaid: bool) -> None:
        """The lab as it is, drawn for the width of the terminal; for a pipe, as for the narrowest that is usual."""
        if mermaid:
            self.snapshot(graph(picture))
            return
        columns = self._on_terminal.columns if self._terminal else COLUMNS
        self._view(
            lambda: picture_json(picture),
            lambda: iter(drawing(picture, columns=columns, everything=self._verbose)),
        )

    def faults(self, faults: Sequence[Fault], *, complete: bool) -> None:
        """``complete``: nothing was left unseen, so that no fault means that there is none."""
        self._view(lambda: faults_json(faults), lambda: faults_lines(faults, quiet=self._quiet or not complete))

    def lesson(self, step: str, language: str, text: str, prose: Prose) -> None:
        """A lesson is Markdown, which reads well as it is: only a terminal gets its ``prose``, in lines that fit."""
        if self._json:
            self._write({"step": step, "language": language, "markdown": text})
        elif self._terminal:
            self._paint.show([*prose_lines(prose, self._on_terminal.columns)])
        else:
            self._paint.show([line(each) for each in text.splitlines()])

    def perform(self, walk: scenes.Walk, language: str) -> None:
        """The teaching walk with a person, on this terminal and its keys, to its end. Asks ``interactive`` first."""
        from netlab.render.learning import perform  # as above
        from netlab.render.stage import Stage

        stage = Stage(self._on_terminal, self._out)
        keyboard = Keyboard(sys.stdin.fileno(), stage.leave)
        with keyboard.open(), stage.open():
            perform(walk, stage, keyboard, language)

    def page(self, lines: Iterable[str], file: Path | None) -> None:
        """Lines of Markdown as they come: into ``file``, else on stdout."""
        with ExitStack() as stack:
            out = stack.enter_context(file.open("w", encoding="utf-8")) if file is not None else self._out
            paint = Plain(out, plain=file is None and self._plain)
            for each in lines:
                paint.show([line(each)])

    @property
    def interactive(self) -> bool:
        """Is there a person at a terminal, who sees what is shown and can answer?"""
        return self._terminal and self._on_terminal.interactive and sys.stdin is not None and sys.stdin.isatty()

    def snapshot(self, text: str) -> None:
        """A snapshot is data: what goes into a file is ``text`` to the byte, only a terminal gets it cleaned."""
        if self._out.isatty() and not self._json:
            self._paint.show([line(each) for each in text.removesuffix("\n").split("\n")])
        else:
            self._out.write(spell(text if text.endswith("\n") else f"{text}\n", self._out, plain=False))
            self._out.flush()

    def script(self, text: str) -> None:
        """A script is data too; as JSON it is one object."""
        if self._json:
            self._write({"script": text})
        else:
            self.snapshot(text)

    def _view(self, shape: Callable[[], dict[str, object]], lines: Callable[[], Iterator[Line]]) -> None:
        if self._json:
            self._write(shape())
        else:
            self._paint.show([*lines()])

    # --- talk --------------------------------------------------------------------------------------------------------

    def note(self, text: str) -> None:
        """A sentence on stderr, which ``quiet`` leaves out."""
        if not self._quiet:
            self._say([line(("netlab: ", "dim"), text, hang=2)])

    def error(self, error: NetlabError) -> None:
        """What went wrong, in whose words, and the next thing to do; on stderr, whatever the flags."""
        first, *further = (error.message or type(error).__name__).splitlines()
        lines = [line(("netlab: ", "bold red"), (first, "bold"), hang=2), *(line(f"  {each}") for each in further)]
        lines += [line(f"  {each}") for detail in error.details for each in detail.splitlines()]
        lines += [line(("  " if n else "→ ", "cyan"), each) for n, each in enumerate(error.hint.splitlines())]
        self._say(lines)

    def _say(self, lines: Sequence[Line]) -> None:
        if self._living and self._err.isatty():
            self._paint.show(lines)  # the same terminal: above the living display, not into it
        else:
            self._murmur.show(lines)

    # --- streams -----------------------------------------------------------------------------------------------------

    @cached_property
    def _on_terminal(self) -> Terminal:
        from netlab.render.terminal import Terminal  # rich, 50 ms: not for pipes, JSON or --help

        return Terminal(self._out, plain=self._plain)

    @cached_property
    def _paint(self) -> Painter:
        return self._on_terminal if self._terminal else Plain(self._out, plain=self._plain)

    @cached_property
    def _murmur(self) -> Painter:
        """stderr, in colours when both streams are terminals: otherwise nothing else needs rich."""
        plain = is_plain(self._err, os.environ)
        if self._terminal and _is_terminal(self._err):
            from netlab.render.terminal import Terminal  # as above

            return Terminal(self._err, plain=plain)
        return Plain(self._err, plain=plain)

    def _write(self, value: dict[str, object]) -> None:
        self._out.write(jsons.dumps(value) + "\n")
        self._out.flush()


def _is_terminal(stream: TextIO) -> bool:
    return stream.isatty() and os.environ.get("TERM", "").lower() not in ("dumb", "unknown")


def _is_right(event: Event) -> bool:
    return not (isinstance(event, Proved | WalkEnded) and not event.ok)

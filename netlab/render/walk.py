"""What a walk leaves on the screen: events in, lines out. What lives below meanwhile is in render/progress.py."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from netlab.events import Event, GoneWith, Kept, LeftOut, Proved, Ran, StepBegun, StepEnded, WalkBegun, WalkEnded
from netlab.render.lines import Block, Line, Span, duration, first, line, pad, several, widest

REVERSED = {"before": "not yet", "undone": "no longer"}
"""The phases of a cycle in which a proof is right when its probe fails, and how that is put."""


@dataclass(slots=True)
class Turn:
    """A step's turn as far as it has come: what ran, what went with what it lived in, what was kept."""

    name: str
    summary: str = ""
    held: int = 0
    total: int = 0
    began: float = 0.0
    command: str = ""
    operations: set[str] = field(default_factory=set)
    ran: list[Block] = field(default_factory=list)
    gone: list[Block] = field(default_factory=list)
    kept: list[Block] = field(default_factory=list)


@dataclass(slots=True)
class Tally:
    """What a walk came to."""

    held: int = 0
    taken: int = 0
    gone: int = 0
    kept: int = 0
    right: int = 0
    wrong: int = 0

    @property
    def proofs(self) -> int:
        return self.right + self.wrong


class Walk:
    """What was seen of a walk so far. ``everything`` keeps every command, ``quiet`` only what failed."""

    def __init__(
        self, *, everything: bool = False, quiet: bool = False, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.ok = True
        self.clock = clock
        self._everything, self._quiet = everything, quiet
        self._begin(WalkBegun("", ()))

    def _begin(self, walk: WalkBegun) -> None:
        self.kind, self.steps, self.began = walk.walk, walk.steps, self.clock()
        self.turn: Turn | None = None
        self.ended: set[str] = set()
        self.proving = ""
        self.over = False
        self.tally = Tally()
        self._end: tuple[WalkEnded, float] | None = None
        self._width = widest(walk.steps)
        self._heading = ""

    def feed(self, event: Event) -> list[Line]:
        """The lines that stay because of ``event``."""
        match event:
            case WalkBegun():
                lines = self.finished()
                self._begin(event)
                return lines
            case StepBegun():
                self.turn = Turn(event.step, event.summary, event.held, event.total, self.clock())
            case Ran():
                self._ran(self._turn(event.step), event)
            case GoneWith():
                gone = line("    ", event.operation, (f" — gone with {event.within}", "dim"), hang=6)
                self._turn(event.step).gone.append((gone,))
            case Kept():
                kept = line("    ", event.operation, (f" — kept: {event.why}", "yellow"), hang=6)
                if not event.step:  # of no step: somebody's process
                    return [kept]
                self._turn(event.step).kept.append((kept,))
            case StepEnded():
                return self._step_ended(event)
            case Proved():
                return self._proved(event)
            case LeftOut():
                if not self._quiet:
                    words = line("  – ", event.probe, (f" — left out: {event.why}", "dim"), hang=4)
                    lines = [*self._head(event.step), words]
                    self.proving = event.step
                    return lines
            case WalkEnded():
                self.ok = self.ok and event.ok
                self.turn, self._end = None, (event, self.clock())
        return []

    def finished(self) -> list[Line]:
        """The sentence about the whole, when no event is left: after its end, a walk may still be proved."""
        end, self._end, self.over = self._end, None, True
        event, since = end or (WalkEnded("prove", 0, 0.0), self.began)
        tally, self.tally = self.tally, Tally()
        right = event.ok and not tally.wrong
        if (end is None and not tally.proofs) or (right and self._quiet):
            return []
        mark, style = (("✓ ", "green"), "bold") if right else (("✗ ", "red"), "bold red")
        spent = event.seconds + (self.clock() - since if tally.proofs else 0)
        words = (_summary(event, tally, right=right), style)
        sentence = line(mark, words, (f" ({duration(spent)})", "dim"), hang=2)
        return [sentence] if self._quiet else [line(), sentence]

    def stopped(self) -> list[Line]:
        """The lines that stay of a walk that an error or a signal cuts short."""
        turn, self.turn = self.turn, None
        finished = self.finished() if self._end else []
        self.over = True
        if turn is None or self._quiet:
            return finished
        so_far = f"after {several(len(turn.ran), 'command')}" if turn.ran else "before its first command"
        return self._step(("✗ ", "red"), turn, f"stopped {so_far}", self.clock() - turn.began)

    def _turn(self, step: str) -> Turn:
        if self.turn is None or self.turn.name != step:
            self.turn = Turn(step, began=self.clock())
        return self.turn

    def _ran(self, turn: Turn, event: Ran) -> None:
        turn.command = event.command
        if self.kind != "undo":
            turn.ran.append((line((f"    {event.command}", "dim")),))
        elif event.operation in turn.operations:
            turn.ran.append((line((f"      {event.command}", "dim")),))
        else:
            turn.ran.append((line(f"    {event.operation}", hang=6), line((f"      {event.command}", "dim"))))
        turn.operations.add(event.operation)

    def _step_ended(self, event: StepEnded) -> list[Line]:
        turn = self._turn(event.step)
        self.turn = None
        self.ended.add(event.step)
        self.tally.held += event.held
        self.tally.taken += len(turn.operations)
        self.tally.gone += len(turn.gone)
        self.tally.kept += len(turn.kept)
        if self._quiet or (self.kind == "prove" and not event.changed):
            return []
        self._heading = event.step
        counts = f"{event.changed} ran, {event.held} already there"
        if self.kind == "undo":
            parts = ((turn.operations, "taken back"), (turn.gone, "gone"), (turn.kept, "kept"))
            counts = ", ".join(f"{len(what)} {word}" for what, word in parts if what) or "nothing to take back"
        return self._step(("✓ ", "green"), turn, counts, event.seconds)

    def _step(self, mark: Span, turn: Turn, counts: str, seconds: float) -> list[Line]:
        beneath = [each for blocks in (turn.ran, turn.gone, turn.kept) for each in self._first(blocks)]
        name = (pad(turn.name, self._width), "bold" if beneath else "")
        return [line(mark, name, f"  {counts}", (f"  {duration(seconds)}", "dim"), hang=4), *beneath]

    def _first(self, blocks: Sequence[Block]) -> list[Line]:
        return [each for block in first(blocks, everything=self._everything) for each in block]

    def _proved(self, event: Proved) -> list[Line]:
        self.ok = self.ok and event.ok
        self.tally.right += event.ok
        self.tally.wrong += not event.ok
        if event.ok and self._quiet:
            return []
        lines = [*self._head(event.step), *_proof(event)]
        self.proving = event.step
        return lines

    def _head(self, step: str) -> list[Line]:
        """The name of the step that is proved, unless the line above is that step's."""
        above, self._heading = self._heading, step
        if above == step:
            return []
        gap = [line()] if above in self.ended and not self.proving and not self._quiet else []
        return [*gap, line((step, "bold"))]


def _proof(event: Proved) -> list[Line]:
    phase = f"{event.phase:<6}  " if event.phase else ""
    turned = "" if event.stays else REVERSED.get(event.phase, "")
    hang = 4 + len(phase)
    if event.ok:
        words = turned or event.expected
        seen = words if event.observed in ("", words) else f"{words}: {event.observed}"
        return [line(("  ✓ ", "green"), (phase, "dim"), event.probe, (f" — {seen}", "dim"), hang=hang)]
    return [
        line((f"  ✗ {phase}{event.probe}", "bold red"), hang=hang),
        line(("      expected: ", "red"), event.expected, hang=16),
        line(("      observed: ", "red"), event.observed or "nothing", hang=16),
    ]


def _summary(event: WalkEnded, tally: Tally, *, right: bool) -> str:
    """What a walk came to, in one sentence."""
    proofs = f"{several(tally.right, 'proof')} right" if tally.proofs else ""
    if not right:
        proofs = f"{tally.wrong} of {several(tally.proofs, 'proof')} failed" if tally.wrong else "failed"
    if event.walk == "undo":
        counted = ((tally.taken, "taken back"), (tally.gone, "gone with what they lived in"), (tally.kept, "kept"))
        parts = [f"{number} {word}" for number, word in counted if number] or ["nothing to take back"]
    elif event.walk == "prove":
        return proofs or "nothing to prove"
    elif event.changed:
        parts = [f"{several(event.changed, 'operation')} ran", f"{tally.held} already there"]
    else:
        parts = [f"nothing to do: {several(tally.held, 'operation')} already there"]
    return ", ".join(filter(None, [*parts, proofs] if right else [proofs, *parts]))

"""The teaching walk on a terminal: draws what it shows, reads the keys it asks for, and sends back what they mean."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import Protocol

from netlab.keys import OTHER, REDRAW
from netlab.learn import scenes
from netlab.render.keybar import keybar, meant
from netlab.render.lines import Line, line
from netlab.render.scenes import Flowing, scene_lines
from netlab.render.stage import Stage
from netlab.render.ticks import listed_lines, ticks_lines
from netlab.words import words


def _is_beside(scene: Flowing) -> bool:
    """May ticks stay at the bottom, with this above them? It is short, and the shell is where the learner reads on."""
    match scene:
        case scenes.Text():
            return scene.key == "hints"
        case _:
            return isinstance(scene, scenes.Said | scenes.Typing | scenes.Printed)


class Keys(Protocol):
    """Reads single presses (netlab/keys.py)."""

    def forget(self) -> None: ...
    def press(self, seconds: float | None = None) -> str | None: ...


def perform(walk: scenes.Walk, stage: Stage, keys: Keys, language: str) -> None:
    """Let the walk go to its end. What it raises goes on to the caller, and the walk is told that it is over."""
    try:
        _Performance(stage, keys, language).through(walk)
    finally:
        walk.close()


class _Performance:
    """A walk as far as it has come on the stage."""

    def __init__(self, stage: Stage, keys: Keys, language: str) -> None:
        self._stage, self._keys, self._words = stage, keys, words(language)
        self._shown: list[Flowing] = []
        """All of this step, so that it can be shown anew at another width."""
        self._ticks: scenes.Ticks | None = None
        self._list: scenes.Listed | None = None
        """What is drawn anew at the bottom; the list in the place of the ticks, which come back."""
        self._bar: tuple[tuple[scenes.Key, ...], str] = ((), "")
        self._leaving = False
        """The learner has left in the midst of a text: the next question is answered so, wherever it comes."""

    def through(self, walk: scenes.Walk) -> None:
        answer: scenes.Key | None = None
        with contextlib.suppress(StopIteration):
            while True:
                scene = walk.send(answer)
                answer = None
                if isinstance(scene, scenes.Ask):
                    answer = self._ask(scene)
                else:
                    self._show(scene)

    # --- showing -----------------------------------------------------------------------------------------------------

    def _show(self, scene: scenes.Scene) -> None:
        match scene:
            case scenes.Language():
                self._words = words(scene.code)
                self._fresh()  # what stood there comes again, in the other language
            case scenes.Ticks() if all(each.state == "done" for each in scene.ticks):
                self._no_ticks()
                self._stage.read()  # the learner has seen them come true
                self._flow(scene)
            case scenes.Ticks():
                self._ticks = scene
                self._draw_bottom(busy=True)
            case scenes.Listed():
                self._list = scene
                self._draw_bottom(busy=True)
            case scenes.Title():
                self._fresh()
                self._flow(scene)
            case _:
                if self._ticks and not _is_beside(scene):
                    self._no_ticks()
                self._flow(scene)

    def _no_ticks(self) -> None:
        """They make room for what comes."""
        self._ticks = None
        self._draw_bottom(busy=True)

    def _fresh(self) -> None:
        self._ticks, self._list, self._shown = None, None, []
        self._stage.fresh()

    def _flow(self, scene: Flowing) -> None:
        """Show a scene. Nothing moves out of sight unread: where the screen is full, a key is waited for."""
        while not self._pages(self._lines(scene, first=not self._shown)):
            pass
        self._shown.append(scene)

    def _lines(self, scene: Flowing, *, first: bool) -> list[Line]:
        """The scene's lines, a blank one before them; but what a command prints stands right below it."""
        gap = [] if first or isinstance(scene, scenes.Printed) else [line()]
        return [*gap, *scene_lines(scene, self._words, self._stage.columns)]

    def _pages(self, lines: Sequence[Line]) -> bool:
        """False: the terminal has changed, and what could not be seen yet has to be made anew for it."""
        while lines:
            if self._leaving or self._ticks:
                self._stage.show(lines)  # no waiting beside ticks: meanwhile nobody would look at what is typed
                return True
            fits = self._stage.fitting(lines)
            if self._stage.unread and fits < len(lines) and self._stage.fitting(lines, whole=True) == len(lines):
                fits = 0  # on a screen of its own it is seen as a whole
            self._stage.show(lines[:fits])
            lines = lines[fits:]
            if lines and not self._wait_for_more():
                return False
        return True

    # --- asking ------------------------------------------------------------------------------------------------------

    def _ask(self, ask: scenes.Ask) -> scenes.Key | None:
        listing = self._list if "up" in ask.keys else None
        ticks = self._ticks if ask.seconds is not None or listing else None
        if (listing is None and self._list) or (ticks is None and self._ticks):
            self._list, self._ticks = listing, ticks
            self._again()  # what had made room for it comes back
        if self._leaving and "quit" in ask.keys:
            return "quit"
        if ask.seconds is None:
            self._keys.forget()
        self._bar = ask.keys, self._words(ask.why)
        self._draw_bottom()
        while True:
            pressed = self._keys.press(ask.seconds)
            if pressed is None:
                return None
            if pressed == REDRAW:
                self._again()
                continue
            if pressed == OTHER:  # most likely a command, pasted into the wrong window
                self._draw_bottom(note=self._words("keys.one"))
                continue
            answer = meant(pressed, ask.keys)
            if answer is not None:
                self._stage.read()
                self._draw_bottom(busy=True)
                return answer

    def _wait_for_more(self) -> bool:
        """Until the learner has read what is there. False: the terminal has changed."""
        bar, self._bar = self._bar, (("next", "quit"), self._words("keys.more"))
        self._keys.forget()
        self._draw_bottom()
        answer = None
        while answer is None:
            pressed = self._keys.press()
            if pressed == REDRAW:
                break
            answer = meant(pressed or "", self._bar[0])
        self._bar = bar
        if answer is None:
            self._again()
            return False
        self._leaving = answer == "quit"
        self._stage.read()
        return True

    # --- the screen --------------------------------------------------------------------------------------------------

    def _again(self) -> None:
        shown = (self._lines(each, first=not number) for number, each in enumerate(self._shown))
        with self._stage.picture():
            self._stage.again([row for lines in shown for row in lines])
            self._draw_bottom()

    def _draw_bottom(self, *, busy: bool = False, note: str = "") -> None:
        columns, rows = self._stage.columns, self._stage.rows
        keys, next_is = self._bar
        lines: list[Line] = []
        if self._list:
            lines = [line(), *listed_lines(self._list, self._words, columns, rows * 2 // 3)]
        elif self._ticks:
            lines = [line(), *ticks_lines(self._ticks, self._words, columns, rows // 2)]
        bar = keybar(keys, next_is, self._words, columns, busy=busy) if keys else []
        self._stage.bottom([*lines, *([line((note, "bold yellow"))] if note else []), *bar])

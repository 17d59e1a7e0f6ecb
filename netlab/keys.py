"""Single key presses from a terminal, which is given back as it was, however that comes about.

Ctrl-C stays a signal (netlab/signals.py), and so does Ctrl-Z: before the process stops, the terminal is restored.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import termios
import time
import tty
import unicodedata
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

from netlab import signals
from netlab.errors import Interrupted

REDRAW = "redraw"
"""The terminal has another size, or somebody else wrote on it: not a key, but what wakes whoever waits for one."""

OTHER = ""
"""Something that is no single key: a paste, a key that has no name here."""

_NAMES = {
    "\r": "enter", "\n": "enter", "\x1b": "escape", "\x04": "end",
    "\x1b[A": "up", "\x1bOA": "up", "\x1b[B": "down", "\x1bOB": "down",
}  # fmt: skip

_MOMENT = 0.03
"""Seconds in which the rest of a key, or of a paste, follows its beginning: less than between two that are typed."""


class Keyboard:
    """The keys of the terminal ``fd``: what is pressed is not shown, and comes at once.

    What is pressed while nobody waits for it is forgotten at the next ``forget``: a key answers what can be seen.
    ``leaving`` is called in a signal's handler, before Ctrl-Z stops the process.
    """

    def __init__(self, fd: int = 0, leaving: Callable[[], None] = lambda: None) -> None:
        self._fd, self._leaving = fd, leaving
        self._owner = os.getpid()
        self._before: list[Any] = []
        self._woken: tuple[int, int] = (-1, -1)

    @contextlib.contextmanager
    def open(self) -> Iterator[None]:
        """Until the block is left the terminal gives single keys; then it is as it was."""
        self._before = termios.tcgetattr(self._fd)
        self._woken = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        handlers = {signal.SIGWINCH: self._wake, signal.SIGTSTP: self._stop, signal.SIGCONT: self._go_on}
        old = {number: signal.signal(number, handler) for number, handler in handlers.items()}
        # A signal that comes just before somebody waits for a key is not to wait for it, too.
        wakened = signal.set_wakeup_fd(self._woken[1], warn_on_full_buffer=False)
        try:
            tty.setcbreak(self._fd, termios.TCSANOW)
            yield
        finally:
            signal.set_wakeup_fd(wakened)
            for number, handler in old.items():
                signal.signal(number, handler)
            self._restore()
            for end in self._woken:
                os.close(end)

    def forget(self) -> None:
        """Drop what was pressed so far."""
        with contextlib.suppress(termios.error):  # the terminal is gone: who reads will say so
            termios.tcflush(self._fd, termios.TCIFLUSH)

    def press(self, seconds: float | None = None) -> str | None:
        """The next key: its character, or "enter", "up", "down", "escape", "end" (Ctrl-D), REDRAW, OTHER.

        None after ``seconds``. Raises Interrupted when the terminal is gone.
        """
        signals.check()
        until = None if seconds is None else time.monotonic() + seconds
        left = seconds
        while True:
            ready, _, _ = select.select([self._fd, self._woken[0]], [], [], left)
            if self._woken[0] in ready:
                with contextlib.suppress(BlockingIOError):
                    os.read(self._woken[0], 4096)
                return REDRAW
            if ready:
                return named(self._read())
            left = None if until is None else max(until - time.monotonic(), 0)
            if left == 0:
                return None

    def _read(self) -> str:
        """All that arrives together: a key of several bytes, or a paste whole."""
        found = b""
        while not found or select.select([self._fd], [], [], _MOMENT)[0]:
            try:
                more = os.read(self._fd, 4096)
            except OSError:
                more = b""
            if not more:
                raise Interrupted("the terminal is gone", hint="`netlab learn` goes on from here")
            found += more
        return found.decode("utf-8", "replace")

    # --- signals -----------------------------------------------------------------------------------------------------

    def _wake(self, number: int, frame: FrameType | None) -> None:
        if os.getpid() == self._owner:
            with contextlib.suppress(BlockingIOError):  # it is full: whoever waits will wake all the same
                os.write(self._woken[1], b".")

    def _stop(self, number: int, frame: FrameType | None) -> None:
        """Ctrl-Z. A child that was forked with our handlers stops as it would have without them."""
        if os.getpid() == self._owner:
            self._leaving()
            self._restore()
        old = signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
        signal.signal(number, old)
        self._go_on(number, frame)  # nobody stopped us, where there is no shell that could go on with us

    def _go_on(self, number: int, frame: FrameType | None) -> None:
        if os.getpid() == self._owner:
            with contextlib.suppress(termios.error):
                tty.setcbreak(self._fd, termios.TCSANOW)
            self._wake(number, frame)

    def _restore(self) -> None:
        with contextlib.suppress(termios.error):
            termios.tcsetattr(self._fd, termios.TCSANOW, self._before)


def named(text: str) -> str:
    """The key that sent ``text``. Of what is more than one key nothing is taken: it was pasted into the wrong window.

    A letter of an input method's full width (``？``) is the same key.
    """
    arrow = text[:3]
    if text == arrow * (len(text) // 3):  # one that is held down
        text = arrow
    if text in _NAMES:
        return _NAMES[text]
    text = unicodedata.normalize("NFKC", text)
    return text if len(text) == 1 and text.isprintable() else OTHER

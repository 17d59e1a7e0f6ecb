"""Single keys, on a pseudo-terminal: what they are called, and that the terminal is given back whatever happens."""

from __future__ import annotations

import os
import pty
import signal
import sys
import termios
import time
from collections.abc import Iterator
from pathlib import Path

import pexpect
import pytest

import netlab
from netlab import signals
from netlab.errors import Interrupted
from netlab.keys import OTHER, REDRAW, Keyboard, named

TOP = Path(netlab.__file__).resolve().parent.parent

NAMES = {
    "a letter": ("h", "h"),
    "another case": ("L", "L"),
    "a blank": (" ", " "),
    "Enter": ("\r", "enter"),
    "a line feed": ("\n", "enter"),
    "Escape": ("\x1b", "escape"),
    "Ctrl-D": ("\x04", "end"),
    "up": ("\x1b[A", "up"),
    "up, as some terminals have it": ("\x1bOA", "up"),
    "down": ("\x1b[B", "down"),
    "down, held": ("\x1b[B\x1b[B\x1b[B", "down"),
    "an arrow that means nothing": ("\x1b[C", OTHER),
    "a function key": ("\x1b[15~", OTHER),
    "Alt": ("\x1bq", OTHER),
    "the full width of an input method": ("？", "?"),
    "a Chinese character": ("好", "好"),
    "a paste": ("ip netns add q\r", OTHER),
    "a paste of two": ("qq", OTHER),
    "bytes that are no text": ("\ufffd\ufffd", OTHER),
    "another control character": ("\x01", OTHER),
    "nothing": ("", OTHER),
}


@pytest.mark.parametrize(("text", "expected"), NAMES.values(), ids=NAMES)
def test_what_a_key_is_called(text: str, expected: str) -> None:
    assert named(text) == expected


@pytest.fixture
def terminal() -> Iterator[tuple[int, int]]:
    """Ours and theirs."""
    ours, theirs = pty.openpty()
    yield ours, theirs
    os.close(theirs)
    os.close(ours)


def test_each_key_comes_at_once_and_is_not_shown(terminal: tuple[int, int]) -> None:
    ours, theirs = terminal
    keyboard = Keyboard(theirs)
    with keyboard.open():
        for sent, expected in ((b"h", "h"), (b"\x1b[A", "up"), ("？".encode(), "?"), (b"x" * 5000, OTHER)):
            os.write(ours, sent)
            assert keyboard.press(10) == expected
        assert keyboard.press(0.05) is None
        os.set_blocking(ours, False)
        with pytest.raises(BlockingIOError):
            os.read(ours, 1)


def test_what_was_pressed_too_early_is_forgotten(terminal: tuple[int, int]) -> None:
    ours, theirs = terminal
    keyboard = Keyboard(theirs)
    with keyboard.open():
        os.write(ours, b"\r")
        keyboard.forget()
        os.write(ours, b"h")
        assert keyboard.press(10) == "h"


def test_another_size_wakes_who_waits(terminal: tuple[int, int]) -> None:
    _, theirs = terminal
    keyboard = Keyboard(theirs)
    with keyboard.open():
        signal.raise_signal(signal.SIGWINCH)
        signal.raise_signal(signal.SIGWINCH)
        assert keyboard.press(10) == REDRAW
        assert keyboard.press(0) is None


def test_any_signal_wakes_who_begins_to_wait_just_then(terminal: tuple[int, int]) -> None:
    """Also one whose handler says nothing to the keyboard: it may come when Python has looked for the last time."""
    _, theirs = terminal
    keyboard = Keyboard(theirs)
    before = signal.signal(signal.SIGUSR1, lambda number, frame: None)
    try:
        with keyboard.open():
            signal.raise_signal(signal.SIGUSR1)
            assert keyboard.press(10) == REDRAW
            assert keyboard.press(0) is None
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert signal.set_wakeup_fd(-1) == -1, "it is given back"


def test_who_was_interrupted_does_not_wait_for_a_key(
    terminal: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody may have swallowed it."""
    keyboard = Keyboard(terminal[1])
    monkeypatch.setattr(signals, "_arrived", [signal.SIGTERM])
    with keyboard.open(), pytest.raises(Interrupted, match="SIGTERM"):
        keyboard.press(10)


def test_a_terminal_that_is_gone_interrupts(terminal: tuple[int, int]) -> None:
    ours, theirs = pty.openpty()
    keyboard = Keyboard(theirs)
    with keyboard.open():
        os.close(ours)
        with pytest.raises(Interrupted, match="the terminal is gone"):
            keyboard.press(10)
    os.close(theirs)


def test_it_is_given_back_after_an_error(terminal: tuple[int, int]) -> None:
    _, theirs = terminal
    before, handlers = termios.tcgetattr(theirs), [signal.getsignal(each) for each in SIGNALS]
    with pytest.raises(ZeroDivisionError), Keyboard(theirs).open():
        raise ZeroDivisionError
    assert termios.tcgetattr(theirs) == before
    assert [signal.getsignal(each) for each in SIGNALS] == handlers


SIGNALS = (signal.SIGWINCH, signal.SIGTSTP, signal.SIGCONT)

PROGRAM = """
import os, sys
from netlab import signals
from netlab.errors import Interrupted
from netlab.keys import Keyboard
signals.catch()
keyboard = Keyboard(leaving=lambda: os.write(1, b"leaving"))
try:
    with keyboard.open():
        print("ready", flush=True)
        while (key := keyboard.press()) != "q":
            print(f"<{key}>", flush=True)
except Interrupted as error:
    print(f"interrupted {error.code}", flush=True)
    sys.exit(error.code)
"""


def shell() -> pexpect.spawn[str]:
    """A shell with job control, in which the program runs."""
    environment = {"PATH": "/usr/bin:/bin", "PS1": "prompt> ", "TERM": "xterm", "PYTHONPATH": str(TOP), "P": PROGRAM}
    child = pexpect.spawn("/bin/bash", ["--norc", "--noediting", "-i"], env=environment, encoding="utf-8", timeout=60)
    child.expect("prompt> ")
    child.sendline(f'{sys.executable} -c "$P"')
    child.expect("ready")
    return child


def echo_is_on(child: pexpect.spawn[str]) -> bool:
    return bool(termios.tcgetattr(child.child_fd)[3] & termios.ECHO)


def comes_about(child: pexpect.spawn[str], *, echo: bool) -> bool:
    end = time.monotonic() + 60
    while echo_is_on(child) != echo and time.monotonic() < end:
        time.sleep(0.01)
    return echo_is_on(child) == echo


@pytest.mark.parametrize(
    ("pressed", "said"), [("\x03", "interrupted 130"), ("q", "prompt> ")], ids=["Ctrl-C", "an ordinary end"]
)
def test_however_it_ends_the_terminal_is_as_it_was(pressed: str, said: str) -> None:
    child = shell()
    assert not echo_is_on(child)
    child.send(pressed)
    child.expect(said)
    assert comes_about(child, echo=True)
    child.close(force=True)


@pytest.mark.parametrize(("name", "code"), [("TERM", 143), ("HUP", 129)])
def test_ended_by_a_signal_the_terminal_is_as_it_was(name: str, code: int) -> None:
    child = shell()
    child.send("\x1a")
    child.expect("prompt> ")
    child.sendline(f"kill -{name} %1; fg")
    child.expect(f"interrupted {code}")
    child.expect("prompt> ")
    assert comes_about(child, echo=True)
    child.close(force=True)


def test_stopped_and_gone_on_with() -> None:
    child = shell()
    for _ in range(2):
        child.send("\x1a")
        child.expect("leaving")
        child.expect("prompt> ")
        assert comes_about(child, echo=True)
        child.sendline("fg")
        child.expect("<redraw>")
        assert not echo_is_on(child)
        child.send("h")
        child.expect("<h>")
    child.send("q")
    child.expect("prompt> ")
    child.close(force=True)

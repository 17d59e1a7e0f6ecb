"""Ctrl-C and its like as an error that ends a command in order, and that is not lost where it cannot be raised.

Python swallows what a signal's handler raises in a few places (the hooks around a fork, a destructor). So the signal is
also noted, and whoever is about to start something asks.
"""

from __future__ import annotations

import os
import signal
from types import FrameType

from netlab.errors import Interrupted

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""What asks a command to end."""

_arrived: list[int] = []
_owner = 0
"""The process that catches. One that it forks does not, until it says so itself or becomes another program."""


def catch() -> None:
    """From now on these signals raise Interrupted in this process. One that the caller ignores stays ignored."""
    global _owner
    _owner = os.getpid()
    for number in ENDING:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _raise)


def check() -> None:
    """Raise Interrupted if a signal has arrived."""
    if _arrived:
        raise _interrupted(_arrived[0])


def ignore() -> None:
    """At the very end: what is cleaned up now is not to be interrupted again."""
    for number in ENDING:
        signal.signal(number, signal.SIG_IGN)


def default() -> None:
    """In a child before it becomes another program: that one is to be ended by what ends programs."""
    for number in (*ENDING, signal.SIGPIPE):
        signal.signal(number, signal.SIG_DFL)


def _raise(number: int, frame: FrameType | None) -> None:
    if os.getpid() != _owner:
        return
    _arrived.append(number)
    raise _interrupted(number)


def _interrupted(number: int) -> Interrupted:
    error = Interrupted(
        f"interrupted by {signal.Signals(number).name}",
        hint="`netlab apply` goes on from here; `netlab undo` takes the lab back",
    )
    error.code = 128 + number
    return error

"""Ctrl-C and its like as an error that ends a command in order, and that is not lost where it cannot be raised.

Python swallows what a signal's handler raises in the hooks around a fork, and leaves somebody's lock held for ever: a
fork is made while signals are ``blocked``. What is swallowed elsewhere (by a destructor, or by the callback of a weak
reference, of which every import has some) is known all the same, and whoever is about to start something, or to wait,
asks (``check``).
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
import threading
from collections.abc import Iterable, Iterator
from types import FrameType

from netlab.errors import Interrupted

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""What asks a command to end."""

_arrived: list[int] = []
_blocking = 0
_owner = 0
"""The process that catches. One that it forks does not, until it says so itself or becomes another program."""


def catch() -> None:
    """From now on these signals raise Interrupted in this process, also those that waited while they were ``blocked``.

    One that the caller ignores stays ignored. The end of a child is not one of these: where it is ignored, the kernel
    forgets how the child ended, and where it is blocked, nobody who waits is told.
    """
    global _owner, _blocking
    _owner, _blocking = os.getpid(), 0
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, (signal.SIGCHLD,))
    sys.unraisablehook = _swallowed
    for number in heeded():
        signal.signal(number, _raise)
    unblock()


def heeded() -> list[int]:
    """What asks to end, without what our caller ignores: `nohup` does that, and a shell for what it starts with &."""
    return [number for number in ENDING if signal.getsignal(number) is not signal.SIG_IGN]


@contextlib.contextmanager
def blocked() -> Iterator[None]:
    """What arrives in here waits in the kernel: for us, and for a process that is forked in here until it unblocks.

    So nothing is lost between a fork and the handler that its process installs. At the end it is raised.
    """
    global _blocking
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    try:
        signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)  # what came just before is raised by this
    except BaseException:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        raise
    _blocking, known = _blocking + 1, len(_arrived)
    try:
        yield
    finally:
        _blocking -= 1
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    if not _blocking and len(_arrived) > known:
        raise interrupted(_arrived[known])


def start(thread: threading.Thread) -> None:
    """Start a thread that takes none of these signals. One that it took would come late: whoever waits sleeps on."""
    with blocked():
        thread.start()


def unblock() -> None:
    """What has waited arrives now."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDING)


def check() -> None:
    """Raise Interrupted if a signal has arrived, whoever swallowed what it raised."""
    if _arrived:
        raise interrupted(_arrived[0])


def ignore() -> None:
    """At the very end: what is cleaned up now is not to be interrupted again."""
    for number in ENDING:
        signal.signal(number, signal.SIG_IGN)


def unstick() -> None:
    """After a signal: what goes to a reader that has stopped reading is dropped; to wait for it may be without end."""
    for fd in (1, 2):
        with contextlib.suppress(OSError):  # closed, or a file: never full of what nobody reads
            if not select.select([], [fd], [], 0)[1]:
                os.dup2(os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC), fd)


def default(numbers: Iterable[int] = ENDING) -> None:
    """In a child before it becomes another program: that one is to be ended by ``numbers``, which end programs.

    So it is by those that Python ignores.
    """
    for number in (*numbers, signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(number, signal.SIG_DFL)
    unblock()


def _raise(number: int, frame: FrameType | None) -> None:
    if os.getpid() != _owner:
        return
    _arrived.append(number)
    if not _blocking:  # else it came by another thread, which does not block it
        raise interrupted(number)


def _swallowed(about: sys.UnraisableHookArgs) -> None:
    """What Python tells of an error that nobody can catch. Ours is no news: ``check`` knows of it."""
    if not isinstance(about.exc_value, Interrupted):
        sys.__unraisablehook__(about)


def interrupted(number: int) -> Interrupted:
    """The error that a signal becomes."""
    error = Interrupted(f"interrupted by {signal.Signals(number).name}")
    error.code = 128 + number
    return error

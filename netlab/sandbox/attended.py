"""How a child is waited for: what asks us to end asks it, and no signal is missed."""

from __future__ import annotations

import contextlib
import io
import os
import select
import signal
from collections.abc import Iterator
from types import FrameType

from netlab import signals


@contextlib.contextmanager
def passing_on(child: int) -> Iterator[tuple[list[int], int]]:
    """While we wait for ``child``, what asks us to end asks it, also what was blocked until now; the list has it then.

    It gets a terminal's Ctrl-C by itself, too. Python runs a handler only when the call that it is in returns, and a
    signal that comes just before a call does not cut it short: whoever waits here, waits for the descriptor, too, which
    can be read when a signal has come.
    """
    passed: list[int] = []

    def pass_on(number: int, frame: FrameType | None) -> None:
        passed.append(number)
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, number)

    woken, waking = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    wakened = signal.set_wakeup_fd(waking, warn_on_full_buffer=False)
    before = {number: signal.signal(number, pass_on) for number in signals.heeded()}
    before[signal.SIGCHLD] = signal.signal(signal.SIGCHLD, lambda number, frame: None)
    signals.unblock()
    try:
        yield passed, woken
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(wakened)
        os.close(woken)
        os.close(waking)


def read(pipe: io.RawIOBase, woken: int) -> bytes:
    """All that comes until its writers have ended."""
    data = bytearray()
    while True:
        ready = _ready(pipe.fileno(), woken)
        if woken in ready:
            os.read(woken, 1024)
        if pipe.fileno() in ready:
            some = pipe.read(1 << 16)
            if not some:
                return bytes(data)
            data += some


def waited(child: int, woken: int) -> int:
    """The child's exit code, 128 + N for signal N."""
    while not (ended := os.waitpid(child, os.WNOHANG))[0]:
        _ready(woken)
        os.read(woken, 1024)
    status = os.waitstatus_to_exitcode(ended[1])
    return status if status >= 0 else 128 - status


def _ready(*fds: int) -> set[int]:
    """Wait until one of them can be read; those that can."""
    poll = select.poll()
    for fd in fds:
        poll.register(fd, select.POLLIN)
    return {fd for fd, _ in poll.poll()}

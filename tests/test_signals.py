"""Ctrl-C and its like: an error where it can be raised, and never lost where it cannot."""

from __future__ import annotations

import io
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sh

from netlab import signals
from netlab.errors import Interrupted
from netlab.processes import Running
from netlab.render.terminal import Terminal

NUMBERS = {number.name: number for number in signals.ENDING}


@pytest.fixture(autouse=True)
def _caught(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Signals are caught, as by the command line; afterwards they are pytest's again."""
    before = {number: signal.getsignal(number) for number in (*signals.ENDING, signal.SIGCHLD)}
    monkeypatch.setattr(signals, "_arrived", [])
    monkeypatch.setattr(sys, "unraisablehook", sys.unraisablehook)
    for number in signals.ENDING:  # whoever runs this in the background may have it ignored
        signal.signal(number, signal.SIG_DFL)
    signals.catch()
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def send(number: int) -> None:
    """To this thread: one to the process may go to another thread of pytest's, and comes when that one gets to run."""
    signal.raise_signal(number)


@pytest.mark.parametrize("number", NUMBERS.values(), ids=NUMBERS)
def test_it_is_an_error_with_the_shells_exit_code(number: signal.Signals) -> None:
    with pytest.raises(Interrupted, match=f"interrupted by {number.name}") as caught:
        send(number)
    assert caught.value.code == 128 + number


@pytest.mark.parametrize("number", NUMBERS.values(), ids=NUMBERS)
def test_it_waits_while_it_is_blocked(number: signal.Signals) -> None:
    reached = list[str]()

    def work() -> None:
        with signals.blocked():
            with signals.blocked():
                send(number)
                reached.append("the inner block's end")
            reached.append("the outer block's end")

    with pytest.raises(Interrupted, match=number.name):
        work()
    assert reached == ["the inner block's end", "the outer block's end"]
    with signals.blocked():
        pass  # it came once


def test_what_came_just_before_it_is_blocked_leaves_nothing_blocked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Python runs its handler in the call that blocks, when that is done."""
    real = signal.pthread_sigmask

    def with_one_that_came(how: int, numbers: tuple[int, ...]) -> set[int]:
        before = real(how, numbers)
        if how == signal.SIG_BLOCK and numbers:
            raise signals.interrupted(signal.SIGINT)
        return before

    monkeypatch.setattr(signal, "pthread_sigmask", with_one_that_came)
    with pytest.raises(Interrupted, match="SIGINT"), signals.blocked():
        pytest.fail("it is not blocked")
    assert {*signals.ENDING}.isdisjoint(real(signal.SIG_BLOCK, ()))


@pytest.mark.parametrize("number", NUMBERS.values(), ids=NUMBERS)
def test_it_waits_also_where_another_thread_takes_it(number: signal.Signals) -> None:
    """A signal to the process goes to any thread that does not block it, and Python raises it in the first."""
    reached, ready, done = list[str](), threading.Event(), threading.Event()

    def other() -> None:
        ready.set()
        done.wait()

    thread = threading.Thread(target=other)
    thread.start()
    ready.wait()

    def work() -> None:
        with signals.blocked():
            signal.pthread_kill(thread.ident or 0, number)
            while not signals._arrived:
                signal.pthread_sigmask(signal.SIG_BLOCK, ())  # Python looks for signals then
            reached.append("the block's end")

    try:
        with pytest.raises(Interrupted, match=number.name):
            work()
    finally:
        done.set()
        thread.join()
    assert reached == ["the block's end"]


@pytest.mark.usefixtures("processes_run")
def test_no_thread_of_netlabs_takes_one() -> None:
    """The first thread sleeps on while another one takes it: the display's, a time limit's, and sh's own."""
    folder = Path("/proc/self/task").resolve()
    others = {task.name for task in folder.iterdir()}
    with Terminal(io.StringIO(), plain=False).live(lambda columns, rows: ()):
        looks = Running(("/bin/sh", "-c", f"sleep 0.3; grep -H ^SigBlk: {folder}/*/status"))
        said = looks.wait(60).stdout
    masks = {task: int(mask, 16) for task, mask in re.findall(r"/task/(\d+)/status:SigBlk:\s*(\w+)", said)}
    blocking = {task: all(mask >> number - 1 & 1 for number in signals.ENDING) for task, mask in masks.items()}
    assert not blocking.pop(str(os.getpid()))
    ours = [blocks for task, blocks in blocking.items() if task not in others]
    assert len(ours) >= 3
    assert all(ours)


class Destroyed:
    def __del__(self) -> None:
        send(signal.SIGHUP)


def test_what_a_destructor_swallows_is_known_and_no_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    signals.check()
    Destroyed()
    assert capsys.readouterr() == ("", "")
    with pytest.raises(Interrupted, match="SIGHUP"):
        signals.check()


def test_what_else_is_swallowed_is_told_as_ever(capsys: pytest.CaptureFixture[str]) -> None:
    class Broken:
        def __del__(self) -> None:
            raise ValueError("lost")

    Broken()
    assert "ValueError: lost" in capsys.readouterr().err


def test_one_that_waited_before_netlab_began() -> None:
    """Its caller had it blocked."""
    code = (
        "import os, signal, sys; signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGHUP]); "
        "os.kill(os.getpid(), signal.SIGHUP); os.execv(sys.executable, [sys.executable, '-P', '-m', 'netlab'])"
    )
    top = str(Path(signals.__file__).resolve().parent.parent)
    done = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": top},
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (129, "", "netlab: interrupted by SIGHUP\n")


def test_what_the_caller_ignores_stays_ignored() -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signals.catch()
    send(signal.SIGHUP)
    signals.check()
    assert signals.heeded() == [signal.SIGINT, signal.SIGTERM]


def test_how_a_child_ended_is_known_whatever_the_caller_makes_of_it() -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGCHLD,))
    signals.catch()
    assert signal.SIGCHLD not in signal.pthread_sigmask(signal.SIG_BLOCK, ())
    child = os.fork()
    if child == 0:
        os._exit(7)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7


def test_a_forked_process_is_not_interrupted_before_it_says_so() -> None:
    child = os.fork()
    if child == 0:
        send(signal.SIGTERM)
        os._exit(7)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7


@pytest.mark.usefixtures("processes_run")
def test_a_process_that_was_just_started_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    started = list[Any]()

    class Command:
        def __init__(self, path: str) -> None:
            self._command: Any = kernels(path)

        def __call__(self, *arguments: str, **settings: Any) -> Any:
            send(signal.SIGINT)
            started.append(self._command(*arguments, **settings))
            return started[0]

    kernels = sh.Command
    monkeypatch.setattr(sh, "Command", Command)
    with pytest.raises(Interrupted, match="SIGINT"):
        Running(("/bin/sleep", "600"))
    assert not started[0].is_alive()
    assert started[0].exit_code == -signal.SIGKILL

"""A sandbox's holder: told from every other process, read back from its record, and ended where nobody keeps it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from netlab.errors import Unreadable, UnsafeState
from netlab.sandbox import Holder


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    """A process of ours."""
    with subprocess.Popen(["sleep", "600"]) as process:
        yield process
        process.kill()


OTHERS: dict[str, Callable[[Holder], Holder]] = {
    "it started at another time": lambda holder: replace(holder, started=holder.started + 1),
    "in another network namespace": lambda holder: replace(holder, netns=holder.netns + 1),
    "before the machine was restarted": lambda holder: replace(holder, boot="another"),
    "no process has its pid": lambda holder: replace(holder, pid=2**22 + 1),
}


def test_it_is_known(sleeper: subprocess.Popen[bytes]) -> None:
    holder = Holder.of(sleeper.pid)
    assert holder.alive
    assert Holder.load(holder.dump()) == holder


@pytest.mark.parametrize("other", OTHERS.values(), ids=OTHERS)
def test_it_is_no_other(sleeper: subprocess.Popen[bytes], other: Callable[[Holder], Holder]) -> None:
    assert not other(Holder.of(sleeper.pid)).alive


def test_what_is_left_of_it_is_not_it(sleeper: subprocess.Popen[bytes]) -> None:
    holder = Holder.of(sleeper.pid)
    sleeper.kill()
    os.waitid(os.P_PID, sleeper.pid, os.WEXITED | os.WNOWAIT)  # a zombie: nobody has asked yet how it ended
    assert not holder.alive
    with pytest.raises(ProcessLookupError):
        Holder.of(sleeper.pid)


def test_pids_of_another_pid_namespace_say_nothing(sleeper: subprocess.Popen[bytes]) -> None:
    holder = Holder.of(sleeper.pid)
    with pytest.raises(UnsafeState, match=rf"in another PID namespace, where its holder is process {sleeper.pid}$"):
        assert replace(holder, pidns=holder.pidns + 1).alive


def test_one_that_cannot_be_looked_at(sleeper: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    holder = Holder.of(sleeper.pid)

    def refused(pid: int) -> Holder:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(Holder, "of", refused)
    with pytest.raises(UnsafeState, match=rf"process {sleeper.pid}, cannot be looked at: .*not permitted"):
        assert holder.alive


WHOLE = {"pid": 1, "started": 2, "netns": 3, "boot": "b", "pidns": 4}


@pytest.mark.parametrize(
    "record",
    [
        {},
        {key: value for key, value in WHOLE.items() if key != "boot"},
        {**WHOLE, "more": 1},
        *({**WHOLE, key: "1"} for key in WHOLE if key != "boot"),
        {**WHOLE, "pid": None},
        {**WHOLE, "netns": 3.5},
    ],
)
def test_what_is_no_record(record: dict[str, Any]) -> None:
    with pytest.raises(Unreadable, match="the record of the sandbox's holder cannot be understood") as caught:
        Holder.load(record)
    assert "netlab sandbox end" in caught.value.hint

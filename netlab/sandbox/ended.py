"""A sandbox is ended; and who runs in one, or holds one that nobody knows of any more."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

from netlab.errors import UnsafeState
from netlab.sandbox.holder import MARK, Holder, boot

_PATIENCE = 20.0
"""Seconds within which a killed holder ends. Who waits for one that died in there, and is stopped, holds it up."""


def others() -> list[int]:
    """Inside: pids of processes that are neither the holder, nor us, nor started by us, and that stay.

    What a netlab that was killed has started may just be ending.
    """
    until = time.monotonic() + 0.5
    while (found := _strangers()) and time.monotonic() < until:
        time.sleep(0.02)
    return found


def _strangers() -> list[int]:
    ours = os.getpid()
    pids = [int(path.name) for path in Path("/proc").iterdir() if path.name.isdecimal()]
    return [pid for pid in pids if pid not in (1, ours) and words(pid) and ours not in _ancestors(pid)]


def words(pid: int) -> str:
    """A process's command line, for people; "" for one that has ended or is the kernel's."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    return ""


def _ancestors(pid: int) -> list[int]:
    found: list[int] = []
    with contextlib.suppress(OSError):
        while pid > 1:
            pid = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
            found.append(pid)
    return found


def end(holder: Holder) -> None:
    """End the sandbox and wait until its holder, and with it everything inside, is gone.

    Raises UnsafeState where it does not go, for somebody's sake who is stopped.
    """
    while holder.alive:
        os.kill(holder.pid, signal.SIGKILL)
        time.sleep(0.005)
    # It gives its namespaces up, and so is none of ours, before it has waited for those inside.
    until = time.monotonic() + _PATIENCE
    while holder.boot == boot() and _runs(holder):
        if time.monotonic() > until:
            raise UnsafeState(
                f"the sandbox does not end: its holder, process {holder.pid}, was killed, and waits for who is inside",
                details=[f"stopped is process {pid}: {words(pid)[:100]}" for pid in _stopped()],
                hint="let what is stopped go on (fg, or kill -CONT), or kill it; then run the command again",
            )
        time.sleep(0.005)


def _stopped() -> Iterator[int]:
    """Processes that stand still."""
    for path in Path("/proc").glob("[1-9]*"):
        with contextlib.suppress(OSError):
            if (path / "stat").read_text().rpartition(")")[2].split()[0] == "T":
                yield int(path.name)


def _runs(holder: Holder) -> bool:
    """Is there still a process of this pid and start time, and not only its remains?"""
    with contextlib.suppress(OSError):
        fields = Path(f"/proc/{holder.pid}/stat").read_text().rpartition(")")[2].split()
        return fields[0] not in ("Z", "X") and int(fields[19]) == holder.started
    return False


def strays() -> Iterator[tuple[Path, Holder]]:
    """Holders of ours, each with the state folder that it was made for, whether that still exists or not."""
    for path in Path("/proc").iterdir():
        if not path.name.isdecimal():
            continue
        with contextlib.suppress(OSError):
            if path.stat().st_uid != os.getuid():
                continue
            for entry in (path / "environ").read_bytes().split(b"\0"):
                name, _, value = entry.partition(b"=")
                if name == MARK.encode():
                    yield Path(os.fsdecode(value)), Holder.of(int(path.name))

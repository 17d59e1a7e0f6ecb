"""The process that holds a sandbox: what tells it from any other, and where it is known by."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from netlab.errors import Unreadable, UnsafeState

MARK = "NETLAB_SANDBOX"
"""In the holder's environment, with its state folder as value: a holder whose folder is gone can still be found."""

INSIDE = Path("/run/netlab-sandbox")
"""A file that only a sandbox's own /run has."""

_END = "end the sandbox, whole: `netlab sandbox end`"


@dataclass(frozen=True, slots=True)
class Holder:
    """The process that holds a sandbox: pid and start time tell it from any other, in this boot and no other."""

    pid: int
    started: int
    netns: int
    """Its network namespace's inode number."""
    boot: str
    pidns: int
    """The inode number of the PID namespace in which ``pid`` is its pid."""

    @property
    def alive(self) -> bool:
        """Is it still this process, and not another with its pid? Raises UnsafeState where that cannot be told."""
        if self.boot != boot():
            return False
        if self.pidns != os.stat("/proc/self/ns/pid").st_ino:
            raise UnsafeState(
                f"the sandbox was made in another PID namespace, where its holder is process {self.pid}",
                hint="run netlab there; or, where it is gone, forget the sandbox: `netlab sandbox end`",
            )
        try:
            return Holder.of(self.pid) == self
        except (FileNotFoundError, ProcessLookupError):
            return False
        except OSError as error:
            raise UnsafeState(f"the sandbox's holder, process {self.pid}, cannot be looked at: {error}") from error

    @classmethod
    def of(cls, pid: int) -> Holder:
        """What identifies the process ``pid`` now. Raises OSError where there is none, or it is not ours."""
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        if fields[0] in ("Z", "X"):
            raise ProcessLookupError(pid)
        netns, pidns = os.stat(f"/proc/{pid}/ns/net").st_ino, os.stat("/proc/self/ns/pid").st_ino
        return cls(pid, int(fields[19]), netns, boot(), pidns)

    @classmethod
    def load(cls, record: dict[str, Any]) -> Holder:
        """What ``dump`` wrote. Raises Unreadable for anything else."""
        try:
            holder = cls(**record)
        except TypeError as error:
            raise Unreadable(f"the record of the sandbox's holder cannot be understood: {error}", hint=_END) from error
        if not all(isinstance(each, int) for each in (holder.pid, holder.started, holder.netns, holder.pidns)):
            raise Unreadable("the record of the sandbox's holder cannot be understood", hint=_END)
        return holder

    def dump(self) -> dict[str, Any]:
        return asdict(self)


def inside() -> bool:
    """Does this process run in a sandbox? Pids and users mean something else in there."""
    return INSIDE.exists()


def boot() -> str:
    """This boot's identity: what no process of another boot has seen."""
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()

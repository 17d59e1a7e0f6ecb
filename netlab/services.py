"""Servers that outlive netlab: started aside, and known by pid and start time, so that a reused pid is never killed."""

from __future__ import annotations

import os
import shlex
import shutil
from pathlib import Path

from netlab import processes
from netlab.errors import UnsafeState
from netlab.model import Command, Result
from netlab.programs import program
from netlab.state import open_plain


class Services:
    """The servers of one lab. ``folder`` is theirs alone: for each a folder with its page, its record and its log.

    With ``named`` they run on a machine of that host name. A server looks its machine's name up when it starts: where
    that is known only to a name server, it would ask it, from within the lab, and wait for an answer that never comes.
    """

    def __init__(self, folder: Path, named: str = "") -> None:
        self._folder = folder
        self._named = named

    def start(self, command: Command) -> Result:
        """Start ``command.serve`` in a session of its own; whether it came to listen is for the facts to say."""
        assert command.serve is not None
        home = self._folder / command.serve.name
        try:
            page = self._begun(home)
            (page / "index.html").write_text(command.serve.page)
        except OSError as error:
            return Result(1, "", str(error))
        record, log = home / "record", home / "log"
        # The shell writes its own stat line and then becomes the server: same pid, same start time, and no moment at
        # which a server runs that is not on record. Until then its input is the lab's lock: should netlab be killed,
        # the next one does not look before all that is on record.
        become = 'cat /proc/$$/stat >"$1" && shift && exec "$@" </dev/null'
        apart: tuple[str, ...] = ()
        if self._named:
            apart = (program("unshare"), "--uts")
            become = f"echo {shlex.quote(self._named)} >/proc/sys/kernel/hostname; {become}"
        inner = shlex.join((*apart, program("sh"), "-c", become, "sh", str(record), *processes.argv(_job(command))))
        # Two commands, not `cd … && …&`: that would leave a shell behind that keeps our output open and waits.
        streams = f"<&3 3<&- >{shlex.quote(str(log))} 2>&1"
        aside = f"exec 3<&0\ncd {shlex.quote(str(page))} || exit\n{program('setsid')} {inner} {streams} &\n"
        with open(next(iter(processes.HELD), os.devnull), "rb", closefd=not processes.HELD) as lock:
            return processes.Running((program("sh"), "-c", aside), lock).wait(10.0)

    def _begun(self, home: Path) -> Path:
        """An empty folder for a server's page. Raises UnsafeState where what is in its place is no folder of ours."""
        for folder in (self._folder, home):
            if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
                raise UnsafeState(f"{folder} is not a folder but a link or file", hint="remove it by hand")
        self._folder.mkdir(mode=0o700, exist_ok=True)
        if home.exists():
            shutil.rmtree(home)  # nothing that lies in there is written to
        page = home / "www"
        page.mkdir(parents=True)
        return page

    def running(self, name: str, netns: str = "") -> int:
        """The pid of the server ``name`` that this lab started, 0 when it does not run (any more).

        With ``netns``: when it does not run in the namespace that has this name now.
        Raises UnsafeState where its record is not a plain file of ours.
        """
        try:
            with open(open_plain(self._folder / name / "record", os.O_RDONLY), encoding="utf-8") as file:
                pid, started = _identity(file.read())
            now = _identity(Path(f"/proc/{pid}/stat").read_text())
            if netns and not os.path.samefile(f"/proc/{pid}/ns/net", f"/run/netns/{netns}"):
                return 0
        except (OSError, ValueError, IndexError):
            return 0
        return pid if now == (pid, started) else 0


def _job(command: Command) -> processes.Job:
    return processes.Job(command.argv, command.netns)


def _identity(stat: str) -> tuple[int, int]:
    """Pid and start time (clock ticks since boot) from a /proc/PID/stat line; the name in it may hold anything."""
    head, _, tail = stat.rpartition(")")
    fields = tail.split()
    if fields[0] in ("Z", "X"):
        raise ValueError("dead, and only not yet waited for")
    return int(head.split()[0]), int(fields[19])

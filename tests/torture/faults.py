"""The one seam for faults: in a lab's own mounts, a script of ours lies over each of the system's tools.

netlab changes a network by programs alone, which it names by absolute paths. A mount over such a program, in the mount
namespace of a sandbox or of the tests' own machine, is therefore in front of all that netlab does there; and netlab is
the very one that is shipped: no hook, no flag, no other way through its code. What netlab does by itself (its journal,
its lock, its forks) is not to be seen from here; a kill at any moment is (test_any_moment.py).
"""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import shutil
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

from netlab.programs import find
from tests.kernel.runner import Done, Netlab, until

TOOLS = (
    "ip",
    "iptables",
    "iptables-save",
    "iptables-restore",
    "sysctl",
    "nft",
    "ss",
    "curl",
    "grep",
    "kill",
    "python3",
)
"""What netlab runs, apart from the proofs' probes, its shells and nsenter, which becomes one of these."""

LOOKS = (" -o ", "iptables-save ", "nft list ", "ss ", "curl ", "grep ")
"""How the calls begin, or what is in them, that only look. (`ip -o -d -batch` may change something first.)"""


class Call:
    """A call of a tool: its number, its words, and what it read as a batch."""

    def __init__(self, number: int, words: str, reads: tuple[str, ...]) -> None:
        self.number, self.words, self.reads = number, words, reads

    @property
    def changes(self) -> tuple[str, ...]:
        """The commands in it that change something."""
        if self.reads:
            kept = (line for line in self.reads if line[0] not in "*C" and not line.split()[1].startswith("show"))
            return tuple(f"{self.words.split()[0]} {line}" for line in kept)
        if self.words.startswith("sysctl -w "):
            return tuple(f"sysctl -w {each}" for each in self.words.split()[2:])
        if any(self.words.startswith(each) for each in ("sysctl ", *LOOKS)):
            return ()
        return (self.words,)

    @property
    def inner(self) -> range:
        """How many of its commands may have run when it is stopped in their midst: none of an atomic one's."""
        return range(1, len(self.changes) if self.words.startswith(("ip ", "sysctl ")) else 1)


class Faults:
    """The seam, in a lab. ``folder`` is seen from within and without."""

    def __init__(self, lab: Netlab) -> None:
        self.lab = lab
        self.folder = lab.home / "faults"
        self._over: list[str] = []

    def install(self) -> None:
        """Lie down over the tools: only in the lab's own mounts, once, and until it ends."""
        if self.lab.type(f"ls {self.folder}/real/ip 2>/dev/null && head -c 2 $(command -v ip) || :").endswith("#!"):
            return
        shutil.rmtree(self.folder, ignore_errors=True)
        for name in ("", "real", "in"):
            (self.folder / name).mkdir()
        for name in ("stopped", "go"):
            os.mkfifo(self.folder / name)
        (self.folder / "stopped").unlink()
        script = self.folder / "fault.sh"
        script.write_text(
            Path(__file__).with_name("fault.sh").read_text().replace("FOLDER", shlex.quote(str(self.folder)))
        )
        script.chmod(0o755)
        lines, over = [], []
        for name in TOOLS:
            path = find(name)
            assert path is not None, f"no {name} here"
            (self.folder / "real" / name).touch()
            lines.append(f"mount --bind {os.path.realpath(path)} {self.folder}/real/{name}")
            over.append(os.path.realpath(path))
        self._over = [*dict.fromkeys(over)]
        self.lab.type(*lines, *(f"mount --bind {script} {path}" for path in self._over))

    def remove(self) -> None:
        """Get up again, where the lab host goes on without it."""
        self.lab.type(f"umount {' '.join(self._over)} {self.folder}/real/*")

    # --- what is to happen -------------------------------------------------------------------------------------------

    def plan(self, **settings: str | int) -> None:
        """From now on; the calls are counted from 1 again. ``more`` are lines of shell."""
        for name in ("count", "log", "stopped", "plan"):
            (self.folder / name).unlink(missing_ok=True)
        for path in (self.folder / "in").iterdir():
            path.unlink()
        more = settings.pop("more", "")
        words = "".join(f"{key}={shlex.quote(str(value))}\n" for key, value in settings.items()) + f"{more}\n"
        (self.folder / "plan").write_text(words)

    def quiet(self) -> None:
        """No faults any more, while something still stands where it was stopped."""
        (self.folder / "plan").write_text("")

    @property
    def calls(self) -> list[Call]:
        """What has been called since."""
        found = []
        log = self.folder / "log"
        lines = (line.split("\t", 1) for line in (log.read_text().splitlines() if log.exists() else ()))
        for number, words in sorted((each for each in lines if each[0] != "0"), key=lambda each: int(each[0])):
            batch = self.folder / "in" / number
            found.append(Call(int(number), words, tuple(batch.read_text().splitlines()) if batch.exists() else ()))
        return found

    # --- stopping ----------------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def running(self, *words: str) -> Iterator[Walk]:
        """A netlab at work, beside us."""
        walk = Walk(self, words)
        try:
            yield walk
        finally:
            walk.wait()


class Walk:
    """A netlab that may come to stand still where the plan says."""

    def __init__(self, faults: Faults, words: tuple[str, ...]) -> None:
        self._faults = faults
        self._done: list[Done] = []
        self._thread = threading.Thread(target=lambda: self._done.append(faults.lab.run(*words)))
        self._thread.start()

    def stopped(self) -> bool:
        """Wait until it stands still; False when it ends before."""
        path = self._faults.folder / "stopped"
        until(lambda: path.exists() or not self._thread.is_alive(), 60)
        return path.exists()

    def kill(self, number: int = signal.SIGKILL) -> None:
        """Signal netlab, and nobody else."""
        self._faults.lab.kill(number)

    def go(self, how: str) -> None:
        """Let what stands still go on, or be killed with its group."""
        until(lambda: self.heard(how))

    @property
    def ended(self) -> bool:
        return not self._thread.is_alive()

    def heard(self, how: str) -> bool:
        """As ``go``; False where nobody listens now."""
        with contextlib.suppress(OSError):  # it has said that it stands, and not begun to listen
            fd = os.open(self._faults.folder / "go", os.O_WRONLY | os.O_NONBLOCK)
            os.write(fd, f"{how}\n".encode())
            os.close(fd)
            return True
        return False

    def wait(self) -> Done:
        self._thread.join(90)
        assert self._done, "it did not end"
        return self._done[0]


def entries(lab: Netlab) -> list[object]:
    """What the journal still holds to be taken back."""
    path = lab.base / "default/journal.jsonl"
    standing: list[dict[str, object]] = []
    for line in path.read_text().splitlines() if path.exists() else []:
        record = json.loads(line)
        if "undone" in record:
            standing = [each for each in standing if each["step"] not in record["undone"]]
        elif "operation" in record:
            standing.append(record)
    return list(standing)

"""Runs netlab as a person does: in a home of its own, with a state folder of its own, and hears all that it says."""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import netlab
from netlab import sandbox
from tests.kernel.machine import Machine

TOP = Path(netlab.__file__).resolve().parent.parent
COMMAND = (sys.executable, "-P", "-m", "netlab")
NODES = ("router", "client", "internet")

Event = dict[str, Any]


@dataclass(frozen=True)
class Done:
    """A command that has ended."""

    words: tuple[str, ...]
    code: int
    out: str
    err: str

    def __str__(self) -> str:
        return f"netlab {shlex.join(self.words)}: exit code {self.code}\n{self.out}\n{self.err}"

    @property
    def json(self) -> Any:
        """All of stdout is one JSON value."""
        return json.loads(self.out)

    @property
    def events(self) -> list[Event]:
        """All of stdout is one JSON object a line."""
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def ran(self) -> list[str]:
        """The operations whose commands ran, each once."""
        return list(dict.fromkeys(each["operation"] for each in self.events if each["event"] == "ran"))

    @property
    def proofs(self) -> list[Event]:
        return [each for each in self.events if each["event"] == "proof"]


class Warm:
    """tests/kernel/warm.py at work; ``through`` is a command that enters the machine where it is to run.

    ``limit`` is how many seconds a call may take, where it is not to be what a person's netlab waits.
    """

    def __init__(self, *, measured: bool, through: Sequence[str] = (), limit: float | None = None) -> None:
        self.environment = {key: os.environ[key] for key in os.environ if measured or not key.startswith("COVERAGE")}
        environment = {**self.environment, "PYTHONPATH": str(TOP), **({"LIMIT": str(limit)} if limit else {})}
        server = [*through, sys.executable, "-P", str(Path(__file__).with_name("warm.py"))]
        self._server = subprocess.Popen(
            server,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
            cwd="/",
            start_new_session=True,  # it outlives us, if we are killed, for as long as it takes to clear up
        )

    def run(self, words: Sequence[str], environment: dict[str, str], folder: Path, streams: Sequence[Path]) -> int:
        assert self._server.stdin is not None
        assert self._server.stdout is not None
        request = [list(words), environment, str(folder), [str(each) for each in streams]]
        self._server.stdin.write(json.dumps(request) + "\n")
        self._server.stdin.flush()
        return int(self._server.stdout.readline())

    def end(self) -> None:
        self._server.communicate()


class Netlab:
    """One person's netlab. Called, it runs a command and checks its exit code."""

    through: tuple[str, ...] = ()
    """What a process of its own begins with: it enters the machine where it is to run."""

    def __init__(self, home: Path, warm: Warm) -> None:
        self.home = home
        self.base = home / "state/netlab"
        """Where the labs' folders are."""
        self._warm = warm
        (home / "state").mkdir(mode=0o700)
        (home / "work").mkdir()
        all_of_it = warm.environment
        kept = {key: all_of_it[key] for key in all_of_it if key.startswith(("COVERAGE", "LANG", "LC_", "PATH"))}
        own = {"HOME": str(home), "XDG_STATE_HOME": str(home / "state"), "PYTHONPATH": str(TOP), "SHELL": "/bin/bash"}
        self.environment = {**kept, **own, "TERM": "xterm"}

    # --- running -----------------------------------------------------------------------------------------------------

    def __call__(self, *words: str | Path, code: int = 0) -> Done:
        done = self.run(*words)
        assert done.code == code, str(done)
        return done

    def run(self, *words: str | Path) -> Done:
        """Run a command and say how it ended."""
        texts = tuple(map(str, words))
        out, err = self.home / "out", self.home / "err"
        for path in (out, err):
            path.unlink(missing_ok=True)
        code = self._warm.run(texts, self.environment, self.home / "work", (Path(os.devnull), out, err))
        return Done(texts, code, out.read_text(), err.read_text())

    @contextlib.contextmanager
    def process(self, *words: str | Path) -> Iterator[subprocess.Popen[str]]:
        """The command as a process of its own, in a session of its own, its outputs in pipes; at last it is killed."""
        command = [*self.through, *COMMAND, *map(str, words)]
        with subprocess.Popen(
            command,
            env=self.environment,
            cwd=self.home / "work",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        ) as process:
            try:
                yield process
            finally:
                process.kill()

    def json(self, *words: str | Path, code: int = 0) -> Any:
        return self(*words, "--json", code=code).json

    def apply(self, *words: str | Path) -> Done:
        """Without its proofs, as events."""
        return self("apply", "--no-prove", "--json", *words)

    def undo(self, *words: str | Path) -> Done:
        """As events."""
        return self("undo", "--json", *words)

    # --- the lab -----------------------------------------------------------------------------------------------------

    def begin(self, canaries: Iterable[str] = ()) -> None:
        """A bare sandbox, with canaries in it, and what it looks like then."""
        self("sandbox", "start")
        for each in canaries:
            self.type(each)
        self.start = self.snapshot()

    def type(self, *lines: str, node: str = "host", code: int = 0) -> str:
        """Type these lines in a shell of the lab; what they print."""
        return self("exec", node, "--", "sh", "-euc", "\n".join(lines), code=code).out

    def states(self) -> dict[str, str]:
        """Each step's state."""
        return {each["name"]: each["state"] for each in self.json("status")["steps"]}

    def missing(self) -> dict[str, list[str]]:
        """What is missing, of each step that says so."""
        return {each["name"]: each["missing"] for each in self.json("status")["steps"] if each["missing"]}

    def snapshot(self, name: str = "start") -> Path:
        """The lab host's normal form, in a file."""
        path = self.home / f"{name}.json"
        path.write_text(self("snapshot").out)
        return path

    def differences(self, since: Path) -> list[str]:
        """What differs from a snapshot; modules that the kernel loaded are no difference."""
        done = self.run("snapshot", "--compare", since, "--json")
        found: list[str] = done.json["differences"]
        assert done.code == bool(found), str(done)
        return found

    def holder(self, name: str = "default") -> int:
        """The pid of a sandbox's holder."""
        pid: int = json.loads((self.base / name / "sandbox.json").read_text())["holder"]["pid"]
        return pid

    def kill(self, number: int) -> None:
        """Signal the netlab that has the lab's lock."""
        os.kill(int((self.base / "default/lock").read_text().split()[1]), number)

    def holders(self) -> list[int]:
        """All holders that were started by this netlab, however their folders stand."""
        return [holder.pid for folder, holder in sandbox.strays() if folder.is_relative_to(self.home)]

    def left(self) -> list[str]:
        """What is left on the machine: processes and files."""
        files = [str(path.relative_to(self.base)) for path in self.base.rglob("*")] if self.base.exists() else []
        return [f"holder {pid}" for pid in self.holders()] + files

    def end(self) -> None:
        """End every sandbox by its own command, and see that nothing is left."""
        try:
            for folder in sorted(self.base.iterdir()) if self.base.exists() else []:
                self("sandbox", "end", "--sandbox", folder.name)
            assert self.left() == []
        finally:
            for pid in self.holders():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, 9)


class OnMachine(Netlab):
    """netlab --host, as root on a machine of the tests' own."""

    def __init__(self, home: Path, machine: Machine, warm: Warm) -> None:
        super().__init__(home, warm)
        self.machine = machine
        self.through = machine.enter
        self.environment["NETLAB_HOST"] = "1"
        self.undoes = ""

    def begin(self, canaries: Iterable[str] = ()) -> None:
        """What the machine looks like before anything is typed on it."""
        self.bare = self.start = self.snapshot("bare")

    def given(self, *lines: str, undone: str = "") -> None:
        """Something of somebody else's is there; ``undone`` is what takes it away after the test."""
        self.undoes = f"{undone}\n{self.undoes}"
        self.machine.type("\n".join(lines))
        self.start = self.snapshot()

    def type(self, *lines: str, node: str = "host", code: int = 0) -> str:
        """Typed on the machine, without netlab."""
        return self.machine.type("\n".join(lines), code=code)

    def kill(self, number: int) -> None:
        self.machine.type(f"kill -{number} $(cut -d' ' -f2 /run/netlab/host/lock)")

    def left(self) -> list[str]:
        """What netlab has left on the machine, where it runs nothing and keeps nothing."""
        return self.machine.type("ls -d /run/netlab* 2>/dev/null || :; pgrep -a python3 | grep http.server || :").split(
            "\n"
        )[:-1]

    def end(self) -> None:
        """Take back what the test has left, and see that the machine is as it was."""
        self("undo")
        assert self.left() == []
        differences = self.differences(self.start)
        self.machine.type(self.undoes)
        assert differences == [], "\n".join(differences)
        assert self.differences(self.bare) == []


def until(true: Callable[[], object], seconds: float = 60.0) -> None:
    """Wait until something is true; what takes longer than ``seconds`` does not come."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, f"waited {seconds:g} s in vain"
        time.sleep(0.01)


def lines(process: subprocess.Popen[str]) -> Iterator[Event]:
    """The events that a process writes, as they come."""
    assert process.stdout is not None
    for line in process.stdout:
        yield json.loads(line)


def processes_of(holder: int) -> dict[int, str]:
    """All that runs in a sandbox: pids and names. What is dead, and only not yet waited for, does not run."""
    found = {}
    space = os.stat(f"/proc/{holder}/ns/pid").st_ino
    for path in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if path.name.isdecimal() and os.stat(path / "ns/pid").st_ino == space and runs(int(path.name)):
                found[int(path.name)] = (path / "comm").read_text().strip()
    return found


def runs(pid: int) -> bool:
    """Is there such a process, and not only its remains?"""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in ("Z", "X")
    except OSError:
        return False

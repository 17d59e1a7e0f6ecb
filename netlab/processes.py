"""Starts processes and keeps what they say: the only importer of sh.

Whatever is to be run becomes *jobs* in *lanes*. Two shells at most run all lanes of a call side by side, a lane's jobs
one after the other, so that the number of processes that Python starts does not grow with the containers.
"""

from __future__ import annotations

import contextlib
import functools
import io
import marshal
import os
import re
import secrets
import select
import shlex
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import sh

from netlab import linux, signals
from netlab.errors import Interrupted, Missing
from netlab.model import Result
from netlab.programs import PATH, program

ENVIRONMENT = {"PATH": PATH, "LC_ALL": "C"}
"""All that a child of netlab gets: nothing of the caller's environment reaches the system's tools."""

LIMIT = 60.0
"""Seconds for one call's scripts, and a fifth of a second more for each job."""

MANY = 24
"""From so many lanes on, half of them are run by runner.py and not by a shell: it begins later and goes faster."""

HELD: set[int] = set()
"""Open files that what is run in shells keeps open, too: a lab's lock is not free before all that works under it has
ended, also when we are killed."""

_CODES = list(range(-64, 256))  # every exit code is a value to us, and sh would raise for any that is not listed here

_PRELUDE = r"""
m() { printf '\036%s %s\n' TOKEN "$1"; printf '\036%s %s\n' TOKEN "$1" >&2; read -r up rest </proc/uptime; }
e() {
  code=$?; from=$up; read -r up rest </proc/uptime
  printf '\035%s %s %s %s\n' TOKEN $code "$from" "$up"; return $code
}
"""


@dataclass(frozen=True, slots=True)
class Job:
    """One process to run: a bare program name and its arguments, the namespace, and what it reads."""

    argv: tuple[str, ...]
    netns: str | None = None
    stdin: str = ""


_TIED = 'trap : TERM; "$@" & wait $! || { [ $? -le 128 ] || { kill $!; wait $!; }; }'
"""Runs a program, ends it when it is told to end itself, and then waits for it."""


class Running:
    """A process in the background, in a session of its own, with its outputs as they come.

    One that is ``tied`` ends when we do, however we end. The kernel tells a shell of it, which tells the program: it
    would forget it for a program that becomes another user, as root's tcpdump does.
    """

    def __init__(self, argv: Sequence[str], stdin: str | IO[bytes] = "", *, tied: bool = False) -> None:
        if tied:
            argv = (_path("sh"), "-c", _TIED, "sh", *argv)
        self._out, self._err = io.BytesIO(), io.BytesIO()
        # _tty_out: else every program thinks it talks to a terminal. The buffers: sh cuts what it keeps itself at 3 MB.
        self._process: Any = _start(
            *argv,
            _preexec_fn=functools.partial(_tie, os.getpid()) if tied else signals.default,
            _in=stdin,
            _out=self._out,
            _err=self._err,
            _out_bufsize=65536,
            _err_bufsize=1,  # by line: tcpdump says there when it has begun to listen
            _internal_bufsize=0,
            _tty_out=False,
        )

    @property
    def stderr(self) -> str:
        return self._err.getvalue().decode(errors="replace")

    @property
    def alive(self) -> bool:
        return bool(self._process.is_alive())

    def kill(self, number: int = signal.SIGKILL) -> None:
        """Signal the whole process group: what it started goes as well."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, number)

    def wait(self, seconds: float) -> Result:
        """Its result; after ``seconds`` it is killed, which shows as code -9. An exception in here kills it too."""
        # A timer of our own: sh's costs 100 ms a call and leaves grandchildren alive.
        timer = threading.Timer(seconds, self.kill)
        timer.daemon = True
        try:
            signals.start(timer)
            self._process.wait()
        except BaseException:
            self.kill()
            raise
        finally:
            timer.cancel()
        out, err = self._out.getvalue().decode(errors="replace"), self._err.getvalue().decode(errors="replace")
        return Result(int(self._process.exit_code), out, err)


def _tie(parent: int) -> None:
    signals.default()
    linux.die_with_parent(signal.SIGTERM)
    if os.getppid() != parent:
        os._exit(1)


def _start(path: str, *arguments: str, **settings: Any) -> Any:
    """Sh's process, in the background and in a session of its own, with an environment and signals that we know.

    Raises Missing where the machine lets us start none.
    """
    always = {"_bg": True, "_bg_exc": False, "_new_session": True, "_env": ENVIRONMENT, "_ok_code": _CODES}
    process: Any = None
    try:
        command: Any = sh.Command(path)
        with signals.blocked():
            process = command(*arguments, **{"_preexec_fn": signals.default, **settings}, **always)
    except OSError as error:
        raise _refused(error, path) from error
    except Interrupted:
        if process is not None:
            _end(process)
        raise
    return process


def _refused(error: OSError, path: str) -> Missing:
    hint = "look at `ulimit -a`: open files, processes, memory"
    return Missing(f"no process can be started: {error.strerror}", details=(path,), hint=hint)


def _end(process: Any) -> None:
    """Kill a process with all that it has started, and wait for it."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def argv(job: Job) -> tuple[str, ...]:
    """What is really executed: absolute paths, and nsenter in front (`ip netns exec` copies every mount).

    Raises Missing for a program that no system folder has.
    """
    enter = (_path("nsenter"), f"--net=/run/netns/{job.netns}") if job.netns else ()
    return (*enter, _path(job.argv[0]), *job.argv[1:])


@functools.cache
def _path(name: str) -> str:
    return program(name)


class Shells:
    """Two shells that stay, for all that is run: to start one costs Python as much as five commands cost the shell.

    ``ran`` is told of each job that ran. Not for use by two threads; a process that forks makes its own.
    """

    def __init__(self, ran: Callable[[Job, Result], None]) -> None:
        self._ran = ran
        self._shells: list[_Shell] = []

    def run(self, lanes: Sequence[Sequence[Job]], *, chain: bool = False) -> list[list[Result | None]]:
        """Run all lanes side by side, each lane's jobs in order, and return each job's result in the same shape.

        With ``chain`` a job that fails ends its lane; what did not run then is None. Raises Missing for a program that
        this machine has not.
        """
        signals.check()
        half = (len(lanes) + 1) // 2
        parts = [part for part in (lanes[:half], lanes[half:]) if part]
        token = secrets.token_hex(8)
        scripts = [_Script(part, token, chain=chain) for part in parts]
        limit = time.monotonic() + LIMIT + 0.2 * sum(map(len, lanes))
        try:
            while len(self._shells) < len(parts):
                self._shells.append(_shell())
            for shell, script in zip(self._shells, scripts, strict=False):
                shell.begin(script)
            wholes = [shell.end(limit) for shell, _ in zip(self._shells, scripts, strict=False)]
        except BaseException:
            self.close()
            raise
        self._shells = [shell for shell in self._shells if shell.alive]
        results = [lane for part, whole in zip(parts, wholes, strict=True) for lane in _split(part, whole, token)]
        for lane, outcome in zip(lanes, results, strict=True):
            for job, result in zip(lane, outcome, strict=True):
                if result is not None:
                    self._ran(job, result)
        return results

    def close(self) -> None:
        """End the shells, and whatever they are running."""
        for shell in self._shells:
            shell.kill()
        self._shells.clear()


class _Script:
    """What one shell runs for some lanes."""

    def __init__(self, lanes: Sequence[Sequence[Job]], token: str, *, chain: bool) -> None:
        # The runner hides /run/netns, which whoever names another namespace needs.
        reaching = any("netns" in (*job.argv, *job.stdin.split()) for lane in lanes for job in lane)
        if len(lanes) >= MANY and not reaching:
            jobs = [
                [((_path(job.argv[0]), *job.argv[1:]), job.netns or "", job.stdin) for job in lane] for lane in lanes
            ]
            self.text = marshal.dumps((token, chain, ENVIRONMENT, jobs))
            self.through: tuple[str, ...] = (sys.executable, "-I", "-S", str(Path(__file__).with_name("runner.py")))
        else:
            self.text = (_PRELUDE.replace("TOKEN", token) + "".join(_lines(lanes, chain))).encode()
            self.through = (program("sh"),)
        self.token = token


def _nameless() -> int:
    """A file without a name, in memory where the system has such: kernel 3.10 has not, nor a Python for its libc."""
    try:
        fd = os.memfd_create("netlab")
    except (AttributeError, OSError):
        fd, path = tempfile.mkstemp()
        os.unlink(path)
    os.set_inheritable(fd, True)
    return fd


class _Shell:
    """One shell: it reads a line for each script, and the script from a file that only it and we have open.

    What a script says goes into files, too: with pipes, a shell stands still whenever we are reading another one's.
    """

    def __init__(self) -> None:
        self._script, self._out, self._err = _nameless(), _nameless(), _nameless()
        lines, self._lines = os.pipe()
        self._ended, ended = os.pipe()
        files = {self._script, self._out, self._err, *HELD}
        with os.fdopen(lines, "rb") as reads, os.fdopen(ended, "wb"):
            self._process: Any = _start(program("sh"), "-s", _in=reads, _out=ended, _err=self._err, _pass_fds=files)
        self.alive = True
        self._mark = b""

    def begin(self, script: _Script) -> None:
        """Start a script."""
        os.ftruncate(self._script, 0)
        os.pwrite(self._script, script.text, 0)
        self._mark = f"{script.token}\n".encode()
        text, out, err = (f"/proc/self/fd/{fd}" for fd in (self._script, self._out, self._err))
        words = f"{shlex.join(script.through)} {text} </dev/null >{out} 2>{err}; echo {script.token}\n"
        os.write(self._lines, words.encode())

    def end(self, limit: float) -> Result:
        """Its output, when it is done; at the time ``limit`` it is killed, which shows as code -9."""
        said = b""
        while said != self._mark:
            ready, _, _ = select.select([self._ended], [], [], max(0.0, limit - time.monotonic()))
            data = os.read(self._ended, 4096) if ready else b""
            if not data:
                break
            said += data
        out, err = (os.pread(fd, os.fstat(fd).st_size, 0).decode(errors="replace") for fd in (self._out, self._err))
        if said == self._mark:
            return Result(0, out, err)
        self.kill()
        return Result(-signal.SIGKILL, out, err)

    def kill(self) -> None:
        """End it, with all that it runs."""
        self.alive = False
        _end(self._process)
        for fd in (self._script, self._out, self._err, self._lines, self._ended):
            os.close(fd)


def _shell() -> _Shell:
    try:
        return _Shell()
    except OSError as error:
        raise _refused(error, program("sh")) from error


def _lines(lanes: Sequence[Sequence[Job]], chain: bool) -> Iterator[str]:
    number = 0
    for lane in lanes:
        yield "while :; do\n"  # a block that `break` leaves
        for job in lane:
            words = shlex.join(argv(job))
            mark = f"EOF_{secrets.token_hex(4)}"
            reads = f"<<'{mark}'\n{job.stdin}{mark}\n" if job.stdin else "</dev/null\n"
            yield f"m {number}\n{words} {reads}e{' || break' if chain else ''}\n"
            number += 1
        yield "break; done\n"


def _split(lanes: Sequence[Sequence[Job]], whole: Result, token: str) -> list[list[Result | None]]:
    """One script's output taken apart, by the marks that it printed before and after each job."""
    errors = dict(_marked(whole.stderr, token))
    outputs = dict(_marked(whole.stdout, token))
    results: list[list[Result | None]] = []
    number = 0
    for lane in lanes:
        results.append([])
        for job in lane:
            results[-1].append(_result(job, outputs.get(number), errors.get(number, ""), whole, token))
            number += 1
    return results


def _marked(text: str, token: str) -> Iterator[tuple[int, str]]:
    for part in text.split(f"\036{token} ")[1:]:
        number, _, rest = part.partition("\n")
        yield int(number), rest


def _result(job: Job, output: str | None, errors: str, whole: Result, token: str) -> Result | None:
    if output is None:
        # The script ended before this job's turn: its lane broke off, or it could not even begin.
        return None if whole.code == 0 and whole.stdout else Result(whole.code or 1, "", whole.stderr.strip())
    text, ended, tail = output.partition(f"\035{token} ")
    if not ended:
        limit = "timed out and was killed" if whole.code == -signal.SIGKILL else f"the shell ended with {whole.code}"
        return Result(whole.code or 1, text, errors + f"{job.argv[0]}: {limit}")
    code, begun, done = re.match(r"(\d+) (\S+) (\S+)", tail).groups()  # type: ignore[union-attr]
    number = int(code)
    return Result(number - 256 if number > 255 else number, text, errors, max(0.0, float(done) - float(begun)))

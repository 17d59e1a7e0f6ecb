"""Starts processes and keeps what they say: the only importer of sh.

Whatever is to be run becomes *jobs* in *lanes*. Two small shell scripts at most run all lanes of a call side by side, a
lane's jobs one after the other, so that the number of processes that Python starts does not grow with the containers.
"""

from __future__ import annotations

import contextlib
import functools
import io
import os
import re
import secrets
import shlex
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import sh

from netlab.model import Result
from netlab.programs import PATH, program

ENVIRONMENT = {"PATH": PATH, "LC_ALL": "C"}
"""All that a child of netlab gets: nothing of the caller's environment reaches the system's tools."""

LIMIT = 60.0
"""Seconds for one call's scripts, and a fifth of a second more for each job."""

MANY = 8
"""From so many namespaces on, a script hides /run/netns from `ip`, which else opens all of it for each link shown."""

_CODES = list(range(-64, 256))  # every exit code is a value to us, and sh would raise for any that is not listed here

_PRELUDE = r"""
m() { printf '\036%s %s\n' TOKEN "$1"; printf '\036%s %s\n' TOKEN "$1" >&2; read -r up rest </proc/uptime; }
e() {
  code=$?; from=$up; read -r up rest </proc/uptime
  printf '\035%s %s %s %s\n' TOKEN $code "$from" "$up"; return $code
}
"""

_HIDE = """
mount --make-rprivate / && mkdir -p /run/netlab/netns && mount --rbind /run/netns /run/netlab/netns &&
mount -t tmpfs none /run/netns || exit
"""


@dataclass(frozen=True, slots=True)
class Job:
    """One process to run: a bare program name and its arguments, the namespace, and what it reads."""

    argv: tuple[str, ...]
    netns: str | None = None
    stdin: str = ""


class Running:
    """A process in the background, in a session of its own, with its outputs as they come."""

    def __init__(self, argv: Sequence[str], stdin: str = "") -> None:
        self._out, self._err = io.BytesIO(), io.BytesIO()
        # _tty_out: else every program thinks it talks to a terminal. The buffers: sh cuts what it keeps itself at 3 MB.
        self._process: Any = sh.Command(argv[0])(
            *argv[1:],
            _in=stdin,
            _out=self._out,
            _err=self._err,
            _out_bufsize=65536,
            _err_bufsize=1,  # by line: tcpdump says there when it has begun to listen
            _internal_bufsize=0,
            _tty_out=False,
            _bg=True,
            _bg_exc=False,
            _new_session=True,
            _env=ENVIRONMENT,
            _ok_code=_CODES,
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
        timer.start()
        try:
            self._process.wait()
        except BaseException:
            self.kill()
            raise
        finally:
            timer.cancel()
        out, err = self._out.getvalue().decode(errors="replace"), self._err.getvalue().decode(errors="replace")
        return Result(int(self._process.exit_code), out, err)


def argv(job: Job) -> tuple[str, ...]:
    """What is really executed: absolute paths, and nsenter in front (`ip netns exec` copies every mount).

    Raises Missing for a program that no system folder has.
    """
    enter = (_path("nsenter"), f"--net=/run/netns/{job.netns}") if job.netns else ()
    return (*enter, _path(job.argv[0]), *job.argv[1:])


@functools.cache
def _path(name: str) -> str:
    return program(name)


def run(
    lanes: Sequence[Sequence[Job]], *, chain: bool = False, ran: Callable[[Job, Result], None] | None = None
) -> list[list[Result | None]]:
    """Run all lanes side by side, each lane's jobs in order, and return each job's result in the same shape.

    With ``chain`` a job that fails ends its lane; what did not run then is None. ``ran`` is told of each job that ran.
    """
    if not lanes:
        return []
    half = (len(lanes) + 1) // 2
    parts = [lanes[:half], lanes[half:]] if half < len(lanes) else [lanes]
    token = secrets.token_hex(8)
    running = [Running(*_started(part, token, chain=chain)) for part in parts]
    limit = LIMIT + 0.2 * sum(map(len, lanes))
    results: list[list[Result | None]] = []
    try:
        for part, process in zip(parts, running, strict=True):
            results += _split(part, process.wait(limit), token)
    except BaseException:
        for process in running:
            process.kill()
        raise
    if ran is not None:
        for lane, outcome in zip(lanes, results, strict=True):
            for job, result in zip(lane, outcome, strict=True):
                if result is not None:
                    ran(job, result)
    return results


def _started(lanes: Sequence[Sequence[Job]], token: str, *, chain: bool) -> tuple[tuple[str, ...], str]:
    """The shell that runs these lanes, and the script that it reads."""
    hide = len(lanes) >= MANY and not any("netns" in (*job.argv, *job.stdin.split()) for lane in lanes for job in lane)
    shell = (program("sh"), "-s")
    unshared = (program("unshare"), "--mount", *shell) if hide else shell
    return unshared, _PRELUDE.replace("TOKEN", token) + (_HIDE if hide else "") + "".join(_script(lanes, chain, hide))


def _script(lanes: Sequence[Sequence[Job]], chain: bool, hide: bool) -> Iterator[str]:
    number = 0
    for lane in lanes:
        yield "while :; do\n"  # a block that `break` leaves
        for job in lane:
            words = shlex.join(argv(job))
            words = words.replace("--net=/run/netns/", "--net=/run/netlab/netns/") if hide and job.netns else words
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
        return None if whole.code == 0 else Result(whole.code, "", whole.stderr.strip())
    text, ended, tail = output.partition(f"\035{token} ")
    if not ended:
        limit = "timed out and was killed" if whole.code == -signal.SIGKILL else f"the shell ended with {whole.code}"
        return Result(whole.code or 1, text, errors + f"{job.argv[0]}: {limit}")
    code, begun, done = re.match(r"(\d+) (\S+) (\S+)", tail).groups()  # type: ignore[union-attr]
    number = int(code)
    return Result(number - 256 if number > 255 else number, text, errors, max(0.0, float(done) - float(begun)))

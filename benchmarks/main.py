"""Times netlab against the same lab typed as a plain shell script, side by side.

For each number of containers, in turn, as often as there are rounds:

  (a) the tutorial's eight steps up to `nat` as a shell script, one process a command: up, and down again;
  (b) `netlab apply --until nat --no-prove`, the same again, `status` and `undo`, each a whole process.

(a) runs in user (but for root), network, mount and PID namespaces of its own, with a /run of its own, (b) in a sandbox
whose state is in a temporary folder: neither touches this machine's network. By default `apply` makes that sandbox
itself, with its surroundings, and `undo` compares and ends it, all of which counts; with --started one was started
before.

Printed are the medians, how many times faster than the script, the most memory that any process of netlab had, how the
cost grows with the number of containers, and the targets. It is a benchmark, not a test: it ends with 0 whatever it
measured, and with 1 only when something could not be run.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import json
import os
import platform
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NoReturn

from benchmarks.plain import Down, Failed, Plain, Up, down, subnet, up
from benchmarks.report import AGAINST, PLAIN, Size, lines
from benchmarks.whole import CHECKOUT, Netlab

SIZES = (2, 10, 100, 500, 1000)
ROUNDS = {2: 7, 10: 5, 100: 3, 500: 3}
"""By default, for up to so many containers; one round for more."""

IDLE = 0.8
"""That part of the processors has to be idle before a round begins."""

STEPS = 8

_UP = {"post": "as the blog post types it", "plan": "as `netlab plan` shows it"}
_DOWN = {"each": "each command taken back by its own", "short": "only links and namespaces deleted"}


def _python() -> str:
    """A Python that has what netlab needs: this one, or an environment that scripts/ has made."""
    if all(importlib.util.find_spec(name) for name in ("sh", "typer", "tenacity", "pydantic", "networkx")):
        return sys.executable
    made = [CHECKOUT / name / "bin/python" for name in (".venv", ".venv-dev")]
    found = next((str(path) for path in made if path.exists()), None)
    if found is None:
        sys.exit(f"no Python here has what netlab needs; make an environment first: {CHECKOUT}/scripts/lab --help")
    return found


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="benchmarks/run", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    numbers = ",".join(map(str, SIZES))
    parser.add_argument("--sizes", default=numbers, help=f"numbers of containers, 1 to 1023 [{numbers}]")
    parser.add_argument("--rounds", type=int, help="rounds for each [7, and fewer for many containers]")
    parser.add_argument("--started", action="store_true", help="time `apply` in a sandbox that was started before")
    parser.add_argument("--up", choices=_UP, default="post", help=f"the script: {_choices(_UP)} [post]")
    parser.add_argument("--down", choices=_DOWN, default="each", help=f"and back: {_choices(_DOWN)} [each]")
    parser.add_argument(
        "--patience",
        type=float,
        default=20.0,
        metavar="SECONDS",
        help="how long to wait, before each round, for others to leave the processors alone [20]",
    )
    parser.add_argument("--python", default=None, help="the Python that runs netlab [one that has what it needs]")
    given = parser.parse_args(arguments)
    try:
        given.sizes = sorted({int(size) for size in given.sizes.split(",")})
    except ValueError:
        parser.error("--sizes takes numbers with commas between them, such as 2,10")
    if not all(1 <= size <= 1023 for size in given.sizes) or (given.rounds is not None and given.rounds < 1):
        parser.error("--sizes takes numbers from 1 to 1023, --rounds at least 1")
    return given


def _choices(words: Mapping[str, str]) -> str:
    return ", or ".join(f"{key} ({meaning})" for key, meaning in words.items())


def _rounds(count: int) -> int:
    return next((rounds for size, rounds in ROUNDS.items() if count <= size), 1)


def _settle(patience: float) -> None:
    """Wait until the processors are nearly idle: whatever others do meanwhile is measured along with us."""
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        idle, total = _ticks()
        time.sleep(0.3)
        idle_now, total_now = _ticks()
        if idle_now - idle >= IDLE * (total_now - total):
            return


def _ticks() -> tuple[int, int]:
    """Of all processors since boot: idle (waiting for a disk counts), and all. proc(5), /proc/stat."""
    numbers = [int(word) for word in Path("/proc/stat").read_text().split(maxsplit=11)[1:9]]
    return numbers[3] + numbers[4], sum(numbers)


class Bench:
    """One run. Whatever it starts is closed before it ends, however it ends."""

    def __init__(self, netlab: Netlab, folder: Path, *, up: Up, down: Down, started: bool, patience: float) -> None:
        self._netlab = netlab
        self._folder = folder
        self._up: Up = up
        self._down: Down = down
        self._started = started
        self._patience = patience

    def measure(self, count: int, rounds: int) -> Size:
        size = Size(count)
        for number in range(1, rounds + 1):
            _settle(self._patience)
            _say(f"{count} containers, round {number} of {rounds}: script", end=" ")
            try:
                self._plain(size)
                _say(_latest(size, PLAIN), end=", netlab ")
                self._whole(size, check=number == 1)
                _say(_latest(size, AGAINST))
            except Failed as error:
                _say("failed")
                size.failed = str(error)
                self._netlab.close()
                break
        return size

    def _plain(self, size: Size) -> None:
        limit = 30 + 0.3 * size.count
        with contextlib.closing(Plain(self._folder)) as plain:
            inside = plain.inside()
            size.times["up"].append(plain.seconds([*up(size.count, self._up, inside)], limit))
            size.times["down"].append(plain.seconds([*down(size.count, self._down, inside)], limit))

    def _whole(self, size: Size, *, check: bool) -> None:
        limit = 30 + 0.3 * size.count
        settings = ("--set", f"containers={size.count}", "--set", f"subnet={subnet(size.count)}")
        if self._started:
            self._netlab.run("sandbox", "start", *settings, limit=limit)
        apply = ("apply", "--until", "nat", "--no-prove", *settings)
        for column, arguments in {"apply": apply, "again": apply, "status": ("status",), "undo": ("undo",)}.items():
            if column == "undo" and check:
                self._check(limit)
            spent = self._netlab.run(*arguments, limit=limit)
            size.times[column].append(spent.seconds)
            size.peak = max(size.peak, spent.peak)
        if self._started:
            self._netlab.run("sandbox", "end", limit=limit)

    def _check(self, limit: float) -> None:
        """The lab that was timed is really there."""
        steps = json.loads(self._netlab.run("status", "--json", limit=limit).output)["steps"]
        done = [step["name"] for step in steps if step["state"] == "done"]
        if len(done) != STEPS:
            raise Failed(f"after apply, netlab status says that only {', '.join(done) or 'nothing'} is done")


def _latest(size: Size, columns: Iterable[str]) -> str:
    return " / ".join(f"{size.times[column][-1]:.2f}" for column in columns)


def _say(text: str, end: str = "\n") -> None:
    print(text, end=end, file=sys.stderr, flush=True)


def _machine(python: str) -> str:
    version = subprocess.run([python, "-V"], capture_output=True, text=True, check=True).stdout.strip()
    load = " ".join(f"{each:.1f}" for each in os.getloadavg())
    who = "root" if os.geteuid() == 0 else "an ordinary user"
    return f"Linux {platform.release()}, {os.cpu_count()} cores, {version}, as {who}, load {load}"


def _interrupted(number: int, frame: object) -> NoReturn:
    signal.signal(number, signal.SIG_IGN)  # what is cleaned up now is not to be interrupted again
    raise SystemExit(128 + number)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it; returns the exit code."""
    given = _arguments(arguments)
    python = given.python or _python()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupted)
    print(_machine(python), flush=True)
    with tempfile.TemporaryDirectory(prefix="netlab-benchmark-") as name, contextlib.ExitStack() as stack:
        netlab = Netlab((python, "-m", "netlab"), Path(name))
        stack.callback(netlab.close)
        bench = Bench(netlab, Path(name), up=given.up, down=given.down, started=given.started, patience=given.patience)
        try:
            netlab.run("--help", limit=60)  # whatever is compiled the first time is compiled now
            helps = [netlab.run("--help", limit=60).seconds for _ in range(5)]
        except Failed as error:
            sys.exit(str(error))
        sizes = [bench.measure(count, given.rounds or _rounds(count)) for count in given.sizes]
    sandbox = "had been started before" if given.started else "is made by `apply` and ended by `undo`, which counts"
    print(f"netlab's sandbox {sandbox};\nthe script goes up {_UP[given.up]}, and down: {_DOWN[given.down]}\n")
    print("\n".join(lines(sizes, helps)))
    print("\nload at the end: " + " ".join(f"{each:.1f}" for each in os.getloadavg()))
    return 1 if any(size.failed for size in sizes) else 0

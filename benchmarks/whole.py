"""(b): netlab as whole processes, with a state folder of its own."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.plain import Failed

CHECKOUT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Spent:
    """One process: its wall time, and the most memory that it or any process below it had at once, in MB."""

    seconds: float
    peak: float
    output: str


class Netlab:
    """Runs netlab. ``close`` ends what is running, the sandbox, and whatever still holds one, by pid."""

    def __init__(self, command: Sequence[str], folder: Path) -> None:
        self._command = tuple(command)
        self._state = folder / "state"
        self._running: subprocess.Popen[bytes] | None = None
        keep = ("PATH", "HOME", "LANG", "PYTHONDONTWRITEBYTECODE")
        self._environment = {name: os.environ[name] for name in keep if name in os.environ}
        self._environment |= {"XDG_STATE_HOME": str(self._state), "PYTHONPATH": str(CHECKOUT)}
        self._state.mkdir(mode=0o700)

    def run(self, *arguments: str, limit: float) -> Spent:
        """One whole process. Raises Failed unless it ends with 0 within ``limit`` seconds."""
        with tempfile.TemporaryFile() as said:
            begun = time.monotonic()
            self._running = subprocess.Popen(
                (*self._command, *arguments),
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=subprocess.STDOUT,
                env=self._environment,
                cwd=CHECKOUT,
                start_new_session=True,
            )
            code, peak = self._waited(limit)
            spent = time.monotonic() - begun
            said.seek(0)
            text = said.read().decode(errors="replace")
        if code != 0:
            raise Failed(f"netlab {' '.join(arguments)} ended with {code}: {text.strip()[-300:]}")
        return Spent(spent, peak, text)

    def _waited(self, limit: float) -> tuple[int, float]:
        """Exit code and peak. wait4 counts the descendants that were waited for as well, and takes the largest."""
        assert self._running is not None

        def give_up(number: int, frame: object) -> None:
            raise Failed(f"{' '.join(map(str, self._command))} was given up after {limit:.0f} s")

        before = signal.signal(signal.SIGALRM, give_up)
        signal.setitimer(signal.ITIMER_REAL, limit)
        try:
            _, status, usage = os.wait4(self._running.pid, 0)
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)
        code = self._running.returncode = os.waitstatus_to_exitcode(status)
        self._running = None
        return code, usage.ru_maxrss / 1024

    def close(self) -> None:
        if self._running is not None:
            self._running.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._running.wait(10)
            self._running.kill()
            self._running.wait()
            self._running = None
        holders = [json.loads(path.read_text())["holder"] for path in self._state.glob("netlab/*/sandbox.json")]
        with contextlib.suppress(Failed):
            if holders:
                self.run("sandbox", "end", limit=30)
        for holder in holders:
            _kill(holder)


def _kill(holder: dict[str, Any]) -> None:
    """A sandbox's holder that would not end: the same process still, by its start time."""
    with contextlib.suppress(OSError):
        fields = Path(f"/proc/{holder['pid']}/stat").read_text().rpartition(")")[2].split()
        if int(fields[19]) == holder["started"]:
            os.kill(holder["pid"], signal.SIGKILL)

"""One proof's probe under way: its capture listening first, then its commands side by side."""

from __future__ import annotations

import signal
from collections.abc import Callable, Sequence

import tenacity

from netlab import processes
from netlab.model import Command, Observation, Proof, Result
from netlab.processes import Job, Running

Started = tuple[tuple[str, ...], Running]


class Probing:
    """One proof's probe under way: the capture is listening before its commands start."""

    LIMIT = 2.0
    """Seconds after which a probe's command is killed; each bounds itself to one second."""

    def __init__(self, proof: Proof) -> None:
        self._proof = proof
        probe = proof.probe
        self._watch: Started | None = None
        self._commands: list[Started] = []
        try:
            if probe.watch is not None:
                self._watch = _start(probe.watch, tied=True)  # without its packet it would wait for ever
                capture = self._watch[1]
                _until(lambda: "listening on" in capture.stderr or not capture.alive)
            self._commands += map(_start, probe.commands)
        except BaseException:
            self.end()
            raise

    def end(self) -> None:
        """Kill whatever of it still runs: nobody waits for it any more."""
        for _, running in (*self._commands, *([self._watch] if self._watch is not None else [])):
            running.kill()

    def observation(self, tell: Callable[[Sequence[str], Result], None]) -> Observation:
        results = []
        for argv, running in self._commands:
            results.append(running.wait(self.LIMIT))
            tell(argv, results[-1])
        watched = None
        if self._watch is not None:
            argv, capture = self._watch
            # The packet passed the card before its answer came; what is not captured by now was not there.
            _until(lambda: not capture.alive, seconds=0.2)
            capture.kill(signal.SIGTERM)
            watched = capture.wait(self.LIMIT)
            tell(argv, watched)
        return self._proof.judge(results, watched)


def _start(command: Command, *, tied: bool = False) -> Started:
    argv = processes.argv(Job(command.argv, command.netns))
    return argv, Running(argv, tied=tied)


def _until(true: Callable[[], bool], seconds: float = 2.0) -> None:
    tenacity.Retrying(
        retry=tenacity.retry_if_result(lambda value: not value),
        stop=tenacity.stop_after_delay(seconds),
        wait=tenacity.wait_fixed(0.005),
        retry_error_callback=lambda state: False,
    )(true)

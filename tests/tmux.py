"""tmux as a person sees it: a server of the test's own, whose screen is waited for and read as text."""

from __future__ import annotations

import contextlib
import re
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path


class Tmux:
    """One window. ``environment`` is what its programs get."""

    def __init__(self, folder: Path, environment: Mapping[str, str], columns: int, rows: int) -> None:
        self._base = ("tmux", "-S", str(folder / "tmux"), "-f", "/dev/null")
        self._environment = dict(environment)
        self.columns, self.rows = columns, rows
        size = ("-x", str(columns), "-y", str(rows))
        # Kept after the program's end, so that its last screen can be read.
        options = ("set", "-g", "remain-on-exit", "on", ";", "set", "-g", "history-limit", "20000", ";")
        self._run("start-server", ";", *options, "new-session", "-d", *size, "cat")

    def start(self, *argv: str) -> None:
        """Run a program in the window, in the place of what was there."""
        self._run("respawn-window", "-k", *argv)

    def keys(self, *keys: str) -> None:
        """Press keys by tmux's names: "Enter", "C-c", "q"."""
        self._run("send-keys", *keys)

    def paste(self, text: str) -> None:
        self._run("set-buffer", text, ";", "paste-buffer")

    def resize(self, columns: int, rows: int) -> None:
        self.columns, self.rows = columns, rows
        self._run("resize-window", "-x", str(columns), "-y", str(rows))

    def screen(self, *, whole: bool = False, pane: str = "") -> str:
        """What is seen now; ``whole``: with all that can be scrolled back to."""
        where = ("-t", pane) if pane else ()
        return self._run("capture-pane", "-p", *(("-S", "-") if whole else ()), *where)

    def see(self, pattern: str, *, timeout: float = 30, pane: str = "") -> str:
        """Wait until the screen has something; returns the screen."""
        end = time.monotonic() + timeout
        while not re.search(pattern, shown := self.screen(pane=pane)):
            assert time.monotonic() < end, f"{pattern!r} is not to be seen:\n{shown}"
            time.sleep(0.02)
        return shown

    def press(self, *keys: str) -> str:
        """Press keys at netlab's key bar, and wait until another one takes keys, or the program has ended.

        The bar is dark while keys count, and dim while netlab is at work.
        """
        before = self._run("capture-pane", "-p", "-e")
        assert not self.dead, before
        self.keys(*keys)
        end = time.monotonic() + 60
        while (shown := self._run("capture-pane", "-p", "-e")) == before or not self._waits(shown):
            assert time.monotonic() < end, f"{keys} changed nothing:\n{self.screen()}"
            time.sleep(0.02)
        return self.screen()

    def ready(self) -> str:
        """Wait until netlab's key bar takes keys."""
        end = time.monotonic() + 60
        while not self._waits(self._run("capture-pane", "-p", "-e")):
            assert time.monotonic() < end, f"there is no key bar:\n{self.screen()}"
            time.sleep(0.02)
        return self.screen()

    def _waits(self, shown: str) -> bool:
        last = lines(shown)[-1]
        return bool(re.search(r"\x1b\[[0-9;]*7m", last)) or self.dead

    def panes(self) -> list[str]:
        return self._run("list-panes", "-F", "#{pane_id}").split()

    @property
    def dead(self) -> bool:
        """Has the program ended?"""
        return self._run("display", "-p", "#{pane_dead}").strip() == "1"

    def ended(self, *, timeout: float = 30) -> int:
        """Wait until the program has ended; its exit code."""
        end = time.monotonic() + timeout
        while not self.dead:
            assert time.monotonic() < end, self.screen()
            time.sleep(0.02)
        return int(self._run("display", "-p", "#{pane_dead_status}"))

    def end(self) -> None:
        self._run("kill-server")

    def _run(self, *words: str) -> str:
        done = subprocess.run(
            [*self._base, *words], env=self._environment, capture_output=True, text=True, check=True, timeout=30
        )
        return done.stdout


@contextlib.contextmanager
def tmux(folder: Path, environment: Mapping[str, str], size: tuple[int, int]) -> Iterator[Tmux]:
    """A window of so many columns and rows."""
    window = Tmux(folder, {"TERM": "xterm-256color", **environment}, *size)
    try:
        yield window
    finally:
        window.end()


def lines(screen: str) -> Sequence[str]:
    """The rows of a screen, without blank ones at its end."""
    return screen.rstrip("\n").split("\n")

"""tmux as a person sees it: a server of the test's own, whose screen is waited for and read as text."""

from __future__ import annotations

import contextlib
import re
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

_AND_TELL = 'trap : INT; "$@"; echo "ended with $?"; exec cat'
"""tmux's own word for that (pane_dead_status) sometimes never comes."""

_ENDED = re.compile(r"(?m)^ended with (\d+)$")


class Tmux:
    """One window. ``environment`` is what its programs get."""

    def __init__(self, folder: Path, environment: Mapping[str, str], columns: int, rows: int) -> None:
        self._base = ("tmux", "-S", str(folder / "tmux"), "-f", "/dev/null")
        self._environment = dict(environment)
        self.columns, self.rows = columns, rows
        size = ("-x", str(columns), "-y", str(rows))
        self._run("start-server", ";", "set", "-g", "history-limit", "20000", ";", "new-session", "-d", *size, "cat")
        self._first = self.panes()[0]

    def start(self, *argv: str) -> None:
        """Run a program in the window, in the place of what was there; its last screen stays, and how it ended."""
        self._run("respawn-pane", "-k", "-t", self._first, "sh", "-c", _AND_TELL, "sh", *argv)

    def keys(self, *keys: str) -> None:
        """Press keys by tmux's names: "Enter", "C-c", "q"."""
        self._run("send-keys", "-t", self._first, *keys)

    def paste(self, text: str) -> None:
        self._run("set-buffer", text, ";", "paste-buffer", "-t", self._first)

    def resize(self, columns: int, rows: int) -> None:
        self.columns, self.rows = columns, rows
        self._run("resize-window", "-x", str(columns), "-y", str(rows))

    def type(self, pane: str, text: str) -> None:
        """Type a line in a pane, "" for the first."""
        where = ("-t", pane or self._first)
        self._run("send-keys", *where, "-l", text, ";", "send-keys", *where, "Enter")

    def screen(self, *, whole: bool = False, styles: bool = False, pane: str = "") -> str:
        """What is seen now; ``whole``: with all that can be scrolled back to; ``styles``: with what draws them."""
        more = (*(("-S", "-") if whole else ()), *(("-e",) if styles else ()))
        return self._run("capture-pane", "-p", *more, "-t", pane or self._first)

    def see(self, pattern: str, *, timeout: float = 60, pane: str = "") -> str:
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
        before = self.screen(styles=True)
        assert not self.dead, before
        self.keys(*keys)
        end = time.monotonic() + 60
        while (shown := self.screen(styles=True)) == before or not self._waits(shown):
            assert time.monotonic() < end, f"{keys} changed nothing:\n{self.screen()}"
            time.sleep(0.02)
        return self.screen()

    def ready(self) -> str:
        """Wait until netlab's key bar takes keys."""
        end = time.monotonic() + 60
        while not self._waits(self.screen(styles=True)):
            assert time.monotonic() < end, f"there is no key bar:\n{self.screen()}"
            time.sleep(0.02)
        return self.screen()

    def _waits(self, shown: str) -> bool:
        last = lines(shown)[-1]
        return bool(re.search(r"\x1b\[[0-9;]*7m", last)) or self.dead

    def pid(self) -> int:
        """The program's process."""
        shell = self._run("display", "-p", "-t", self._first, "#{pane_pid}").strip()
        return int(Path(f"/proc/{shell}/task/{shell}/children").read_text().split()[0])

    def panes(self) -> list[str]:
        return self._run("list-panes", "-F", "#{pane_id}").split()

    @property
    def dead(self) -> bool:
        """Has the program ended?"""
        return _ENDED.search(self.screen()) is not None

    def ended(self) -> int:
        """Wait until the program has ended; its exit code, 128 + N for signal N."""
        found = _ENDED.search(self.see(_ENDED.pattern))
        assert found is not None
        return int(found[1])

    def end(self) -> None:
        self._run("kill-server")

    def _run(self, *words: str) -> str:
        done = subprocess.run(
            [*self._base, *words], env=self._environment, capture_output=True, text=True, check=True, timeout=60
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

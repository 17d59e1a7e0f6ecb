"""A pane of tmux beside the walk, with a shell in the lab: opened for as long as the walk lasts."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from netlab.model import Result
from netlab.processes import Job, Shells
from netlab.programs import find

WIDE, ROWS = 160, 8
"""From so many columns on the pane is beside the walk; else below it, so many rows high."""

_NETLAB = "import sys; sys.path.append(sys.argv.pop(1)); from netlab.__main__ import main; main()"


@contextmanager
def opened(words: Sequence[str], environ: Mapping[str, str]) -> Iterator[bool]:
    """A pane that runs ``netlab WORDS…``; False where nobody is in tmux, or it opens none."""
    tmux = _Tmux.of(environ)
    pane = tmux.open(words, environ) if tmux is not None else ""
    try:
        yield bool(pane)
    finally:
        if tmux is not None and pane:
            tmux.run("kill-pane", "-t", pane)


class _Tmux:
    """The tmux that we are in, and our own pane."""

    def __init__(self, socket: str, pane: str) -> None:
        self._socket, self._pane = socket, pane

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> _Tmux | None:
        socket, pane = environ.get("TMUX", "").partition(",")[0], environ.get("TMUX_PANE", "")
        return cls(socket, pane) if socket and pane and find("tmux") else None

    def open(self, words: Sequence[str], environ: Mapping[str, str]) -> str:
        """The new pane's id, "" for none. Our own keeps the keyboard."""
        beside = os.get_terminal_size().columns >= WIDE
        where = ("-h",) if beside else ("-v", "-l", str(ROWS))
        # tmux gives the pane its server's environment: of ours it needs what says where the lab is.
        kept = (f"{key}={environ[key]}" for key in ("XDG_STATE_HOME", "HOME", "SHELL", "LANG") if key in environ)
        given = [word for each in kept for word in ("-e", each)]
        netlab = (sys.executable, "-I", "-c", _NETLAB, str(Path(__file__).resolve().parent.parent), *words)
        split = ("split-window", "-d", "-t", self._pane, *where, *given, "-P", "-F", "#{pane_id}")
        result = self.run(*split, *netlab)
        return result.stdout.strip() if result.code == 0 else ""

    def run(self, *words: str) -> Result:
        with closing(Shells(lambda job, result: None)) as shells:
            result = shells.run([[Job(("tmux", "-S", self._socket, *words))]])[0][0]
        assert result is not None, "only a chain leaves a job out"
        return result

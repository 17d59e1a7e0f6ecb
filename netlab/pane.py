"""A pane of tmux beside the walk, with a shell in the lab: opened for as long as the walk lasts.

Outside tmux nothing is opened: to put a terminal into a tmux that nobody started would take away what the person knows,
their keys, their scrollback, their way out. They are told what to type in another terminal.
"""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from netlab.processes import Running
from netlab.programs import find

WIDE, ROWS = 160, 8
"""From so many columns on the pane is beside the walk; else below it, so many rows high."""

_LIMIT = 5.0
"""Seconds that tmux may take to answer."""

_NETLAB = "import sys; sys.path.append(sys.argv.pop(1)); from netlab.__main__ import main; main()"
"""This netlab, installed or a checkout, in a Python that nothing of the environment steers."""

_KEPT = ("XDG_STATE_HOME", "HOME", "SHELL", "LANG")
"""What the pane needs as we have it: tmux gives it what was there when its server was started."""


@contextmanager
def opened(words: Sequence[str], environ: Mapping[str, str]) -> Iterator[bool]:
    """A pane that runs ``netlab WORDS…``, closed at last; False where nobody is in tmux, or it opens none."""
    tmux = _tmux(environ)
    made = _open(tmux, words, environ) if tmux else []
    try:
        yield bool(made)
    finally:
        # A pane's number may be another's by now, where tmux's server was started anew: its process tells.
        if made and _said([*tmux, "display-message", "-p", "-t", made[0], "#{pane_pid}"]).split() == made[1:]:
            _said([*tmux, "kill-pane", "-t", made[0]])


def _open(tmux: Sequence[str], words: Sequence[str], environ: Mapping[str, str]) -> list[str]:
    """The new pane's number and its process, nothing when there is none. Our own pane keeps the keyboard."""
    where = ("-h",) if os.get_terminal_size().columns >= WIDE else ("-v", "-l", str(ROWS))
    kept = (f"{name}={environ[name]}" for name in _KEPT if name in environ)
    folder = str(Path(__file__).resolve().parent.parent)
    # Through env, in one word: tmux's own -e, and a command in several words, are newer than some tmux.
    command = shlex.join(["exec", "env", *kept, sys.executable, "-I", "-c", _NETLAB, folder, *words])
    told = ("-d", "-t", environ["TMUX_PANE"], "-c", os.getcwd(), "-P", "-F", "#{pane_id} #{pane_pid}")
    made = _said([*tmux, "split-window", *where, *told, command]).split()
    return made if len(made) == 2 else []


def _tmux(environ: Mapping[str, str]) -> list[str]:
    """How to talk to the tmux that we are in; nothing outside one, and in somebody else's (after sudo, say): a shell
    that opens there would be theirs, in another lab."""
    socket, path = environ.get("TMUX", "").partition(",")[0], find("tmux")
    if not socket or not environ.get("TMUX_PANE") or path is None:
        return []
    try:
        return [path, "-S", socket] if os.stat(socket).st_uid == os.geteuid() else []
    except OSError:  # it has ended
        return []


def _said(argv: Sequence[str]) -> str:
    """What tmux printed; nothing when it failed."""
    result = Running(argv).wait(_LIMIT)
    return result.stdout if result.code == 0 else ""

"""Wherever its output goes, whatever the terminal and the locale are: no traceback, and the lab's state is whole."""

from __future__ import annotations

import array
import contextlib
import fcntl
import os
import signal
import subprocess
import termios
from collections.abc import Iterable, Iterator

import pexpect
import pytest

from tests.kernel.runner import COMMAND, Netlab, until
from tests.kernel.tutorial import STEPS
from tests.torture.faults import entries

pytestmark = pytest.mark.kernel

MEASURED = False

LIFE = (
    ("steps",),
    ("explain", "nat"),
    ("plan",),
    ("apply", "--until", "bridge"),
    ("apply", "--json"),
    ("status",),
    ("show",),
    ("prove", "bridge"),
    ("export", "--shell"),
    ("snapshot",),
    ("doctor",),
    ("sandbox", "list"),
    ("undo", "--from", "nat"),
    ("status", "--sandbox", "nowhere else"),
    ("exec", "host", "--", "ip", "link"),
    ("goto", "veth"),
    ("learn", "loopback"),
    ("undo",),
)
"""One of each kind of command, from nothing to nothing; one is wrong."""


def run(netlab: Netlab, script: str, *words: str, **own: str) -> tuple[int, str]:
    """The command ("$@" in the script) with its streams as ``script`` has them; its exit code, and all that is said."""
    said = netlab.home / "said"
    with said.open("w") as file:
        done = subprocess.run(
            ["bash", "-c", script, "bash", *COMMAND, *words],
            env={**netlab.environment, **own}, cwd=netlab.home / "work", stdin=subprocess.DEVNULL, stdout=file,
            stderr=file, timeout=90, check=False,
        )  # fmt: skip
    return done.returncode, said.read_text(encoding="utf-8", errors="strict")


@contextlib.contextmanager
def a_life(lab: Netlab) -> Iterator[None]:
    """What was done in here left no trace, and nothing was lost: what stood was taken back."""
    yield
    assert lab.states() == dict.fromkeys(STEPS, "todo")
    assert lab.differences(lab.start) == []
    assert entries(lab) == []


STREAMS = {
    "no stdout": '"$@" >&-',
    "no stderr": '"$@" 2>&-',
    "no stdin": '"$@" <&-',
    "no streams": '"$@" <&- >&- 2>&-',
    "a full stdout": '"$@" >/dev/full',
    "a full stderr": '"$@" 2>/dev/full',
    "both full": '"$@" >/dev/full 2>&1',
    "a reader that has gone": '"$@" | true; exit ${PIPESTATUS[0]}',
    "a reader of one line": '"$@" | head -1; exit ${PIPESTATUS[0]}',
    "stderr in a pipe that nobody reads": '"$@" 2> >(true)',
    "stdout only to write, and a folder": '"$@" </',
}


def some(rows: Iterable[str], *often: str) -> list[object]:
    """The rows; those that are not run ``often`` are run in torture alone."""
    return [each if each in often else pytest.param(each, marks=pytest.mark.torture) for each in rows]


@pytest.mark.parametrize("streams", some(STREAMS, "no streams", "a full stdout", "a reader that has gone"))
def test_streams(lab: Netlab, streams: str) -> None:
    """A walk whose words nobody can take may break off: it goes on when it is run again."""
    with a_life(lab):
        for words in LIFE:
            code, said = run(lab, STREAMS[streams], *words)
            assert "Traceback" not in said, (words, said)
            # A command of one's own ends as it would anywhere.
            own = (0, 1, 128 + signal.SIGPIPE) if words[0] == "exec" else (0, 1)
            assert code in (own if words[-1] != "nowhere else" else (1, 2)), (words, code, said)
            assert lab("status", "--json").json, "the state reads"
        lab.undo()


LOCALES = {
    "none": {"LANG": ""},
    "C": {"LANG": "C"},
    "LC_ALL=POSIX": {"LC_ALL": "POSIX"},
    "one that is not there": {"LANG": "zh_CN.GB18030", "LC_ALL": "xx_XX.ISO-8859-1"},
    "Chinese": {"LANG": "zh_CN.UTF-8"},
    "no terminal's name": {"TERM": ""},
    "a dumb terminal": {"TERM": "dumb"},
    "a terminal that nobody knows": {"TERM": "no-such-terminal"},
    "20 columns": {"COLUMNS": "20", "LINES": "5"},
    "no columns": {"COLUMNS": "0"},
    "columns that are no number": {"COLUMNS": "wide", "LINES": "-1"},
    "Python's encoding is another": {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0", "LC_ALL": "C"},
}


@pytest.mark.parametrize("locale", some(LOCALES, "LC_ALL=POSIX", "20 columns"))
def test_locales(lab: Netlab, locale: str) -> None:
    with a_life(lab):
        for words in LIFE:
            code, said = run(lab, '"$@"', *words, **LOCALES[locale])
            assert "Traceback" not in said, (words, said)
            assert code == (0 if words[-1] != "nowhere else" else 2), (words, code, said)


@pytest.mark.parametrize("columns", [pytest.param(1, marks=pytest.mark.torture), 20])
def test_a_narrow_terminal(lab: Netlab, columns: int) -> None:
    """Nothing is wider than it; `learn`, which cannot be followed there, says so."""
    with a_life(lab):
        for words in LIFE:
            child = pexpect.spawn(
                COMMAND[0], [*COMMAND[1:], *words], env=lab.environment, cwd=str(lab.home / "work"),
                dimensions=(5, columns), encoding="utf-8", timeout=60,
            )  # fmt: skip
            said = ""
            while child.expect([pexpect.EOF, pexpect.TIMEOUT], timeout=0.5 if words[0] == "learn" else 60):
                assert words[0] == "learn", (words, child.before)
                child.send("q")
            said += child.before or ""
            child.close()
            assert "Traceback" not in said, (words, said)
            assert child.exitstatus in ((0, 1, 2) if words[0] == "learn" or words[-1] == "nowhere else" else (0,)), said
        lab.undo()


def test_wide_names(netlab: Netlab) -> None:
    """A home, a course and files whose names have wide characters, blanks and a quote."""
    home = netlab.home / "家 的'测试"
    for path in (home, home / "state", home / "工作"):
        path.mkdir(mode=0o700)
    own = {"HOME": str(home), "XDG_STATE_HOME": str(home / "state")}
    (home / "工作/实验.toml").write_text("containers = 1\n")
    for words in (
        ("course", "new", str(home / "课程")),
        ("course", "check", str(home / "课程")),
        ("apply", "--course", str(home / "课程")),
        ("undo",),
        ("sandbox", "end"),
        ("apply", "--until", "bridge", "--lab", str(home / "工作/实验.toml")),
        ("apply", "--until", "web"),
        ("exec", "container1", "--", "ip", "addr"),
        ("learn", "gateway", "--transcript", str(home / "工作/记录.md"), "--lang", "zh"),
        ("undo",),
        ("sandbox", "end"),
    ):
        code, said = run(netlab, '"$@"', *words, **own)
        assert (code, "Traceback" in said) == (0, False), (words, said)
    assert "记录" not in (home / "工作/记录.md").read_text()[:100]
    assert [*(home / "state").rglob("*.json*")] == []
    assert netlab.holders() == []


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGKILL, -9), (signal.SIGPIPE, 1)]
)
def test_a_pipe_that_is_full(lab: Netlab, number: int, code: int) -> None:
    """It waits for its reader; when it is told to end, or the reader goes, it ends, and the next one goes on."""
    with a_life(lab):
        with lab.process("apply", "--json", "--set", "containers=20") as process:
            assert process.stdout is not None
            fcntl.fcntl(process.stdout, fcntl.F_SETPIPE_SZ, 4096)
            until(lambda: stuck(process), seconds=60)
            assert process.poll() is None
            assert lab("status", "--wait", "0", code=4).err, "it has the lock still"
            if number == signal.SIGPIPE:
                process.stdout.close()
            else:
                os.kill(process.pid, number)
            assert process.wait(20) == code
        lab.apply("--set", "containers=20")
        assert lab.states() == dict.fromkeys(STEPS, "done")
        lab.undo()


def stuck(process: subprocess.Popen[str]) -> bool:
    """Is its pipe so full that there is no room for a line more?"""
    assert process.stdout is not None
    waiting = array.array("i", [0])
    fcntl.ioctl(process.stdout, termios.FIONREAD, waiting)
    return waiting[0] > 4096 - 256

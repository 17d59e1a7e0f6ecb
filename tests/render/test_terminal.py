"""What a person sees: whole screens of several widths, on a real pseudo-terminal too, while it lives and afterwards."""

import fcntl
import os
import pty
import re
import signal
import struct
import subprocess
import sys
import termios
import time
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from io import StringIO
from pathlib import Path

import pytest

from netlab.errors import CommandFailed
from netlab.events import Event, Note, Process, Proved, Ran, Retried, StepBegun, StepEnded, WalkBegun, WalkEnded
from netlab.render import Screen

# --- a terminal made of glass ----------------------------------------------------------------------------------------


class Glass:
    """A terminal's screen as text: enough of one for what rich writes, soft wrap and wide characters included."""

    def __init__(self, columns: int) -> None:
        self.columns, self.rows, self.x, self.y = columns, [""], 0, 0
        self.cursor = True
        self.seen: list[str] = []

    def feed(self, data: str) -> "Glass":
        for code, final, character in re.findall(r"\x1b\[([?0-9;]*)([A-Za-z])|([^\x1b])", data):
            if character:
                self._put(character)
            elif final == "A":
                self.y -= int(code or 1)
            elif final == "K":
                self.rows[self.y] = "" if code == "2" else self.rows[self.y][: self.x]
            elif final in "hl" and code == "?25":
                self.cursor = final == "h"
                self.seen.append(self.text)
            else:
                assert final == "m", f"what is {code}{final}?"
        assert "\x1b" not in self.text
        return self

    def _put(self, character: str) -> None:
        if character == "\r":
            self.x = 0
        elif character == "\n":
            self.x, self.y = 0, self.y + 1
            self.rows += [""] * (self.y + 1 - len(self.rows))
        else:
            assert character.isprintable()
            width = 2 if unicodedata.east_asian_width(character) in "WF" else 1
            if self.x + width > self.columns:
                self._put("\n")
            row = self.rows[self.y].ljust(self.x)
            self.rows[self.y] = row[: self.x] + character + "\0" * (width - 1) + row[self.x + width :]
            self.x += width

    @property
    def text(self) -> str:
        return "\n".join(row.replace("\0", "").rstrip() for row in self.rows).rstrip("\n")


class Tty(StringIO):
    """A stream that says it is a terminal."""

    def __init__(self, encoding: str = "utf-8") -> None:
        super().__init__()
        self._encoding = encoding

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self._encoding

    def isatty(self) -> bool:
        return True

    def write(self, text: str) -> int:
        text.encode(self._encoding)  # as the real one, it cannot say everything
        return super().write(text)


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE", "COLORTERM", "LC_ALL", "LC_CTYPE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("LANG", "C.UTF-8")
    monkeypatch.setenv("LINES", "24")


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[Glass, str]]:
    """Draws on glass of so many columns, and gives what was written as well."""

    def draw(
        events: Iterable[Event], columns: int = 80, encoding: str = "utf-8", verbose: bool = False
    ) -> tuple[Glass, str]:
        monkeypatch.setenv("COLUMNS", str(columns))
        tty = Tty(encoding)
        Screen(json=False, quiet=False, verbose=verbose, out=tty, err=tty).walk(events)
        return Glass(columns).feed(tty.getvalue()), tty.getvalue()

    return draw


# --- whole screens ---------------------------------------------------------------------------------------------------

RULE = "iptables -t nat -A POSTROUTING -s 172.168.1.0/24 -o ens33 -j MASQUERADE"
DNAT = "iptables -t nat -A PREROUTING -p tcp --dport 8888 -j DNAT --to-destination 172.168.1.11:80"
REPLY = "64 bytes from 114.114.114.114: icmp_seq=1 ttl=62 time=0.080 ms"

APPLY: list[Event] = [
    Note("a sandbox was made"),
    WalkBegun("apply", ("nat", "publish")),
    StepBegun("nat", "Let containers reach the world.", 0, 1),
    Process("/usr/sbin/iptables-restore --noflush", 0, 0.012),
    Ran("nat", "a rule", RULE, 0.02),
    StepEnded("nat", 0, 1, 0.02),
    StepBegun("publish", "Lead the host's ports into the containers.", 1, 2),
    Retried("iptables-restore", "Another app is currently holding the xtables lock", 2, 0.2),
    Ran("publish", "a rule", DNAT, 0.02),
    StepEnded("publish", 1, 1, 0.25),
    Proved("nat", "container1 pings 114.114.114.114", "answers", REPLY, True, 0.1),
    Proved("publish", "client fetches http://192.168.0.10:8888/", "200", "refused", False, 5.0),
    WalkEnded("apply", 2, 5.5, ok=False),
]

AT_80 = """\
netlab: a sandbox was made
✓ nat      1 ran, 0 already there  0.02 s
    iptables -t nat -A POSTROUTING -s 172.168.1.0/24 -o ens33 -j MASQUERADE
netlab: trying again in 0.20 s (attempt 2): iptables-restore
  Another app is currently holding the xtables lock
✓ publish  1 ran, 1 already there  0.25 s
    iptables -t nat -A PREROUTING -p tcp --dport 8888 -j DNAT --to-destination 1
72.168.1.11:80

nat
  ✓ container1 pings 114.114.114.114 — answers: 64 bytes from 114.114.114.114:
    icmp_seq=1 ttl=62 time=0.080 ms
publish
  ✗ client fetches http://192.168.0.10:8888/
      expected: 200
      observed: refused

✗ 1 of 2 proofs failed, 2 operations ran, 1 already there (5.50 s)"""

AT_120 = AT_80.replace("-destination 1\n72", "-destination 172").replace("4:\n    icmp", "4: icmp")

AT_20 = """\
✓ nat      1 ran, 0
    already there
    0.02 s
    iptables -t nat
-A POSTROUTING -s 17
2.168.1.0/24 -o ens3
3 -j MASQUERADE"""


@pytest.mark.parametrize(("columns", "screen"), [(80, AT_80), (120, AT_120)])
def test_apply(drawn: Callable[..., tuple[Glass, str]], columns: int, screen: str) -> None:
    glass, _ = drawn(APPLY, columns)
    assert glass.text == screen
    assert glass.cursor


def test_verbose_shows_each_process(drawn: Callable[..., tuple[Glass, str]]) -> None:
    glass, _ = drawn(APPLY, verbose=True)
    assert "\n$ /usr/sbin/iptables-restore --noflush (exit 0, 12 ms)\n✓ nat" in glass.text


@pytest.mark.parametrize("columns", [1, 2, 5, 12, 20, 40])
def test_a_narrow_terminal(drawn: Callable[..., tuple[Glass, str]], columns: int) -> None:
    glass, _ = drawn(APPLY, columns)
    assert AT_80.splitlines()[-1].replace(" ", "") in "".join(glass.text.split())
    if columns == 20:
        assert AT_20 in glass.text


def test_a_command_is_one_line_for_whoever_copies_it(drawn: Callable[..., tuple[Glass, str]]) -> None:
    _, written = drawn(APPLY, 40)
    assert DNAT in written


def test_colours_and_none(drawn: Callable[..., tuple[Glass, str]], monkeypatch: pytest.MonkeyPatch) -> None:
    _, coloured = drawn(APPLY)
    assert "\x1b[32m✓ \x1b[0m\x1b[1mnat" in coloured
    assert f"\x1b[2m    {RULE}\x1b[0m" in coloured
    monkeypatch.setenv("NO_COLOR", "1")
    glass, sober = drawn(APPLY)
    assert not re.search(r"\x1b\[[0-9;]*3[0-9]", sober)
    assert glass.text == AT_80


@pytest.mark.parametrize("encoding", ["ascii", "utf-8"])
def test_the_c_locale_gets_ascii(
    drawn: Callable[..., tuple[Glass, str]], monkeypatch: pytest.MonkeyPatch, encoding: str
) -> None:
    monkeypatch.setenv("LANG", "C")
    glass, written = drawn(APPLY, encoding=encoding)
    assert written.isascii()
    assert "+ nat      1 ran" in glass.text
    assert "x client fetches" in glass.text


HOSTILE = "\x1b[2J\x1b]0;title\x07[bold]é容器[/bold] :smile: \r\n"
SHOWN = "\\x1b[2J\\x1b]0;title\\x07[bold]é容器[/bold] :smile: \\r\\n"


def test_foreign_strings_steer_nothing(drawn: Callable[..., tuple[Glass, str]]) -> None:
    events: list[Event] = [
        Note(HOSTILE),
        WalkBegun("apply", (HOSTILE,)),
        StepBegun(HOSTILE, HOSTILE, 0, 1),
        Ran(HOSTILE, HOSTILE, HOSTILE, 0.1),
        Retried(HOSTILE, HOSTILE, 2, 0.1),
        Process(HOSTILE, -9, 2.0),
        StepEnded(HOSTILE, 0, 1, 0.1),
        Proved(HOSTILE, HOSTILE, HOSTILE, HOSTILE, False, 0.1),
        Proved(HOSTILE, HOSTILE, "answers", HOSTILE, True, 0.1),
        WalkEnded("apply", 1, 1.0, ok=False),
    ]
    glass, written = drawn(events, 200, verbose=True)  # Glass refuses what a terminal should not be told
    assert glass.text.count(SHOWN.rstrip()) == 11
    assert "\x07" not in written
    assert f"$ {SHOWN} (signal 9, 2.00 s)" in glass.text


# --- while it lives --------------------------------------------------------------------------------------------------


def test_the_living_lines_are_redrawn_and_leave_nothing(
    drawn: Callable[..., tuple[Glass, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    tty = Tty()
    alive: list[str] = []

    def events() -> Iterator[Event]:
        for event in APPLY:
            yield event
            if isinstance(event, Ran):
                mark, until = tty.tell(), time.monotonic() + 60
                while tty.tell() == mark and time.monotonic() < until:  # the display's own thread draws
                    time.sleep(0.02)
                time.sleep(0.1)
                alive.append(Glass(80).feed(tty.getvalue()).text)

    Screen(json=False, quiet=False, verbose=False, out=tty, err=tty).walk(events())
    first, second = alive
    assert re.fullmatch(
        r"netlab: a sandbox was made\n"
        r". nat      1 of 1  \d\.\d s  Let containers reach the world\.\n"
        rf"    {re.escape(RULE)}\n"
        r"· publish\n"
        r"─{40}  0 of 2 steps, \d\.\d\d s",
        first,
    )
    assert re.search(r"\n. publish  2 of 2  .*\n    iptables .*…\n━{20}─{20}  1 of 2 steps, ", second)
    assert Glass(80).feed(tty.getvalue()).text == AT_80


def test_without_interaction_the_lines_come_all_the_same(
    drawn: Callable[..., tuple[Glass, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TTY_INTERACTIVE", "0")
    glass, written = drawn(APPLY)
    assert glass.text == AT_80
    assert "\x1b[?25l" not in written


def test_dumb_terminals_get_plain_lines(
    drawn: Callable[..., tuple[Glass, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "dumb")
    _, written = drawn(APPLY)
    assert "\x1b" not in written
    assert DNAT in written


@pytest.mark.parametrize("error", [CommandFailed("no"), KeyboardInterrupt(), RuntimeError("a bug")])
def test_an_exception_leaves_the_terminal_as_it_should_be(
    error: BaseException, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    tty = Tty()

    def events() -> Iterator[Event]:
        yield from APPLY[:9]
        raise error

    screen = Screen(json=False, quiet=False, verbose=False, out=tty, err=tty)
    with pytest.raises(type(error)):
        screen.walk(events())
    glass = Glass(80).feed(tty.getvalue())
    assert glass.cursor
    assert "✓ nat      1 ran, 0 already there  0.02 s" in glass.text
    assert "steps," not in glass.text
    assert ("✗ publish  stopped after 1 command" in glass.text) is not isinstance(error, RuntimeError)


def test_stderr_elsewhere_keeps_its_talk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    tty, log = Tty(), StringIO()
    Screen(json=False, quiet=False, verbose=True, out=tty, err=log).walk(APPLY)
    assert log.getvalue() == (
        "netlab: a sandbox was made\n"
        "$ /usr/sbin/iptables-restore --noflush (exit 0, 12 ms)\n"
        "netlab: trying again in 0.20 s (attempt 2): iptables-restore\n"
        "  Another app is currently holding the xtables lock\n"
    )
    assert "xtables lock" not in tty.getvalue()


def test_an_error_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    tty = Tty()
    error = CommandFailed("[red]ip[/red] failed for a reason that is long", details=["exit 2"], hint=RULE)
    Screen(json=False, quiet=True, verbose=False, out=tty, err=tty).error(error)
    assert Glass(200).feed(tty.getvalue()).text == (
        f"netlab: [red]ip[/red] failed for a\n  reason that is long\n  exit 2\n→ {RULE}"
    )


def test_a_snapshot_on_a_terminal_is_cleaned() -> None:
    tty = Tty()
    Screen(json=False, quiet=False, verbose=False, out=tty, err=tty).snapshot("link \x1b[31m up\nlink b\n")
    assert Glass(80).feed(tty.getvalue()).text == "link \\x1b[31m up\nlink b"


# --- a real pseudo-terminal ------------------------------------------------------------------------------------------

PROGRAM = """
import sys, time
from netlab.events import *
from netlab.render import Screen

def events():
    yield WalkBegun("apply", ("bridge", "gateway"))
    yield StepBegun("bridge", "Join.", 0, 1)
    yield Ran("bridge", "br0", "ip link add br0 type bridge", 0.1)
    yield StepEnded("bridge", 0, 1, 0.06)
    yield StepBegun("gateway", "An address.", 0, 1)
    time.sleep({wait})
    yield StepEnded("gateway", 1, 0, 0.0)
    yield WalkEnded("apply", 1, 0.5)

try:
    Screen(json=False, quiet=False, verbose=False).walk(events())
except KeyboardInterrupt:
    sys.exit(130)
"""

FINISHED = "✓ bridge   1 ran, 0 already there  0.06 s\n    ip link add br0 type bridge\n"


def on_a_pty(wait: float, *, interrupt: bool = False) -> tuple[int, Glass]:
    """The exit code and the screen of the program above, on a pseudo-terminal of 80 by 24."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    root = Path(__file__).parents[2]
    environ = {**os.environ, "PYTHONPATH": str(root), "PYTHONDONTWRITEBYTECODE": "1"}
    for name in ("COLUMNS", "LINES"):
        environ.pop(name, None)
    program = [sys.executable, "-c", PROGRAM.format(wait=wait)]
    with subprocess.Popen(program, stdin=theirs, stdout=theirs, stderr=theirs, env=environ, cwd=root) as process:
        os.close(theirs)
        data = b""
        while True:
            try:
                piece = os.read(ours, 65536)
            except OSError:  # EIO: nobody holds the other end any more
                break
            if not piece:
                break
            data += piece
            if interrupt and b"0 of 1" in data.partition(b"0.06 s")[2]:  # gateway's turn
                process.send_signal(signal.SIGINT)
                interrupt = False
    os.close(ours)
    return process.returncode, Glass(80).feed(data.decode())


def test_on_a_pty() -> None:
    code, glass = on_a_pty(0.3)
    assert code == 0
    assert glass.text == (
        f"{FINISHED}✓ gateway  0 ran, 1 already there  0.00 s\n\n✓ 1 operation ran, 1 already there (0.50 s)"
    )
    assert glass.cursor
    assert len(glass.seen) == 2  # hidden once, shown once


def test_ctrl_c_on_a_pty() -> None:
    code, glass = on_a_pty(10, interrupt=True)
    assert code == 130
    assert glass.cursor
    assert glass.text.startswith(FINISHED)
    assert re.fullmatch(r"✗ gateway  stopped before its first command  \d\.\d\d s", glass.text.splitlines()[-1])

"""The screen: what goes to stdout and what to stderr, in a pipe and as JSON; the commands that only look, whole."""

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from netlab.errors import CommandFailed, NetlabError
from netlab.events import (
    Event,
    Note,
    Process,
    Proved,
    Ran,
    Retried,
    StepBegun,
    StepEnded,
    WalkBegun,
    WalkEnded,
    as_json,
)
from netlab.render import Screen
from netlab.views import Fault, PlanView, SandboxRow, StepNode, StepPlan, StepStatus

ROOT = Path(__file__).parents[2]
HOSTILE = "\x1b[2J[bold]é容器\n"

WALK: list[Event] = [
    Note("a sandbox was made"),
    WalkBegun("apply", ("bridge",)),
    StepBegun("bridge", "Join.", 0, 1),
    Process("/usr/sbin/ip -batch -", 0, 0.0124),
    Retried("ip -batch -", "Device or resource busy", 2, 0.1),
    Ran("bridge", "br0", "ip link add br0 type bridge", 0.01),
    StepEnded("bridge", 0, 1, 0.06),
    Proved("bridge", "ping", "answers", "64 bytes", True, 0.1),
    WalkEnded("apply", 1, 0.5),
]
PLAIN = """\
✓ bridge  1 ran, 0 already there  0.06 s
    ip link add br0 type bridge
  ✓ ping — answers: 64 bytes

✓ 1 operation ran, 0 already there, 1 proof right (0.50 s)
"""
TALK = (
    "netlab: a sandbox was made\nnetlab: trying again in 0.10 s (attempt 2): ip -batch -\n  Device or resource busy\n"
)
PROCESS = "$ /usr/sbin/ip -batch - (exit 0, 12 ms)\n"


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LC_ALL", "LC_CTYPE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LANG", "C.UTF-8")


class Pipes:
    """A screen whose two streams are pipes."""

    def __init__(self, *, json: bool = False, quiet: bool = False, verbose: bool = False) -> None:
        self.out, self.err = io.StringIO(), io.StringIO()
        self.screen = Screen(json=json, quiet=quiet, verbose=verbose, out=self.out, err=self.err)

    @property
    def texts(self) -> tuple[str, str]:
        return self.out.getvalue(), self.err.getvalue()

    @property
    def json(self) -> Any:
        return json.loads(self.out.getvalue())


# --- walks -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "texts"),
    [
        ({}, (PLAIN, TALK)),
        ({"verbose": True}, (PLAIN, TALK.replace("made\n", f"made\n{PROCESS}"))),
        ({"quiet": True}, ("", "")),
        ({"quiet": True, "verbose": True}, ("", PROCESS)),
    ],
)
def test_a_walk_in_a_pipe(options: dict[str, bool], texts: tuple[str, str]) -> None:
    pipes = Pipes(**options)
    assert pipes.screen.walk(WALK) is True
    assert pipes.texts == texts


@pytest.mark.parametrize("quiet", [False, True])
@pytest.mark.parametrize("verbose", [False, True])
def test_a_walk_as_json(quiet: bool, verbose: bool) -> None:
    pipes = Pipes(json=True, quiet=quiet, verbose=verbose)
    assert pipes.screen.walk(WALK) is True
    lines = [json.loads(line) for line in pipes.texts[0].splitlines()]
    assert lines == [json.loads(json.dumps(as_json(event))) for event in WALK]
    assert pipes.texts[1] == (PROCESS if verbose else "")


@pytest.mark.parametrize("machine", [False, True])
def test_a_walk_says_whether_all_is_right(machine: bool) -> None:
    wrong = Proved("bridge", "ping", "answers", "nothing", False, 1)
    cases: list[tuple[list[Event], bool]] = [
        ([], True),
        (WALK, True),
        ([wrong], False),
        ([WalkEnded("apply", 0, 0, ok=False)], False),
    ]
    for events, ok in cases:
        assert Pipes(json=machine).screen.walk(events) is ok
        assert Pipes(json=machine).screen.proofs(events) is ok


def test_each_event_is_out_before_the_next_comes() -> None:
    for machine in (False, True):
        raw = io.BytesIO()
        out = io.TextIOWrapper(raw, encoding="utf-8")
        lengths: list[int] = []

        def events(raw: io.BytesIO = raw, lengths: list[int] = lengths) -> Iterator[Event]:
            for event in WALK:
                yield event
                if isinstance(event, StepEnded | WalkEnded):
                    lengths.append(len(raw.getvalue()))

        Screen(json=machine, quiet=False, verbose=False, out=out, err=io.StringIO()).walk(events())
        assert 0 < lengths[0] < lengths[1]


@pytest.mark.parametrize("error", [CommandFailed("no"), KeyboardInterrupt()])
def test_an_exception_in_a_pipe(error: BaseException) -> None:
    def events() -> Iterator[Event]:
        yield from WALK[:6]
        raise error

    for machine in (False, True):
        pipes = Pipes(json=machine)
        with pytest.raises(type(error)):
            pipes.screen.walk(events())
        if machine:
            assert len(pipes.texts[0].splitlines()) == 6
        else:
            assert pipes.texts[0].startswith("✗ bridge  stopped after 1 command")


def test_proofs_as_one_object() -> None:
    pipes = Pipes(json=True)
    events = [*WALK, Proved("nat", "ping", "answers", "lost", False, 1, "after")]
    assert pipes.screen.proofs(events) is False
    assert pipes.json == {
        "proofs": [
            {"step": "bridge", "probe": "ping", "expected": "answers", "observed": "64 bytes", "ok": True},
            {
                "step": "nat", "probe": "ping", "expected": "answers", "observed": "lost", "ok": False,
                "phase": "after",
            },
        ],
        "left_out": [],
    }  # fmt: skip
    assert pipes.texts[1] == TALK


def test_proofs_for_a_person() -> None:
    pipes = Pipes()
    assert pipes.screen.proofs(WALK) is True
    assert pipes.texts == (PLAIN, TALK)


def test_bare_proofs_for_a_person() -> None:
    pipes = Pipes()
    assert pipes.screen.proofs([Proved("nat", "ping", "answers", "lost", False, 1)]) is False
    assert pipes.texts[0].startswith("nat\n  ✗ ping\n      expected: answers\n      observed: lost\n\n✗ 1 of 1 proof")


def test_a_closed_pipe_is_not_hidden() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    out = os.fdopen(writing, "w")
    with pytest.raises(BrokenPipeError):
        Screen(json=False, quiet=False, verbose=False, out=out, err=io.StringIO()).walk(WALK)
    with pytest.raises(BrokenPipeError):
        out.close()


def test_closed_streams_are_no_crash(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    monkeypatch.setattr(sys, "stderr", None)
    assert Screen(json=False, quiet=False, verbose=True).walk(WALK)


# --- the commands that only look -------------------------------------------------------------------------------------

PLAN = PlanView(
    (
        StepPlan("bridge", "Join.", (), held=4),
        StepPlan("routes", "Lead.", ("ip route add default via 172.168.1.1",), held=1),
        StepPlan("forwarding", "", ("sysctl -w net.ipv4.ip_forward=1",), ("iptables -P FORWARD ACCEPT",)),
        StepPlan("nat", "Out.", ("a", "b"), ("b",)),
    )
)


def test_plan() -> None:
    pipes = Pipes()
    pipes.screen.plan(PLAN)
    assert (
        pipes.texts[0]
        == """\
# bridge      4 already there
# routes — Lead. (1 already there)
  ip route add default via 172.168.1.1
# forwarding
  sysctl -w net.ipv4.ip_forward=1
  iptables -P FORWARD ACCEPT  # only if missing
# nat — Out.
  a
  b  # only if missing
"""
    )
    quiet = Pipes(quiet=True)
    quiet.screen.plan(PLAN)
    assert quiet.texts[0] == pipes.texts[0].split("\n", 1)[1]


def test_a_plan_can_be_pasted_into_a_shell() -> None:
    pipes = Pipes()
    pipes.screen.plan(PLAN)
    script = (
        "ip() { echo ip $*; }; iptables() { echo iptables $*; }; sysctl() { echo sysctl $*; }; a() { :; }; b() { :; }\n"
    )
    done = subprocess.run(["/bin/sh", "-eu"], input=script + pipes.texts[0], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [
        "ip route add default via 172.168.1.1",
        "sysctl -w net.ipv4.ip_forward=1",
        "iptables -P FORWARD ACCEPT",
    ]


@pytest.mark.parametrize(("quiet", "text"), [(False, "# nothing to do: 4 operations already there\n"), (True, "")])
def test_a_plan_of_nothing(quiet: bool, text: str) -> None:
    pipes = Pipes(quiet=quiet)
    pipes.screen.plan(PlanView(PLAN.steps[:1]))
    assert pipes.texts == (text, "")


STATUS = [
    StepStatus("bridge", "Join.", "done"),
    StepStatus("forwarding", "Pass.", "partial", ("ip_forward is 1",)),
    StepStatus("nat", "Out.", "drifted", tuple(f"rule {number}" for number in range(20))),
    StepStatus("web", "Serve.", "todo", ("a server",)),
]


def test_status() -> None:
    pipes = Pipes()
    pipes.screen.status(STATUS)
    assert (
        pipes.texts[0]
        == """\
✓ bridge      done     Join.
◐ forwarding  partial  Pass.
    missing: ip_forward is 1
! nat         drifted  Out.
    missing: rule 0
    missing: rule 1
    missing: rule 2
    missing: rule 3
    … and 16 more
○ web         todo     Serve.

1 of 4 steps done
"""
    )
    quiet, verbose = Pipes(quiet=True), Pipes(verbose=True)
    quiet.screen.status(STATUS)
    assert quiet.texts[0].splitlines() == pipes.texts[0].splitlines()[1:-2]
    verbose.screen.status(STATUS)
    assert verbose.texts[0].count("missing: rule") == 20


NODES = [
    StepNode("gateway", "An address.", (), 1, 2),
    StepNode("forwarding", "Pass.", ("gateway",), 2, 1),
    StepNode("nat", "Out.", ("forwarding",), 1, 3),
    StepNode("web", "Serve.", ("gateway",), 2, 1),
    StepNode("publish", "In.", ("web", "forwarding"), 2, 2),
]


def test_steps() -> None:
    pipes = Pipes()
    pipes.screen.steps(NODES)
    assert (
        pipes.texts[0]
        == """\
gateway        An address.
├─ forwarding  Pass.
│  └─ nat      Out.
└─ web         Serve.
   └─ publish  needs forwarding too. In.

5 steps, 8 operations, 9 proofs
"""
    )
    verbose = Pipes(verbose=True)
    verbose.screen.steps(NODES)
    assert "└─ publish  needs forwarding too. In. (2 operations, 2 proofs)\n" in verbose.texts[0]


FINDINGS = [
    SimpleNamespace(name="ip", level="ok", detail="iproute2-6.1.0", cure=""),
    SimpleNamespace(name="tcpdump", level="missing", detail="not installed", cure="sudo apt-get install tcpdump"),
    SimpleNamespace(name="userns", level="warning", detail="restricted", cure="sudo sysctl -w a=0\nsudo sysctl -w b=0"),
]


def test_findings() -> None:
    pipes = Pipes()
    pipes.screen.findings(FINDINGS)
    assert (
        pipes.texts[0]
        == """\
✓ ip       iproute2-6.1.0
✗ tcpdump  not installed
    → sudo apt-get install tcpdump
! userns   restricted
    → sudo sysctl -w a=0
    → sudo sysctl -w b=0

1 thing missing, 1 warning
"""
    )
    quiet = Pipes(quiet=True)
    quiet.screen.findings(FINDINGS)
    assert quiet.texts[0].splitlines() == pipes.texts[0].splitlines()[1:-2]
    way = Pipes()
    way.screen.findings([SimpleNamespace(name="link br0", level="conflict", detail="a real card", cure="")])
    assert way.texts[0] == "✗ link br0  a real card\n\n1 conflict\n"
    well = Pipes()
    well.screen.findings(FINDINGS[:1])
    assert well.texts[0].endswith("\n\nnothing is missing\n")


def test_sandboxes() -> None:
    pipes = Pipes()
    pipes.screen.sandboxes(
        [
            SandboxRow("default", "alive", "apply", "today 10:12", "8 of 11 steps"),
            SandboxRow("容器", "orphan", "start", "yesterday", "none"),
        ]
    )
    assert (
        pipes.texts[0]
        == """\
name     state   made by  since        steps
default  alive   apply    today 10:12  8 of 11 steps
容器     orphan  start    yesterday    none
"""
    )
    none = Pipes()
    none.screen.sandboxes([])
    assert none.texts[0] == "no sandbox\n"


FAULTS = [Fault("nat/en.md", 12, "a hint is missing", "give 3"), Fault(HOSTILE, 1, "is odd", "look")]


def test_faults() -> None:
    pipes = Pipes()
    pipes.screen.faults(FAULTS, complete=True)
    assert pipes.texts == (
        "nat/en.md:12: a hint is missing\n    → give 3\n\\x1b[2J[bold]é容器\\n:1: is odd\n    → look\n\n2 faults\n", ""
    )  # fmt: skip


@pytest.mark.parametrize(
    ("quiet", "complete", "text"),
    [(False, True, "nothing is wrong with the course\n"), (True, True, ""), (False, False, "")],
)
def test_no_faults(quiet: bool, complete: bool, text: str) -> None:
    """It is not said of a course that was not wholly looked at."""
    pipes = Pipes(quiet=quiet)
    pipes.screen.faults([], complete=complete)
    assert pipes.texts == (text, "")


def test_a_lesson_in_a_pipe_is_its_text() -> None:
    pipes = Pipes()
    pipes.screen.lesson("nat", "zh", "# 网桥\n\n`br0`\x1b[2J\n", ())
    assert pipes.texts == ("# 网桥\n\n`br0`\\x1b[2J\n", "")


def test_differences() -> None:
    pipes = Pipes()
    pipes.screen.differences(["+link br1", "-address 10.0.0.1/24"], ["net.x appeared"])
    assert pipes.texts[0] == "+link br1\n-address 10.0.0.1/24\n# net.x appeared\n"
    none = Pipes()
    none.screen.differences([], [])
    assert none.texts[0] == "no difference\n"
    quiet = Pipes(quiet=True)
    quiet.screen.differences([], ["net.x appeared"])
    assert quiet.texts[0] == ""


@pytest.mark.parametrize("text", ["a\nb\n", "a\nb", f"{HOSTILE}b\n"])
@pytest.mark.parametrize("json", [False, True])
def test_a_snapshot_in_a_pipe_is_the_text_itself(text: str, json: bool) -> None:
    pipes = Pipes(json=json)  # a snapshot is JSON as it stands
    pipes.screen.snapshot(text)
    assert pipes.texts[0] == text.removesuffix("\n") + "\n"


LOOKS: list[tuple[Callable[[Screen], None], set[str]]] = [
    (lambda screen: screen.plan(PLAN), {"steps"}),
    (lambda screen: screen.status(STATUS), {"steps"}),
    (lambda screen: screen.steps(NODES), {"steps"}),
    (lambda screen: screen.findings(FINDINGS), {"findings"}),
    (lambda screen: screen.sandboxes([]), {"sandboxes"}),
    (lambda screen: screen.differences(["+x"], []), {"differences", "notes"}),
    (lambda screen: screen.faults(FAULTS, complete=True), {"faults"}),
    (lambda screen: screen.lesson("nat", "zh", "# 网桥\n", ()), {"step", "language", "markdown"}),
]


@pytest.mark.parametrize(("draw", "keys"), LOOKS)
@pytest.mark.parametrize("quiet", [False, True])
def test_json_of_the_commands_that_only_look(draw: Callable[[Screen], None], keys: set[str], quiet: bool) -> None:
    pipes = Pipes(json=True, quiet=quiet, verbose=True)
    draw(pipes.screen)
    assert pipes.json.keys() == keys
    assert pipes.texts[0].isascii()
    assert pipes.texts[0].count("\n") == 1
    assert pipes.texts[1] == ""


def test_foreign_strings_in_a_pipe() -> None:
    pipes = Pipes()
    pipes.screen.plan(PlanView((StepPlan(HOSTILE, HOSTILE, (HOSTILE,)),)))
    pipes.screen.status([StepStatus(HOSTILE, HOSTILE, "partial", (HOSTILE,))])
    pipes.screen.steps([StepNode(HOSTILE, HOSTILE, (), 1, 1)])
    pipes.screen.findings([SimpleNamespace(name=HOSTILE, level="ok", detail=HOSTILE, cure="")])
    pipes.screen.sandboxes([SandboxRow(HOSTILE, "dead", HOSTILE, HOSTILE, HOSTILE)])
    pipes.screen.differences([HOSTILE], [HOSTILE])
    pipes.screen.note(HOSTILE)
    pipes.screen.error(CommandFailed(HOSTILE, details=[HOSTILE], hint=HOSTILE))
    text = "".join(pipes.texts)
    assert text.count("\\x1b[2J[bold]é容器") == 20
    assert "\x1b" not in text


# --- talk ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("machine", [False, True])
def test_notes_and_errors_are_on_stderr(machine: bool) -> None:
    pipes = Pipes(json=machine)
    pipes.screen.note("a sandbox was made")
    pipes.screen.error(
        NetlabError("ip failed\nand more", details=["exit 2", "one\ntwo"], hint="try netlab undo\nor netlab doctor")
    )
    assert pipes.texts == (
        "",
        "netlab: a sandbox was made\n"
        "netlab: ip failed\n  and more\n  exit 2\n  one\n  two\n→ try netlab undo\n  or netlab doctor\n",
    )


def test_quiet_still_says_what_went_wrong() -> None:
    pipes = Pipes(quiet=True)
    pipes.screen.note("a sandbox was made")
    pipes.screen.error(NetlabError(""))
    assert pipes.texts == ("", "netlab: NetlabError\n")


# --- as a process ----------------------------------------------------------------------------------------------------

PROGRAM = r"""
import sys
from netlab.events import *
from netlab.render import Screen
Screen(json="--json" in sys.argv, quiet=False, verbose=False).walk([
    WalkBegun("apply", ("a",)),
    StepBegun("a", "\u00e9", 0, 1),
    Ran("a", "x", "ip link add \u00e9", 0.1),
    StepEnded("a", 0, 1, 0.5),
])
print([name for name in sys.modules if name.startswith("rich")], file=sys.stderr)
"""


@pytest.mark.parametrize(
    ("environ", "first"),
    [
        ({"LANG": "C.UTF-8"}, "✓ a  1 ran"),
        ({"LANG": "C"}, "+ a  1 ran"),
        ({"LC_ALL": "C"}, "+ a  1 ran"),
        ({"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}, "+ a  1 ran"),
        ({"LANG": "C.UTF-8", "PYTHONIOENCODING": "ascii"}, "+ a  1 ran"),
    ],
)
@pytest.mark.parametrize("flags", [[], ["--json"]])
def test_locales_and_no_rich_where_nobody_looks(environ: dict[str, str], first: str, flags: list[str]) -> None:
    environ = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1", **environ}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *flags], env=environ, capture_output=True, check=True, cwd=ROOT
    )
    assert done.stderr.decode() == "[]\n"
    assert done.stdout.decode().startswith('{"event": "begun"' if flags else first)

"""The command line where there is no lab: what is parsed, what is shown of nothing, and how each error ends."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

import netlab
from netlab import __version__, errors, processes, sandbox, signals, state
from netlab.__main__ import main
from netlab.errors import NetlabError
from tests.kernel.tutorial import ONLY_IF_MISSING, OPERATIONS, PLAN, SEEN, STEPS, TREE
from tests.toy import TOY

TOP = Path(netlab.__file__).resolve().parent.parent


class Said(NamedTuple):
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Run = Callable[..., Said]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """Runs `netlab WORDS…` in this process, where no state folder can be made."""

    def command(*words: str | Path) -> Said:
        monkeypatch.setattr(sys, "argv", ["netlab", *map(str, words)])
        with pytest.raises(SystemExit) as end:
            main()
        out, err = capsys.readouterr()
        return Said(end.value.code if isinstance(end.value.code, int) else 1, out, err)

    before = {number: signal.getsignal(number) for number in signals.ENDING}
    yield command
    for number, handler in before.items():
        signal.signal(number, handler)


# --- what is shown of nothing ----------------------------------------------------------------------------------------


def test_the_whole_plan(run: Run) -> None:
    said = run("plan", "--json")
    assert (said.code, said.err) == (0, "")
    assert said.json == {
        "steps": [
            {"name": name, "commands": commands, "only_if_missing": ONLY_IF_MISSING.get(name, [])}
            for name, commands in PLAN.items()
        ]
    }


def test_a_plan_can_be_pasted(run: Run) -> None:
    lines = [line.strip().partition("  #")[0] for line in run("plan").out.splitlines() if not line.startswith("#")]
    assert lines == [line for name in PLAN for line in [*PLAN[name], *ONLY_IF_MISSING.get(name, [])]]


def test_status_of_nothing(run: Run) -> None:
    assert run("status", "--json").json == {"steps": [{"name": name, "state": "todo", "missing": []} for name in PLAN]}
    assert run("status", "--exit-code").code == 3
    assert run("plan", "--exit-code").code == 3


def test_proofs_of_nothing(run: Run) -> None:
    said = run("prove", "--json")
    assert (said.code, said.json) == (1, {"proofs": [], "left_out": []})
    assert "no step is done: netlab apply" in said.err


def test_undo_of_nothing(run: Run) -> None:
    said = run("undo")
    assert (said.code, said.out) == (0, "")
    assert "there is no lab in sandbox 'default': nothing to undo" in said.err
    assert run("undo", "--quiet") == (0, "", "")


def test_the_steps_are_a_tree(run: Run) -> None:
    *lines, empty, last = run("steps").out.splitlines()
    for line, branch in zip(lines, TREE.strip().splitlines(), strict=True):
        assert line.startswith(f"{branch} "), line
    assert "needs forwarding too. " in next(line for line in lines if "─ publish " in line)
    given = 2  # the subnet's route and the policy, which a lab has by itself
    said = f"{len(STEPS)} steps, {len(OPERATIONS) + given} operations, {len(SEEN) + 1} proofs"
    assert (empty, last) == ("", said)


def test_another_course(run: Run) -> None:
    for words in (["--course", TOY, "steps", "--json"], ["steps", "--json", "--course", TOY]):
        assert [each["name"] for each in run(*words).json["steps"]] == ["switch", "address"]


# --- options before and after ----------------------------------------------------------------------------------------

BOTH = {
    "--json": (["--json"], lambda said: said.out.startswith("{")),
    "--quiet": (["--quiet"], lambda said: f"0 of {len(STEPS)} steps done" not in said.out),
    "-q": (["-q"], lambda said: f"0 of {len(STEPS)} steps done" not in said.out),
    "--course": (["--course", str(TOY)], lambda said: "switch" in said.out),
    "--sandbox": (["--sandbox", "../x"], lambda said: said.code == 2 and "cannot be a sandbox's name" in said.err),
    "--host": (["--host"], lambda said: said.code == 5 and "which takes root" in said.err),
    "--wait": (["--wait", "soon"], lambda said: said.code == 2 and "soon" in said.err),
    "-v": (["-v"], lambda said: said.code == 0),
}  # fmt: skip


@pytest.mark.parametrize(("option", "seen"), BOTH.values(), ids=BOTH)
def test_shared_options_mean_the_same_before_and_after(
    run: Run, monkeypatch: pytest.MonkeyPatch, option: list[str], seen: Callable[[Said], bool]
) -> None:
    if option == ["--host"]:
        monkeypatch.setattr(os, "geteuid", lambda: 1000)
    before, after = run(*option, "status"), run("status", *option)
    assert seen(before), before
    assert seen(after), after
    if before.code != 2:  # click's own words name the command
        assert before == after


def test_the_last_of_two_counts(run: Run) -> None:
    assert run("--sandbox", "../x", "status", "--sandbox", "fine").code == 0
    assert run("--sandbox", "fine", "status", "--sandbox", "../x").code == 2


def test_host_from_the_environment(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NETLAB_HOST", "1")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert run("status").code == 5


HOST = {
    "two places": (["--host", "--sandbox", "x", "status"], "two places"),
    "no sandboxes there": (["--host", "sandbox", "start"], "with --host there is no sandbox"),
    "what is adopted": (["apply", "--adopt"], "--adopt goes with --host"),
    "who may be asked": (["prove", "--internet", "1.2.3.4"], "--internet goes with --host"),
}


@pytest.mark.parametrize(("words", "why"), HOST.values(), ids=HOST)
def test_options_that_do_not_go_together(run: Run, words: list[str], why: str) -> None:
    said = run(*words)
    assert (said.code, why in said.err) == (2, True), said


@pytest.mark.parametrize("group", [(), ("sandbox",), ("course",)], ids=" ".join)
def test_every_command_explains_itself(run: Run, group: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    """In whole sentences where 80 columns are, and every option and argument with a word."""
    monkeypatch.setenv("COLUMNS", "80")
    commands = re.findall(r"(?m)^  (\w+) +(.*)$", run(*group, "--help").out.partition("Commands:\n")[2])
    assert len(commands) == {"": 17, "sandbox": 3, "course": 2}["".join(group)]
    for name, about in commands:
        assert re.fullmatch(r".*[^.]\.", about), name
        said = run(*group, name, "--help")
        assert said.code == 0
        assert re.findall(r"(?m)^  (?:-|\[?[A-Z])\S*(?: [A-Z]+)?(?: +\[required\])?$", said.out) == [], name


def test_without_a_command_its_help_and_with_version_the_version(run: Run) -> None:
    assert "Usage: netlab" in run().err
    assert run("--version") == (0, f"netlab {__version__}\n", "")


# --- errors ----------------------------------------------------------------------------------------------------------

WRONG = {
    "an unknown command": (["aply"], "aply"),
    "an unknown option": (["apply", "--untl", "x"], "--untl"),
    "a missing value": (["apply", "--until"], "--until"),
    "an unknown step": (["apply", "--until", "nta"], "did you mean nat?"),
    "an unknown step to undo": (["plan", "--until", "nta"], "did you mean nat?"),
    "an unknown step to prove": (["prove", "nat", "nta"], "did you mean nat?"),
    "a wrong parameter": (["plan", "--set", "bridge=-x"], "bridge = '-x'"),
    "no parameter": (["plan", "--set", "bridge"], "--set 'bridge' is no key=value"),
    "no lab file": (["plan", "--lab", "/nowhere.toml"], "/nowhere.toml cannot be read"),
    "no course": (["plan", "--course", "/nowhere"], "/nowhere is no course"),
    "no snapshot": (["snapshot", "--compare", "/nowhere"], "/nowhere cannot be read"),
    "nothing to take one of": (["snapshot"], "there is no sandbox 'default'"),
    "parameters for a lab that stands": (["prove", "--set", "bridge=x"], "go with `prove --cycle`"),
    "an unknown step to learn": (["learn", "nta"], "did you mean nat?"),
    "a language that is not there": (["learn", "--lang", "fr"], "there are no words in 'fr'"),
    "a course without lessons": (["learn", "--course", str(TOY)], "this course has no lessons to learn from"),
    "hands-on on a machine": (["learn", "--hands-on", "--host"], "--hands-on is for a sandbox"),
    "hands-on with nobody there": (["learn", "--hands-on"], "takes somebody at a terminal"),
    "learning as JSON": (["learn", "--json"], "learn is for people"),
    "a command without its words": (["exec", "host"], "COMMAND"),
}


@pytest.mark.parametrize(("words", "said"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_said_on_stderr(run: Run, words: list[str], said: str) -> None:
    found = run(*words)
    if words[0] in ("apply", "exec") and found.code == 4:
        assert "XDG_STATE_HOME" in found.err  # it was looked for first where the state is
        return
    assert found.code == 2, found
    assert said in found.err
    assert found.out == ""


KINDS = {
    errors.UsageError: 2,
    errors.CourseError: 2,
    errors.CommandFailed: 1,
    errors.DidNotHold: 1,
    errors.Conflict: 4,
    errors.UnsafeState: 4,
    errors.Unreadable: 4,
    errors.Untrusted: 4,
    errors.Missing: 5,
    errors.Interrupted: 130,
    NetlabError: 1,
}
"""The one table of exit codes."""


@pytest.mark.parametrize(("kind", "code"), KINDS.items(), ids=[kind.__name__ for kind in KINDS])
def test_every_error_ends_in_its_code(
    run: Run, monkeypatch: pytest.MonkeyPatch, kind: type[NetlabError], code: int
) -> None:
    def fail() -> None:
        raise kind("it went wrong\nin two lines", details=("ip link add", "it said: no"), hint="try again")

    monkeypatch.setattr(state, "default_base", fail)
    for words in (["status"], ["status", "--json"], ["status", "--quiet"]):
        said = run(*words)
        assert (said.code, said.out) == (code, "")
        for part in ("netlab: it went wrong", "in two lines", "ip link add", "it said: no", "→ try again"):
            assert part in said.err
        assert "Traceback" not in said.err


def test_every_kind_of_error_is_in_the_table() -> None:
    kinds = [each for each in vars(errors).values() if isinstance(each, type) and issubclass(each, BaseException)]
    assert set(kinds) == KINDS.keys()


def test_where_no_state_can_be_kept(run: Run) -> None:
    said = run("apply")
    assert said.code == 4
    assert "the state folder /proc/no-state/netlab/default cannot be made" in said.err
    assert "set XDG_STATE_HOME to a folder of yours" in said.err


def test_errors_survive_the_way_out_of_the_sandbox() -> None:
    import pickle

    for kind in KINDS:
        error = kind("message", details=("a", "b"), hint="hint")
        error.code = 77
        back = pickle.loads(pickle.dumps(error))
        assert (type(back), back.message, back.details, back.hint, back.code) == (
            kind,
            "message",
            ("a", "b"),
            "hint",
            77,
        )


# --- the guard of these tests ----------------------------------------------------------------------------------------


def test_who_did_not_ask_for_a_lab_gets_none(tmp_path: Path) -> None:
    holder = sandbox.Holder.of(os.getpid())
    for reach in (
        lambda: processes.Running(("/bin/true",)),
        lambda: sandbox.start(tmp_path, lambda holder: None),
        lambda: sandbox.enter(holder, lambda: None),
        lambda: sandbox.end(holder),
    ):
        with pytest.raises(pytest.fail.Exception, match="did not ask for a lab"):
            reach()
    with pytest.raises(NetlabError):
        state.State(state.default_base(), "default").create()


# --- quick -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "heavy"),
    [
        (["--help"], {"sh", "networkx", "pydantic", "tenacity", "rich", "asyncio"}),
        (["--version"], {"sh", "networkx", "pydantic", "tenacity", "rich", "asyncio"}),
        (["sandbox", "--help"], {"sh", "networkx", "pydantic", "tenacity", "rich"}),
        (["status", "--json"], {"rich"}),
    ],
)
def test_only_what_is_needed_is_imported(words: list[str], heavy: set[str]) -> None:
    command = [sys.executable, "-P", "-X", "importtime", "-m", "netlab", *words]
    environment = {"PYTHONPATH": str(TOP), "XDG_STATE_HOME": "/proc/no-state", "PATH": "/usr/bin:/bin"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=True)
    imported = {line.rpartition("|")[2].strip().partition(".")[0] for line in done.stderr.splitlines()}
    assert imported & heavy == set()
    assert "typer" in imported

"""A course of one's own: made, run, checked with its proofs in a sandbox; and explained."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pexpect
import pytest

from netlab.course import default_folder
from netlab.render.lines import cells
from tests.kernel.runner import COMMAND, Netlab
from tests.toy import TOY

pytestmark = pytest.mark.kernel


@pytest.fixture
def made(netlab: Netlab) -> Iterator[Path]:
    """A new course, in the folder in which netlab is called."""
    folder = netlab.home / "work/made"
    done = netlab("course", "new", "made")
    assert (done.out, done.err) == ("", "netlab: made a course in made; run it with: netlab apply --course made\n")
    yield folder
    assert netlab.left() == []


def test_nothing_is_wrong_with_the_course(netlab: Netlab) -> None:
    done = netlab("course", "check")
    assert (done.out, done.err) == ("nothing is wrong with the course\n", "")
    assert netlab("course", "check", "--quiet").out == ""
    assert netlab.json("course", "check") == {"faults": []}
    assert netlab.left() == []


def test_a_new_course_runs_at_once(netlab: Netlab, made: Path) -> None:
    assert netlab("course", "check", "made").out == "nothing is wrong with the course\n"
    applied = netlab("apply", "--course", "made", "--json")
    assert applied.ran == ["address 10.99.0.1/32 on lo"]
    assert [each["ok"] for each in applied.proofs] == [True]
    assert netlab("explain", "address", "--course", "made").out == (made / "address/en.md").read_text()
    netlab.undo()


def test_its_own_tests_are_green(netlab: Netlab, made: Path) -> None:
    """As the author runs them, and they fail when something is wrong."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(made), str(made)]

    def ended() -> subprocess.CompletedProcess[str]:
        return subprocess.run(command, env=netlab.environment, cwd=made, capture_output=True, text=True, check=False)

    done = ended()
    assert (done.returncode, "2 passed" in done.stdout) == (0, True), done.stdout
    (made / "address/zh.md").unlink()
    done = ended()
    assert (done.returncode, "1 failed, 1 passed" in done.stdout) == (1, True), done.stdout
    assert "the lesson of step 'address' is not there" in done.stdout


def test_a_proof_that_passes_before_its_step(netlab: Netlab, made: Path) -> None:
    step = made / "address/step.py"
    step.write_text(step.read_text().replace("ping(HOST, lab.address)", 'ping(HOST, "127.0.0.1")'))
    (made / "notes").touch()
    done = netlab("course", "check", "made", code=1)
    place, todo, stray, away, empty, count = done.out.splitlines()
    passes = "step 'address': a proof does not fail before its step: host pings 127.0.0.1: 64 bytes from 127.0.0.1"
    assert place.startswith(f"made/address/step.py:19: {passes}")
    assert todo == "    → prove something that only this step brings about"
    assert stray == "made/notes:1: this file belongs to nothing in the course"
    assert away == "    → import it, list its step in __init__.py, or take it away"
    assert (empty, count, done.err) == ("", "2 faults", "")
    found = netlab.json("course", "check", "made", code=1)["faults"]
    assert [(each["file"], each["line"]) for each in found] == [("made/address/step.py", 19), ("made/notes", 1)]


def test_a_step_that_does_not_come_about(netlab: Netlab, made: Path) -> None:
    """What the files show is told first; then what happened in the sandbox, with its own exit code."""
    table = made / "__init__.py"
    later = "from .later import step as later\nfrom .lab"
    table.write_text(
        table.read_text().replace("from .lab", later).replace('ss": address,\n', 'ss": address,\n    "later": later,\n')
    )
    (made / "later").mkdir()
    (made / "later/__init__.py").touch()
    (made / "later/step.py").write_text((made / "address/step.py").read_text().replace("()\n", '("address",)\n', 1))
    step = made / "address/step.py"
    step.write_text(step.read_text().replace("lab.card)", '"nosuch0")'))
    done = netlab("course", "check", "made", code=1)
    assert "made/later/en.md:1: the lesson of step 'later' is not there" in done.out
    assert "it was not seen whether each proof fails before its step" in done.err
    assert 'Cannot find device "nosuch0"' in done.err


@pytest.mark.parametrize("words", [("nowhere",), ("--course", "nowhere")])
def test_no_folder(netlab: Netlab, words: tuple[str, ...]) -> None:
    assert "nowhere is no folder" in netlab("course", "check", *words, code=2).err


def test_a_folder_that_is_no_course(netlab: Netlab) -> None:
    done = netlab("course", "check", ".", code=1)
    assert re.match(r"__init__\.py:1: \S*/work is no course: it has no __init__\.py\n", done.out)


# --- explain ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_lesson_in_a_pipe_is_its_markdown(netlab: Netlab, language: str) -> None:
    done = netlab("explain", "nat", "--lang", language)
    assert done.out == (default_folder() / f"nat/{language}.md").read_text()
    assert done.err == {"en": "netlab: step 9 of 11\n", "zh": "netlab: 第 9 步，共 11 步\n"}[language]
    assert netlab("explain", "nat", "--lang", language, "--quiet").err == ""
    whole = {"step": "nat", "language": language, "markdown": done.out}
    assert netlab.json("explain", "nat", "--lang", language) == whole


def test_the_locale_chooses(netlab: Netlab) -> None:
    netlab.environment["LC_ALL"] = "zh_CN.UTF-8"
    assert netlab("explain", "nat").out.startswith("# NAT：所有容器共用一个地址\n")
    assert netlab("explain", "nat", "--lang", "en").out.startswith("# NAT: all containers")


def test_it_needs_no_lab_and_waits_for_no_lock(netlab: Netlab) -> None:
    """Where no state can be kept, and inside a sandbox too, from which no lab can be seen."""
    netlab.environment["XDG_STATE_HOME"] = "/proc/nowhere"
    assert netlab("explain", "web").out
    netlab.environment["XDG_STATE_HOME"] = str(netlab.home / "state")
    inside = [*COMMAND, "explain", "web", "--quiet"]
    assert netlab("exec", "host", "--", *inside).out == netlab("explain", "web").out


# fmt: off
WRONG = {
    "no step": (["bridges"], "there is no step 'bridges'", "did you mean bridge?"),
    "no language": (["nat", "--lang", "fr"], "there are no words in 'fr'", "there are: en, zh"),
    "no lesson": (["switch", "--course", "toy"], "step 'switch' has no lesson in this language", "write it there"),
}
# fmt: on


@pytest.mark.parametrize(("words", "message", "further"), WRONG.values(), ids=WRONG)
def test_what_cannot_be_explained(netlab: Netlab, words: list[str], message: str, further: str) -> None:
    os.symlink(TOY, netlab.home / "work/toy")
    err = netlab("explain", *words, code=2).err
    assert message in err
    assert further in err


@pytest.mark.parametrize("columns", [40, 80, 120])
def test_on_a_terminal_it_fits(netlab: Netlab, columns: int) -> None:
    environment = {**netlab.environment, "NO_COLOR": "1", "LANG": "C.UTF-8"}
    words = [*COMMAND[1:], "explain", "loopback", "--lang", "zh"]
    child = pexpect.spawn(COMMAND[0], words, env=environment, dimensions=(24, columns), encoding="utf-8", timeout=60)
    screen = child.read()
    child.close()
    assert child.exitstatus == 0
    shown = [line for line in written(screen) if not line.startswith("    ")]
    assert max(map(cells, shown)) <= min(columns, 100)
    assert shown[0] == "回环：容器和自己说话"[: len(shown[0])]
    assert any("127.0.0.1" in line for line in shown)


def written(screen: str) -> list[str]:
    return re.sub(r"\x1b\[[0-9;]*m", "", screen).replace("\r", "").splitlines()

"""The content checker on whole courses: what comes with netlab is in order, and each change of it is found."""

# ruff: noqa: E501 — a row of a table is a line

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from netlab import authoring, checking, course, lab, lessons
from netlab.course import default_folder
from netlab.errors import Untrusted
from netlab.events import Event, Note, Proved

# --- the course that comes with netlab -------------------------------------------------------------------------------


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """A new course, the template as its author has it: also root may run it, whoever's the checkout is."""
    authoring.new(tmp_path / "made")
    return tmp_path / "made"


def test_nothing_is_wrong_with_the_course() -> None:
    assert checking.check(default_folder()) == checking.Checked((), provable=True)


def test_nothing_is_wrong_with_a_new_course(made: Path) -> None:
    assert checking.check(made) == checking.Checked((), provable=True)


def test_the_lessons_commands_are_the_plans() -> None:
    """The same again without the checker: what a reader types is what `netlab plan` shows, to the letter."""
    choice = lab.Choice.of(default_folder(), {})
    for step in lab.plan(choice.chapters, lab.Nothing()).steps:
        shown = [f"$ {each}" for each in step.commands]
        shown += [f"$ {each}  # only if missing" for each in step.only_if_missing if each not in step.commands]
        for heading, language in (("Commands", "en"), ("命令", "zh")):
            text = lessons.path_of(default_folder(), step.name, language).read_text(encoding="utf-8")
            (block,) = re.findall(rf"(?ms)^## {heading}\n\n```console\n(.*?)^```", text)
            assert [line for line in block.splitlines() if line.startswith("$ ")] == shown


def test_every_step_has_its_lessons() -> None:
    found = {path.relative_to(default_folder()).as_posix() for path in default_folder().glob("*/*.md")}
    names = course.load(default_folder()).steps
    assert found == {f"{name}/{language}.md" for name in names for language in ("en", "zh")}


# --- what an author is told ------------------------------------------------------------------------------------------

Change = Callable[[Path], object]


def edit(name: str, old: str, new: str) -> Change:
    def change(folder: Path) -> None:
        text = (folder / name).read_text(encoding="utf-8")
        assert old in text
        (folder / name).write_text(text.replace(old, new), encoding="utf-8")

    return change


def write(name: str, text: str = "") -> Change:
    return lambda folder: (folder / name).write_text(text, encoding="utf-8")


def remove(name: str) -> Change:
    return lambda folder: (folder / name).unlink()


STEP = "address/step.py"
STAYS = 'refused(HOST, "http://127.0.0.1:9/")'

# fmt: off
FAULTS: dict[str, tuple[list[Change], list[str]]] = {
    "a lesson missing": ([remove("address/zh.md")], [
        "address/zh.md:1: the lesson of step 'address' is not there → write it in UTF-8, as its siblings"]),
    "a lesson that is no UTF-8": ([lambda folder: (folder / "address/zh.md").write_bytes(b"\xff")], [
        "address/zh.md:1: the lesson of step 'address' cannot be read: 'utf-8' codec can't decode byte 0xff in position 0: invalid start byte → write it in UTF-8, as its siblings"]),
    "other commands than the plan's": ([edit("lab.py", '"10.99.0.1"', '"10.99.0.2"')], [
        "address/en.md:41: the step's plan has `ip addr add 10.99.0.2/32 dev lo`, not `ip addr add 10.99.0.1/32 dev lo` → write what the plan has",
        "address/zh.md:39: the step's plan has `ip addr add 10.99.0.2/32 dev lo`, not `ip addr add 10.99.0.1/32 dev lo` → write what the plan has",
        "address/en.md:32: the last hint does not show a command of the step → show `ip addr add 10.99.0.2/32 dev lo`",
        "address/zh.md:30: the last hint does not show a command of the step → show `ip addr add 10.99.0.2/32 dev lo`"]),
    "languages out of step": ([edit("address/zh.md", "127.0.0.1/8 10.99.0.1/32", "127.0.0.1/8")], [
        "address/zh.md:47: this fence differs from en.md:49 → show the same in both"]),
    "a step without a proof": ([edit(STEP, "yield ping(HOST, lab.address)", "yield from ()")], [
        "address/step.py:19: step 'address' has no proof → yield a look that fails before the step"]),
    "only what stays as it is": ([edit(STEP, "import HOST, ping", "import HOST, refused"), edit(STEP, "ping(HOST, lab.address)", STAYS)], [
        "address/step.py:19: step 'address' has no proof: what stays as it was proves nothing → yield a look that fails before the step"]),
    "an unknown need": ([edit(STEP, "needs = ()", 'needs = ("adress",)')], [
        "address/step.py:11: step 'address' needs 'adress', which is no step → did you mean address?"]),
    "a circle": ([edit(STEP, "needs = ()", 'needs = ("address",)')], [
        "__init__.py:1: the steps need each other in a circle: address → address → take one need away"]),
    "no needs, and no proofs": ([edit(STEP, "needs = ()", ""), edit(STEP, "def proofs", "def proof")], [
        "address/step.py:1: step 'address' of {folder} has no 'needs' → define needs in its module"]),
    "an operation twice": ([edit(STEP, "    yield address(", "    for _ in (1, 2):\n        yield address(")], [
        "address/step.py:14: step 'address' declares an operation twice: address 10.99.0.1/32 on lo → correct it"]),
    "a step that fails": ([edit(STEP, "lab.card", "lab.cord")], [
        "address/step.py:14: step 'address' does not yield its operations: {folder}/address/step.py:16: AttributeError: 'Lab' object has no attribute 'cord' → correct it"]),
    "a proof in a namespace that nobody makes": ([edit(STEP, "ping(HOST,", 'ping("box",')], [
        "address/step.py:19: step 'address': box pings 10.99.0.1: nothing makes the namespace box → name one that is made: host"]),
    "needs that are no names": ([edit(STEP, "needs = ()", "needs = (7,)")], [
        "address/step.py:11: 'needs' of step 'address' of {folder} is (7,) → it has to be a tuple of names: needs = (\"one\", \"two\")"]),
    "a file that belongs to nothing": ([write("notes.txt"), write("address/fr.md"), write("old.py")], [
        "address/fr.md:1: this file belongs to nothing in the course → import it, list its step in __init__.py, or take it away",
        "notes.txt:1: this file belongs to nothing in the course → import it, list its step in __init__.py, or take it away",
        "old.py:1: this file belongs to nothing in the course → import it, list its step in __init__.py, or take it away"]),
    "a step that nobody listed": ([lambda folder: shutil.copytree(folder / "address", folder / "spare")], [
        f"spare/{name}:1: this file belongs to nothing in the course → import it, list its step in __init__.py, or take it away"
        for name in ("__init__.py", "en.md", "step.py", "zh.md")]),
    "what may stand beside it": ([write("LICENSE"), write(".gitignore"), write("tests/data.txt")], []),
    "a course that cannot be loaded": ([edit("__init__.py", "from .lab import Lab", "from .lib import Lab")], [
        "__init__.py:1: the course {folder} cannot be loaded: {folder}/__init__.py:7: ModuleNotFoundError: No module named '{package}.lib' → correct it"]),
    "a course that lacks a part": ([edit("__init__.py", "COURSE:", "STEPS:")], [
        "__init__.py:1: {folder}/__init__.py has no COURSE → define or import COURSE there"]),
    "parameters without a default": ([edit("lab.py", 'card: str = "lo"', "card: str")], [
        "__init__.py:1: the lab's parameters are wrong: card = {}: field required → nothing was run; correct them"]),
    "all at once": ([remove("address/zh.md"), write("notes.txt"), edit(STEP, "needs = ()", 'needs = ("adress",)')], [
        "address/step.py:11: step 'address' needs 'adress', which is no step → did you mean address?",
        "address/zh.md:1: the lesson of step 'address' is not there → write it in UTF-8, as its siblings",
        "notes.txt:1: this file belongs to nothing in the course → import it, list its step in __init__.py, or take it away"]),
}
# fmt: on

UNPROVABLE = {
    "an unknown need", "a circle", "no needs, and no proofs", "an operation twice", "a step that fails",
    "a proof in a namespace that nobody makes", "needs that are no names",
    "a course that cannot be loaded", "a course that lacks a part", "parameters without a default", "all at once",
}  # fmt: skip
"""With these no lab can be made, so no proof can be looked at."""


def test_an_operation_in_a_namespace_that_nobody_makes(made: Path) -> None:
    edit(STEP, "lab.card)", 'lab.card, "box")')(made)
    told = [fault.what for fault in checking.check(made).faults]
    assert "step 'address': address 10.99.0.1/32 on lo in box: nothing makes the namespace box" in told


@pytest.mark.parametrize("name", FAULTS)
def test_faults(name: str, made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    changes, expected = FAULTS[name]
    for change in changes:
        change(made)
    monkeypatch.chdir(made)
    checked = checking.check(made)
    found = [f"{each.file}:{each.line}: {each.what} → {each.todo}" for each in checked.faults]
    found = [re.sub(r"netlab_course_\w{12}", "{package}", each).replace(str(made), "{folder}") for each in found]
    assert sorted(found) == sorted(expected)
    assert checked.provable == (name not in UNPROVABLE)


def test_a_fault_is_named_from_where_one_is(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = made / "address/zh.md"
    file.unlink()
    elsewhere = made.parent / "elsewhere"
    elsewhere.mkdir()
    for here, expected in ((made.parent, "made/address/zh.md"), (Path("/"), str(file)[1:]), (elsewhere, str(file))):
        monkeypatch.chdir(here)
        assert [each.file for each in checking.check(made).faults] == [expected]


def test_who_may_not_run_it_is_told_no_fault(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 0)
    (made / "lab.py").chmod(0o666)
    with pytest.raises(Untrusted):
        checking.check(made)


def test_a_proof_that_passes_before_its_step(made: Path) -> None:
    def proved(*, ok: bool, stays: bool = False) -> Event:
        return Proved("address", "host pings 10.99.0.1", "not yet: answers", "64 bytes", ok, 0.1, "before", stays)

    events = [Note("hello"), proved(ok=True), proved(ok=False, stays=True), proved(ok=False)]
    (fault,) = checking.green_too_soon(made, events)
    assert fault.file.endswith("address/step.py")
    assert fault.what == "step 'address': a proof does not fail before its step: host pings 10.99.0.1: 64 bytes"
    assert (made / "address/step.py").read_text().splitlines()[fault.line - 1].startswith("def proofs")

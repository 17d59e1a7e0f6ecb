"""Courses that are broken in each way: their author is told which part is wrong and where, before anything runs."""

# ruff: noqa: E501 — a row of a table is a line

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from netlab import authoring, lab
from netlab.errors import CourseError, UsageError

INIT, LAB, STEP, AROUND = "__init__.py", "lab.py", "address/step.py", "surroundings.py"


class Broken(NamedTuple):
    file: str
    old: str
    new: str
    said: str
    """A part of the message."""
    detail: str = ""
    """The detail's beginning, with {folder}."""


COURSE = 'COURSE: dict[str, Step] = {\n    "address": address,\n}'
YIELD = 'yield address(f"{lab.address}/32", lab.card)'
PING = "yield ping(HOST, lab.address)"
BROKEN: dict[str, Broken] = {
    # The table of contents.
    "it ends Python": Broken(INIT, "COURSE:", "raise SystemExit(0)\nCOURSE:", "cannot be loaded", "{folder}/__init__.py:11: SystemExit: 0"),
    "it calls itself for ever": Broken(INIT, "COURSE:", "def f(): f()\nf()\nCOURSE:", "cannot be loaded", "{folder}/__init__.py:11: RecursionError"),
    "no Python": Broken(INIT, "COURSE:", "def", "cannot be loaded", "SyntaxError: "),
    "COURSE is a list": Broken(INIT, COURSE, "COURSE = [address]", "COURSE in {folder}/__init__.py is a list"),
    "COURSE is None": Broken(INIT, COURSE, "COURSE = None", "COURSE in {folder}/__init__.py is None"),
    "COURSE is empty": Broken(INIT, COURSE, "COURSE = {}", "COURSE in {folder}/__init__.py is empty"),
    "a step's name is a number": Broken(INIT, '"address":', "7:", "a step of the name 7"),
    "a step's name is an option": Broken(INIT, '"address":', '"-t":', "a step of the name '-t'"),
    "a step's name leads away": Broken(INIT, '"address":', '"../x":', "a step of the name '../x'"),
    "a step's name has an escape": Broken(INIT, '"address":', '"\\x1b[31mx":', r"a step of the name '\x1b[31mx'"),
    "a step is a string": Broken(INIT, '"address": address', '"address": "address"', "step 'address' of {folder} has no 'needs'"),
    # A step.
    "needs is a string": Broken(STEP, "needs = ()", 'needs = "address"', "'needs' of step 'address' of {folder} is 'address'"),
    "needs is None": Broken(STEP, "needs = ()", "needs = None", "'needs' of step 'address' of {folder} is None"),
    "needs has a number": Broken(STEP, "needs = ()", "needs = (7,)", "'needs' of step 'address' of {folder} is (7,)"),
    "it needs itself": Broken(STEP, "needs = ()", 'needs = ("address",)', "the steps need each other in a circle: address → address"),
    "operations is no function": Broken(STEP, "def proofs", "operations = 7\n\n\ndef proofs", "'operations' of step 'address' of {folder} is an int"),
    "operations takes nothing": Broken(STEP, "def operations(lab: Lab)", "def operations()", "step 'address' does not yield its operations", "TypeError: "),
    "operations fails": Broken(STEP, YIELD, "1 / 0\n    " + YIELD, "step 'address' does not yield its operations", "{folder}/address/step.py:16: ZeroDivisionError"),
    "operations ends Python": Broken(STEP, YIELD, "raise SystemExit(0)\n    " + YIELD, "step 'address' does not yield its operations", "{folder}/address/step.py:16: SystemExit"),
    "operations gives nothing": Broken(STEP, YIELD, "return None", "step 'address' does not yield its operations", "TypeError: "),
    "an operation is a string": Broken(STEP, YIELD, 'yield "ip link"', "step 'address' yields 'ip link' as one of its operations"),
    "an operation is a proof": Broken(STEP, YIELD, PING, "step 'address' yields Ping("),
    "an operation's name is an option": Broken(STEP, "lab.card)", '"-t")', "step 'address' does not yield its operations", "{folder}/address/step.py:16: ValueError: '-t' can be no card's name"),
    "an operation's name is a list": Broken(STEP, "lab.card)", '["lo"])', "step 'address' does not yield its operations", "{folder}/address/step.py:16: TypeError"),
    "an operation's address is none": Broken(STEP, 'f"{lab.address}/32"', '"nonsense/32"', "step 'address' does not yield its operations", "{folder}/address/step.py:16: "),
    "proofs fails": Broken(STEP, PING, "1 / 0\n    " + PING, "step 'address' does not yield its proofs", "{folder}/address/step.py:21: ZeroDivisionError"),
    "proofs gives nothing": Broken(STEP, PING, "return None", "step 'address' does not yield its proofs"),
    "a proof is a string": Broken(STEP, PING, 'yield "ping"', "step 'address' yields 'ping' as one of its proofs"),
    "a proof asks an option": Broken(STEP, "lab.address)\n", '"-t")\n', "step 'address' does not yield its proofs", "{folder}/address/step.py:21: AddressValueError"),
    # The parameters.
    "Lab is a number": Broken(INIT, "from .lab import Lab", "Lab = 7", "Lab in {folder}/__init__.py is an int"),
    "Lab is no model": Broken(LAB, "class Lab(BaseModel)", "class Lab", "Lab in {folder}/__init__.py is a type"),
    "Lab has a value too few": Broken(LAB, 'card: str = "lo"', "card: str", "the lab's parameters are wrong", "card = {{}}: field required"),
    "a check of Lab's fails": Broken(LAB, 'card: str = "lo"', 'card: str = "lo"\n\n    def model_post_init(self, context):\n        1 / 0', "Lab cannot check its parameters", "{folder}/lab.py:15: ZeroDivisionError"),
    # The surroundings.
    "no surroundings": Broken(INIT, "from . import surroundings", "surroundings = None", "the surroundings' module of {folder} has no 'NODES'"),
    "no NODES": Broken(AROUND, "NODES = ()", "NODE = ()", "the surroundings' module of {folder} has no 'NODES'"),
    "NODES is a string": Broken(AROUND, "NODES = ()", 'NODES = "ab"', "'NODES' of the surroundings' module of {folder} is 'ab'"),
    "a node's name leads away": Broken(AROUND, "NODES = ()", 'NODES = ("../x",)', "NODES of the surroundings' module of {folder} are wrong", "ValueError: '../x' can be no network namespace's name"),
    "the surroundings fail": Broken(AROUND, 'yield up("lo")', '1 / 0\n    yield up("lo")', "the surroundings' module does not yield its operations", "{folder}/surroundings.py:16: ZeroDivisionError"),
    "the surroundings are a string": Broken(AROUND, 'yield up("lo")', 'yield "lo"', "the surroundings' module yields 'lo' as one of its operations"),
}  # fmt: skip


def break_it(folder: Path, broken: Broken) -> None:
    path = folder / broken.file
    text = path.read_text(encoding="utf-8")
    assert broken.old in text
    path.write_text(text.replace(broken.old, broken.new), encoding="utf-8")


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN)
def test_its_author_is_told(tmp_path: Path, broken: Broken) -> None:
    folder = tmp_path / "made"
    authoring.new(folder)
    break_it(folder, broken)
    with pytest.raises((CourseError, UsageError)) as caught:
        lab.Choice.of(folder, {}).around()
    assert caught.value.code == 2
    assert broken.said.format(folder=folder) in caught.value.message
    assert "".join(caught.value.details).startswith(broken.detail.format(folder=folder))
    assert caught.value.hint


def test_what_the_rows_begin_with_is_right(tmp_path: Path) -> None:
    authoring.new(tmp_path / "made")
    assert [each.name for each in lab.Choice.of(tmp_path / "made", {}).chapters] == ["address"]


@pytest.mark.parametrize("value", [KeyboardInterrupt, GeneratorExit])
def test_what_is_no_error_of_the_course_passes(value: type[BaseException]) -> None:
    from netlab.contract import authored

    def broken() -> Callable[[], None]:
        with authored("wrong"):
            raise value

    with pytest.raises(value):
        broken()

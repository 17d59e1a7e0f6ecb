"""What an author of a lesson is told: one change of a good lesson, one fault, with its line and what to do."""

# ruff: noqa: E501 — a row of a table is a line

from __future__ import annotations

import re
from pathlib import Path

import pytest

from netlab import lessons
from netlab.authoring import template_folder

STEP, PLANNED = "address", ["ip addr add 10.99.0.1/32 dev lo"]
GOOD, GUT = ((template_folder() / STEP / f"{each}.md").read_text(encoding="utf-8") for each in ("en", "zh"))


def told(text: str, language: str = "en", planned: list[str] = PLANNED) -> list[str]:
    """Each fault as `the line where it is | what → what to do`."""
    found = lessons.faults(lessons.read(text, language), "f.md", STEP, planned)
    return [f"{text.splitlines()[each.line - 1]} | {each.what} → {each.todo}" for each in found]


def changed(text: str, old: str, new: str) -> str:
    assert text.count(old) == 1, f"{old!r} stands there {text.count(old)} times"
    return text.replace(old, new)


def test_a_good_lesson_in_each_language() -> None:
    assert told(GOOD) == told(GUT, "zh") == []


FENCE = "```console\n$ ip addr add 10.99.0.1/32 dev lo\n```\n"
HINT = "3. Type `ip addr add 10.99.0.1/32 dev lo`."

# fmt: off
FAULTS = {
    "no title": ("# An address: the host answers to a new name\n", "", " | there is no title → begin the lesson with `# ` and a title"),
    "a heading missing": ("## In Docker\n\nDocker does the same with `docker0`, when `dockerd` starts.\n\n", "", "## Try | the heading “In Docker” is missing → add `## In Docker` and what belongs below it"),
    "a heading misspelt, which is two faults": ("## In Docker", "## In Dokcer", "## Try | the heading “In Docker” is missing → add `## In Docker` and what belongs below it\n## In Dokcer | “In Dokcer” is no heading of a lesson → write `## In Docker`"),
    "a heading of nothing known": ("## Try", "## Zzz\n\nz\n\n## Try", "## Zzz | “Zzz” is no heading of a lesson → use one of: What it is, Why Docker needs it, Before you run it, Without it, Hints, Commands, What to look at, In Docker, Try; or `###`"),
    "a heading twice": ("## Try", "## Hints\n\nx\n\n## Try", "## Hints | the heading “Hints” stands twice → put both parts below one of them"),
    "out of order": ("## Try\n", "## In Docker\n\nx\n\n## Try\n", "## In Docker | the heading “In Docker” stands twice → put both parts below one of them"),
    "nothing below it": ("Docker does the same with `docker0`, when `dockerd` starts.\n\n", "", "## In Docker | there is nothing below “In Docker” → write it\n## In Docker | “In Docker” is not one paragraph → say in one where in Docker this step lives"),
    "two paragraphs where one belongs": ("when `dockerd` starts.\n", "when `dockerd` starts.\n\nAnd more.\n", "## In Docker | “In Docker” is not one paragraph → say in one where in Docker this step lives"),
    "another command than the plan's": (FENCE, FENCE.replace("lo", "eth0"), "$ ip addr add 10.99.0.1/32 dev eth0 | the step's plan has `ip addr add 10.99.0.1/32 dev lo`, not `ip addr add 10.99.0.1/32 dev eth0` → write what the plan has"),
    "a command too many": (FENCE, FENCE.replace("lo\n", "lo\n$ ip addr add 10.99.0.1/32 dev lo\n"), "$ ip addr add 10.99.0.1/32 dev lo | the step's plan has no `ip addr add 10.99.0.1/32 dev lo` → take it out; compare with: netlab plan --until address"),
    "no console below Commands": (FENCE, "", "## Commands | “Commands” shows no console → add a ```console with a command and what it prints\n- `ip addr add ADDRESS/LENGTH`: sets an address. With `/32` it has no neighbours. | no command has `ip addr add ADDRESS/LENGTH` → write it as in the command, or take it out\n- `dev CARD`: on this card. | no command has `dev CARD` → write it as in the command, or take it out"),
    "no console below another": ("```console\n$ ping -c 1 -W 1 10.99.0.1\nping: connect: Network is unreachable\n```\n", "", "## Without it | “Without it” shows no console → add a ```console with a command and what it prints"),
    "a fence that does not say what it is": ("```console\n$ ip route", "```\n$ ip route", "``` | this fence does not say what is in it → begin it with ```console"),
    "a console without a prompt": ("$ ip route", "ip route", "ip route show table local | this console does not begin with a command → begin its lines with `$ `"),
    "a word that is not explained": ("- `dev CARD`: on this card.\n", "", "$ ip addr add 10.99.0.1/32 dev lo | nothing explains `dev`, `lo` → add an item to the list: - `dev`: what it does"),
    "no word is explained": ("- `ip addr add ADDRESS/LENGTH`: sets an address. With `/32` it has no neighbours.\n- `dev CARD`: on this card.\n", "", "$ ip addr add 10.99.0.1/32 dev lo | nothing explains `ip`, `addr`, `add`, `10.99.0.1/32`, `dev`, `lo` → add an item to the list: - `ip`: what it does\n## Commands | “Commands” explains no word → add a list: - `WORDS`: what they do"),
    "a word that no command has": ("- `dev CARD`: on this card.\n", "- `dev CARD`: on this card.\n- `via`: by it.\n", "- `via`: by it. | no command has `via` → write it as in the command, or take it out"),
    "any word": ("- `dev CARD`: on this card.", "- `dev`: on\n- `CARD`: it.", "- `CARD`: it. | `CARD` stands for any word of any command → name the word before it as well"),
    "a word without its meaning": ("- `dev CARD`: on this card.", "- `dev CARD`:", "- `dev CARD`: | `dev CARD` is not explained → say behind a colon what it does"),
    "no question": ("The host pings 10.99.0.1. What will this ping do now?\n\n", "", "## Before you run it | there is no question → ask what the proof will show now, before the step"),
    "no choices": ("1. It answers.\n2. \"Network is unreachable\", at once.\n3. It waits, and gets no answer.\n", "", "## Before you run it | the question has no choices → add a numbered list of two or more"),
    "the right one not said": ("> **2.** Nobody", "> Nobody", "## Before you run it | the right choice is not said, or is none of the choices → end with a quotation: > **2.** and why it is that one"),
    "none of the choices": ("> **2.** Nobody", "> **4.** Nobody", "## Before you run it | the right choice is not said, or is none of the choices → end with a quotation: > **2.** and why it is that one"),
    "not said why": ("> **2.** Nobody has told the kernel of such an address, and there is no default route either.", "> **2.**", "## Before you run it | it is not said why that choice is right → say so behind its number"),
    "a hint missing": ("2. `ip addr add … dev …` sets one.\n", "", "## Hints | there are 2 hints → give 3 in a numbered list"),
    "no hints": ("1. The host needs an address. Which command shows its addresses?\n2. `ip addr add … dev …` sets one.\n" + HINT, "Think.", "## Hints | there are 0 hints → give 3 in a numbered list"),
    "the last hint does not tell": (HINT, "3. Type it.", "## Hints | the last hint does not show a command of the step → show `ip addr add 10.99.0.1/32 dev lo`"),
}
# fmt: on


@pytest.mark.parametrize(("old", "new", "expected"), FAULTS.values(), ids=FAULTS)
def test_faults(old: str, new: str, expected: str) -> None:
    assert told(changed(GOOD, old, new)) == expected.splitlines()


def test_out_of_order() -> None:
    parts = GOOD.split("\n## ")
    swapped = "\n## ".join([*parts[:1], parts[2], parts[1], *parts[3:]])
    assert told(swapped) == ["## What it is | “What it is” is out of order → move it before “Why Docker needs it”"]


def test_a_hint_may_show_the_command_in_a_fence() -> None:
    assert told(changed(GOOD, HINT, "3. Type:\n\n   ```sh\n   ip addr add 10.99.0.1/32 dev lo\n   ```\n")) == []


def test_the_plan_has_more() -> None:
    more = [*PLANNED, "ip link set lo up"]
    assert told(GOOD, planned=more) == [
        "$ ip addr add 10.99.0.1/32 dev lo | the step's plan has `ip link set lo up` here as well → add it"
    ]


def test_a_step_may_plan_nothing() -> None:
    """All that it wants is usually given: then no command is shown, and no hint has to show one."""
    without = changed(
        changed(GOOD, FENCE, "Nothing."),
        "- `ip addr add ADDRESS/LENGTH`: sets an address. With `/32` it has no neighbours.\n- `dev CARD`: on this card.\n",
        "",
    )
    assert told(without, planned=[]) == []


def apart(text: str) -> list[str]:
    found = lessons.out_of_step(lessons.read(text, "zh"), lessons.read(GOOD, "en"), "zh.md")
    return [f"{text.splitlines()[each.line - 1]} | {each.what} → {each.todo}" for each in found]


# fmt: off
APART = {
    "another output": ("127.0.0.1/8 10.99.0.1/32", "127.0.0.1/8", "```console | this fence differs from en.md:49 → show the same in both"),
    "a fence missing": ("```console\n$ ip route show table local\n```\n", "", "## 试一试 | “试一试” has 0 fences, and 1 in en.md → show the same in both"),
    "another right one": ("> **2.**", "> **1.**", "## 动手之前 | the question has other choices, or another right one, than in en.md → give the same choices in the same order"),
    "a choice missing": ("3. 等一会儿，没有应答。\n", "", "## 动手之前 | the question has other choices, or another right one, than in en.md → give the same choices in the same order"),
    "other words explained": ("- `dev CARD`：", "- `dev`：", "## 命令 | other words are explained than in en.md → explain the same, in the same order"),
}
# fmt: on


@pytest.mark.parametrize(("old", "new", "expected"), APART.values(), ids=APART)
def test_languages_out_of_step(old: str, new: str, expected: str) -> None:
    assert apart(changed(GUT, old, new)) == [expected]


def test_siblings() -> None:
    assert apart(GUT) == []


@pytest.mark.parametrize(
    "path", sorted(Path(template_folder().parent, "steps").glob("*/zh.md")), ids=lambda each: each.parent.name
)
def test_the_chinese_is_set_as_chinese(path: Path) -> None:
    """No half-width comma, colon or bracket beside a Chinese character, outside of code."""
    prose = [part for block in lessons.prose(path.read_text(encoding="utf-8")) for part in _texts(block)]
    assert [text for text in prose if _half_width(text)] == []


def _half_width(text: str) -> bool:
    return re.search("[\u4e00-\u9fff][,:;?!()]|[,:;?!()][\u4e00-\u9fff]", text) is not None


def _texts(block: object) -> list[str]:
    spans = [text for text, kind in getattr(block, "spans", ()) if kind != "code"]
    inner = [*getattr(block, "blocks", ()), *(each for item in getattr(block, "items", ()) for each in item)]
    return spans + [text for each in inner for text in _texts(each)]

"""A lesson's parts, read out of its Markdown; and what explains a word of a command."""

from __future__ import annotations

import pytest

from netlab import lessons
from netlab.prose import Paragraph, Typed, plain

TEXT = """\
# A *title*

before any heading

## What it is

words

### below it

## Before you run it

What now?

1. this
2. that

> **2.** because
> of it

## Hints

1. mild
2. plain
3. `ip link add br0`

## Commands

```console
$ ip link add br0  # a comment
$ iptables -t nat -A POSTROUTING -d 10.0.0.1:80 -j MASQUERADE
done
```

- `ip link add CARD`: makes it.
- `ip link`: shows it.
- `ip link add lo`: cannot be.
- `-t nat`：the table
- `-A POSTROUTING`
- no words
- `-d ADDRESS:PORT`: there
- `-j MASQUERADE`: so

## In Docker

Here.

## Else
"""

LESSON = lessons.read(TEXT, "en")


def test_its_parts() -> None:
    assert LESSON.title == "A title"
    assert list(LESSON.sections) == ["docker", "commands", "hints", "before", "what"]
    assert [(each.key, each.heading) for each in LESSON.headings][-1] == ("", "Else")
    assert len(LESSON.section("what").blocks) == 2
    assert LESSON.commands == (
        Typed("ip link add br0", "", 30),
        Typed("iptables -t nat -A POSTROUTING -d 10.0.0.1:80 -j MASQUERADE", "done\n", 31),
    )
    assert [plain(each[0].spans) for each in LESSON.hints if isinstance(each[0], Paragraph)] == [
        "mild", "plain", "ip link add br0"
    ]  # fmt: skip
    assert plain(LESSON.docker) == "Here."


def test_its_question() -> None:
    quiz = LESSON.quiz
    assert [plain(each) for each in quiz.choices] == ["this", "that"]
    assert (len(quiz.question), quiz.right, plain(quiz.why)) == (1, 2, "because of it")


def test_what_is_not_there_is_empty() -> None:
    empty = lessons.read("", "zh")
    assert (empty.title, empty.headings, empty.commands, empty.hints, empty.flags, empty.docker) == (
        "",
        (),
        (),
        (),
        (),
        (),
    )
    assert empty.quiz == lessons.Quiz((), (), 0, ())


def test_in_chinese() -> None:
    lesson = lessons.read(
        "# 网桥\n\n## 动手之前\n\n通吗？\n\n1. 通\n2. 不通\n\n> **1。** 因为\n\n## What it is\n", "zh"
    )
    assert [each.key for each in lesson.headings] == ["before", ""]
    assert (lesson.quiz.right, plain(lesson.quiz.why)) == (1, "因为")


ABOUT = {
    "the longest counts": ("ip link add br0", ["ip link add CARD"] * 4),
    "the more exact counts": ("ip link add lo", ["ip link add lo"] * 4),
    "another name": ("ip link add docker0", ["ip link add CARD"] * 4),
    "the shorter where the longer is not": ("ip link show", ["ip link", "ip link", None]),
    "in its place": ("iptables -j MASQUERADE -t nat", [None, "-j MASQUERADE", "-j MASQUERADE", "-t nat", "-t nat"]),
    "a word of iptables' own stands for no other": ("iptables -A PREROUTING", [None, None, None]),
    "two in one": ("-d 1.2.3.4:5", ["-d ADDRESS:PORT"] * 2),
    "nothing": ("", []),
}


@pytest.mark.parametrize(("command", "expected"), ABOUT.values(), ids=ABOUT)
def test_what_explains_a_word(command: str, expected: list[str | None]) -> None:
    found = LESSON.about(command)
    assert [word for word, _ in found] == command.split()
    assert [str(flag) if flag else None for _, flag in found] == expected


def test_what_is_said_of_it() -> None:
    assert {str(each): plain(each.about) for each in LESSON.flags} == {
        "ip link add CARD": "makes it.",
        "ip link": "shows it.",
        "ip link add lo": "cannot be.",
        "-t nat": "the table",
        "-A POSTROUTING": "",
        "-d ADDRESS:PORT": "there",
        "-j MASQUERADE": "so",
    }

"""Prose as lines that fit, in English and Chinese."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netlab.course import default_folder
from netlab.lessons import prose
from netlab.render.lines import cells
from netlab.render.prose import WIDEST, prose_lines, wrapped

WRAPPED: dict[str, tuple[str, int, list[str]]] = {
    "it fits": ("a veth pair", 20, ["a veth pair"]),
    "between words": ("a veth pair is a cable", 12, ["a veth pair", "is a cable"]),
    "exactly": ("veth pair", 9, ["veth pair"]),
    "a long word is broken anywhere": ("see abcdefghijkl", 5, ["see", "abcde", "fghij", "kl"]),
    "Chinese between characters": ("网桥就是交换机", 7, ["网桥就", "是交换", "机"]),
    "not before what closes": ("网桥是交换机，它", 12, ["网桥是交换", "机，它"]),
    "not after what opens": ("网桥（bridge）", 6, ["网桥", "（brid", "ge）"]),
    "between the two": ("这是bridge", 8, ["这是", "bridge"]),
    "a blank between the two": ("用 ip link 看", 10, ["用 ip link", "看"]),
    "nothing": ("", 10, [""]),
}


@pytest.mark.parametrize(("text", "width", "expected"), WRAPPED.values(), ids=WRAPPED)
def test_wrapped(text: str, width: int, expected: list[str]) -> None:
    assert ["".join(part for part, _ in each) for each in wrapped(((text, ""),), width)] == expected


@settings(deadline=None)  # a busy machine is no fault
@given(text=st.text("ab c网桥，（）“”`-"), width=st.integers(2, 30))
def test_nothing_is_lost_and_nothing_sticks_out(text: str, width: int) -> None:
    lines = ["".join(part for part, _ in each) for each in wrapped(((text, ""),), width)]
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    assert max(map(cells, lines)) <= width
    assert all(each == each.strip() for each in lines)


MARKDOWN = """\
# A bridge

Type `ip link` **now**, and
look:

```console
$ ip -br link show type bridge and so on, and so on
br0
```

1. first thing
2. second
   thing

- a bullet of many words

> **1.** quoted words, many of them
"""

DRAWN = """\
A bridge

Type `ip link` now,
and look:

    $ ip -br link show type bridge and so on, and so on
    br0

1. first thing
2. second thing

- a bullet of many
  words

│ 1. quoted words,
│ many of them
"""


def test_every_kind_of_block() -> None:
    lines = list(prose_lines(prose(MARKDOWN), 20))
    assert "".join(f"{each.text}\n" for each in lines) == DRAWN
    assert all(each.hang is None for each in lines)  # nobody breaks them once more


def test_the_styles() -> None:
    styles = {(text.strip(), style) for each in prose_lines(prose(MARKDOWN), 60) for text, style in each.spans}
    assert {
        ("A bridge", "bold underline"),
        ("`ip link`", "cyan"),
        ("now", "bold"),
        ("$", "dim"),
        ("br0", "dim"),
        ("1.", "dim"),
        ("│", "dim"),
    } <= styles


def test_what_would_steer_a_terminal_is_spelled_out() -> None:
    text = "# \x1b[31mred\n\n`\x1b[2J`\n\n```console\n$ \x07\n\x1b[H\n```\n"
    assert "\x1b" not in "".join(each.text for each in prose_lines(prose(text), 80))


@pytest.mark.parametrize("width", [20, 40, 80, 200])
@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_lesson_fits(width: int, language: str) -> None:
    """At any width, but for what stands in a console."""
    for path in sorted(default_folder().glob(f"*/{language}.md")):
        for each in prose_lines(prose(path.read_text(encoding="utf-8")), width):
            if not each.text.startswith("    "):
                assert cells(each.text) <= min(width, WIDEST), path

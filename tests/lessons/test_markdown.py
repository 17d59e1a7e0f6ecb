"""Markdown in, values out."""

from __future__ import annotations

import pytest

from netlab.lessons.markdown import prose
from netlab.prose import Block, Fence, Heading, Listing, Paragraph, Quote, plain


def words(text: str, line: int = 1) -> Paragraph:
    return Paragraph(((text, ""),), line)


BLOCKS: dict[str, tuple[str, tuple[Block, ...]]] = {
    "nothing": ("", ()),
    "headings": ("# A\n\n### `b`\n", (Heading(1, (("A", ""),), 1), Heading(3, (("b", "code"),), 3))),
    "paragraphs": ("a\nb\n\nc\n", (words("a b"), words("c", 4))),
    "spans": (
        "a `b  c` **d** *e* f",
        (Paragraph((("a ", ""), ("b  c", "code"), (" ", ""), ("d", "strong"), (" ", ""), ("e", "em"), (" f", "")), 1),),
    ),
    "a link's words": ("see [this `x`](y.md) now", (Paragraph((("see this ", ""), ("x", "code"), (" now", "")), 1),)),
    "a fence": ("a\n\n```console\n$ ls\nx\n```\n", (words("a"), Fence("console", "$ ls\nx\n", 3))),
    "a fence of no language": ("```\nx\n```\n", (Fence("", "x\n", 1),)),
    "indented code": ("    x\n", (Fence("", "x\n", 1),)),
    "a list": ("- a\n- b\n  c\n", (Listing(False, ((words("a"),), (words("b c", 2),)), 1),)),
    "numbers": ("1. a\n2. b\n", (Listing(True, ((words("a"),), (words("b", 2),)), 1),)),
    "a list in a list": (
        "1. a\n   - b\n",
        (Listing(True, ((words("a"), Listing(False, ((words("b", 2),),), 2)),), 1),),
    ),
    "a quotation": ("> **2.** b\n> c\n", (Quote((Paragraph((("2.", "strong"), (" b c", "")), 1),), 1),)),
    "HTML stays as it is": ("<b>\nx\n</b>\n", (words("<b> x </b>"),)),
    "HTML in a line": ("a <b>x</b>", (words("a <b>x</b>"),)),
    "a rule": ("a\n\n---\n", (words("a"), words("---", 3))),
}


@pytest.mark.parametrize(("text", "expected"), BLOCKS.values(), ids=BLOCKS)
def test_blocks(text: str, expected: tuple[Block, ...]) -> None:
    assert prose(text) == expected


LINES = {
    "English": ("a\nb", "a b"),
    "Chinese": ("网桥是\n交换机。\n它", "网桥是交换机。它"),
    "Chinese, then English": ("网桥\nbridge", "网桥 bridge"),
    "English, then Chinese": ("bridge\n网桥", "bridge 网桥"),
    "code": ("网桥\n`br0`", "网桥 br0"),
    "a line that ends hard": ("a  \nb", "a b"),
}


@pytest.mark.parametrize(("text", "expected"), LINES.values(), ids=LINES)
def test_a_line_break_of_the_source(text: str, expected: str) -> None:
    (paragraph,) = prose(text)
    assert isinstance(paragraph, Paragraph)
    assert plain(paragraph.spans) == expected

"""What was typed in a console, and what it printed."""

from __future__ import annotations

import pytest

from netlab.prose import Fence, Listing, Paragraph, Typed, first_spans, plain, typed

CONSOLES = {
    "nothing": ("", ()),
    "a command": ("$ ip addr\n", (Typed("ip addr", "", 11),)),
    "what it prints": (
        "$ ip addr\n1: lo:\n\n  $ x\n$ exit\n",
        (Typed("ip addr", "1: lo:\n\n  $ x\n", 11), Typed("exit", "", 15)),
    ),
    "a comment behind it": ("$ ip route add x  # only if missing\n", (Typed("ip route add x", "", 11),)),
    "a hash in it": ("$ echo #1\n", (Typed("echo #1", "", 11),)),
    "what stands before the first": ("hello\n$ ip addr\n", (Typed("ip addr", "", 12),)),
}


@pytest.mark.parametrize(("text", "expected"), CONSOLES.values(), ids=CONSOLES)
def test_what_is_typed(text: str, expected: tuple[Typed, ...]) -> None:
    assert typed(Fence("console", text, 10)) == expected


def test_the_words_alone() -> None:
    spans = (("a ", ""), ("b", "code"))
    assert plain(spans) == "a b"
    assert first_spans((Listing(False, (), 1), Paragraph(spans, 2), Paragraph((), 3))) == spans
    assert first_spans(()) == ()

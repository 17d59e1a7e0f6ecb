"""Prose as Markdown again: a transcript is a page for every reader."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from netlab.prose import Block, Fence, Heading, Listing, Paragraph, Prose, Quote, Spans

_MARKS = {"": "", "code": "`", "strong": "**", "em": "*"}


def markdown(blocks: Prose) -> Iterator[str]:
    """The lines, with a blank one between two blocks."""
    for number, block in enumerate(blocks):
        if number:
            yield ""
        yield from _block(block)


def inline(spans: Spans) -> str:
    """One line."""
    return "".join(f"{_MARKS[kind]}{text}{_MARKS[kind]}" for text, kind in spans)


def fence(language: str, lines: Iterable[str]) -> Iterator[str]:
    """A fence that nothing in it can end."""
    inside = list(lines)
    longest = max((len(each[0]) for each in (re.match("`*", line) for line in inside) if each), default=0)
    ticks = "`" * max(3, longest + 1)
    yield from (f"{ticks}{language}", *inside, ticks)


def _block(block: Block) -> Iterator[str]:
    match block:
        case Heading():
            yield f"{'#' * block.level} {inline(block.spans)}"
        case Paragraph():
            yield inline(block.spans)
        case Fence():
            yield from fence(block.language, block.text.splitlines())
        case Quote():
            yield from (f"> {each}".rstrip() for each in markdown(block.blocks))
        case Listing():
            for number, item in enumerate(block.items, 1):
                mark = f"{number}. " if block.numbered else "- "
                for place, each in enumerate(markdown(item)):
                    yield f"{' ' * len(mark) if place else mark}{each}".rstrip()

"""Prose as lines that fit: wrapped between words, and between Chinese characters, which have no blanks.

A console is never wrapped: whoever copies a command gets it whole.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Sequence

from netlab.prose import PROMPT, Block, Fence, Heading, Listing, Paragraph, Prose, Quote, Spans
from netlab.render.lines import Line, Span, cells, fitting, line

WIDEST = 100
"""Columns: longer lines of prose are hard to read, however wide the terminal is."""

_STYLES = {"": "", "code": "cyan", "strong": "bold", "em": "italic"}

_OPENING = "（《〈「『【〔“‘(["
_CLOSING = "）》〉」』】〕”’，。、；：？！…—),.;:?!]"


def prose_lines(blocks: Prose, width: int) -> Iterator[Line]:
    """The blocks with a blank line between them."""
    for number, block in enumerate(blocks):
        if number:
            yield line()
        yield from _block(block, min(width, WIDEST))


def _block(block: Block, width: int) -> Iterator[Line]:
    match block:
        case Heading():
            style = "bold underline" if block.level == 1 else "bold"
            yield from (Line(tuple((text, style) for text, _ in each)) for each in wrapped(block.spans, width))
        case Paragraph():
            yield from map(Line, wrapped(block.spans, width))
        case Fence():
            yield from (_console(text) for text in block.text.splitlines())
        case Quote():
            yield from _hung(prose_lines(block.blocks, width - 2), "│ ", "│ ")
        case Listing():
            for number, item in enumerate(block.items, 1):
                mark = f"{number}. " if block.numbered else "- "
                yield from _hung(prose_lines(item, width - len(mark)), mark, " " * len(mark))


def _console(text: str) -> Line:
    if text.startswith(PROMPT):
        return line(("    " + PROMPT, "dim"), (text.removeprefix(PROMPT), "cyan"))
    return line(("    " + text, "dim"))


def _hung(lines: Iterable[Line], mark: str, further: str) -> Iterator[Line]:
    """Behind a mark, and the further lines below its first word."""
    for number, each in enumerate(lines):
        yield Line((((further if number else mark), "dim"), *each.spans))


def wrapped(spans: Spans, width: int) -> list[tuple[Span, ...]]:
    """Lines of at most ``width`` columns. What has no place to break, and is longer, is broken anywhere."""
    return broken(styled(spans), width)


def styled(spans: Spans) -> tuple[Span, ...]:
    """Each text with its style, cleaned."""
    # Code keeps its backticks: without colours nothing else would tell a command from the words around it.
    return line(*((f"`{text}`" if kind == "code" else text, _STYLES[kind]) for text, kind in spans)).spans


def hung(head: Sequence[Span], spans: Sequence[Span], width: int) -> Iterator[Line]:
    """Spans in their styles behind ``head``, in lines of at most ``width`` columns that go on below their first."""
    start = line(*head)
    indent = cells(start.text)
    for number, each in enumerate(broken(line(*spans).spans, width - indent)):
        yield Line((*(((" " * indent, ""),) if number else start.spans), *each))


def folded(whole: Line, width: int) -> Iterator[Line]:
    """A line that may be broken, in lines that fit; any other one stays whole."""
    if whole.hang is None or cells(whole.text) <= width:
        yield whole
        return
    head = whole.text[: fitting(whole.text, whole.hang)]
    rest, gone = list[Span](), len(head)
    for text, style in whole.spans:
        rest.append((text[gone:], style))
        gone = max(gone - len(text), 0)
    for number, each in enumerate(broken(rest, width - cells(head))):
        yield Line(((" " * cells(head) if number else head, ""), *each))


def broken(spans: Iterable[Span], width: int) -> list[tuple[Span, ...]]:
    """As ``wrapped``, for spans in their styles."""
    lines, used = [list[Span]()], 0
    for blank, word in _words(spans):
        size = sum(cells(text) for text, _ in word)
        if used and used + blank + size > width:
            lines.append([])
            used = 0
        elif blank and used:
            lines[-1].append((" ", word[0][1]))
            used += 1
        for text, style in word:
            while text and used + cells(text) > width:
                fits = max(fitting(text, width - used), 0 if used else 1)
                lines[-1].append((text[:fits], style))
                lines.append([])
                text, used = text[fits:], 0
            lines[-1].append((text, style))
            used += cells(text)
    return [tuple(_joined(each)) for each in lines]


def _words(spans: Iterable[Span]) -> Iterator[tuple[bool, list[Span]]]:
    """What is not broken, piece by piece, and whether a blank stands before it."""
    word, blank, last = list[Span](), False, ""
    for text, style in spans:
        for character in text:
            if character == " " or (last and _may_break(last, character)):
                if word:
                    yield blank, word
                    word, blank = [], False
                blank = blank or character == " "
            if character != " ":
                word.append((character, style))
            last = character
    if word:
        yield blank, word


def _may_break(before: str, after: str) -> bool:
    if before == " " or before in _OPENING or after in _CLOSING:
        return False
    return _wide(before) or _wide(after)


def _wide(character: str) -> bool:
    return unicodedata.east_asian_width(character) in "WF"


def _joined(spans: Iterable[Span]) -> list[Span]:
    """Neighbours of one style as one span."""
    joined = list[Span]()
    for text, style in spans:
        if joined and joined[-1][1] == style:
            joined[-1] = (joined[-1][0] + text, style)
        elif text:
            joined.append((text, style))
    return joined

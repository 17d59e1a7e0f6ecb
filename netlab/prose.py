"""Prose as values: paragraphs, lists, quotes and fences, read out of Markdown and drawn by whoever shows them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

Span = tuple[str, str]
"""A text and what it is: "" for plain, "code", "strong" or "em"."""

Spans = tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Heading:
    """``level`` 1 is the title. ``line`` is here and below where it stands in its file, counted from 1."""

    level: int
    spans: Spans
    line: int


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph, without the line breaks that its source happens to have."""

    spans: Spans
    line: int


@dataclass(frozen=True, slots=True)
class Fence:
    """A fenced block of code: the first word after its backticks, and what is in it, a line break at its end."""

    language: str
    text: str
    line: int


@dataclass(frozen=True, slots=True)
class Listing:
    """A list, with numbers or with bullets; each item is prose of its own."""

    numbered: bool
    items: tuple[tuple[Block, ...], ...]
    line: int


@dataclass(frozen=True, slots=True)
class Quote:
    """A quotation."""

    blocks: tuple[Block, ...]
    line: int


Block = Heading | Paragraph | Fence | Listing | Quote

Prose = tuple[Block, ...]


def plain(spans: Iterable[Span]) -> str:
    """The text alone."""
    return "".join(text for text, _ in spans)


def first_spans(blocks: Prose) -> Spans:
    """The words of the first paragraph, none where there is no paragraph."""
    return next((each.spans for each in blocks if isinstance(each, Paragraph)), ())


@dataclass(frozen=True, slots=True)
class Typed:
    """A command at the prompt of a fence, without the prompt and a comment behind it; what it printed; its line."""

    command: str
    output: str
    line: int


PROMPT = "$ "


def typed(fence: Fence) -> tuple[Typed, ...]:
    """What was typed in a console: the lines after ``$``, each with what stands below it."""
    found = list[Typed]()
    for number, text in enumerate(fence.text.splitlines(), fence.line + 1):
        if text.startswith(PROMPT):
            found.append(Typed(text.removeprefix(PROMPT).partition("  # ")[0].rstrip(), "", number))
        elif found:
            last = found[-1]
            found[-1] = Typed(last.command, f"{last.output}{text}\n", last.line)
    return tuple(found)

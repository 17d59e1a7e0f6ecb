"""A lesson as values. Its form is plain Markdown: a title, and below it the headings of ``netlab/words``, in order.

=========== ====================================================================================================
what, why   prose
before      the question before the proof: prose, then a numbered list of choices, then a quotation that begins with
            the right one's number in bold (``> **2.** …``) and says why
without     what happens while the step is not there; a console that was recorded before the step
hints       a numbered list of three; the last one shows a command
commands    the step's commands in a console; then a bulleted list that explains their words. An item begins with
            those words in backticks; one in capitals that is in no command (``CARD``) stands for any word
look        what to look at, with a console that was recorded after the step
docker      where in Docker this step lives: one paragraph
try         what to try; it leaves the lab as it was
=========== ====================================================================================================

Reading forgives: what is not there is empty, and ``judging`` says so.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from netlab.lessons.markdown import prose
from netlab.prose import Fence, Heading, Listing, Paragraph, Prose, Quote, Spans, Typed, first_spans, plain, typed
from netlab.words import words

_NUMBER = re.compile(r"(\d+)[.。]?")
_PLACE = re.compile(r"[A-Z]+(?:[:/][A-Z]+)*")
_BLANK = " :："


def path_of(course: Path, step: str, language: str) -> Path:
    """Where a step's lesson is."""
    return course / step / f"{language}.md"


@dataclass(frozen=True, slots=True)
class Section:
    """What stands below one heading. ``key`` is the heading's in ``netlab/words``, "" for one that is unknown there."""

    key: str
    heading: str
    line: int
    blocks: Prose

    @property
    def fences(self) -> tuple[Fence, ...]:
        """The fences, those in lists among them."""
        return tuple(_fences(self.blocks))

    @property
    def typed(self) -> tuple[Typed, ...]:
        """All that is typed in the section's consoles."""
        return tuple(each for fence in self.fences if fence.language == "console" for each in typed(fence))


@dataclass(frozen=True, slots=True)
class Quiz:
    """The question before the proof: the ``right`` one of its choices, counted from 1 (0: not said), and why."""

    question: Prose
    choices: tuple[Spans, ...]
    right: int
    why: Spans


@dataclass(frozen=True, slots=True)
class Flag:
    """Words of a command, such as ``-t nat`` or ``dev CARD``, and what they mean."""

    words: tuple[str, ...]
    about: Spans
    line: int

    def __str__(self) -> str:
        return " ".join(self.words)


@dataclass(frozen=True)
class Lesson:
    """One step's lesson in one language. ``sections`` are in the file's order, by key; the first of each counts."""

    language: str
    title: str
    headings: tuple[Section, ...]
    """Every section as it stands, unknown ones and those that stand twice among them."""

    @cached_property
    def sections(self) -> Mapping[str, Section]:
        return {each.key: each for each in reversed(self.headings) if each.key}

    def section(self, key: str) -> Section:
        """A section by its key; an empty one where it is missing."""
        return self.sections.get(key, Section(key, "", 1, ()))

    @property
    def commands(self) -> tuple[Typed, ...]:
        """The step's commands, in order."""
        return self.section("commands").typed

    @property
    def hints(self) -> tuple[Prose, ...]:
        """The hints, the mildest first."""
        return _items(self.section("hints").blocks, numbered=True)

    @property
    def docker(self) -> Spans:
        """Where in Docker this step lives."""
        return first_spans(self.section("docker").blocks)

    @property
    def quiz(self) -> Quiz:
        blocks = self.section("before").blocks
        question = blocks[: next((n for n, each in enumerate(blocks) if isinstance(each, Listing)), len(blocks))]
        choices = tuple(first_spans(each) for each in _items(blocks, numbered=True))
        answer = next((first_spans(each.blocks) for each in blocks if isinstance(each, Quote)), ())
        number = _NUMBER.fullmatch(answer[0][0]) if answer and answer[0][1] == "strong" else None
        return Quiz(question, choices, int(number[1]) if number else 0, _stripped(answer[1:]) if number else answer)

    @cached_property
    def flags(self) -> tuple[Flag, ...]:
        """The words that are explained, in order."""
        items = _items(self.section("commands").blocks, numbered=False)
        lines = [each[0].line if each else 0 for each in items]
        spans = [first_spans(each) for each in items]
        return tuple(
            Flag(tuple(each[0][0].split()), _stripped(each[1:]), line)
            for each, line in zip(spans, lines, strict=True)
            if each and each[0][1] == "code"
        )

    def about(self, command: str) -> tuple[tuple[str, Flag | None], ...]:
        """A command word for word, each with what explains it (None: nothing): of several the longest, the most exact.

        It need not be one of the lesson's: with other parameters the lab has other names.
        """
        given = command.split()
        found: list[tuple[str, Flag | None]] = [(word, None) for word in given]
        for flag in sorted(self.flags, key=lambda each: (len(each.words), -sum(map(self.stands_for_any, each.words)))):
            for start in range(len(given) - len(flag.words) + 1):
                part = given[start : start + len(flag.words)]
                if all(self._stands_for(mine, word) for mine, word in zip(flag.words, part, strict=True)):
                    found[start : start + len(part)] = [(word, flag) for word in part]
        return tuple(found)

    def _stands_for(self, mine: str, word: str) -> bool:
        return mine == word or self.stands_for_any(mine)

    def stands_for_any(self, word: str) -> bool:
        """Is it one in capitals, which no command of the lesson has?"""
        return word not in self._literal and _PLACE.fullmatch(word) is not None

    @cached_property
    def _literal(self) -> frozenset[str]:
        """All words that are typed in the lesson: MASQUERADE is one of iptables' own, and stands only for itself."""
        return frozenset(word for each in self.headings for one in each.typed for word in one.command.split())


def read(text: str, language: str) -> Lesson:
    """The lesson that ``text`` is, in the words of one of ``LANGUAGES``."""
    keys = {heading: key for key, heading in words(language).table("heading").items()}
    title, sections = "", list[Section]()
    for block in prose(text):
        if isinstance(block, Heading) and block.level == 1 and not title:
            title = plain(block.spans)
        elif isinstance(block, Heading) and block.level <= 2:
            heading = plain(block.spans)
            sections.append(Section(keys.get(heading, ""), heading, block.line, ()))
        elif sections:
            last = sections[-1]
            sections[-1] = Section(last.key, last.heading, last.line, (*last.blocks, block))
    return Lesson(language, title, tuple(sections))


def _items(blocks: Prose, *, numbered: bool) -> tuple[Prose, ...]:
    """The items of the first such list."""
    lists = (each for each in blocks if isinstance(each, Listing) and each.numbered == numbered)
    return next((each.items for each in lists), ())


def _fences(blocks: Prose) -> Iterator[Fence]:
    for block in blocks:
        match block:
            case Fence():
                yield block
            case Listing():
                for item in block.items:
                    yield from _fences(item)
            case Quote():
                yield from _fences(block.blocks)
            case Paragraph() | Heading():
                pass


def _stripped(spans: Spans) -> Spans:
    """Without the colon and blanks in front."""
    return ((spans[0][0].lstrip(_BLANK), spans[0][1]), *spans[1:]) if spans else ()

"""What is wrong with a lesson, and what its author has to do: pure, all at once, each with the line where it is."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence

from netlab.lessons.lesson import Lesson
from netlab.prose import PROMPT, Fence, Paragraph, Prose, plain
from netlab.views import Fault
from netlab.words import words

HINTS = 3

RECORDED = ("without", "commands", "look")
"""The sections that have to show a console; a step may plan no command, where all is usually given."""


def faults(lesson: Lesson, file: str, step: str, planned: Sequence[str]) -> Iterator[Fault]:
    """Of one lesson by itself; ``planned`` are the step's commands as `netlab plan` shows them, in order."""
    yield from (Fault(file, line, what, todo) for line, what, todo in _faults(lesson, step, planned))


Found = Iterator[tuple[int, str, str]]


def _faults(lesson: Lesson, step: str, planned: Sequence[str]) -> Found:
    yield from _headings(lesson)
    yield from _fences(lesson, [each for each in RECORDED if planned or each != "commands"])
    yield from _commands(lesson, step, planned)
    yield from _flags(lesson)
    yield from _quiz(lesson)
    yield from _hints(lesson, planned)
    section = lesson.section("docker")
    if section.heading and len(section.blocks) != 1:
        yield section.line, f"“{section.heading}” is not one paragraph", "say in one where in Docker this step lives"


def _headings(lesson: Lesson) -> Found:
    names = words(lesson.language).table("heading")
    if not lesson.title:
        yield 1, "there is no title", "begin the lesson with `# ` and a title"
    last = lesson.headings[-1].line if lesson.headings else 1
    for key, name in names.items():
        if key not in lesson.sections:
            yield last, f"the heading “{name}” is missing", f"add `## {name}` and what belongs below it"
    seen = list[str]()
    order = list(names)
    for section in lesson.headings:
        if not section.key:
            near = difflib.get_close_matches(section.heading, names.values(), n=1)
            todo = f"write `## {near[0]}`" if near else f"use one of: {', '.join(names.values())}; or `###`"
            yield section.line, f"“{section.heading}” is no heading of a lesson", todo
        elif section.key in seen:
            yield section.line, f"the heading “{section.heading}” stands twice", "put both parts below one of them"
        elif seen and order.index(section.key) < max(map(order.index, seen)):
            later = next(each for each in seen if order.index(each) > order.index(section.key))
            yield section.line, f"“{section.heading}” is out of order", f"move it before “{names[later]}”"
        if section.key and not section.blocks:
            yield section.line, f"there is nothing below “{section.heading}”", "write it"
        seen += [section.key] if section.key else []


def _fences(lesson: Lesson, recorded: Sequence[str]) -> Found:
    for section in lesson.headings:
        for fence in section.fences:
            if not fence.language:
                yield fence.line, "this fence does not say what is in it", "begin it with ```console"
            elif fence.language == "console" and not fence.text.startswith(PROMPT):
                yield fence.line + 1, "this console does not begin with a command", f"begin its lines with `{PROMPT}`"
    for key in recorded:
        section = lesson.section(key)
        if section.blocks and not section.typed:
            todo = "add a ```console with a command and what it prints"
            yield section.line, f"“{section.heading}” shows no console", todo


def _commands(lesson: Lesson, step: str, planned: Sequence[str]) -> Found:
    section = lesson.section("commands")
    shown = [each.command for each in section.typed]
    lines = [each.line for each in section.typed] or [section.line]
    matcher = difflib.SequenceMatcher(a=shown, b=list(planned), autojunk=False)
    for tag, begin, end, first, last in matcher.get_opcodes():
        line = lines[min(begin, len(lines) - 1)]
        if tag == "equal" or not shown:
            continue
        wrong = "; ".join(f"`{each}`" for each in shown[begin:end])
        right = "; ".join(f"`{each}`" for each in planned[first:last])
        if not right:
            yield line, f"the step's plan has no {wrong}", f"take it out; compare with: netlab plan --until {step}"
        elif not wrong:
            yield line, f"the step's plan has {right} here as well", "add it"
        else:
            yield line, f"the step's plan has {right}, not {wrong}", "write what the plan has"


def _flags(lesson: Lesson) -> Found:
    section = lesson.section("commands")
    told = set[str]()
    for each in lesson.commands:
        bare = [word for word, flag in lesson.about(each.command) if flag is None and word not in told]
        told.update(bare)
        if bare:
            todo = f"add an item to the list: - `{bare[0]}`: what it does"
            yield each.line, f"nothing explains {', '.join(f'`{word}`' for word in bare)}", todo
    everywhere = [one.command for each in lesson.headings for one in each.typed]
    for flag in lesson.flags:
        if not any(flag in [found for _, found in lesson.about(command)] for command in everywhere):
            yield flag.line, f"no command has `{flag}`", "write it as in the command, or take it out"
        elif all(map(lesson.stands_for_any, flag.words)):
            yield flag.line, f"`{flag}` stands for any word of any command", "name the word before it as well"
        elif not plain(flag.about).strip():
            yield flag.line, f"`{flag}` is not explained", "say behind a colon what it does"
    if section.typed and not lesson.flags:
        yield section.line, f"“{section.heading}” explains no word", "add a list: - `WORDS`: what they do"


def _quiz(lesson: Lesson) -> Found:
    section, quiz = lesson.section("before"), lesson.quiz
    if not section.blocks:
        return
    if not quiz.question:
        yield section.line, "there is no question", "ask what the proof will show now, before the step"
    if len(quiz.choices) < 2:
        yield section.line, "the question has no choices", "add a numbered list of two or more"
    elif not 1 <= quiz.right <= len(quiz.choices):
        todo = "end with a quotation: > **2.** and why it is that one"
        yield section.line, "the right choice is not said, or is none of the choices", todo
    elif not plain(quiz.why).strip():
        yield section.line, "it is not said why that choice is right", "say so behind its number"


def _hints(lesson: Lesson, planned: Sequence[str]) -> Found:
    section = lesson.section("hints")
    if not section.blocks:
        return
    if len(lesson.hints) != HINTS:
        yield section.line, f"there are {len(lesson.hints)} hints", f"give {HINTS} in a numbered list"
    elif planned and not any(_says(lesson.hints[-1], command) for command in planned):
        yield section.line, "the last hint does not show a command of the step", f"show `{planned[0]}`"


def _says(hint: Prose, command: str) -> bool:
    """Does the hint hold this command, in backticks or in a fence?"""
    in_words = any((command, "code") in each.spans for each in hint if isinstance(each, Paragraph))
    return in_words or any(command in each.text for each in hint if isinstance(each, Fence))


def out_of_step(lesson: Lesson, other: Lesson, file: str) -> Iterator[Fault]:
    """Where ``lesson`` in ``file`` tells something else than ``other``, its sibling in another language."""
    sibling = f"{other.language}.md"
    for section in lesson.headings:
        theirs = other.sections.get(section.key)
        if theirs is None:
            continue
        mine = section.fences
        if len(mine) != len(theirs.fences):
            what = f"“{section.heading}” has {len(mine)} fences, and {len(theirs.fences)} in {sibling}"
            yield Fault(file, section.line, what, "show the same in both")
        for fence, their in zip(mine, theirs.fences, strict=False):
            if fence.text != their.text:
                what = f"this fence differs from {sibling}:{their.line}"
                yield Fault(file, fence.line, what, "show the same in both")
    here, quiz = lesson.section("before").line, lesson.quiz
    if (len(quiz.choices), quiz.right) != (len(other.quiz.choices), other.quiz.right):
        what = f"the question has other choices, or another right one, than in {sibling}"
        yield Fault(file, here, what, "give the same choices in the same order")
    if [each.words for each in lesson.flags] != [each.words for each in other.flags]:
        line = lesson.section("commands").line
        yield Fault(file, line, f"other words are explained than in {sibling}", "explain the same, in the same order")

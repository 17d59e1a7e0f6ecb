"""The content checker: all that is wrong with a course, and what its author has to do about it."""

from __future__ import annotations

import ast
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from netlab import contract, course, lab, lessons, parameters
from netlab.errors import NetlabError, Untrusted
from netlab.events import Event, Proved
from netlab.lessons import Lesson
from netlab.model import Chapter
from netlab.views import Fault
from netlab.words import LANGUAGES

_OURS = ("README.md", "LICENSE", "tests")
"""What may stand in a course's folder beside its modules and its lessons."""


@dataclass(frozen=True, slots=True)
class Checked:
    """What was found. ``provable``: the course is whole enough for its proofs to be looked at in a sandbox."""

    faults: tuple[Fault, ...]
    provable: bool


def check(folder: Path) -> Checked:
    """Look at a course's files, its graph, its plan and its lessons; nothing is run but the course's own modules."""
    start = _named(folder / "__init__.py")
    try:
        loaded = course.parts(folder)
        filled = parameters.lab(loaded.lab_type, {})
    except Untrusted:
        raise  # nothing was looked at, and it is not the author's move
    except NetlabError as error:
        return Checked((_from(error, start, 1),), provable=False)
    chapters = dict(_chapters(loaded, filled))
    broken = [each for each in chapters.values() if isinstance(each, Fault)]
    broken += [*_graph(loaded, start), *_around(loaded, filled)]
    whole = [each for each in chapters.values() if isinstance(each, Chapter)]
    broken += _nowhere(loaded, whole) if len(whole) == len(chapters) else ()
    found = [*broken, *_unproved(loaded, whole), *_lessons(loaded, chapters), *_strays(loaded)]
    return Checked(tuple(sorted(found)), provable=not broken)


def green_too_soon(folder: Path, events: Iterable[Event]) -> Iterator[Fault]:
    """The proofs that did not fail before their step, out of a walk that ran them there."""
    loaded = course.parts(folder)
    for event in events:
        if isinstance(event, Proved) and not event.ok and not event.stays:
            file, line = _place(loaded.steps[event.step], "proofs")
            what = f"step {event.step!r}: a proof does not fail before its step: {event.probe}: {event.observed}"
            yield Fault(file, line, what, "prove something that only this step brings about")


# --- the steps -------------------------------------------------------------------------------------------------------


def _chapters(loaded: course.Parts, filled: Any) -> Iterator[tuple[str, Chapter | Fault]]:
    for name, step in loaded.steps.items():
        try:
            contract.check_step(name, step, loaded.folder)
        except NetlabError as error:
            yield name, _from(error, *_place(step, "needs"))
            continue
        try:
            yield name, course.chapter(name, step, filled)
        except NetlabError as error:
            yield name, _from(error, *_place(step, "operations"))


def _around(loaded: course.Parts, filled: Any) -> Iterator[Fault]:
    try:
        contract.around(loaded.surroundings, filled)
    except NetlabError as error:
        yield _from(error, *_place(loaded.surroundings, "operations"))


def _graph(loaded: course.Parts, start: str) -> Iterator[Fault]:
    """Unknown needs, each; where there are none, a circle."""
    needs = {name: _needs(step) for name, step in loaded.steps.items()}
    unknown = [(name, need) for name, wanted in needs.items() for need in wanted if need not in needs]
    for name, need in unknown:
        what = f"step {name!r} needs {need!r}, which is no step"
        todo = "; ".join(course.near(need, needs))
        yield Fault(*_place(loaded.steps[name], "needs"), what, todo)
    if not unknown:
        try:
            course.Graph(needs)
        except NetlabError as error:
            yield _from(error, start, 1)


def _needs(step: Any) -> tuple[str, ...]:
    """Those of a step that are names; what is wrong with the others is said where its chapter is made."""
    value = getattr(step, "needs", ())
    return tuple(each for each in value if isinstance(each, str)) if isinstance(value, tuple | list) else ()


def _nowhere(loaded: course.Parts, chapters: Sequence[Chapter]) -> Iterator[Fault]:
    """Operations and proofs in a namespace that neither a step nor the surroundings make."""
    made = {thing[1] for each in chapters for one in each.operations for thing in one.makes if thing[0] == "netns"}
    nodes = {*made, *loaded.surroundings.NODES}
    todo = f"name one that is made: {', '.join(['host', *sorted(nodes)])}"
    for each in chapters:
        for operation in each.operations:
            for lost in sorted({thing[1] for thing in operation.within if thing[0] == "netns"} - nodes):
                what = f"step {each.name!r}: {operation}: nothing makes the namespace {lost}"
                yield Fault(*_place(loaded.steps[each.name], "operations"), what, todo)
        for proof in each.proofs:
            for lost in sorted({command.netns for command in proof.probe.commands if command.netns} - nodes):
                what = f"step {each.name!r}: {proof}: nothing makes the namespace {lost}"
                yield Fault(*_place(loaded.steps[each.name], "proofs"), what, todo)


def _unproved(loaded: course.Parts, chapters: Iterable[Chapter]) -> Iterator[Fault]:
    for each in chapters:
        if all(proof.stays for proof in each.proofs):
            what = f"step {each.name!r} has no proof" + (": what stays as it was proves nothing" if each.proofs else "")
            yield Fault(*_place(loaded.steps[each.name], "proofs"), what, "yield a look that fails before the step")


def _place(step: Any, name: str) -> tuple[str, int]:
    """The file of a step's module, and the line where it defines this name, 1 where it does not."""
    path = Path(getattr(step, "__file__", None) or "__init__.py")
    if not path.is_file():  # it is no module; then only the table of contents can be named
        return str(path), 1
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", node)]
        if any(getattr(each, "id", getattr(each, "name", "")) == name for each in targets):
            return _named(path), node.lineno
    return _named(path), 1


# --- the lessons -----------------------------------------------------------------------------------------------------


def _lessons(loaded: course.Parts, chapters: Mapping[str, Chapter | Fault]) -> Iterator[Fault]:
    plans = lab.plan([each for each in chapters.values() if isinstance(each, Chapter)], lab.Nothing()).steps
    planned = {each.name: lab.shown(each) for each in plans}
    for name in loaded.steps:
        there = dict[str, Lesson]()
        for language in LANGUAGES:
            path = lessons.path_of(loaded.folder, name, language)
            try:
                there[language] = lessons.read(path.read_text(encoding="utf-8"), language)
            except (OSError, ValueError) as error:
                reason = "is not there" if isinstance(error, FileNotFoundError) else f"cannot be read: {error}"
                what = f"the lesson of step {name!r} {reason}"
                yield Fault(_named(path), 1, what, "write it in UTF-8, as its siblings")
                continue
            if name in planned:
                yield from lessons.faults(there[language], _named(path), name, planned[name])
            first = next(iter(there.values()))
            if first is not there[language]:
                yield from lessons.out_of_step(there[language], first, _named(path))


# --- the files -------------------------------------------------------------------------------------------------------


def _strays(loaded: course.Parts) -> Iterator[Fault]:
    """Files that are neither a module that the course imports, nor a lesson of one of its steps."""
    wanted = {lessons.path_of(loaded.folder, name, language) for name in loaded.steps for language in LANGUAGES}
    known = {each.resolve() for each in wanted} | loaded.modules()
    for path in sorted(loaded.folder.rglob("*")):
        inside = path.relative_to(loaded.folder).parts
        if path.is_dir() or inside[0] in _OURS or any(each.startswith((".", "__pycache__")) for each in inside):
            continue
        if path.resolve() not in known:
            todo = "import it, list its step in __init__.py, or take it away"
            yield Fault(_named(path), 1, "this file belongs to nothing in the course", todo)


def _from(error: NetlabError, file: str, line: int) -> Fault:
    what = ": ".join([error.message, *error.details])
    return Fault(file, line, what, error.hint or "correct it")


def _named(path: Path) -> str:
    """As a person would name it from where they are."""
    here = os.path.relpath(path)
    return str(path) if here.startswith(os.pardir) else here

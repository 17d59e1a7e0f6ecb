"""The lab's commands as a shell script that needs no netlab: one more walk over what the steps declare.

Each operation becomes a block: whether it holds, and its own command for when it does not. What has to be taken back by
a command is written down in a folder of root's before it is changed; what lives in something else that the script
makes goes with that, and needs neither. The script that takes back walks the same operations, newest first.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from textwrap import wrap

from netlab import __version__
from netlab.export.forms import Form, form, words
from netlab.model import Chapter, Operation
from netlab.operations import dump
from netlab.reading import NOWHERE

STATE = "/run/netlab-export"
"""Where an exported script writes down what it changed: like the kernel's state, it is gone after a restart."""

_PROGRAMS = ("awk", "flock", "ip", "iptables", "iptables-save", "setsid", "ss", "sysctl", "unshare")
"""What the functions run beside coreutils, grep and sed; a script asks for those that it mentions."""


@dataclass(frozen=True, slots=True)
class _Item:
    """One operation; ``name`` is its record's. ``covered``: it goes with what it lives in, and has no record."""

    name: str
    operation: Operation
    form: Form
    covered: bool

    def commands(self) -> Iterator[str]:
        for command in self.operation.apply(NOWHERE):
            aside = f"serve {self.name} {words(command.serve.page)}" if command.serve else "run"
            yield f"{aside} {command}"


def script(chapters: Sequence[Chapter], steps: Sequence[str], parameters: Mapping[str, object], *, undo: bool) -> str:
    """The script for ``steps`` of the course's ``chapters``; with ``undo``, the one that takes them back.

    ``parameters`` are the lab's, for the comment at its head. Raises CourseError for an operation that has no form.
    """
    wanted = [each for each in chapters if each.name in steps]
    items = {each.name: _items(each, wanted) for each in wanted}
    main = "\n".join([f"open_record {_identity(chapters)}", *(_undo(items) if undo else _apply(wanted, items))])
    programs = {
        command.argv[0] for some in items.values() for each in some for command in each.operation.apply(NOWHERE)
    }
    text = main + _functions(main)
    programs |= {each for each in _PROGRAMS if re.search(rf"(?<![\w-]){each}(?![\w-])", text)}
    checks = [f"need {words(*sorted(programs))}", *(["need_nft"] if "iptables" in programs else []), "need_rights"]
    main = "\n".join([*checks, main, ""])
    return "\n".join([*_head(wanted, parameters, undo=undo), _functions(main), main])


def _identity(chapters: Sequence[Chapter]) -> str:
    """What tells this lab from another: a lab with other parameters has other operations."""
    operations = [[each.name, *map(dump, each.operations)] for each in chapters]
    return hashlib.sha256(json.dumps(operations, sort_keys=True).encode()).hexdigest()[:16]


def _items(chapter: Chapter, wanted: Sequence[Chapter]) -> list[_Item]:
    made = frozenset().union(*(each.makes for some in wanted for each in some.operations))
    return [
        _Item(f"{chapter.name}.{number}", each, form(each), bool(each.within & made))
        for number, each in enumerate(chapter.operations, 1)
    ]


# --- the two walks ---------------------------------------------------------------------------------------------------


def _apply(wanted: Sequence[Chapter], items: Mapping[str, Sequence[_Item]]) -> Iterator[str]:
    yield "\n# Before anything changes: what is there by these names already has to be this script's own.\nclashes=''"
    for each in (each for some in items.values() for each in some if not each.covered):
        for what, condition in each.form.clashes:
            yield f"clash {each.name} {words(what)} {condition}"
    yield "no_clash"
    for chapter in wanted:
        yield f"\n# --- {_comment(f'{chapter.name}: {chapter.summary}')} ---"
        for each in items[chapter.name]:
            yield f"\n# {_comment(str(each.operation))}"
            yield from _block(each)
    yield "\nclose_record\n[ -n \"$ran\" ] || say 'nothing to do: all of it is there'"


def _block(each: _Item) -> Iterator[str]:
    patience = f" {each.form.slow}" if each.form.slow else ""
    yield f"holds() {{ {each.form.holds}; }}"
    yield "holds || {"
    if not each.covered:
        yield f"    keep {each.name} {each.form.before}"
    yield from (f"    {line}" for line in (*each.form.first, *each.commands()))
    yield f"    check {words(str(each.operation))}{patience}"
    yield "}"


def _undo(items: Mapping[str, Sequence[_Item]]) -> Iterator[str]:
    yield f"only_steps {words(*items)}"
    for step in reversed([*items]):
        for each in (each for each in reversed(items[step]) if not each.covered):
            yield f"\n# {_comment(f'{step}: {each.operation}')}"
            yield f"if kept {each.name}; then"
            yield from (f"    {line.replace('{}', each.name, 1)}" for line in each.form.back)
            yield f"    forget {each.name}"
            yield "fi"
    yield "\nclose_record\n[ -n \"$ran\" ] || say 'nothing to take back'"


# --- what stands before them -----------------------------------------------------------------------------------------


def _head(wanted: Sequence[Chapter], parameters: Mapping[str, object], *, undo: bool) -> Iterator[str]:
    yield "#!/bin/sh"
    if undo:
        yield f"# Takes back what the script without --undo wrote down in {STATE}, newest first, and nothing else."
        yield "# What lives in a namespace or on a link that was made then, goes with it."
    else:
        yield "# Builds a lab. A command runs only if what it brings about is not there, so a second run does nothing."
        yield f"# What is changed is written down in {STATE} first; the script that"
        yield "# `netlab export --shell --undo` prints, with the same parameters, takes it back."
    yield "# Run it as root. It needs no netlab; when it was cut short, run it again."
    yield "#"
    steps = ", ".join(each.name for each in wanted)
    about = _comment(f"Written by netlab {__version__} for the steps {steps}, with:")
    yield from (f"# {line}" for line in wrap(about, 118))
    for key, value in parameters.items():
        # Tables in a list are counted from 1, as --set counts them.
        rows = {f"{key}.{number}": each for number, each in enumerate(value, 1)} if isinstance(value, list) else {}
        # JSON is one line of ASCII, whatever is in it.
        yield from (f"#   {_comment(name)} = {json.dumps(each)}" for name, each in (rows or {key: value}).items())
    yield "\nset -eu\nPATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C\nexport PATH LC_ALL"
    yield f"state={STATE} ran=''\n"


def _comment(text: str) -> str:
    """One line, in which nothing can end the comment or speak to a terminal."""
    return "".join(char for char in " ".join(text.split()) if char.isprintable())


_BLOCKS = {
    found[1]: block
    for block in Path(__file__).with_name("library.sh").read_text(encoding="utf-8").split("\n\n")
    if (found := re.search(r"^(\w+)\(\) \{", block, re.MULTILINE))
}
"""library.sh: its functions by name, each with the comment that is its own."""


def _functions(text: str) -> str:
    """The functions that the text calls, and those that they call, in the library's order."""
    used: set[str] = set()
    waiting = [text]
    while waiting:
        code = re.sub(r"(?m)^\s*#.*|(?<=\(\) \{) #.*", "", waiting.pop())  # a comment calls nothing
        called = set(re.findall(r"\w+", code)) & _BLOCKS.keys() - used
        used |= called
        waiting += [_BLOCKS[name] for name in called]
    return "\n\n".join(block for name, block in _BLOCKS.items() if name in used) + "\n"

"""The canonical form of an iptables rule, so that what a person typed equals what iptables-save prints for it.

``iptables -C`` cannot be trusted with this: it compares bytes in order, so it misses the same rule typed another way.
Where two spellings might differ they stay different: an operation that "does not hold" is loud, a false "holds" is not.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import chain

from netlab.model import Rule
from netlab.rules.options import DEFAULTS, MATCHES, PLAIN, STATEFUL, TARGETS, Option, Options

# iptables-save opens a quote at the start of a word only, and prints the names of interfaces bare: elsewhere (-i a"b) a
# quote is a letter. A comment may hold line ends.
_QUOTED = r'"(?:[^"\\]|\\.)*"(?=[ \t\n]|\Z)'
_WORD = re.compile(rf"({_QUOTED})|[^ \t\n]+", re.DOTALL)
_LINE = re.compile(rf"(?:(?<=[ \t]){_QUOTED}|[^\n])+", re.DOTALL)
_COUNTERS = re.compile(r"\[[0-9]+:[0-9]+\]")
_IMPLIED = frozenset({"tcp", "udp", "icmp"})
"""Modules that ``-p`` loads by itself when one of their options follows."""


def canonical(spec: Sequence[str]) -> tuple[tuple[str, ...], ...]:
    """The words after the chain's name → a value that is equal for equal rules.

    The value is a tuple of groups: one for each plain option, then one for each module, then the target, each with what
    belongs to it in a fixed order. Strung together the groups are a rule again, with the same canonical form.
    Never fails: words that iptables would refuse are kept as they are.
    """
    reader = _Reader()
    reader.read(list(spec))
    return reader.result()


def words(line: str) -> tuple[str, ...]:
    """A line of iptables-save → its words, with quotes and backslashes undone."""
    return tuple(
        re.sub(r"\\(.)", r"\1", match[0][1:-1], flags=re.DOTALL) if match[1] else match[0]
        for match in _WORD.finditer(line)
    )


def lines(text: str) -> Iterator[str]:
    """iptables-save's output → its lines; a quoted comment with line ends in it does not end its line."""
    return (match[0] for match in _LINE.finditer(text))


@lru_cache(maxsize=8192)  # each step reads its table again, and most of the lines are those of the step before
def parse_line(line: str) -> Rule:
    """``-A CHAIN …`` as iptables-save prints it, with or without counters → the rule. ValueError for another line."""
    parts = words(line)
    if parts and _COUNTERS.fullmatch(parts[0]):
        parts = parts[1:]
    if len(parts) < 2 or parts[0] != "-A":
        raise ValueError(f"not a rule: {line!r}")
    return Rule(parts[1], canonical(parts[2:]), text=line)


@dataclass(slots=True)
class _Group:
    """A module or a target with what belongs to it; ``known`` is None when its options are not in our tables."""

    head: tuple[str, str]
    known: Options | None
    options: list[tuple[str, ...]] = field(default_factory=list)
    raw: list[str] = field(default_factory=list)

    @property
    def opaque(self) -> bool:
        """Is there anything in it that we cannot read?"""
        return self.known is None or bool(self.raw)

    def words(self) -> tuple[str, ...]:
        return (*self.head, *chain.from_iterable(sorted(self.options)), *self.raw)


_Place = tuple[Options, _Group | None]


def _named(name: str, places: list[_Place], *, short: bool) -> list[tuple[Option, _Group | None]]:
    """The option of that full name in the place loaded last, else all that it is short for."""
    exact = [(options[name], group) for options, group in places if name in options]
    if exact or not short:
        return exact[-1:]
    meant = {
        option.name: (option, group)
        for options, group in places
        for full, option in options.items()
        if full.startswith(name)
    }
    return list(meant.values())


class _Reader:
    """Reads words as iptables' getopt does: an option belongs to the module that knows it, wherever it stands."""

    def __init__(self) -> None:
        self.protocol = ""
        self.plain: list[tuple[str, ...]] = []
        self.groups: list[_Group] = []
        self.stray: list[tuple[str, ...]] = []
        self.unfinished: tuple[str, ...] = ()

    def read(self, spec: list[str]) -> None:
        at = 0
        while at < len(spec):
            start = at
            negated = spec[at] == "!" and at + 1 < len(spec)
            at += negated
            name, equals, value = spec[at].partition("=") if spec[at].startswith("--") else (spec[at], "", "")
            values = [value] if equals else []
            at += 1
            option, group = self._find(name)
            if option is None or len(values) > option.arity:
                self._keep(*("!",) * negated, name, *values)
                continue
            if option.old_not and not equals and spec[at : at + 1] == ["!"]:
                negated = True
                at += 1
            missing = option.arity - len(values)
            values += spec[at : at + missing]
            at += missing
            if len(values) < option.arity:
                self.unfinished = tuple(spec[start:])
            elif option.name == "-c":
                at += "," not in values[0]
            elif option.name in ("-m", "-j", "-g"):
                self._load(option.name, values[0])
                if negated:
                    self._keep("!")
            else:
                self._add(option, tuple(values), group, negated=negated)

    def _add(self, option: Option, values: tuple[str, ...], group: _Group | None, *, negated: bool) -> None:
        normal = option.normal(values)
        if option.name == "-p" and not negated:
            self.protocol = normal[0] if normal else ""
        if normal is None and negated:
            normal = values  # "! -s 0.0.0.0/0" matches nothing, which is not nothing
        if normal is not None:
            (self.plain if group is None else group.options).append((*("!",) * negated, option.name, *normal))

    def _find(self, name: str) -> tuple[Option | None, _Group | None]:
        """The option and its group, None for a plain option; (None, None) when nobody knows it or several may."""
        # An abbreviation may be the full name of an option in a module that we do not know.
        short = len(name) > 2 and name.startswith("--") and all(group.known is not None for group in self.groups)
        places: list[_Place] = [(PLAIN, None), *((group.known or {}, group) for group in self.groups)]
        found = _named(name, places, short=short)
        loaded = ("-m", self.protocol) in (group.head for group in self.groups)
        if not found and self.protocol in _IMPLIED and not loaded:
            found = _named(name, [(MATCHES[self.protocol], None)], short=short)
            if len(found) == 1:
                return found[0][0], self._load("-m", self.protocol)
        return found[0] if len(found) == 1 else (None, None)

    def _load(self, flag: str, name: str) -> _Group:
        known: Mapping[str, Options] = {"-m": MATCHES, "-j": TARGETS}.get(flag, {})
        self.groups.append(_Group((flag, name), known.get(name)))
        return self.groups[-1]

    def _keep(self, *raw: str) -> None:
        """Words that we cannot read go to the module that most likely can: the last one that we do not know."""
        opaque = [group for group in self.groups if group.known is None] or self.groups
        if opaque:
            opaque[-1].raw.extend(raw)
        elif self.protocol and raw[-1].startswith("--"):
            self._load("-m", self.protocol).raw.extend(raw)
        elif not _COUNTERS.fullmatch(raw[0]):
            self.stray.append(raw)

    def result(self) -> tuple[tuple[str, ...], ...]:
        for group in self.groups:
            default = DEFAULTS.get(group.head, ())
            if default and not any(option[0] == default[0] for option in group.options):
                group.options.append(default)
        matches = [group for group in self.groups if group.head[0] == "-m"]
        if not any(group.opaque or group.head[1] in STATEFUL for group in matches):
            matches = sorted(self._merged(matches), key=_Group.words)
        implied = ("-m", self.protocol) if self.protocol in _IMPLIED else ()
        kept = [group.words() for group in matches if group.words() != implied]
        targets = [group.words() for group in self.groups if group.head[0] != "-m"]
        unfinished = [self.unfinished] if self.unfinished else []
        return (*self.stray, *sorted(self.plain), *kept, *targets, *unfinished)

    @staticmethod
    def _merged(matches: list[_Group]) -> list[_Group]:
        """``-m tcp --dport 80 -m tcp --sport 5``: iptables-nft prints one module for the two, iptables-legacy both.

        Each option of tcp and udp is a condition of its own, so both say the same. Of other modules that is not sure.
        """
        merged: dict[object, _Group] = {}
        for place, group in enumerate(matches):
            key: object = group.head if group.head[1] in ("tcp", "udp") else place
            if key in merged:
                merged[key].options.extend(group.options)
            else:
                merged[key] = group
        return list(merged.values())

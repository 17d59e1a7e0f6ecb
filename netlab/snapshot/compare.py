"""Says in words what differs between two snapshots, and what is only worth a mention."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any, Final, NamedTuple

from netlab.snapshot.stack import link_of

_HOST: Final = "host"

# Values that list what the kernel has loaded: they grow with modules, as names do.
_GROWING: Final = (
    "net.ipv4.tcp_available_congestion_control",
    "net.ipv4.tcp_available_ulp",
    "net.mptcp.available_path_managers",
    "net.mptcp.available_schedulers",
)


@dataclass(frozen=True, slots=True)
class Difference:
    """What differs in one place. ``section`` is "iptables nat", "link br0", "address", ….

    A line starts with "+ " for what is only in the second snapshot, with "- " for what was only in the first, or reads
    "0 → 1".
    """

    namespace: str
    section: str
    lines: tuple[str, ...]

    def __str__(self) -> str:
        return "\n".join(f"{self.namespace}: {self.section}: {line}" for line in self.lines)


class Comparison(NamedTuple):
    """``differences`` count; ``notes`` are only reported: sysctls of a new module, sections read on one side."""

    differences: list[Difference]
    notes: list[str]


def compare(before: Mapping[str, Any], after: Mapping[str, Any]) -> Comparison:
    """What differs from ``before`` to ``after``; two equal lab hosts have no differences.

    What follows from something already named is not named again: the content of a namespace that is new, the settings
    of a card that is gone.
    """
    differences: list[Difference] = []
    notes: list[str] = []
    for stack in sorted({*before, *after}, key=lambda name: (name != _HOST, name)):
        old, new = before.get(stack), after.get(stack)
        if not isinstance(old, dict | None) or not isinstance(new, dict | None):
            continue  # the format's number
        if old is None or new is None:
            differences.extend(_one_sided(stack, "+" if old is None else "-", before, after))
            continue
        for section in sorted({*old, *new}):
            if section not in old or section not in new:
                side = "before" if section in old else "after"
                notes.append(f"{stack}: {section}: not compared, for it could be read only {side}")
            elif section == "sysctl":
                differences.extend(_sysctls(stack, old, new, notes))
            else:
                differences.extend(_section(stack, section, old, new))
    return Comparison(differences, notes)


def _one_sided(stack: str, sign: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Difference]:
    """A namespace of one snapshot only, unless the host's own list of names says so already."""
    name = stack.removeprefix("netns/")
    names = [snapshot[_HOST].get("namespace", {}).get(name) for snapshot in (before, after)]
    if names[0] == names[1]:
        yield Difference(stack, "namespace", (f"{sign} {name}, of which the other snapshot has nothing",))


def _section(stack: str, section: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Difference]:
    was, now = old[section], new[section]
    if was == now:
        return
    if isinstance(was, list):
        yield Difference(stack, section, tuple(_lines(was, now)))
        return
    for name in sorted({*was, *now}):
        first, second = was.get(name), now.get(name)
        if first == second:
            continue
        if isinstance(first or second, list):
            yield Difference(stack, f"{section} {name}", tuple(_lines(first or [], second or [])))
        elif first is not None and second is not None:
            yield Difference(stack, f"{section} {name}", tuple(_words(first, second)))
        elif section != "link details":
            sign, value = ("+", second) if first is None else ("-", first)
            yield Difference(stack, section, (f"{sign} {name} {value}".rstrip(),))


def _sysctls(stack: str, old: Mapping[str, Any], new: Mapping[str, Any], notes: list[str]) -> Iterator[Difference]:
    was, now = old["sysctl"], new["sysctl"]
    appeared: dict[str, list[str]] = {}
    for name in sorted({*was, *now}):
        first, second = was.get(name), now.get(name)
        card = link_of(name)
        if first == second or (card and (card in old["link"]) != (card in new["link"])):
            continue
        if name in _GROWING and first is not None and second is not None:
            notes.append(f"{stack}: sysctl {name}: {first} → {second}, by a kernel module; not compared")
        elif first is None:
            appeared.setdefault(".".join(name.split(".")[:2]), []).append(f"{name} = {second}")
        elif second is None:
            yield Difference(stack, "sysctl", (f"- {name} = {first}",))
        else:
            yield Difference(stack, f"sysctl {name}", (f"{first} → {second}",))
    for prefix, names in appeared.items():
        shown = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
        notes.append(f"{stack}: sysctl: new under {prefix}, by a kernel module; not compared: {shown}")


def _lines(was: Sequence[str], now: Sequence[str]) -> Iterator[str]:
    for tag, i, j, k, m in SequenceMatcher(None, was, now, autojunk=False).get_opcodes():
        if tag != "equal":
            yield from (f"- {line}" for line in was[i:j])
            yield from (f"+ {line}" for line in now[k:m])


def _words(was: str, now: str) -> Iterator[str]:
    """Only the words that differ, each with the word before it: ``mtu 1500 → mtu 1400``."""
    first, second = was.split(" "), now.split(" ")
    for tag, i, j, k, m in SequenceMatcher(None, first, second, autojunk=False).get_opcodes():
        if tag != "equal":
            yield f"{_from(first, i, j)} → {_from(second, k, m)}"


def _from(words: Sequence[str], start: int, end: int) -> str:
    return " ".join(_with_one_before(words, start, end)) or "(nothing)"


def _with_one_before(words: Sequence[str], start: int, end: int) -> Iterable[str]:
    return words[max(start - 1, 0) : end]

"""The commands that clear the way: what a person would type, with the course's own names for its parameters."""

from __future__ import annotations

import re
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

from netlab.machine import Machine


@dataclass(frozen=True, slots=True)
class Cures:
    """``parameters`` are the course's, nested as JSON holds them: the one that holds the value in the way is named."""

    here: Machine
    parameters: Mapping[str, Any]

    def other(self, value: object, free: object, what: str) -> str:
        """Apply with ``free`` in the place of ``value``; words about ``what`` where no single parameter holds it."""
        keys = [key for key, held in _flat(self.parameters) if held == value and not isinstance(held, bool)]
        if len(keys) != 1:
            return f"give the lab another {what}" + (f" (--set, one of {', '.join(keys)})" if keys else "")
        return self.here.as_root(f"netlab --host apply --set {keys[0]}={free}")

    def adopt(self, other: str) -> str:
        """Use what is there, and never delete it; or ``other``."""
        return f"{self.here.as_root('netlab --host apply --adopt')} (uses it, and never deletes it); or {other}"

    def root(self, *commands: str) -> str:
        """These commands, as root, a line each."""
        return "\n".join(self.here.as_root(command) for command in commands)


def _flat(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    """("containers.1.port", 8888), …: lists are counted from 1, as --set does."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _flat(inner, (*path, str(key)))
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for number, inner in enumerate(value, 1):
            yield from _flat(inner, (*path, str(number)))
    else:
        yield ".".join(path), value


def free_name(name: str, taken: Container[str]) -> str:
    """The next name in the same manner that is free: br0 → br1, of at most 15 characters as a card's may be."""
    stem = re.sub(r"[0-9]+$", "", name)
    number = int(name[len(stem) :] or "0")
    later = (f"{stem[: 15 - len(str(each))]}{each}" for each in count(number + 1))
    return next(each for each in later if each not in taken)

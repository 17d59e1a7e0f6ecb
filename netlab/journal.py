"""What netlab changed and how to take it back: on disk, synced, before it is changed."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from netlab.errors import Missing, UnsafeState
from netlab.model import Facts, Json, Operation, Thing
from netlab.operations import dump, load
from netlab.state import BEGIN_AGAIN, open_plain

VERSION = 1

NOTHING = "nothing"
"""The identity of what a command should have made, and did not: what has its name is somebody else's."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One operation that did not hold and was applied, and what its undo needs to know of the state before it."""

    step: str
    operation: Operation
    before: Json
    identity: str = ""
    """What it made, where somebody else could make another of that name; "" before it was seen, NOTHING for nothing."""


@dataclass(slots=True)
class Journal:
    """The journal file of one lab, one JSON object a line. Reading it raises UnsafeState where it cannot be understood.

    A torn last line is ignored: a line is on disk before its command runs, so that command never ran.
    """

    path: Path
    adopted: dict[Operation, str] = field(default_factory=dict)
    """What somebody else had made and netlab was told to use, with its step: it is never taken back."""
    done: set[str] = field(default_factory=set)
    """Steps that were seen whole: what no longer holds of them has drifted."""
    besides: Callable[[], frozenset[Thing]] = frozenset
    """What else is as good as netlab's: in a sandbox, what came along with operations that somebody typed by hand."""
    _entries: dict[Operation, Entry] = field(default_factory=dict)
    _torn: int | None = None
    """Where a last line begins that was cut short. It goes when the next one is written: who looks may have no lock."""

    def __post_init__(self) -> None:
        try:
            with os.fdopen(open_plain(self.path, os.O_RDONLY), "rb") as file:
                text = file.read()
        except FileNotFoundError:
            return
        whole, newline, torn = text.rpartition(b"\n")
        self._torn = len(whole + newline) if torn else None
        for number, line in enumerate(whole.decode(errors="replace").splitlines(), 1):
            self._take(number, line)

    def _take(self, number: int, line: str) -> None:
        try:
            record = json.loads(line)
            if "journal" in record:
                if record["journal"] > VERSION:
                    raise UnsafeState(
                        f"the journal {self.path} was written by a newer netlab",
                        hint="undo with that netlab; nothing was touched",
                    )
            elif "operation" in record:
                self._add(Entry(record["step"], load(record["operation"]), record["before"]))
            elif "taking" in record:
                self._replace(load(record["taking"]), before=record["before"])
            elif "made" in record:
                self._replace(load(record["made"]), identity=record["identity"])
            elif "adopted" in record:
                self._adopt(load(record["adopted"]), record["step"])
            elif "done" in record:
                self.done.add(record["done"])
            else:
                self._drop(set(record["undone"]))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise UnsafeState(
                f"line {number} of the journal {self.path} cannot be understood",
                details=(line[:200],),
                hint=f"mend the line; or {BEGIN_AGAIN}",
            ) from error

    @property
    def entries(self) -> list[Entry]:
        """Oldest first. The first entry of an operation counts: what was there before netlab came."""
        return list(self._entries.values())

    @property
    def ours(self) -> Set[Operation]:
        """What netlab made, and what it was told to use."""
        return self._entries.keys() | self.adopted.keys()

    def brought(self) -> frozenset[Thing]:
        """What came into being beside what netlab made: nobody else's, when it is to be told what was there before."""
        return self.besides().union(*(each.operation.brings(each.before) for each in self._entries.values()))

    def remade(self, operation: Operation, facts: Facts) -> bool:
        """Did somebody make another one of what netlab had made?"""
        entry = self._entries.get(operation)
        return entry is not None and entry.identity != "" and operation.identity(facts) not in ("", entry.identity)

    def still(self, operation: Operation, facts: Facts) -> Entry | None:
        """The entry of what netlab made, where that very thing is still there, in whatever state."""
        entry = self._entries.get(operation)
        return entry if entry is not None and entry.identity and operation.identity(facts) == entry.identity else None

    def record(self, entries: Sequence[Entry]) -> None:
        """Write entries down, synced. Only then may their commands run.

        Like all that writes, raises Missing where the disk does not take it: then nothing of it is on record.
        """
        lines = ({"step": each.step, "operation": dump(each.operation), "before": each.before} for each in entries)
        self._append(*lines)
        for entry in entries:
            self._add(entry)

    def adopt(self, step: str, operation: Operation) -> None:
        """Write down that this is somebody else's, and used."""
        self._append({"step": step, "adopted": dump(operation)})
        self._adopt(operation, step)

    def made(self, identities: Mapping[Operation, str]) -> None:
        """Write down what came of these operations' commands."""
        self._append(*({"made": dump(each), "identity": identity} for each, identity in identities.items()))
        for each, identity in identities.items():
            self._replace(each, identity=identity)

    def unseen(self) -> list[Operation]:
        """What was to be made, and nobody has seen what came of it: netlab was killed, or the command failed."""
        return [each for each, entry in self._entries.items() if each.makes and not entry.identity]

    def finish(self, step: str) -> None:
        """The step was seen whole."""
        if step not in self.done:
            self._append({"done": step})
            self.done.add(step)

    def taking(self, entries: Sequence[Entry]) -> None:
        """Write down, synced, what undo needs to know of these when their commands have run and it is killed then."""
        self._append(*({"taking": dump(each.operation), "before": each.before} for each in entries))
        for each in entries:
            self._replace(each.operation, before=each.before)

    def undone(self, steps: Sequence[str]) -> None:
        """All that was done for these steps has been taken back."""
        self._append({"undone": list(steps)})
        self._drop(set(steps))

    def _add(self, entry: Entry) -> None:
        first = self._entries.get(entry.operation, entry)
        self._entries[entry.operation] = replace(first, identity="")  # what is made anew is not what was made before

    def _adopt(self, operation: Operation, step: str) -> None:
        """It is somebody's, and so is what they did in it: netlab's own went with what it had made there before."""
        self.adopted[operation] = step
        self._entries.pop(operation, None)
        self._entries = {each: entry for each, entry in self._entries.items() if not each.within & operation.makes}

    def _replace(self, operation: Operation, **changes: Any) -> None:
        if operation in self._entries:
            self._entries[operation] = replace(self._entries[operation], **changes)

    def _drop(self, steps: set[str]) -> None:
        self._entries = {each: entry for each, entry in self._entries.items() if entry.step not in steps}
        self.adopted = {operation: step for operation, step in self.adopted.items() if step not in steps}
        self.done -= steps

    def _append(self, *records: dict[str, Json]) -> None:
        if self._torn is not None:
            os.truncate(self.path, self._torn)
            self._torn = None
        new = not self.path.exists() or self.path.stat().st_size == 0
        lines = "".join(json.dumps(each) + "\n" for each in (({"journal": VERSION}, *records) if new else records))
        fd = open_plain(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        size = os.fstat(fd).st_size
        try:
            with os.fdopen(fd, "wb", closefd=False) as file:
                file.write(lines.encode())
            os.fsync(fd)
        except OSError as error:
            with contextlib.suppress(OSError):
                os.truncate(self.path, size)
            raise Missing(
                f"the journal {self.path} cannot be written: {error.strerror}",
                hint="make room; then run the command again, it goes on from here",
            ) from error
        finally:
            os.close(fd)

"""A sysctl, with the others that the kernel changes along with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from netlab import spelling
from netlab.model import Command, Facts, Json, Operation, Query, Thing

SIDE_EFFECTS: dict[str, tuple[str, ...]] = {
    # Writing it sets every interface's forwarding, and flips conf.all.accept_redirects and no other interface's
    # (Linux: net/ipv4/devinet.c, inet_forward_change).
    "net.ipv4.ip_forward": ("net.ipv4.conf.*.forwarding", "net.ipv4.conf.all.accept_redirects"),
}


@dataclass(frozen=True)
class Sysctl(Operation):
    """``sysctl -w KEY=VALUE``. Undo writes the old value, and then what the kernel changed along with it."""

    kind: ClassVar[str] = "sysctl"
    key: str
    value: str
    netns: str = ""

    def __post_init__(self) -> None:
        spelling.words(self.key, self.value)
        spelling.stack(self.netns)

    def __str__(self) -> str:
        return f"sysctl {self.key} = {self.value}{f' in {self.netns}' if self.netns else ''}"

    @property
    def within(self) -> frozenset[Thing]:
        return frozenset({("netns", self.netns)}) if self.netns else frozenset()

    def queries(self) -> frozenset[Query]:
        return frozenset(Query("sysctl", self.netns, key) for key in (self.key, *SIDE_EFFECTS.get(self.key, ())))

    def holds(self, facts: Facts) -> bool:
        return facts.sysctl(self.netns, self.key).get(self.key) == self.value

    def found(self, facts: Facts) -> str:
        value = facts.sysctl(self.netns, self.key).get(self.key)
        return f"{self.key} is {value}" if value not in (None, self.value) else ""

    def apply(self, facts: Facts) -> tuple[Command, ...]:
        return (self._write(self.key, self.value),)

    def before(self, facts: Facts) -> Json:
        """Key and values, the key itself first."""
        values = dict(facts.sysctl(self.netns, self.key))
        for key in SIDE_EFFECTS.get(self.key, ()):
            values |= facts.sysctl(self.netns, key)
        return values

    def undo(self, facts: Facts, before: Json) -> tuple[Command, ...]:
        now = self.before(facts)
        main: tuple[Command, ...] = ()
        if self.key in before and now.get(self.key) not in (None, before[self.key]):
            main = (self._write(self.key, before[self.key]),)
            # What the kernel is about to change along with it, as far as the table above knows.
            now = {key: before[self.key] if key.endswith(".forwarding") else None for key in now}
        rest = (key for key in before if key != self.key and key in now and now[key] != before[key])
        return (*main, *(self._write(key, before[key]) for key in rest))

    def _write(self, key: str, value: str) -> Command:
        return Command(("sysctl", "-w", f"{key}={value}"), self.netns or None)

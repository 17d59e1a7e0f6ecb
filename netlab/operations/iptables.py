"""iptables: a chain's policy, a rule in canonical form, and the chains that iptables-nft makes on first use."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from netlab import spelling
from netlab.model import Command, Facts, Json, Operation, Query, Thing
from netlab.rules import canonical


def _left_over(facts: Facts, netns: str, table: str, chain: str, before: Json) -> tuple[Command, ...]:
    """Commands that remove the base chain, and then the table, that iptables-nft made for us and that are empty again.

    While our rule is still in it, it is not empty: undo reads again after its commands, and asks once more.
    iptables-legacy has nothing of the kind: ``facts.chains`` does not change under it.
    """
    where = netns or None
    now = {name for owner, name in facts.chains(netns) if owner == table}
    state = facts.table(netns, table)
    empty = state.policies.get(chain, "ACCEPT") == "ACCEPT" and all(rule.chain != chain for rule in state.rules)
    if chain in now and chain not in before["chains"] and empty:
        return (Command(("iptables", "-w", "-t", table, "-X", chain), where),)
    if now == {""} and not before["chains"]:
        return (Command(("nft", "delete", "table", "ip", table), where),)
    return ()


def _brings(netns: str, table: str, chain: str, before: Json) -> frozenset[Thing]:
    """The base chain, where iptables-nft has to make it."""
    return frozenset({("chain", netns, table, chain)} if chain not in before["chains"] else ())


def _beside(netns: str, table: str, before: Json, brought: frozenset[Thing]) -> Json:
    return {**before, "chains": [each for each in before["chains"] if ("chain", netns, table, each) not in brought]}


def _chains_before(facts: Facts, netns: str, table: str) -> list[str]:
    """The table's base chains, "*" for anything else in it; [""] for an empty table; [] for no table."""
    return sorted(chain for owner, chain in facts.chains(netns) if owner == table)


@dataclass(frozen=True)
class Policy(Operation):
    """A built-in chain's policy: ``iptables -t TABLE -P CHAIN POLICY``. An empty lab has ACCEPT: this is ``given``."""

    kind: ClassVar[str] = "policy"
    table: str
    chain: str
    policy: str
    netns: str = ""

    def __post_init__(self) -> None:
        spelling.words(self.table, self.chain, self.policy)
        spelling.stack(self.netns)

    def __str__(self) -> str:
        return f"policy {self.policy} on {self.chain} of {self.table}"

    @property
    def given(self) -> bool:
        return self.policy == "ACCEPT"

    @property
    def within(self) -> frozenset[Thing]:
        return frozenset({("netns", self.netns)}) if self.netns else frozenset()

    def queries(self) -> frozenset[Query]:
        return frozenset({Query("iptables", self.netns, self.table), Query("chains", self.netns)})

    def _policy(self, facts: Facts) -> str:
        # A table that was never used has no chains yet; the kernel then lets everything pass.
        return facts.table(self.netns, self.table).policies.get(self.chain, "ACCEPT")

    def holds(self, facts: Facts) -> bool:
        return self._policy(facts) == self.policy

    def found(self, facts: Facts) -> str:
        return "" if self.holds(facts) else f"the policy of {self.chain} is {self._policy(facts)}"

    def typed(self, facts: Facts, first: Facts) -> bool:
        # ACCEPT holds from the start; that somebody set it shows in nftables, where the chain then is.
        chain = (self.table, self.chain)
        made = chain in facts.chains(self.netns) and chain not in first.chains(self.netns)
        return self.holds(facts) and (made or not self.holds(first))

    def apply(self, facts: Facts) -> tuple[Command, ...]:
        return (self._set(self.policy),)

    def before(self, facts: Facts) -> Json:
        return {"policy": self._policy(facts), "chains": _chains_before(facts, self.netns, self.table)}

    def brings(self, before: Json) -> frozenset[Thing]:
        return _brings(self.netns, self.table, self.chain, before)

    def beside(self, before: Json, brought: frozenset[Thing]) -> Json:
        return _beside(self.netns, self.table, before, brought)

    def undo(self, facts: Facts, before: Json) -> tuple[Command, ...]:
        back = (self._set(before["policy"]),) if self._policy(facts) != before["policy"] else ()
        return (*back, *_left_over(facts, self.netns, self.table, self.chain, before))

    def _set(self, policy: str) -> Command:
        return Command(("iptables", "-w", "-t", self.table, "-P", self.chain, policy), self.netns or None)


@dataclass(frozen=True)
class Rule(Operation):
    """One rule: ``iptables -t TABLE -A CHAIN SPEC…``. Undo removes one copy of it, and only what netlab added."""

    kind: ClassVar[str] = "rule"
    table: str
    chain: str
    spec: tuple[str, ...]
    netns: str = ""

    def __post_init__(self) -> None:
        spelling.words(self.table, self.chain, *self.spec)
        spelling.stack(self.netns)

    def __str__(self) -> str:
        return f"rule {self.table} {self.chain} {' '.join(self.spec)}"

    @property
    def within(self) -> frozenset[Thing]:
        return frozenset({("netns", self.netns)}) if self.netns else frozenset()

    def queries(self) -> frozenset[Query]:
        return frozenset({Query("iptables", self.netns, self.table), Query("chains", self.netns)})

    @property
    def counted(self) -> bool:
        return True

    def _copies(self, facts: Facts) -> int:
        match = canonical(self.spec)
        rules = facts.table(self.netns, self.table).rules
        return sum(rule.chain == self.chain and rule.match == match for rule in rules)

    def holds(self, facts: Facts) -> bool:
        return self._copies(facts) > 0

    def apply(self, facts: Facts) -> tuple[Command, ...]:
        return (self._change("-A"),)

    def before(self, facts: Facts) -> Json:
        return {"copies": self._copies(facts), "chains": _chains_before(facts, self.netns, self.table)}

    def brings(self, before: Json) -> frozenset[Thing]:
        return _brings(self.netns, self.table, self.chain, before)

    def beside(self, before: Json, brought: frozenset[Thing]) -> Json:
        return _beside(self.netns, self.table, before, brought)

    def undo(self, facts: Facts, before: Json) -> tuple[Command, ...]:
        copies = self._copies(facts)
        # If a stranger has added an equal one after ours, one of the two is ours and one is not: exactly one goes. And
        # where one has gone, in an undo that was killed before it could say so, that one was ours.
        back = (self._change("-D"),) if before["copies"] < copies >= before.get("taking", 0) else ()
        return (*back, *_left_over(facts, self.netns, self.table, self.chain, before))

    def taking(self, facts: Facts, before: Json) -> Json:
        return {**before, "taking": max(self._copies(facts), before.get("taking", 0))}

    def _change(self, flag: str) -> Command:
        argv = ("iptables", "-w", "-t", self.table, flag, self.chain, *self.spec)
        return Command(argv, self.netns or None)

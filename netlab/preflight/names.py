"""The lab's names: who has them already."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Set

from netlab.model import Facts, Link, Operation
from netlab.operations.namespace import Namespace
from netlab.preflight.cures import Cures, free_name
from netlab.preflight.finding import Finding, finding
from netlab.preflight.wants import Wants


def findings(wants: Wants, facts: Facts, ours: Set[Operation], cures: Cures) -> Iterator[Finding]:
    """A namespace or link of a wanted name that netlab did not make: a conflict for each."""
    things = [thing for maker in wants.makers for thing in maker.makes]
    taken = {thing[-1] for thing in things} | facts.stack("").links.keys()
    taken |= facts.namespaces().live | facts.namespaces().torn
    found = [each for maker in wants.makers if maker not in ours for each in _maker(maker, taken, facts, cures)]
    yield from found
    if not found and things:
        yield finding("names", "ok", "nobody else has a namespace or a link of the lab's names")


def _maker(maker: Operation, taken: set[str], facts: Facts, cures: Cures) -> Iterator[Finding]:
    """``taken`` are names that cannot be proposed: each proposal becomes one of them."""

    def other(name: str) -> str:
        free = free_name(name, taken)
        taken.add(free)
        return cures.other(name, free, "name")

    if isinstance(maker, Namespace):
        yield from _namespace(maker, facts, cures, other)
        return
    holds = maker.holds(facts)
    there = list(_there(maker, facts))
    for link, netns in there[:1] if holds else there:  # of a pair that holds, one end is enough to say
        where = f" in {netns}" if netns else ""
        cure = cures.adopt(other(link.name)) if holds else f"{other(link.name)}; or rename or remove {link.name}"
        yield finding(f"link {link.name}{where}", "conflict", _what(link, where), cure)


def _there(maker: Operation, facts: Facts) -> Iterator[tuple[Link, str]]:
    """The links that it would make and that are there, those on the machine itself first."""
    for _, netns, name in sorted(thing for thing in maker.makes if thing[0] == "link"):
        link = facts.stack(netns).links.get(name) if not netns or netns in facts.namespaces().live else None
        if link is not None:
            yield link, netns


def _what(link: Link, where: str) -> str:
    if not link.kind:
        return f"{link.name}{where} is a real card"
    return f"{link.name}{where} is a {link.kind} that netlab did not make"


def _namespace(maker: Namespace, facts: Facts, cures: Cures, other: Callable[[str], str]) -> Iterator[Finding]:
    name, there = f"namespace {maker.name}", facts.namespaces()
    if maker.name in there.live:
        words = f"a network namespace {maker.name} is there that netlab did not make"
        yield finding(name, "conflict", words, cures.adopt(other(maker.name)))
    elif maker.name in there.torn:
        yield finding(name, "warning", f"{maker.found(facts)}; `apply` clears it away")
    elif maker.blocked(facts):
        yield finding(name, "conflict", maker.found(facts), f"{other(maker.name)}; or remove it by hand")

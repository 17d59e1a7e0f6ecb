"""What the kernel will show once some operations hold: a step's effect on the facts, without running anything.

A drawing marks with it what a step will add. It is no check and decides nothing: what holds is read from the kernel.
Of what the kernel does along the way, only what a picture shows is foreseen.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from ipaddress import ip_interface
from typing import Any

from netlab.model import Address, Facts, Link, Listener, Namespaces, Operation, Query, Route, Rule, Stack, Table
from netlab.operations import address, bridge, namespace, policy, port, route, service, sysctl, up, veth
from netlab.operations.iptables import Rule as RuleOperation
from netlab.rules import parse_line

_UNBOUND = "0.0.0.0"
"""What ss prints for a server on every address."""


def foresee(facts: Facts, operations: Iterable[Operation], queries: Iterable[Query]) -> Facts:
    """The answers to ``queries`` as they will be once ``operations`` hold. A kind that is not known adds nothing."""
    seen = _Foreseen(facts, frozenset(queries))
    for each in operations:
        seen.add(each)
    return Facts(seen)


class _Foreseen(Mapping[Query, Any]):
    """The facts, with what is added to them laid over."""

    def __init__(self, facts: Facts, queries: frozenset[Query]) -> None:
        self._facts, self._queries = facts, queries
        self._over: dict[Query, Any] = {}

    def __getitem__(self, query: Query) -> Any:
        return self._over[query] if query in self._over else self._facts.answers[query]

    def __iter__(self) -> Iterator[Query]:
        return iter(self._queries)

    def __len__(self) -> int:
        return len(self._queries)

    def add(self, each: Operation) -> None:
        """Lay the effect of one operation over what was there."""
        match each:
            case namespace():
                self._namespace(each.name)
            case veth():
                self._veth(each)
            case bridge():
                self._link(each.netns, Link(each.name, self._index(each.netns), "bridge", up=False))
            case port():
                self._change(each.netns, each.dev, master=each.bridge)
            case up():
                self._up(each.netns, each.dev)
            case address():
                self._stack(each.netns, addresses=(*self._at(each.netns).addresses, Address(each.dev, each.cidr)))
            case route():
                self._route(each)
            case sysctl():
                query = Query("sysctl", each.netns, each.key)
                self._over[query] = {**self._get(query, {}), each.key: each.value}
            case policy() | RuleOperation():
                self._table(each)
            case service():
                query = Query("listeners", each.netns)
                self._over[query] = self._get(query, frozenset()) | {Listener(_UNBOUND, each.port)}

    def _get(self, query: Query, default: Any) -> Any:
        try:
            return self[query]
        except KeyError:  # not read: of no interest to whoever asks for a picture
            return default

    def _namespace(self, name: str) -> None:
        query = Query("namespaces")
        names: Namespaces = self._get(query, Namespaces())
        self._over[query] = Namespaces(names.live | {name}, names.torn - {name})
        self._over[Query("stack", name)] = Stack({"lo": Link("lo", 1, "loopback", up=False)})
        self._over[Query("listeners", name)] = frozenset()
        self._over.setdefault(Query("sysctl", name, "net.ipv4.ip_forward"), {})

    def _veth(self, each: veth) -> None:
        near = self._index(each.netns)
        far = self._index(each.peer_netns) + (each.netns == each.peer_netns)
        here, there = each.netns, each.peer_netns
        self._stack(here, links={key: link for key, link in self._at(here).links.items() if key != each.peer})
        self._link(here, Link(each.name, near, "veth", up=False, peer_index=far, peer_netns=there))
        self._link(there, Link(each.peer, far, "veth", up=False, peer_index=near, peer_netns=here))

    def _up(self, netns: str, dev: str) -> None:
        self._change(netns, dev, up=True)
        stack = self._at(netns)
        link = stack.links.get(dev)
        own = Address(dev, "127.0.0.1/8")
        if link is not None and link.kind == "loopback" and own not in stack.addresses:
            self._stack(netns, addresses=(*stack.addresses, own))

    def _route(self, each: route) -> None:
        stack = self._at(each.netns)
        own = any(
            one.dev == each.dev and str(ip_interface(one.cidr).network) == each.destination for one in stack.addresses
        )
        protocol = "kernel" if own and not each.via else "boot"
        self._stack(each.netns, routes=(*stack.routes, Route(each.destination, each.dev, each.via, protocol)))

    def _table(self, each: policy | RuleOperation) -> None:
        query = Query("iptables", each.netns, each.table)
        table: Table = self._get(query, Table())
        if isinstance(each, policy):
            self._over[query] = replace(table, policies={**table.policies, each.chain: each.policy})
        else:
            self._over[query] = replace(table, rules=(*table.rules, _rule(each)))

    # --- links -------------------------------------------------------------------------------------------------------

    def _at(self, netns: str) -> Stack:
        stack: Stack = self._get(Query("stack", netns), Stack())
        return stack

    def _stack(self, netns: str, **changes: Any) -> None:
        self._over[Query("stack", netns)] = replace(self._at(netns), **changes)

    def _link(self, netns: str, link: Link) -> None:
        self._stack(netns, links={**self._at(netns).links, link.name: link})

    def _change(self, netns: str, dev: str, **changes: Any) -> None:
        link = self._at(netns).links.get(dev)
        if link is not None:
            self._link(netns, replace(link, **changes))

    def _index(self, netns: str) -> int:
        return max((link.index for link in self._at(netns).links.values()), default=0) + 1


def _rule(each: RuleOperation) -> Rule:
    """The rule, canonical as the one that iptables-save will print; its text is as it was declared."""
    return parse_line(f"-A {each.chain} {' '.join(each.spec)}")

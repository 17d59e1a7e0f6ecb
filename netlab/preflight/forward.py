"""The lab's packets, led through all the filters of the machine: who would drop them, whatever our policy says."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from netlab.model import Facts
from netlab.preflight import firewalls
from netlab.preflight.chains import Packet, Verdict, walk
from netlab.preflight.cures import Cures
from netlab.preflight.filters import Filters, Hook
from netlab.preflight.finding import Finding, finding
from netlab.preflight.firewalls import Firewall
from netlab.preflight.subnets import gateway, uplink
from netlab.preflight.wants import Wants

NEW, REPLY = frozenset({"new"}), frozenset({"established"})


@dataclass(frozen=True, slots=True)
class Flow:
    """Packets that the lab lives by, in words and as one of them; ``card`` is the lab's own card on their way."""

    words: str
    hook: Literal["forward", "input"]
    card: str
    packet: Packet


def flows(wants: Wants, facts: Facts, *, bridged: bool) -> Iterator[Flow]:
    """All of them, for what the course wants. ``bridged``: do packets between two ports of a bridge meet iptables?"""
    out, route = uplink(wants, facts), gateway(facts.stack(""))
    outside = route.via if route is not None else ""
    for each in wants.networks:
        inside, card = each.members[0] if each.members else "", each.card
        ping = Packet(card, "", inside, each.gateway, "icmp", local=True)
        yield Flow("pings from the containers to this machine", "input", card, ping)
        if bridged and len(each.members) > 1:
            between = Packet(card, card, each.members[0], each.members[1], "icmp", bridged=True)
            yield Flow("what one container sends another", "forward", card, between)
        if wants.forwards and out:
            for protocol in ("icmp", "tcp"):
                packet = Packet(card, out, inside, outside, protocol, 80)
                yield Flow(f"{protocol.upper()} from the containers out by {out}", "forward", card, packet)
            answer = Packet(out, card, outside, inside, "icmp", 0, REPLY)
            yield Flow("the answers that come back to the containers", "forward", card, answer)
        for port in wants.published:
            if wants.forwards and out and port.target in each.members:
                packet = Packet(out, card, outside, port.target, "tcp", port.target_port, NEW | {"dnat"})
                yield Flow(f"what clients outside send to port {port.port}", "forward", card, packet)


def findings(
    wants: Wants, facts: Facts, filters: Filters, known: list[tuple[Firewall, str]], cures: Cures, *, bridged: bool
) -> Iterator[Finding]:
    """A finding for each rule that drops some of it: a conflict where it surely does, else a warning."""
    blocked: dict[tuple[str, ...], list[Flow]] = {}
    places: dict[tuple[str, ...], tuple[Hook, Verdict]] = {}
    hooks = {"forward": list(filters.at("forward")), "input": list(filters.at("input"))}
    for flow in flows(wants, facts, bridged=bridged):
        for hook in hooks[flow.hook]:
            verdict = walk(hook.chains, hook.start, flow.packet, _policy(hook, wants))
            if verdict.action == "drop":
                key: tuple[str, ...] = (flow.hook, flow.card, str(verdict.sure), _words(hook, verdict))
                blocked.setdefault(key, []).append(flow)
                places[key] = hook, verdict
    for key, lost in blocked.items():
        hook, verdict = places[key]
        yield _finding(lost, hook, verdict, known, cures)
    passing = {"forward", "input"} if wants.forwards else {"input"}
    for name in sorted(passing - {key[0] for key in blocked}) if wants.networks else ():
        yield finding(name.upper(), "ok", "nothing drops the lab's packets")
    yield from _opened(wants, facts)


def _policy(hook: Hook, wants: Wants) -> Literal["accept", "drop"]:
    """What the policy will be when the lab stands."""
    wanted = wants.policies.get(("filter", hook.start)) if hook.tool == "iptables" else None
    return hook.policy if wanted is None else "accept" if wanted.policy == "ACCEPT" else "drop"


def _words(hook: Hook, verdict: Verdict) -> str:
    if verdict.line is not None:
        return f"{hook.tool} {verdict.line.text}" if hook.base is None else f"nftables {verdict.line.text}"
    return f"the policy DROP of {hook.base or f'{hook.tool} {hook.start}'}"


def _finding(
    lost: Sequence[Flow], hook: Hook, verdict: Verdict, known: list[tuple[Firewall, str]], cures: Cures
) -> Finding:
    flow = lost[0]
    words = dict.fromkeys(each.words for each in lost)
    some = list(words)[:4] + (["…"] if len(words) > 4 else [])
    drops = "drops" if verdict.sure else "may drop"
    detail = f"{_words(hook, verdict)} {drops} {', '.join(some)}; a policy ACCEPT does not help against it"
    if verdict.line is None:
        detail = f"{_words(hook, verdict)} {drops} {', '.join(some)}"
    table = hook.base.table if hook.base is not None else ""
    chain = verdict.line.chain if verdict.line is not None else ""
    firewall = firewalls.owner(chain, table, known)
    if firewall is not None and firewall.lets:
        cure = firewalls.lets(cures, firewall, flow.card)
    else:
        cure = cures.root(*_let(hook, flow))
    return finding(flow.hook.upper(), "conflict" if verdict.sure else "warning", detail, cure)


def _let(hook: Hook, flow: Flow) -> Iterator[str]:
    """Rules before all others that let the lab's packets pass."""
    ways = ("in", "out") if flow.hook == "forward" else ("in",)
    for way in ways:
        if hook.base is not None:
            base = hook.base
            yield f"nft insert rule {base.family} {base.table} {base.name} {way[0]}ifname {flow.card} accept"
        else:
            yield f"{hook.tool} -w -I {hook.start} -{way[0]} {flow.card} -j ACCEPT"


def _opened(wants: Wants, facts: Facts) -> Iterator[Finding]:
    """A policy that the lab opens protects something now."""
    policy = wants.policies.get(("filter", "FORWARD"))
    if policy is not None and not policy.holds(facts) and policy.policy == "ACCEPT":
        detail = f"{policy.found(facts)} now: until undo it is ACCEPT, and this machine forwards between all its cards"
        yield finding("FORWARD policy", "warning", detail)

"""What each kind of operation looks like in a shell: how to see that it holds, and how to take it back.

It stands beside the operations and not in them. An operation speaks in facts and commands, and whoever writes one for a
course need not know this one output; its command is still the operation's own, and never written here again.
The functions that are called here are those of library.sh.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from functools import singledispatch

from netlab.errors import CourseError
from netlab.model import Operation
from netlab.operations import address, bridge, namespace, policy, port, route, service, sysctl, up, veth
from netlab.operations.iptables import Rule
from netlab.operations.sysctl import SIDE_EFFECTS
from netlab.reading import NOWHERE


@dataclass(frozen=True, slots=True)
class Form:
    """Shell words of one operation; ``{}`` in them stands for the name of its record.

    ``holds`` is a condition; ``before`` a command that prints what ``back``'s commands need to know of the state before
    it; ``clashes`` are conditions under which something that the script did not make is in the way, with its name;
    ``first`` is what has to go before its command can run; ``slow`` how many tenths of a second it may take to hold.
    """

    holds: str
    back: tuple[str, ...]
    before: str = "true"
    clashes: tuple[tuple[str, str], ...] = ()
    first: tuple[str, ...] = ()
    slow: int = 0


def words(*each: str) -> str:
    """The words as a shell reads them back; "" is '' there."""
    return shlex.join(each)


@singledispatch
def form(operation: Operation) -> Form:
    """The operation's form. Raises CourseError for a kind that has none."""
    raise CourseError(
        f"an operation of kind {operation.kind!r} cannot be exported: {operation}",
        hint="export as far as the step before: --until STEP",
    )


def commands(operation: Operation) -> Iterator[str]:
    """What makes it true where nothing is, as a shell reads it; a server's command does not say that it runs aside."""
    yield from map(str, operation.apply(NOWHERE))


@form.register
def _(each: namespace) -> Form:
    file = f"/run/netns/{each.name}"
    return Form(
        holds=words("is_netns", each.name),
        back=(words("delete_netns", each.name),),
        clashes=((file, words("test", "-e", file)),),
        first=(words("delete_netns", each.name),),
    )


def _link(netns: str, name: str) -> tuple[str, str]:
    where = f" in {netns}" if netns else ""
    return f"link {name}{where}", words("has_link", netns, name)


def _delete_link(kind: str, netns: str, name: str) -> str:
    return f"! {words('is_kind', kind, netns, name)} || {words('run_in', netns, 'ip', 'link', 'del', name)}"


@form.register
def _(each: veth) -> Form:
    ends = ((each.netns, each.name), (each.peer_netns, each.peer))
    return Form(
        holds=" && ".join(words("is_kind", "veth", netns, name) for netns, name in ends),
        back=(_delete_link("veth", each.netns, each.name),),
        clashes=tuple(_link(netns, name) for netns, name in ends),
    )


@form.register
def _(each: bridge) -> Form:
    return Form(
        holds=words("is_kind", "bridge", each.netns, each.name),
        back=(_delete_link("bridge", each.netns, each.name),),
        clashes=(_link(each.netns, each.name),),
    )


@form.register
def _(each: port) -> Form:
    return Form(
        holds=f'[ "$({words("master_of", each.netns, each.dev)})" = {words(each.bridge)} ]',
        back=(f"give_back {{}} {words(each.netns, each.dev)}",),
        before=words("master_of", each.netns, each.dev),
    )


@form.register
def _(each: up) -> Form:
    return Form(
        holds=words("is_up", each.netns, each.dev),
        back=(f"take_down {{}} {words(each.netns, each.dev)}",),
        before=words("addresses_of", each.netns, each.dev),
    )


@form.register
def _(each: address) -> Form:
    there = words("has_address", each.netns, each.dev, each.cidr)
    delete = words("run_in", each.netns, "ip", "addr", "del", each.cidr, "dev", each.dev)
    return Form(holds=there, back=(f"! {there} || {delete}",))


@form.register
def _(each: route) -> Form:
    way = (each.netns, each.destination.removesuffix("/32"), each.dev, each.via or "-")
    via = ("via", each.via) if each.via else ()
    # Ours is `proto boot`; the kernel's own, which may have come since, goes with the address that brought it.
    delete = words("run_in", each.netns, "ip", "route", "del", way[1], *via, "dev", each.dev, "proto", "boot")
    return Form(
        holds=words("has_route", *way),
        back=(f"! {words('has_route', *way, 'boot')} || {delete}",),
        clashes=((f"another route to {each.destination}", words("has_other_route", *way)),),
    )


@form.register
def _(each: sysctl) -> Form:
    keys = (each.key, *SIDE_EFFECTS.get(each.key, ()))
    files = ("/proc/sys/" + key.translate(str.maketrans("./", "/.")) for key in keys)
    return Form(
        holds=f'[ "$({words("value_of", each.netns, each.key)})" = {words(each.value)} ]',
        back=(f"set_values {{}} {words(each.netns)}",),
        before=words("values_of", each.netns, *files),
    )


@form.register
def _(each: policy) -> Form:
    chain = words(each.netns, each.table, each.chain)
    return Form(
        holds=f'[ "$(policy_of {chain})" = {words(each.policy)} ]',
        back=(f"set_policy {{}} {chain}", f"clear_chain {{}} {chain}"),
        before=f"policy_and_chains_of {chain}",
    )


@form.register
def _(each: Rule) -> Form:
    (add,) = each.apply(NOWHERE)

    def changed(flag: str) -> str:
        return words(*(flag if word == "-A" and place == 4 else word for place, word in enumerate(add.argv)))

    chain = words(each.netns, each.table, each.chain)
    there = f"has_rule {words(each.netns)} {changed('-C')}"
    return Form(
        holds=there,
        # Of two equal ones, one is ours: exactly one goes.
        back=(f"! {there} || run_in {words(each.netns)} {changed('-D')}", f"clear_chain {{}} {chain}"),
        before=words("chains_of", each.netns, each.table),
    )


@form.register
def _(each: service) -> Form:
    return Form(
        holds=words("listens", each.netns, str(each.port)),
        back=("end_server {}",),
        slow=round(each.patience * 10),
    )

r"""What the real tools print, old ones and new ones, as values: nobody else looks at their text.

Pure, and never a crash: a line that is not understood is skipped, so that a newer tool's extra line breaks nothing.
Lines end at "\n" and words at blanks only, and neither where ``str.split()`` and ``str.splitlines()`` see an end: the
name of a link or a namespace may hold nearly any character.
"""

from __future__ import annotations

import re
from ipaddress import IPv4Network
from itertools import pairwise

from netlab.model import Address, Link, Listener, Namespaces, Route, Rule, Stack, Table
from netlab.mounts import mounted_namespaces
from netlab.rules import lines, parse_line, words

# --- ip --------------------------------------------------------------------------------------------------------------

_LINK = re.compile(r"([0-9]{1,10}): ([^ ]+): <([^ >]*)> (.*)")
_ADDRESS = re.compile(r"[0-9]{1,10}: ([^ ]+) +inet6? ([^ /]+)(?: peer [^ /]+)?/([0-9]{1,3})(?= |\\|$)")
_PEER_INDEX = re.compile(r"if([0-9]{1,10})")
_ROUTE_TYPE = re.compile("unicast|local|broadcast|multicast|anycast|blackhole|unreachable|prohibit|throw|nat|xresolve")
_ROUTE_VALUES = frozenset(("via", "dev", "proto", "metric", "tos", "src", "scope", "table", "nhid", "from"))


def parse_stack(text: str) -> Stack:
    """``ip -o link``, ``ip -o address``, ``ip route`` (IPv4, main table), one after the other or alone → the stack.

    Kinds of links are known only with ``-d``. A route's destination is "default" or a network with its prefix length,
    also for one address ("10.0.0.1/32", where ip prints it bare). Only a plain route has a ``dev``: one of another type
    (blackhole, local, …), for one TOS, or with several next hops equals nothing that an operation could want.
    """
    links: dict[str, Link] = {}
    addresses: list[Address] = []
    routes: list[Route] = []
    for line in text.split("\n"):
        if match := _LINK.match(line):
            link = _link(match)
            links[link.name] = link
        elif match := _ADDRESS.match(line):
            addresses.append(Address(match[1], f"{match[2]}/{match[3]}"))
        elif route := _route(line):
            routes.append(route)
    return Stack(links, tuple(addresses), tuple(routes))


def _link(match: re.Match[str]) -> Link:
    segments = match[4].split("\\    ")
    kind = "loopback" if segments[1:2] and segments[1].startswith("link/loopback ") else _kind(segments[2:3])
    name, at, peer = match[2].rpartition("@")
    if not at or kind in ("bridge", "dummy", "bond"):  # which have no other end: the @ is in the name
        name, peer = match[2], ""
    index = _PEER_INDEX.fullmatch(peer)
    pairs = _words(segments[0])
    attributes = dict(zip(pairs[::2], pairs[1::2], strict=False))
    return Link(
        name=name,
        index=int(match[1]),
        kind=kind,
        up="UP" in match[3].split(","),
        master=attributes.get("master", ""),
        peer_index=int(index[1]) if index else 0,
        peer_name="" if index or peer == "NONE" else peer,
        group=attributes.get("group", "default"),
        peer_netns=_following("link-netns", segments[1:2]) or _numbered(_following("link-netnsid", segments[1:2])),
    )


def _numbered(number: str) -> str:
    return f"#{number}" if number else ""


def _following(word: str, segments: list[str]) -> str:
    words = _words("".join(segments))
    return words[words.index(word) + 1] if word in words[:-1] else ""


def _kind(details: list[str]) -> str:
    """The kind is the first thing after the hardware address; a real card has what comes next there, or nothing."""
    word = (_words("".join(details)) or [""])[0]
    return "" if word.endswith("_slave") or word in ("alias", "altname", "vf") else word


def _route(line: str) -> Route | None:
    parts = _words(line)
    kind = parts.pop(0) if parts and _ROUTE_TYPE.fullmatch(parts[0]) else "unicast"
    destination = _destination(parts[0]) if parts else ""
    if not destination:
        return None
    values: dict[str, str] = {}
    rest = iter(parts[1:])
    for word in rest:
        if word in _ROUTE_VALUES:
            value = next(rest, "")
            values[word] = next(rest, "") if word == "via" and value == "inet6" else value
        elif word == "nexthop":
            break
    plain = kind == "unicast" and "tos" not in values
    return Route(
        destination,
        dev=values.get("dev", "") if plain else "",
        via=values.get("via", ""),
        protocol=values.get("proto", "boot"),
        metric=values.get("metric", ""),
    )


def parse_route_get(text: str) -> str:
    """``ip route get ADDRESS`` → the card by which the kernel would send now, "" where it would not."""
    pairs = _words(text.partition("\n")[0])
    return next((card for word, card in pairwise(pairs) if word == "dev"), "")


def _destination(word: str) -> str:
    try:
        network = IPv4Network("0.0.0.0/0" if word == "default" else word)
    except ValueError:
        return ""
    return str(network) if network.prefixlen else "default"


def _words(text: str) -> list[str]:
    return re.findall(r"[^ \t]+", text)


# --- namespaces ------------------------------------------------------------------------------------------------------


def parse_namespaces(names: str, mountinfo: str) -> Namespaces:
    """The names under /run/netns, one a line (``ip netns list`` will do), and /proc/self/mountinfo → both kinds."""
    listed = frozenset(re.sub(r" \(id: [0-9]+\)$", "", name) for name in names.split("\n") if name)
    live = listed & mounted_namespaces(mountinfo)
    return Namespaces(live, listed - live)


def parse_numbers(text: str) -> dict[str, str]:
    """``ip netns list`` → names by the number that the kernel has for each here: {"#1": "container1"}."""
    return {f"#{number}": name for name, number in re.findall(r"(?m)^(.+) \(id: ([0-9]+)\)$", text)}


# --- sockets and settings --------------------------------------------------------------------------------------------

_LISTEN = re.compile(r"(?:tcp +)?LISTEN +[0-9]+ +[0-9]+ +([^ ]+):([0-9]{1,5})(?: |$)")


def parse_listeners(text: str) -> frozenset[Listener]:
    """``ss -ltn``, also with ``-p`` or ``-H`` → the sockets, without the card that one may be bound to.

    "*" is "0.0.0.0": the old ss means just that, and to the new one it is every address, IPv4's among them.
    """
    found = (match for line in text.split("\n") if (match := _LISTEN.match(line)))
    return frozenset(Listener(_bound(match[1]), int(match[2])) for match in found)


def _bound(address: str) -> str:
    bare = address.partition("%")[0].strip("[]")
    return "0.0.0.0" if bare == "*" else bare


def parse_sysctl(text: str) -> dict[str, str]:
    """``sysctl NAME …`` ("a.b = 1") and ``grep -rsH . /proc/sys/…`` ("/proc/sys/a/b:1") → values by name.

    Names are as sysctl prints them: a dot inside an interface's name is a slash, net.ipv4.conf.eth0/5.forwarding.
    """
    values: dict[str, str] = {}
    for line in text.split("\n"):
        if line.startswith("/proc/sys/"):
            path, separator, value = line.removeprefix("/proc/sys/").partition(":")
            name = path.translate(str.maketrans("./", "/."))
        else:
            name, separator, value = line.partition(" =")
            value = value.removeprefix(" ")
        if separator and "." in name and len(_words(name)) == 1:
            values[name] = value
    return values


# --- packet filters --------------------------------------------------------------------------------------------------

_RULE = re.compile(r"(?:\[[0-9]+:[0-9]+\] )?-A +[^ ]")
_NFT_TABLE = re.compile(r"table ([^ ]+) ([^ ]+) \{")
_NFT_INNER = re.compile(r"\t(?:chain ([^ ]+)|[a-z][^\t]*) \{")
_NFT_BASE = re.compile(r"\t\ttype [^ ]+ hook ")


def parse_table(text: str, table: str) -> Table:
    """``iptables-save`` → one table: chains with their policies, rules in order. Nothing printed: an empty table."""
    policies: dict[str, str] = {}
    rules: list[Rule] = []
    current = ""
    for line in lines(text):
        if line.startswith("*") or line == "COMMIT":
            current = line
        elif current != f"*{table}":
            continue
        elif line.startswith(":") and len(parts := words(line)) > 1:
            policies[parts[0][1:]] = parts[1]
        elif _RULE.match(line):
            rules.append(parse_line(line))
    return Table(policies, tuple(rules))


def parse_chains(text: str) -> frozenset[tuple[str, str]]:
    """``nft list ruleset`` → (table, base chain) of family ip, and (table, "*") where a table holds anything else.

    (table, "") is a table with nothing in it. Else: chains without a hook, sets, maps, counters, ….
    """
    chains: set[tuple[str, str]] = set()
    family = table = chain = ""
    for line in text.split("\n"):
        if match := _NFT_TABLE.match(line):
            family, table = match[1], match[2]
            chains |= {(table, "")} if family == "ip" else set()
        elif family == "ip" and (match := _NFT_INNER.match(line)):
            chain = match[1] or ""
            chains -= {(table, "")}
            chains.add((table, f"chain {chain}" if chain else "*"))
        elif family == "ip" and _NFT_BASE.match(line):
            chains -= {(table, f"chain {chain}")}
            chains.add((table, chain))
    return frozenset((table, "*" if name.startswith("chain ") else name) for table, name in chains)

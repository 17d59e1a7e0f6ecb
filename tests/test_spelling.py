"""What an operation or a proof takes as a name or a value: nothing that a tool would read as something else."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from netlab import spelling
from netlab.operations import address, bridge, namespace, policy, port, route, rule, service, sysctl, up, veth
from netlab.proofs import fetch, ping, refused, seen, shows

NAMES = ["a", "br0", "A.b-c_9", "0eth", "abcdefghijklmno"]
NO_NAMES = [
    "", "-t", "--", ".", "..", "a/b", "a b", "a;id", "$(id)", "x%d", "br+", "é", "ⅷ", "a\n", "\x1b[31m", "type", "to"
]  # fmt: skip
URL = "http://10.0.0.1:80/"


@pytest.mark.parametrize("name", NAMES)
def test_names(name: str) -> None:
    assert spelling.is_name(name)
    spelling.card(name)
    spelling.node(name)
    spelling.stack(name)


@pytest.mark.parametrize("name", NO_NAMES)
def test_no_names(name: str) -> None:
    assert not spelling.is_name(name)
    for check in (spelling.card, spelling.node):
        with pytest.raises(ValueError, match="allowed are 1 to"):
            check(name)


def test_a_namespace_is_not_called_as_the_lab_host_is() -> None:
    spelling.namespace(*NAMES)
    for make in (lambda: spelling.namespace("a", "host"), lambda: namespace("host")):
        with pytest.raises(ValueError, match="it is the lab host's"):
            make()
    for name in NO_NAMES:
        with pytest.raises(ValueError, match="allowed are 1 to"):
            spelling.namespace("a", name)


def test_words_that_ip_takes_for_its_own() -> None:
    assert {
        "name", "type", "dev", "via", "all", "default", "peer", "up", "down", "group", "master", "netns", "link", "to"
    } == spelling.WORDS  # fmt: skip
    assert not any(map(spelling.is_name, spelling.WORDS))


RIGHT: dict[str, Callable[[], object]] = {
    "a route to a network": lambda: route("10.0.0.0/24", "a"),
    "a route to an address": lambda: route("10.0.0.1", "a", via="10.0.0.2"),
    "the first port": lambda: service("a", ("true",), 1, "http://10.0.0.1:1/", ""),
    "the last port": lambda: service("a", ("true",), 65535, "http://10.0.0.1:65535/index.html", ""),
    "a URL without a port": lambda: fetch("a", "http://10.0.0.1"),
    "a rule of one word": lambda: rule("nat", "POSTROUTING", "!"),
    "IPv6": lambda: address("fe80::1/64", "a"),
}


@pytest.mark.parametrize("make", RIGHT.values(), ids=RIGHT)
def test_right_values(make: Callable[[], object]) -> None:
    assert make()


SAID: dict[str, tuple[Callable[[], object], str]] = {
    "a card": (
        lambda: up("-t"),
        "'-t' can be no card's name; allowed are 1 to 15 of a-z A-Z 0-9 . _ -, beginning with a letter or digit, "
        "and no word of ip's own",
    ),
    "a namespace": (
        lambda: namespace("a/b"),
        "'a/b' can be no network namespace's name; allowed are 1 to 64 of a-z A-Z 0-9 . _ -, beginning with a letter "
        "or digit, and no word of ip's own",
    ),
    "an address": (
        lambda: address("10.0.0.1", "a"), "'10.0.0.1' has no prefix length; 172.168.1.11/24 has one"
    ),
    "a port": (lambda: service("a", (), 0, URL, ""), "0 is no port, from 1 to 65535"),
    "a URL": (lambda: fetch("a", "x"), "'x' is no URL such as http://172.168.1.11:80/"),
    "a word": (lambda: rule("nat", ""), "'' is empty, or has a character that is no printable ASCII"),
}  # fmt: skip


@pytest.mark.parametrize(("make", "said"), SAID.values(), ids=SAID)
def test_what_is_said(make: Callable[[], object], said: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(said)}$"):
        make()


def test_how_long_they_may_be() -> None:
    assert spelling.is_name("a" * 15)
    assert not spelling.is_name("a" * 16)
    spelling.node("a" * 64)
    with pytest.raises(ValueError, match="allowed are 1 to 64"):
        spelling.node("a" * 65)


def test_the_lab_hosts_own_stack_has_no_name() -> None:
    spelling.stack("")


NAMED: dict[str, Callable[[str], object]] = {
    "an address's card": lambda name: address("10.0.0.1/24", name),
    "an address's namespace": lambda name: address("10.0.0.1/24", "a", name or "-"),
    "a bridge": lambda name: bridge(name),
    "a bridge's namespace": lambda name: bridge("a", name or "-"),
    "a namespace": lambda name: namespace(name),
    "a port": lambda name: port(name, "b"),
    "a port's bridge": lambda name: port("a", name),
    "a route's card": lambda name: route("default", name),
    "a route's namespace": lambda name: route("default", "a", "", name or "-"),
    "a rule's namespace": lambda name: rule("nat", "POSTROUTING", netns=name or "-"),
    "a policy's namespace": lambda name: policy("filter", "FORWARD", "DROP", name or "-"),
    "a server's namespace": lambda name: service(name, ("true",), 80, URL, ""),
    "a sysctl's namespace": lambda name: sysctl("net.ipv4.ip_forward", "1", name or "-"),
    "a card": lambda name: up(name),
    "a pair": lambda name: veth(name, "b", "c"),
    "a pair's other end": lambda name: veth("a", name, "c"),
    "a pair's other namespace": lambda name: veth("a", "b", name),
    "who pings": lambda name: ping(name, "10.0.0.1"),
    "who fetches": lambda name: fetch(name, URL),
    "who is refused": lambda name: refused(name, URL),
    "what is watched": lambda name: seen(name, ping("a", "10.0.0.1")),
    "where ip addr is asked": lambda name: shows(name),
}


@pytest.mark.parametrize("make", NAMED.values(), ids=NAMED)
def test_wherever_a_name_can_stand(make: Callable[[str], object]) -> None:
    assert make("a")
    for name in NO_NAMES:
        with pytest.raises(ValueError, match="allowed are 1 to"):
            make(name)


WRONG: dict[str, Callable[[], object]] = {
    "an address without a prefix length": lambda: address("10.0.0.1", "a"),
    "no address": lambda: address("nonsense/24", "a"),
    "no network": lambda: route("10.0.0.1/24", "a"),
    "an option for a network": lambda: route("-t", "a"),
    "no gateway": lambda: route("default", "a", "b"),
    "port 0": lambda: service("a", ("true",), 0, URL, ""),
    "a port that is a bool": lambda: service("a", ("true",), True, URL, ""),
    "a file for a URL": lambda: service("a", ("true",), 80, "file:///etc/passwd", ""),
    "a name for a URL": lambda: fetch("a", "http://localhost/"),
    "a port that no URL has": lambda: fetch("a", "http://10.0.0.1:65536/"),
    "an option for a URL": lambda: refused("a", "-K/tmp/x"),
    "an option for an address": lambda: ping("a", "-t"),
    "a host name": lambda: ping("a", "example"),
    "no source": lambda: seen("a", ping("a", "10.0.0.1"), source="host"),
    "a rule with a new line": lambda: rule("nat", "POSTROUTING", "-j\nCOMMIT"),
    "an empty word": lambda: rule("nat", "POSTROUTING", "-s", ""),
    "a table with an escape": lambda: policy("nat\x1b", "FORWARD", "DROP"),
    "a sysctl of two lines": lambda: sysctl("net.ipv4.ip_forward", "1\nkernel.panic=1"),
    "a command of two lines": lambda: service("a", ("true\nfalse",), 80, URL, ""),
}


@pytest.mark.parametrize("make", WRONG.values(), ids=WRONG)
def test_wrong_values(make: Callable[[], object]) -> None:
    with pytest.raises(ValueError, match=r".+"):
        make()

"""What is foreseen of an operation makes it hold, and no kind is forgotten; test_show_real asks the kernel too."""

from __future__ import annotations

import pytest

from netlab.foresight import foresee
from netlab.model import Operation, Query
from netlab.operations import KINDS, address, bridge, namespace, policy, port, route, rule, service, sysctl, up, veth
from netlab.picture import queries
from netlab.reading import NOWHERE

BEFORE: list[Operation] = [namespace("c"), bridge("br"), veth("v", "e", "c")]

CASES: list[Operation] = [
    namespace("d"),
    veth("w", "f", "c"),
    veth("w", "x", "c", netns="c"),
    bridge("b"),
    port("v", "br"),
    up("e", "c"),
    up("lo", "c"),
    address("10.0.0.1/24", "e", "c"),
    route("default", "e", via="10.0.0.2", netns="c"),
    sysctl("net.ipv4.ip_forward", "1"),
    policy("filter", "FORWARD", "DROP"),
    rule("nat", "POSTROUTING", "-s", "10.0.0.0/24", "-j", "MASQUERADE"),
    service("c", ("true",), 80, "http://10.0.0.1:80/", "page"),
]


@pytest.mark.parametrize("operation", CASES, ids=str)
def test_a_foreseen_operation_holds(operation: Operation) -> None:
    asked = queries(("c", "d")) | operation.queries()
    facts = foresee(NOWHERE, BEFORE, asked)
    ahead = foresee(facts, [operation], asked)
    if operation.kind == "service":  # nothing is fetched from a server that is not there
        assert {each.port for each in ahead.listeners("c")} == {80}
        assert not facts.listeners("c")
    else:
        assert not operation.holds(facts)
        assert operation.holds(ahead)


def test_every_kind_is_foreseen() -> None:
    assert {each.kind for each in CASES} == KINDS.keys()


def test_a_route_that_the_kernel_adds_is_the_kernels() -> None:
    asked = queries(("c",))
    own = [address("10.0.0.1/24", "br"), route("10.0.0.0/24", "br", if_missing=True)]
    (added,) = foresee(NOWHERE, [*BEFORE, *own], asked).stack(None).routes
    assert added.protocol == "kernel"


def test_what_was_there_stays_and_the_facts_are_not_changed() -> None:
    asked = queries(("c",))
    facts = foresee(NOWHERE, BEFORE, asked)
    ahead = foresee(facts, [up("v")], asked)
    assert not facts.stack(None).links["v"].up
    assert ahead.stack(None).links.keys() == {"br", "v"}
    assert set(ahead.answers) == asked
    assert len(ahead.answers) == len(asked)
    assert Query("namespaces") in ahead.answers

"""Who has the lab's names already."""

from netlab.model import Namespaces
from netlab.preflight.cures import free_name
from tests.preflight.place import Place

ADOPT = "netlab --host apply --adopt (uses it, and never deletes it); or "
SET = "netlab --host apply --set "
CARD = r"7: {}: <BROADCAST> mtu 1500 qdisc fq state DOWN\    link/ether 00:0c:29:5e:10:0b brd ff:ff:ff:ff:ff:ff promiscuity 0 addrgenmode eui64{}"  # noqa: E501
BRIDGE = CARD.format("br0", "").replace("promiscuity 0 ", r"promiscuity 0 \    bridge forward_delay 1500 ")
PAIR = r"8: veth1@if2: <BROADCAST> mtu 1500 qdisc fq state DOWN\    link/ether 00:0c:29:5e:10:0c brd ff:ff:ff:ff:ff:ff promiscuity 0 \    veth addrgenmode eui64"  # noqa: E501
INNER = PAIR.replace("8: veth1@if2", "2: eth1@if8")


def test_a_namespace(place: Place) -> None:
    place.namespaces = Namespaces(frozenset({"container2", "container3"}))
    assert place.found("namespace container2") == [
        (
            "conflict",
            "a network namespace container2 is there that netlab did not make",
            f"{ADOPT}{SET}containers.2.name=container4",
        )
    ]
    assert place.bad() == {"namespace container2"}


def test_what_is_on_record_as_ours_is_no_finding(place: Place) -> None:
    place.namespaces = Namespaces(frozenset({"container1"}))
    place.links += BRIDGE
    assert place.found("names", ours=["network namespace container1", "bridge br0"])[0][0] == "ok"
    assert place.bad() == {"namespace container1", "link br0"}


def test_a_torn_namespace_is_cleared_away_by_apply(place: Place) -> None:
    place.namespaces = Namespaces(torn=frozenset({"container1"}))
    [(level, detail, _)] = place.found("namespace container1")
    assert level == "warning"
    assert detail.endswith("cut short; `apply` clears it away")


def test_a_real_card(place: Place) -> None:
    place.links += CARD.format("veth1", "")
    assert place.found("link veth1") == [
        ("conflict", "veth1 is a real card", f"{SET}containers.1.veth=veth3; or rename or remove veth1")
    ]


def test_a_real_card_of_the_name_that_a_container_s_card_gets(place: Place) -> None:
    """It stays where it is: the lab's eth1 is made inside the container."""
    place.links += CARD.format("eth1", "")
    assert place.bad() == set()


def test_a_bridge(place: Place) -> None:
    place.links += BRIDGE
    assert place.found("link br0") == [
        ("conflict", "br0 is a bridge that netlab did not make", f"{ADOPT}{SET}bridge=br1")
    ]


def test_a_bridge_s_name_on_something_else(place: Place) -> None:
    place.links += CARD.format("br0", "")
    assert place.found("link br0") == [("conflict", "br0 is a real card", f"{SET}bridge=br1; or rename or remove br0")]


def test_a_pair_that_holds_is_said_once(place: Place) -> None:
    place.namespaces = Namespaces(frozenset({"container1"}))
    place.links += PAIR
    place.stacks["container1"] = INNER
    [(level, detail, cure)] = place.found("link veth1")
    assert (level, detail) == ("conflict", "veth1 is a veth that netlab did not make")
    assert cure.startswith(ADOPT)
    assert place.bad() == {"namespace container1", "link veth1"}


def test_a_card_inside_a_container_that_is_ours(place: Place) -> None:
    place.namespaces = Namespaces(frozenset({"container1"}))
    place.stacks["container1"] = CARD.format("eth1", "")
    found = place.found("link eth1 in container1", ours=["network namespace container1"])
    assert found == [
        (
            "conflict",
            "eth1 in container1 is a real card",
            f"{SET}containers.1.interface=eth3; or rename or remove eth1",
        )
    ]


def test_proposals_differ_from_each_other(place: Place) -> None:
    place.namespaces = Namespaces(frozenset({"container1", "container2"}))
    cures = [each.cure.rpartition("=")[2] for each in place.findings() if not each.ok]
    assert cures == ["container3", "container4"]


def test_a_lab_with_another_name_is_not_in_its_way(place: Place) -> None:
    place.links += BRIDGE
    assert place.found("link br0", "bridge=br7") == []


def test_free_names() -> None:
    assert free_name("br0", {"br0", "br1"}) == "br2"
    assert free_name("lab", {"lab1"}) == "lab2"
    assert free_name("a-name-of-15-ch", set()) == "a-name-of-15-c1"
    assert free_name("veth99", set()) == "veth100"

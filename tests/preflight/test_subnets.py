"""The lab's networks among those of the machine, and the way out."""

import pytest

from tests.preflight.place import Place

NAME = "network 172.168.1.0/24"
CURE = "netlab --host apply --set subnet=10.168.1.0/24"

OVERLAPS = {
    "an address": ("3: tun0    inet 172.168.1.5/24 scope global tun0", "tun0 has 172.168.1.5/24"),
    "an address in a wider network": ("3: tun0    inet 172.168.9.9/16 scope global tun0", "tun0 has 172.168.9.9/16"),
    "an address at the end of a tunnel": (
        "3: tun0    inet 172.168.1.9 peer 172.168.1.8/32 scope global tun0", "tun0 has 172.168.1.9/32",
    ),
    "a route": ("172.168.0.0/16 via 192.168.0.7 dev wg0", "the route to 172.168.0.0/16 goes via 192.168.0.7 by wg0"),
    "a route to one host": ("172.168.1.11 dev wg0 scope link", "the route to 172.168.1.11/32 goes by wg0"),
    "a route that is none": ("blackhole 172.168.1.0/24", "the route to 172.168.1.0/24 goes another way"),
}  # fmt: skip


@pytest.mark.parametrize(("line", "detail"), OVERLAPS.values(), ids=OVERLAPS)
def test_what_overlaps(place: Place, line: str, detail: str) -> None:
    place.links += line + "\n"
    assert place.found(NAME) == [("conflict", detail, CURE)]
    assert place.bad() == {NAME}


APART = {
    "another network": "172.168.2.0/24 dev wg0 scope link",
    "the lab's own card": "3: br0    inet 172.168.1.1/24 scope global br0",
    "the lab's own route": "172.168.1.0/24 dev br0 scope link",
    "the default route in two halves": "128.0.0.0/1 via 10.8.0.1 dev tun0",
    "IPv6": "3: tun0    inet6 fd00::1/64 scope global tun0",
}


@pytest.mark.parametrize("line", APART.values(), ids=APART)
def test_what_does_not_overlap(place: Place, line: str) -> None:
    place.links += line + "\n"
    assert [level for level, _, _ in place.found(NAME)] == ["warning"]


def test_an_address_and_its_own_route_are_one_finding(place: Place) -> None:
    place.links += "3: tun0    inet 172.168.1.5/24 scope global tun0\n172.168.1.0/24 dev tun0 proto kernel scope link\n"
    assert len(place.found(NAME)) == 1


def test_the_proposal_is_free(place: Place) -> None:
    place.links += "172.168.1.0/24 dev wg0\n10.168.0.0/22 dev wg0\n"
    assert place.found(NAME)[0][2] == "netlab --host apply --set subnet=10.168.4.0/24"
    place.links += "10.0.0.0/8 dev wg0\n192.168.0.0/16 dev wg0\n"
    assert place.found(NAME)[0][2] == "netlab --host apply --set subnet=172.16.1.0/24"
    place.links += "172.16.0.0/12 dev wg0\n"
    assert place.found(NAME)[0][2] == "give the lab another subnet"


def test_a_network_too_large_for_most_private_blocks(place: Place) -> None:
    settings = ("subnet=12.0.0.0/10",)
    place.links += "12.1.0.0/16 dev wg0\n"
    assert place.found("network 12.0.0.0/10", *settings)[0][2] == "netlab --host apply --set subnet=10.64.0.0/10"


def test_a_public_network_is_somebody_s(place: Place) -> None:
    words = "public address space: while the lab stands, this machine cannot reach the real hosts there"
    assert place.found(NAME) == [("warning", words, CURE)]
    private = place.found("network 10.9.0.0/24", "subnet=10.9.0.0/24")
    assert private == [("ok", "no address and no route of this machine overlaps it", "")]


UPLINKS = {
    "as it should be": ("ens33", "", "ok", "the default route goes by it, via 192.168.0.2", ""),
    "not there": ("eth7", "", "missing", "this machine has no eth7", "netlab --host apply --set uplink=ens33"),
    "down": ("ens33", "DOWN", "warning", "ens33 is down", "ip link set ens33 up"),
    "not where the default route goes": (
        "lo2", "", "warning", "the default route goes by ens33: what containers send beyond lo2's network is lost", "",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("card", "state", "level", "detail", "cure"), UPLINKS.values(), ids=UPLINKS)
def test_uplink(place: Place, card: str, state: str, level: str, detail: str, cure: str) -> None:
    place.links += place.links.splitlines()[1].replace("2: ens33", "3: lo2") + "\n"
    if state:
        place.links = place.links.replace("<BROADCAST,MULTICAST,UP,LOWER_UP>", "<BROADCAST,MULTICAST>")
    assert place.found(f"uplink {card}", f"uplink={card}") == [(level, detail, cure)]


def test_no_default_route(place: Place) -> None:
    place.links = place.links.replace("default via 192.168.0.2 dev ens33\n", "")
    assert place.found("uplink ens33")[0][:2] == (
        "warning", "there is no default route: what containers send beyond ens33's network is lost",
    )  # fmt: skip
    assert place.found("uplink eth7", "uplink=eth7")[0][2] == "give the lab an uplink (--set)"

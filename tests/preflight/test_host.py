"""The whole preflight of a machine: its order, what only root may see, what a machine without trouble says."""

import pytest

from netlab.preflight import Finding
from netlab.preflight.finding import finding
from tests.preflight.place import LEGACY, Place


def test_a_machine_without_trouble(place: Place) -> None:
    found = place.findings()
    assert {each.name for each in found if each.level != "ok"} == {"network 172.168.1.0/24"}
    assert all(each.ok for each in found)
    assert all(not each.cure for each in found if each.level == "ok")
    names = [each.name for each in found if not each.name.startswith(("program", "kernel"))]
    assert names == [
        *("root", "Python", "iptables backend", "uplink ens33", "names", "network 172.168.1.0/24"),
        *("policy routing", "ports", "FORWARD", "INPUT", "bridge-nf-call-iptables", "rp_filter"),
    ]


def test_it_only_looks(place: Place) -> None:
    place.findings()
    assert place.asked == [("iptables", "--version"), ("nft", "-j", "list", "ruleset"), ("ip", "-4", "rule")]


def test_somebody_who_is_not_root_is_told_so_and_the_rest_is_not_looked_at(place: Place) -> None:
    place.uid = 1000
    place.rules = "*filter\n:FORWARD ACCEPT\n-A FORWARD -j DROP\nCOMMIT\n"
    assert place.found("root") == [
        ("missing", "only root may change this machine's own network", "sudo netlab --host …")
    ]
    assert place.bad() == {"root"}
    assert place.asked == [("iptables", "--version")] * 2


def test_a_missing_tool(place: Place) -> None:
    (place.root / "usr/bin/tcpdump").unlink()
    [(level, _, cure)] = place.found("program tcpdump")
    assert (level, cure) == ("missing", "apt-get install -y tcpdump")


def test_nft_is_needed_only_where_iptables_is_made_of_it(place: Place) -> None:
    (place.root / "usr/bin/nft").unlink()
    assert place.bad() == {"program nft"}
    place.says = LEGACY
    assert place.bad() == set()


MODULES = {
    "absent": ("kernel/drivers/net/tun.ko.xz:\n", "missing", "the kernel 6.1.0 has no veth (CONFIG_VETH)"),
    "there": ("kernel/drivers/net/veth.ko.xz:\n", "ok", "available: the kernel loads veth when it is needed"),
}


@pytest.mark.parametrize(("modules", "level", "detail"), MODULES.values(), ids=MODULES)
def test_a_kernel_module(place: Place, modules: str, level: str, detail: str) -> None:
    place.write("lib/modules/6.1.0/modules.builtin", "kernel/bridge.ko\n")
    place.write("lib/modules/6.1.0/modules.dep", modules)
    assert place.found("kernel: veth pairs")[0][:2] == (level, detail)


def test_a_module_that_is_loaded(place: Place) -> None:
    place.write("lib/modules/6.1.0/modules.builtin", "kernel/bridge.ko\n")
    place.write("proc/modules", "veth 32768 0 - Live 0x0\n")
    assert place.found("kernel: veth pairs") == [("ok", "loaded", "")]


@pytest.mark.parametrize("level", ["ok", "warning", "missing", "conflict"])
def test_what_stops_a_lab(level: str) -> None:
    made: Finding = finding("x", level, "y")  # type: ignore[arg-type]  # each of the four, from a table
    assert made.ok is (level in ("ok", "warning"))


def test_a_course_that_wants_nothing(place: Place) -> None:
    found = {each.name for each in place.findings(until=0)}
    assert not found & {"names", "ports", "FORWARD", "INPUT", "rp_filter"}

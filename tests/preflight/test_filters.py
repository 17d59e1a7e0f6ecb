"""Rules of two backends, what cannot be read, and who else writes rules."""

import pytest

from tests.preflight.place import LEGACY, NFT, Place

NAME = "iptables backend"
REPAIR = "; `netlab --host status` then says drifted, and `apply` repairs it"


def test_one_backend(place: Place) -> None:
    assert place.found(NAME) == [("ok", f"nft ({NFT})", "")]
    place.says = LEGACY
    assert place.found(NAME) == [("ok", f"legacy ({LEGACY})", "")]


def test_iptables_legacy_is_read_only_where_its_tables_are(place: Place) -> None:
    """Reading makes them."""
    place.write("proc/net/ip_tables_names", "")
    place.findings()
    assert not any("iptables-legacy-save" in argv for argv in place.asked)
    place.write("proc/net/ip_tables_names", "filter\n")
    place.legacy = "*filter\n:FORWARD ACCEPT [0:0]\nCOMMIT\n"
    assert place.found(NAME)[0][0] == "ok"
    assert ("iptables-legacy-save", "-t", "filter") in place.asked


def test_where_iptables_is_legacy_there_is_nothing_beside(place: Place) -> None:
    place.says = LEGACY
    place.write("proc/net/ip_tables_names", "filter\nnat\n")
    assert place.found(NAME)[0][0] == "ok"
    assert not any("iptables-legacy-save" in argv for argv in place.asked)


def test_rules_on_both_sides(place: Place) -> None:
    place.write("proc/net/ip_tables_names", "filter\n")
    place.legacy = "*filter\n:FORWARD DROP [0:0]\n:INPUT ACCEPT [0:0]\n-A INPUT -j ACCEPT\nCOMMIT\n"
    words = "iptables-legacy has rules beside it (2 in filter), which packets meet as well"
    assert place.found(NAME) == [("warning", f"netlab uses nft ({NFT}); {words}", "iptables-legacy-save shows them")]
    [(level, detail, cure)] = place.found("FORWARD")
    assert level == "conflict"
    assert detail.startswith("the policy DROP of iptables-legacy FORWARD drops ")
    assert cure.splitlines()[0] == "iptables-legacy -w -I FORWARD -i br0 -j ACCEPT"


def test_rules_of_nft_beside_legacy(place: Place) -> None:
    place.says = LEGACY
    place.ruleset = (
        '{"nftables": [{"chain": {"family": "ip", "table": "nat", "name": "PREROUTING", "type": "nat",'
        ' "hook": "prerouting", "prio": -100, "policy": "accept"}}, {"rule": {"family": "ip", "table": "nat",'
        ' "chain": "PREROUTING", "expr": [{"accept": null}]}}]}'
    )
    words = "iptables-nft has rules beside it (1 in nat), which packets meet as well"
    assert place.found(NAME) == [("warning", f"netlab uses legacy ({LEGACY}); {words}", "nft list ruleset shows them")]


def test_what_cannot_be_read(place: Place) -> None:
    place.ruleset = ""
    place.write("proc/net/ip_tables_names", "nat\n")
    words = "iptables-legacy's table nat and nftables' own rules cannot be read, and packets meet them"
    assert place.found(NAME) == [("warning", f"nft ({NFT}); {words}", "")]


FIREWALLS = {
    # file: (name, how it shows)
    "firewalld-0.6.txt": ("firewalld", "chain FORWARD_IN_ZONES"),
    "firewalld-0.9.json": ("firewalld", "nftables table firewalld"),
    "ufw.txt": ("ufw", "chain ufw-after-forward"),
    "docker-20.txt": ("Docker", "chain DOCKER"),
    "docker-28.txt": ("Docker", "chain DOCKER"),
    "libvirt.txt": ("libvirt", "chain LIBVIRT_FWI"),
    "libvirt-10.json": ("libvirt", "nftables table libvirt_network"),
}
NAMES = {"firewalld", "ufw", "Docker", "libvirt"}


@pytest.mark.parametrize("file", FIREWALLS)
def test_who_writes_rules(place: Place, file: str) -> None:
    name, shows = FIREWALLS[file]
    place.load(file)
    [(level, detail, _)] = place.found(name)
    assert detail.startswith(f"at work ({shows}): ")
    assert detail.endswith(REPAIR) is (name != "libvirt")
    assert level == ("ok" if name == "libvirt" else "warning")
    assert {each.name for each in place.findings()} & NAMES == {name}


PROCESSES = {"firewalld": "firewalld", "dockerd": "Docker", "libvirtd": "libvirt", "virtnetworkd": "libvirt"}


@pytest.mark.parametrize("process", PROCESSES)
def test_who_runs(place: Place, process: str) -> None:
    place.process(1, "systemd")
    place.process(812, process)
    [(_, detail, _)] = place.found(PROCESSES[process])
    assert detail.startswith(f"at work ({process} is running): ")
    assert {each.name for each in place.findings()} & NAMES == {PROCESSES[process]}


def test_what_firewalld_does(place: Place) -> None:
    place.process(812, "firewalld")
    words = "a reload (firewall-cmd --reload) or restart takes the lab's rules away"
    assert place.found("firewalld") == [("warning", f"at work (firewalld is running): {words}{REPAIR}", "")]


def test_nobody(place: Place) -> None:
    place.process(812, "sshd")
    place.load("iptables-services.txt")
    assert not {each.name for each in place.findings()} & NAMES

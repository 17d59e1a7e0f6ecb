"""The lab's packets among the firewalls of a machine: who drops them, and the command that lets them pass."""

import shlex

import pytest

from tests.preflight.place import FIREWALLS, LEGACY, Place

TRUSTED = "firewall-cmd --zone=trusted --add-interface=br0"
UFW = "ufw route allow in on br0\nufw route allow out on br0"
FIRST = "iptables -w -I FORWARD -i br0 -j ACCEPT\niptables -w -I FORWARD -o br0 -j ACCEPT"
NFT = "nft insert rule inet filter forward iifname br0 accept\nnft insert rule inet filter forward oifname br0 accept"
ANSWERS = "the answers that come back to the containers"
OUT = "TCP from the containers out by ens33"
PINGS = "ICMP from the containers out by ens33"
IN = "what clients outside send to port 8888, what clients outside send to port 9999"
HELP = "; a policy ACCEPT does not help against it"

CASES: dict[str, list[tuple[str, str, str]]] = {
    "firewalld-0.6.txt": [
        (
            "conflict",
            f"iptables -A FORWARD -j REJECT --reject-with icmp-host-prohibited drops {OUT}, {IN}{HELP}",
            TRUSTED,
        )
    ],
    "firewalld-0.6-trusted.txt": [],
    "firewalld-0.9.json": [("conflict", f"nftables inet firewalld filter_FORWARD: reject drops {OUT}{HELP}", TRUSTED)],
    "firewalld-0.9-trusted.json": [],
    "firewalld-1.3.json": [],
    "iptables-services.txt": [
        (
            "conflict",
            f"iptables -A FORWARD -j REJECT --reject-with icmp-host-prohibited drops {PINGS}, {OUT}, {ANSWERS},"
            f" what clients outside send to port 8888, …{HELP}",
            FIRST,
        )
    ],
    "ufw.txt": [],
    "ufw-reject.txt": [
        (
            "conflict",
            f"iptables -A ufw-reject-forward -j REJECT --reject-with icmp-port-unreachable drops {OUT}, {IN}{HELP}",
            UFW,
        )
    ],
    "docker-20.txt": [],
    "docker-28.txt": [],
    "libvirt.txt": [],
    "libvirt-10.json": [],
    "nftables-drop.json": [
        (
            "conflict",
            f"the policy DROP of inet filter forward drops {PINGS}, {OUT}, {ANSWERS},"
            " what clients outside send to port 8888, …",
            NFT,
        )
    ],
}


@pytest.mark.parametrize("file", CASES)
def test_firewalls(place: Place, file: str) -> None:
    place.load(file)
    expected = CASES[file] or [("ok", "nothing drops the lab's packets", "")]
    assert place.found("FORWARD") == expected


def test_every_captured_firewall_is_looked_at() -> None:
    files = {path.name for path in FIREWALLS.iterdir()} - {f"{path.stem}.nft" for path in FIREWALLS.glob("*.nft")}
    assert files - CASES.keys() == {"nftables-nat.json"}


def test_the_cure_cures(place: Place) -> None:
    place.load("iptables-services.txt")
    [(_, _, cure)] = place.found("FORWARD")
    for command in cure.splitlines():
        words = shlex.split(command)
        assert words[:3] == ["iptables", "-w", "-I"]
        first = place.rules.index("-A FORWARD")
        place.rules = f"{place.rules[:first]}-A {shlex.join(words[3:])}\n{place.rules[first:]}"
    assert place.found("FORWARD") == [("ok", "nothing drops the lab's packets", "")]


def test_what_may_drop_is_a_warning(place: Place) -> None:
    place.rules = "*filter\n:FORWARD ACCEPT\n-A FORWARD -o br0 -m mark --mark 0x1 -j DROP\nCOMMIT\n"
    [(level, detail, cure)] = place.found("FORWARD")
    assert level == "warning"
    assert detail == f"iptables -A FORWARD -o br0 -m mark --mark 0x1 -j DROP may drop {ANSWERS}, {IN}{HELP}"
    assert cure == FIRST
    assert place.bad() == set()


def test_input(place: Place) -> None:
    place.load("nftables-drop.json")
    assert place.found("INPUT") == [
        (
            "conflict",
            "the policy DROP of inet filter input drops pings from the containers to this machine",
            "nft insert rule inet filter input iifname br0 accept",
        )
    ]
    place.load("ufw.txt")
    place.ruleset = ""
    assert place.found("INPUT")[0][0] == "ok"


def test_steps_that_forward_nothing_need_no_forwarding(place: Place) -> None:
    place.load("iptables-services.txt")
    assert place.found("FORWARD", until=7) == []
    assert place.found("INPUT", until=7)[0][0] == "ok"


def test_a_policy_that_the_lab_opens(place: Place) -> None:
    place.load("docker-20.txt")
    assert place.found("FORWARD policy") == [
        (
            "warning",
            "the policy of FORWARD is DROP now: until undo it is ACCEPT, and this machine forwards between all its"
            " cards",
            "",
        )
    ]
    place.rules = place.rules.replace(":FORWARD DROP", ":FORWARD ACCEPT")
    assert place.found("FORWARD policy") == []


BRIDGED = {
    # bridge-nf-call-iptables, the rules, the steps: does it stop what one container sends another?
    "not asked": ("0", "iptables-services.txt", 5, []),
    "asked, and rejected": ("1", "iptables-services.txt", 5, ["what one container sends another"]),
    "asked, and the policy drops": ("1", "docker-20.txt", 5, ["what one container sends another"]),
    "asked, and the lab opens the policy": ("1", "docker-20.txt", 8, []),
    "asked, and nothing is in the way": ("1", "libvirt.txt", 5, []),
}


@pytest.mark.parametrize(("value", "file", "until", "lost"), BRIDGED.values(), ids=BRIDGED)
def test_what_is_bridged(place: Place, value: str, file: str, until: int, lost: list[str]) -> None:
    place.load(file)
    place.sysctls += f"net.bridge.bridge-nf-call-iptables = {value}\n"
    # The addresses by which networks are known come with the sixth step.
    found = place.found("FORWARD", until=max(until, 6))
    stopped = [words for words in lost if any(level == "conflict" and words in detail for level, detail, _ in found)]
    assert stopped == lost
    assert bool(lost) == any(level == "conflict" for level, _, _ in found)


def test_a_rule_about_what_is_bridged(place: Place) -> None:
    """It stops what one container sends another, and nothing that is routed."""
    place.load("libvirt.txt")
    place.sysctls += "net.bridge.bridge-nf-call-iptables = 1\n"
    place.rules = place.rules.replace("-A FORWARD", "-A FORWARD -m physdev --physdev-is-bridged -j DROP\n-A FORWARD", 1)
    found = [detail for level, detail, _ in place.found("FORWARD", until=6) if level == "conflict"]
    assert len(found) == 1
    assert "what one container sends another" in found[0]
    assert "out by" not in found[0]


def test_rules_of_nftables_where_iptables_is_legacy(place: Place) -> None:
    """There nothing else shows what iptables-nft left behind."""
    place.says = LEGACY
    place.ruleset = (
        '{"nftables": [{"chain": {"family": "ip", "table": "filter", "name": "FORWARD", "type": "filter",'
        ' "hook": "forward", "prio": 0, "policy": "drop"}}]}'
    )
    assert place.found("FORWARD")[0][0] == "conflict"
    place.says = "iptables v1.8.9 (nf_tables)"
    assert place.found("FORWARD")[0][0] == "ok"

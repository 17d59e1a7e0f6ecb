"""Who has the lab's ports already."""

import pytest

from tests.preflight.place import LINKS, Place

ELSEWHERE = "a rule sends it elsewhere when it comes in by ens33: "
CURE = "netlab --host apply --set containers.1.port=8889"
ALL = "the next hundred ports are taken too: clear this one"

RULES = {
    "a rule": ("PREROUTING -p tcp -m tcp --dport 8888 -j DNAT --to-destination 10.0.0.1:80", "conflict"),
    "a redirection": ("PREROUTING -p tcp -m tcp --dport 8888 -j REDIRECT --to-ports 22", "conflict"),
    "many ports": ("PREROUTING -p tcp -m multiport --dports 80,8000:8890 -j DNAT --to 10.0.0.1", "conflict"),
    "every port": ("PREROUTING -d 192.168.0.10/32 -j DNAT --to-destination 10.0.0.1", "conflict"),
    "every port but one": ("PREROUTING -p tcp -m tcp ! --dport 22 -j DNAT --to-destination 10.0.0.1", "conflict"),
    "for some clients": (
        "PREROUTING -s 10.0.0.0/8 -p tcp -m tcp --dport 8888 -j DNAT --to-destination 10.0.0.1:80", "warning",
    ),
    "for marked packets": (
        "PREROUTING -p tcp -m tcp --dport 8888 -m mark --mark 0x1 -j DNAT --to-destination 10.0.0.1:80", "warning",
    ),
    "another port": ("PREROUTING -p tcp -m tcp --dport 8887 -j DNAT --to-destination 10.0.0.1:80", ""),
    "another protocol": ("PREROUTING -p udp -m udp --dport 8888 -j DNAT --to-destination 10.0.0.1:80", ""),
    "another address": (
        "PREROUTING -d 192.168.0.11/32 -p tcp -m tcp --dport 8888 -j DNAT --to-destination 10.0.0.1:80", "",
    ),
    "another card": ("PREROUTING -i virbr0 -p tcp -m tcp --dport 8888 -j DNAT --to-destination 10.0.0.1:80", ""),
    "the lab's own": ("PREROUTING -p tcp -m tcp --dport 8888 -j DNAT --to-destination 172.168.1.11:80", ""),
    "on the way out": ("OUTPUT -p tcp -m tcp --dport 8888 -j DNAT --to-destination 10.0.0.1:80", ""),
}  # fmt: skip


@pytest.mark.parametrize(("rule", "level"), RULES.values(), ids=RULES)
def test_rules(place: Place, rule: str, level: str) -> None:
    place.rules = f"*nat\n:PREROUTING ACCEPT\n:OUTPUT ACCEPT\n-A {rule}\nCOMMIT\n"
    found = place.found("port 8888")
    words = ELSEWHERE if level == "conflict" else ELSEWHERE.replace("sends", "may send")
    cure = CURE if " --dport 8888" in rule else CURE.replace("8889", "8891") if "8000:8890" in rule else ALL
    assert found == ([(level, f"{words}-A {rule}", cure)] if level else [])


CHAINS = {
    "a chain that is reached": ("PREROUTING -m addrtype --dst-type LOCAL -j OTHER", "conflict"),
    "a chain that may be reached": ("PREROUTING -m set --match-set blue src -j OTHER", "warning"),
    "a chain that is not reached": ("PREROUTING -m addrtype ! --dst-type LOCAL -j OTHER", ""),
    "a chain left before": ("PREROUTING -j EMPTY", ""),
}


@pytest.mark.parametrize(("jump", "level"), CHAINS.values(), ids=CHAINS)
def test_chains(place: Place, jump: str, level: str) -> None:
    place.rules = (
        f"*nat\n:PREROUTING ACCEPT\n:OTHER -\n:EMPTY -\n-A {jump}\n-A EMPTY -j RETURN\n-A EMPTY -j OTHER\n"
        "-A OTHER -p tcp -m tcp --dport 9999 -j DNAT --to-destination 10.0.0.1:80\nCOMMIT\n"
    )
    assert [each[0] for each in place.found("port 9999")] == ([level] if level else [])
    assert place.found("port 8888") == []


def test_ours_behind_somebody_s_counts(place: Place) -> None:
    """The lab's rule stands, and another before it takes the packets."""
    other, own = (
        f"-A PREROUTING -p tcp -m tcp --dport 8888 -j DNAT --to-destination {target}"
        for target in ("10.0.0.1:80", "172.168.1.11:80")
    )
    place.rules = f"*nat\n:PREROUTING ACCEPT\n{own}\n{other}\nCOMMIT\n"
    assert place.found("port 8888") == []
    place.rules = f"*nat\n:PREROUTING ACCEPT\n{other}\n{own}\nCOMMIT\n"
    assert place.found("port 8888") == [("conflict", ELSEWHERE + other, CURE)]


def test_a_rule_for_a_second_real_card(place: Place) -> None:
    place.links += LINKS.splitlines()[1].replace("2: ens33", "3: eth1") + "\n"
    place.rules = "*nat\n:PREROUTING ACCEPT\n-A PREROUTING -i eth1 -p tcp -m tcp --dport 8888 -j REDIRECT\nCOMMIT\n"
    [(level, detail, _)] = place.found("port 8888")
    assert level == "conflict"
    assert detail.startswith("a rule sends it elsewhere when it comes in by eth1: ")


@pytest.mark.parametrize("file", ["docker-20.txt", "docker-28.txt", "nftables-nat.json"])
def test_somebody_publishes_8888(place: Place, file: str) -> None:
    place.load(file)
    assert [each[0] for each in place.found("port 8888")] == ["conflict"]
    assert place.found("port 9999") == []


LISTENERS = {
    "on every address": ("0.0.0.0:8888", "0.0.0.0"),
    "on every address, old ss": ("*:8888", "0.0.0.0"),
    "on every address, IPv6's too": ("[::]:8888", "::"),
    "on one address": ("192.168.0.10:8888", "192.168.0.10"),
    "on the loopback": ("127.0.0.1:8888", ""),
    "on IPv6's loopback": ("[::1]:8888", ""),
    "on an IPv6 address": ("[fe80::1]%ens33:8888", ""),
    "on another port": ("0.0.0.0:80", ""),
}


@pytest.mark.parametrize(("where", "at"), LISTENERS.values(), ids=LISTENERS)
def test_listeners(place: Place, where: str, at: str) -> None:
    place.listening = f"State  Recv-Q Send-Q Local Address:Port Peer Address:Port\nLISTEN 0 128 {where} 0.0.0.0:*\n"
    words = f"this machine serves it already, at {at}: clients outside would reach the lab instead"
    assert place.found("port 8888") == ([("conflict", words, CURE)] if at else [])


def test_a_server_that_came_after_the_lab_is_not_in_its_way(place: Place) -> None:
    place.listening = "LISTEN 0 128 0.0.0.0:8888 0.0.0.0:*\n"
    rule = "-A PREROUTING -p tcp -m tcp --dport 8888 -j DNAT --to-destination 172.168.1.11:80"
    place.rules = f"*nat\n:PREROUTING ACCEPT\n{rule}\nCOMMIT\n"
    assert place.found("port 8888") == []


def test_the_proposal_is_free(place: Place) -> None:
    place.listening = "".join(f"LISTEN 0 5 0.0.0.0:{port} 0.0.0.0:*\n" for port in (8888, 8889, 8890))
    place.rules = "*nat\n:PREROUTING ACCEPT\n-A PREROUTING -p tcp -m tcp --dport 8891 -j REDIRECT\nCOMMIT\n"
    assert place.found("port 8888")[0][2] == "netlab --host apply --set containers.1.port=8892"


def test_a_value_that_several_parameters_hold_has_no_single_cure(place: Place) -> None:
    place.listening = "LISTEN 0 5 0.0.0.0:80 0.0.0.0:*\n"
    cure = place.found("port 80", "containers.1.port=80")[0][2]
    assert cure == "give the lab another port (--set, one of web_port, containers.1.port)"

"""Sysctls that change what the lab shows."""

import pytest

from tests.preflight.place import Place

REVERSE = {
    # all, ens33, where the default route goes: level
    "off": ("0", "0", "ens33", "ok", "not strict on ens33"),
    "loose": ("2", "1", "ens33", "ok", "not strict on ens33"),
    "loose on the card": ("1", "2", "eth1", "ok", "not strict on ens33"),
    "strict": ("1", "0", "ens33", "ok", "strict on ens33, where the lab's packets come in as they leave"),
    "strict on the card": ("0", "1", "ens33", "ok", "strict on ens33, where the lab's packets come in as they leave"),
    "strict, and the answers come in elsewhere": (
        "0", "1", "eth1", "warning",
        "strict on ens33, and the default route goes by eth1: what comes from beyond is dropped",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("everywhere", "card", "route", "level", "detail"), REVERSE.values(), ids=REVERSE)
def test_rp_filter(place: Place, everywhere: str, card: str, route: str, level: str, detail: str) -> None:
    place.sysctls = f"net.ipv4.conf.all.rp_filter = {everywhere}\nnet.ipv4.conf.ens33.rp_filter = {card}\n"
    place.links = place.links.replace("default via 192.168.0.2 dev ens33", f"default via 192.168.0.2 dev {route}")
    cure = "sysctl -w net.ipv4.conf.ens33.rp_filter=2" if level == "warning" else ""
    assert place.found("rp_filter") == [(level, detail, cure)]


def test_a_card_with_a_dot_in_its_name(place: Place) -> None:
    place.sysctls = "net.ipv4.conf.ens33/7.rp_filter = 1\n"
    [(level, _, cure)] = place.found("rp_filter", "uplink=ens33.7")
    assert (level, cure) == ("warning", "sysctl -w net.ipv4.conf.ens33/7.rp_filter=2")


BRIDGED = {
    "": "ok",
    "net.bridge.bridge-nf-call-iptables = 0\n": "ok",
    "net.bridge.bridge-nf-call-iptables = 1\n": "warning",
}


@pytest.mark.parametrize(("sysctl", "level"), BRIDGED.items())
def test_br_netfilter(place: Place, sysctl: str, level: str) -> None:
    place.sysctls += sysctl
    cure = "sysctl -w net.bridge.bridge-nf-call-iptables=0" if level == "warning" else ""
    [(found, words, advice)] = place.found("bridge-nf-call-iptables")
    assert (found, advice) == (level, cure)
    assert ("do not meet iptables" in words) == (level == "ok")
    assert ("though they are only switched" in words) == (level == "warning")

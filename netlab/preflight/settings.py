"""Sysctls of the machine that change what the lab shows."""

from __future__ import annotations

from collections.abc import Iterator

from netlab.model import Facts, Query
from netlab.preflight.cures import Cures
from netlab.preflight.finding import Finding, finding
from netlab.preflight.subnets import gateway
from netlab.preflight.wants import Wants

_BRIDGED = "net.bridge.bridge-nf-call-iptables"
_REVERSE = "net.ipv4.conf.*.rp_filter"

QUERIES = frozenset({Query("sysctl", "", _BRIDGED), Query("sysctl", "", _REVERSE)})


def bridged(facts: Facts) -> bool:
    """Do packets between two ports of a bridge meet iptables? Only where br_netfilter is there."""
    return facts.sysctl("", _BRIDGED).get(_BRIDGED) == "1"


def findings(wants: Wants, facts: Facts, cures: Cures) -> Iterator[Finding]:
    """br_netfilter's switch, and the reverse path filter."""
    if bridged(facts):
        words = (
            "1: packets between two containers meet iptables, FORWARD and nat among it, though they are only switched"
        )
        yield finding("bridge-nf-call-iptables", "warning", words, cures.root(f"sysctl -w {_BRIDGED}=0"))
    else:
        yield finding("bridge-nf-call-iptables", "ok", "packets between two containers do not meet iptables")
    yield from _reverse(wants, facts, cures)


def _reverse(wants: Wants, facts: Facts, cures: Cures) -> Iterator[Finding]:
    """Strict (1), it drops what comes in by another card than the answer would leave by (Linux: ip-sysctl.rst).

    The lab's packets come in where its routes point, so that it does no harm, unless the uplink is not where the
    default route goes.
    """
    values, route = facts.sysctl("", _REVERSE), gateway(facts.stack(""))
    everywhere = values.get("net.ipv4.conf.all.rp_filter", "0")
    for card in wants.uplinks:
        key = f"net.ipv4.conf.{card.replace('.', '/')}.rp_filter"
        if max(everywhere, values.get(key, "0")) != "1":  # the higher of the two counts; 2 is loose
            yield finding("rp_filter", "ok", f"not strict on {card}")
        elif route is None or route.dev == card:
            yield finding("rp_filter", "ok", f"strict on {card}, where the lab's packets come in as they leave")
        else:
            words = f"strict on {card}, and the default route goes by {route.dev}: what comes from beyond is dropped"
            yield finding("rp_filter", "warning", words, cures.root(f"sysctl -w {key}=2"))

"""What the probes' answers mean: from what ping, curl, tcpdump and ip printed in the lab to what is told of it."""

# ruff: noqa: E501 — a row of a table is a line

from __future__ import annotations

from pathlib import Path

import pytest

from netlab.model import Proof, Result
from netlab.proofs import HOST, fetch, ping, refused, seen, shows

DATA = Path(__file__).parent / "data/proofs"


def captured(name: str) -> Result:
    """A file of tests/data/proofs as the result it was."""
    text = (DATA / f"{name}.txt").read_text().partition("\n")[2]
    words, _, code = text.rpartition("[exit ")
    out, _, err = words.partition("[stderr]\n")
    return Result(int(code.rstrip("]\n")), out, err)


C1, SILENT, NOTHING = "container1", Result(-9, "", ""), Result(0, "", "")
PING = ping(C1, "172.168.1.12")
OUT = ping(C1, "114.114.114.114")

# fmt: off
JUDGED: dict[str, tuple[Proof, list[str | Result], str | None, bool, str]] = {
    "ping: answers": (PING, ["ping-answers"], None, True, "64 bytes from 172.168.1.12: icmp_seq=1 ttl=64 time=0.058 ms"),
    "ping: nobody answers": (PING, ["ping-silent"], None, False, "no reply"),
    "ping: nobody is there": (PING, ["ping-unreachable"], None, False, "no reply"),
    "ping: no way there": (PING, ["ping-no-route"], None, False, "connect: Network is unreachable"),
    "ping: no way there, old": (PING, ["ping-no-route-el7"], None, False, "connect: Network is unreachable"),
    "ping: no namespace": (PING, ["no-namespace"], None, False, "no such namespace"),
    "ping: killed": (PING, [SILENT], None, False, "no output"),
    "ping: a router says no": (PING, [Result(1, "PING x\nFrom 192.168.0.2 icmp_seq=1 Destination Net Unreachable\n\n1 packets transmitted, 0 received\n", "")], None, False, "From 192.168.0.2 icmp_seq=1 Destination Net Unreachable"),
    "fetch: 200": (fetch(HOST, "http://172.168.1.11/"), ["fetch-200"], None, True, "200"),
    "fetch: 404": (fetch(HOST, "http://172.168.1.11/"), ["fetch-404"], None, False, "404"),
    "fetch: refused": (fetch(HOST, "http://172.168.1.11/"), ["fetch-refused"], None, False, "refused"),
    "fetch: refused, old": (fetch(HOST, "http://172.168.1.11/"), ["fetch-refused-el7"], None, False, "refused"),
    "fetch: nobody answers": (fetch(HOST, "http://172.168.1.11/"), ["fetch-silent"], None, False, "Connection timed out after 1002 milliseconds"),
    "fetch: no namespace": (fetch("client", "http://172.168.1.11/"), ["no-namespace"], None, False, "no such namespace"),
    "fetch: no way there": (fetch("client", "http://172.168.1.11/"), ["fetch-no-route"], None, False, "Network is unreachable"),
    "fetch: no way there, old": (fetch("client", "http://172.168.1.11/"), ["fetch-no-route-el7"], None, False, "Network is unreachable"),
    "refused: no way there": (refused(HOST, "http://192.168.0.10:8888/"), ["fetch-no-route"], None, False, "Network is unreachable"),
    "refused: refused": (refused(HOST, "http://192.168.0.10:8888/"), ["fetch-refused"], None, True, "refused"),
    "refused: refused, old": (refused(HOST, "http://192.168.0.10:8888/"), ["fetch-refused-el7"], None, True, "refused"),
    "refused: 200": (refused(HOST, "http://192.168.0.10:8888/"), ["fetch-200"], None, False, "200"),
    "refused: nobody answers": (refused(HOST, "http://192.168.0.10:8888/"), ["fetch-silent"], None, False, "Connection timed out after 1002 milliseconds"),
    "seen": (seen("ens33", OUT), ["ping-answers"], "tcpdump-as-itself", True, "08:06:32.215185 IP 172.168.1.11 > 114.114.114.114: ICMP echo request, id 297, seq 1, length 64"),
    "seen, whatever ping says": (seen("ens33", OUT), ["ping-silent"], "tcpdump-as-itself", True, "08:06:32.215185 IP 172.168.1.11 > 114.114.114.114: ICMP echo request, id 297, seq 1, length 64"),
    "seen: nothing": (seen("ens33", OUT), ["ping-silent"], "tcpdump-nothing", False, "no such request on ens33"),
    "seen: nobody watched": (seen("ens33", OUT), ["ping-silent"], None, False, "no such request on ens33"),
    "seen: for another": (seen("ens33", ping(C1, "192.168.0.2")), ["ping-silent"], "tcpdump-as-itself", False, "08:06:32.215185 IP 172.168.1.11 > 114.114.114.114: ICMP echo request, id 297, seq 1, length 64"),
    "seen as the host": (seen("ens33", OUT, source="192.168.0.10"), ["ping-answers"], "tcpdump-masqueraded", True, "08:06:30.492676 IP 192.168.0.10 > 114.114.114.114: ICMP echo request, id 269, seq 1, length 64"),
    "seen as the host, old": (seen("ens33", OUT, source="192.168.0.10"), ["ping-answers"], "tcpdump-masqueraded-el7", True, "08:06:30.492676 IP 192.168.0.10 > 114.114.114.114: ICMP echo request, id 269, seq 1, length 64"),
    "seen as itself, and should not": (seen("ens33", OUT, source="192.168.0.10"), ["ping-silent"], "tcpdump-as-itself", False, "08:06:32.215185 IP 172.168.1.11 > 114.114.114.114: ICMP echo request, id 297, seq 1, length 64"),
    "shows lo": (shows(C1, has=("lo",), lacks=("ens33", "192.168.0.10/24")), ["addr-fresh-eth1"], None, True, "shows eth1, lo"),
    "shows what it should not": (shows(C1, has=("lo",), lacks=("eth1",)), ["addr-fresh-eth1"], None, False, "shows eth1, lo"),
    "shows no namespace": (shows(C1, has=("lo",)), ["no-namespace"], None, False, "no such namespace"),
    "shows the address": (shows(C1, has=("eth1", "172.168.1.11/24"), up=("eth1",)), ["addr-container1"], None, True, "shows eth1, lo, 127.0.0.1/8, 172.168.1.11/24, ::1/128, fe80::46:dcff:feaf:ad89/64"),
    "shows part of the address": (shows(C1, has=("72.168.1.11/24",)), ["addr-container1"], None, False, "shows eth1, lo, 127.0.0.1/8, 172.168.1.11/24, ::1/128, fe80::46:dcff:feaf:ad89/64"),
    "shows the card, down": (shows(C1, has=("eth1",), up=("eth1",)), ["addr-fresh-eth1"], None, False, "shows eth1, lo"),
    "shows the pair": (shows(C1, veth=("eth1", "veth1")), ["link-container1", "link-veth1"], None, True, "eth1, a veth, its other end veth1, index 3"),
    "shows the pair, old": (shows(C1, veth=("eth1", "veth1")), ["link-container1-el7", "link-veth1"], None, True, "eth1, a veth, its other end veth1, index 3"),
    "shows no pair": (shows(C1, veth=("eth1", "veth1")), ["link-fresh", "link-nosuch"], None, False, "no eth1: shows lo"),
    "shows half a pair": (shows(C1, veth=("eth1", "veth1")), ["link-container1", "link-nosuch"], None, False, "eth1, a veth, its other end index 3"),
    "shows what is no pair": (shows(C1, veth=("lo", "veth1")), ["link-container1", "link-veth1"], None, False, "lo, a real card, its other end index 0"),
}
# fmt: on


@pytest.mark.parametrize(("proof", "results", "watched", "ok", "text"), JUDGED.values(), ids=JUDGED)
def test_judge(proof: Proof, results: list[str | Result], watched: str | None, ok: bool, text: str) -> None:
    outcomes = [captured(each) if isinstance(each, str) else each for each in results]
    observation = proof.judge(outcomes, captured(watched) if watched else None)
    assert (observation.ok, observation.text) == (ok, text)


@pytest.mark.parametrize("proof", [case[0] for case in JUDGED.values()], ids=JUDGED)
@pytest.mark.parametrize(
    "nothing", [SILENT, NOTHING, Result(127, "", "x: not found\n"), Result(1, "\xff\x00 garbage\n7: :", "garbage")]
)
def test_garbage_proves_nothing(proof: Proof, nothing: Result) -> None:
    """A probe that could not even run never passes, and never breaks."""
    observation = proof.judge([nothing] * len(proof.probe.commands), nothing)
    assert not observation.ok
    assert "\n" not in observation.text


# fmt: off
PROBES: dict[str, tuple[Proof, str, str, list[str], str | None]] = {
    "ping": (PING, "container1 pings 172.168.1.12", "answers", ["ip netns exec container1 ping -n -c 1 -W 1 172.168.1.12"], None),
    "ping from the host": (ping(HOST, "172.168.1.11"), "host pings 172.168.1.11", "answers", ["ping -n -c 1 -W 1 172.168.1.11"], None),
    "fetch": (fetch(HOST, "http://172.168.1.11/"), "host fetches http://172.168.1.11/", "200", ["curl -q -sS -v --noproxy '*' --max-time 1 -o /dev/null -w '%{http_code}' http://172.168.1.11/"], None),
    "refused": (refused("client", "http://192.168.0.10/"), "client connects to http://192.168.0.10/", "refused, as before", ["ip netns exec client curl -q -sS -v --noproxy '*' --max-time 1 -o /dev/null -w '%{http_code}' http://192.168.0.10/"], None),
    "seen": (seen("ens33", OUT), "container1 pings 114.114.114.114 while ens33 is watched", "the request for 114.114.114.114 is on ens33", ["ip netns exec container1 ping -n -c 1 -W 1 114.114.114.114"], "icmp[icmptype] == icmp-echo and dst host 114.114.114.114"),
    "seen as": (seen("ens33", OUT, source="192.168.0.10"), "container1 pings 114.114.114.114 while ens33 is watched", "the request for 114.114.114.114 leaves as 192.168.0.10", ["ip netns exec container1 ping -n -c 1 -W 1 114.114.114.114"], "icmp[icmptype] == icmp-echo and dst host 114.114.114.114"),
    "shows": (shows(C1, has=("lo",), lacks=("ens33", "a")), "`ip addr` in container1", "lo, not ens33 nor a", ["ip netns exec container1 ip addr"], None),
    "shows up": (shows(C1, has=("eth1", "10.0.0.1/24"), up=("eth1",)), "`ip addr` in container1", "eth1 and 10.0.0.1/24, up", ["ip netns exec container1 ip addr"], None),
    "shows a pair": (shows(C1, veth=("eth1", "veth1")), "`ip link` in container1", "eth1, a veth whose other end is veth1 on the host", ["ip netns exec container1 ip -d link", "ip -d link show dev veth1"], None),
}
# fmt: on


@pytest.mark.parametrize(("proof", "says", "expected", "commands", "watch"), PROBES.values(), ids=PROBES)
def test_what_is_asked(proof: Proof, says: str, expected: str, commands: list[str], watch: str | None) -> None:
    assert (str(proof), proof.expected) == (says, expected)
    assert [str(command) for command in proof.probe.commands] == commands
    if watch is None:
        assert proof.probe.watch is None
    else:
        assert proof.probe.watch is not None
        assert proof.probe.watch.argv[:3] == ("tcpdump", "-i", "ens33")
        assert proof.probe.watch.argv[-1] == watch
    assert proof.stays == says.startswith("client connects")

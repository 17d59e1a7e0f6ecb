"""The stand-ins for CentOS 7's tools: they print what those printed, refuse what those refused, and hide what is newer.

The whole suite runs on them (scripts/test), and would show nothing if they had become today's tools.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping

import pytest

from tests.kernel.oldtools import OLD
from tests.kernel.runner import TOP

pytestmark = [
    pytest.mark.kernel,
    pytest.mark.skipif(os.geteuid() != 0, reason="the root half: only root may lay one folder over another"),
]

DATA = TOP / "tests/data/el7"
CAPTURED = {str(path.relative_to(DATA)): path for path in sorted(DATA.rglob("*.txt"))}

FRESH = ("fresh-container-addr.txt", "fresh-container-link.txt", "sysctl-before.txt")
"""What was captured before the containers had an address."""

MADE = """
set -e
mount -t tmpfs none /run
ip netns add wan
ip netns add container1
ip netns add container2
ip link set lo up
ip link add ens33 type veth peer name eth0 netns wan
for i in 1 2; do
  ip link add veth$i type veth peer name eth1
  ip link set eth1 netns container$i
done
ip link add br0 type bridge
fresh
ip -n wan link set eth0 up
ip addr add 192.168.0.10/24 dev ens33
ip link set ens33 up
ip route add default via 192.168.0.2
for i in 1 2; do
  ip link set veth$i master br0
  ip link set veth$i up
  ip -n container$i link set lo up
  ip -n container$i link set eth1 up
  ip -n container$i addr add 172.168.1.1$i/24 dev eth1
done
ip link set br0 up
ip route add 172.168.1.0/24 dev br0
ip addr add 172.168.1.1/24 dev br0
for i in 1 2; do ip -n container$i route add default via 172.168.1.1; done
sysctl -q -w net.ipv4.ip_forward=1
iptables -t nat -A POSTROUTING -s 172.168.1.0/24 -o ens33 -j MASQUERADE
iptables -t nat -A POSTROUTING -s 10.9.9.0/24 -m comment --comment 'a canary, with spaces' -j MASQUERADE
iptables -t nat -A PREROUTING -p tcp --dport 8888 -j DNAT --to-destination 172.168.1.11:80
iptables -t nat -A PREROUTING -p tcp --dport 9999 -j DNAT --to-destination 172.168.1.12:80
printf 'link set lo up\\nlink add br0 type bridge\\n' >/run/batch
cd /run/netns
ip netns exec container1 python3 -m http.server 80 >/dev/null 2>&1 &
trap "kill $!" EXIT
until ip netns exec container1 ss -ltn | grep -q :80; do sleep 0.02; done
while ip addr | grep -q tentative; do sleep 0.1; done
"""
"""The lab that the captures were made in; ``fresh`` stands where the containers are."""

REFUSED: dict[str, tuple[str, int, str]] = {
    "ip's JSON": ("ip -j link", 255, 'Option "-j" is unknown, try "ip -help".'),
    "a newer object": ("ip nexthop", 255, 'Object "nexthop" is unknown, try "ip help".'),
    "the default route alone": ("ip route show default | grep -c dev", 0, "4"),
    "netns exec in a batch": ("echo netns exec wan true | ip -batch -", 1, "iproute2 4.11: a batch goes on in"),
    "netns add among others": ("printf 'netns add x\\nlink\\n' | ip -batch -", 1, "iproute2 4.11: a batch goes on in"),
    "netns add among its like": ("printf 'netns add x\\nnetns add y\\n' | ip -batch -", 0, ""),
    "a bridge's JSON": ("bridge -j link | head -1", 0, "4: veth1 state UP @(null): <BROADCAST"),
    "ss in JSON": ("ss -j", 255, "ss: unrecognized option '-j'"),
    "seconds to wait for the lock": ("iptables -w 5 -S", 2, "iptables v1.4.21: Bad argument `5'"),
    "seconds in one word": ("iptables --wait=5 -S", 2, 'iptables v1.4.21: unknown option "--wait=5"'),
    "to wait for the lock": ("iptables -w -S OUTPUT", 0, "-P OUTPUT ACCEPT"),
    "to wait while restoring": (
        "printf '*nat\\n-N mine\\nCOMMIT\\n' | iptables-restore -w -n && iptables -t nat -S mine",
        0,
        "iptables-restore: invalid option -- 'w'\n-N mine",
    ),
    "a value that the kernel refuses": (
        "sysctl -w net.ipv4.ip_forward=abc",
        0,
        'sysctl: setting key "net.ipv4.ip_forward": Invalid argument\nnet.ipv4.ip_forward = abc',
    ),
    "half a second to fetch": ("curl --max-time 0.5 http://127.0.0.1:9", 2, "curl: option --max-time: expected"),
    "nobody there": (
        "curl -sSv http://127.0.0.1:9 2>&1 | tail -1",
        0,
        "curl: (7) Failed connect to 127.0.0.1:9; Connection refused",
    ),
    "half a second to answer": ("ping -c 1 -W 0.5 127.0.0.1", 2, "ping: bad linger time: 0.5"),
    "no way there": ("nsenter --net=/run/netns/wan ping -c 1 10.1.1.1", 2, "connect: Network is unreachable"),
    "a newer namespace": ("nsenter --time=/proc/self/ns/time true", 1, "nsenter: unrecognized option"),
    "nftables": ("! command -v nft && nft list ruleset", 127, "sh: line 1: nft: command not found"),
    "the other iptables": ("command -v iptables-nft iptables-legacy xtables-nft-multi", 1, ""),
    "another shell": ('echo "${BASH_VERSION:+bash}"', 0, "bash"),
}


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, str]:
    """What each of the commands said, and its exit code, in the form of the captures."""
    folder = tmp_path_factory.mktemp("said")
    commands = {name: path.read_text().splitlines()[0].removeprefix("$ ") for name, path in CAPTURED.items()}
    commands |= {name: command for name, (command, _, _) in REFUSED.items()}

    def ask(name: str) -> str:
        return f"ask \"{folder / name.replace('/', '-')}\" <<'EOF'\n{commands[name]}\nEOF\n"

    asking = 'ask() { command=$(cat); code=0; sh -c "$command" >"$1" 2>&1 || code=$?; echo "[exit $code]" >>"$1"; }\n'
    fresh = "".join(map(ask, FRESH))
    later = "".join(map(ask, (name for name in commands if name not in FRESH)))
    script = folder / "script"
    script.write_text(asking + MADE.replace("fresh\n", fresh, 1) + later)
    there = ["unshare", "--net", "--mount"] if OLD else [str(TOP / "tests/oldtools/run")]
    subprocess.run([*there, "sh", str(script)], check=True, stdin=subprocess.DEVNULL, timeout=60)
    return {name: f"$ {commands[name]}\n{(folder / name.replace('/', '-')).read_text()}" for name in commands}


@pytest.mark.parametrize("name", CAPTURED)
def test_prints_what_was_captured(said: Mapping[str, str], name: str) -> None:
    ours, captured = masked(said[name]), masked(CAPTURED[name].read_text())
    if name == "link-details.txt":  # where the kernel has its say, too: not what is newer than ip's 4.11
        assert set(re.findall("[a-z_]{3,}", ours)) <= set(re.findall("[a-z_]{3,}", captured))
    else:
        assert ours == captured


MASKS = {
    r"8000\.[0-9a-f:]+": "8000.MAC",
    r"([0-9a-f]{2}:){5}[0-9a-f]{2}": "MAC",
    r"fe80:[0-9a-f:]+": "FE80",
    r" tentative": "",
    r"_timer +[0-9.]+": "_timer",
    r"pid=\d+": "PID",
    r"\[\d+:\d+\]": "COUNTERS",
    r"(?m) on \w{3} \w{3} .*$": " on DATE",
    r"(?m) +$": "",
    r" {2,}": " ",  # ss makes its columns as wide as they have to be
}


def masked(text: str) -> str:
    for pattern, instead in MASKS.items():
        text = re.sub(pattern, instead, text)
    return text


@pytest.mark.parametrize("name", REFUSED)
def test_refuses_what_was_refused(said: Mapping[str, str], name: str) -> None:
    command, code, words = REFUSED[name]
    assert said[name].startswith(f"$ {command}\n{words}")
    assert said[name].endswith(f"[exit {code}]\n")

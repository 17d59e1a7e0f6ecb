"""The real iptables, both of them: each rule is typed in a throwaway network namespace and compared with what is saved.

Each rule has a chain of its own, so that it is known which saved line is whose.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from collections.abc import Mapping
from itertools import combinations

import pytest

from netlab.facts import parse_table
from netlab.model import Rule
from netlab.rules import canonical
from tests.kernel.oldtools import OLD

pytestmark = pytest.mark.kernel

FILTER = [
    "",
    "-j DROP",
    "-g MINE",
    "-j MINE",
    "--source 10.0.0.1 --jump ACCEPT",
    "-s 10/8 -j ACCEPT",
    "-s 10.1 -j DROP",
    "--src 172.168.1.77/255.255.255.0 ! --dst 10.0.0.2 -j ACCEPT",
    "-s 10.0.0.1/255.0.0.255 -j DROP",
    "-d 0/0 -i + -p all -j RETURN",
    "! --in-interface eth0 --out eth+ --ju ACCEPT",
    "--fragment -j DROP",
    "-c 5 6 -s 1.1.1.1 -j DROP",
    "-p TCP --dpor http -j ACCEPT",
    "-p 6 --dport :1024 --sport 1024: -j ACCEPT",
    "-p tcp --dport 0x51 -j ACCEPT",
    "-p tcp ! --destination-p 82 -j ACCEPT",
    "-p tcp --dport 83 -m tcp -j ACCEPT",
    "-p tcp --dport 84 -m tcp --sport 5 -j ACCEPT",
    "-p tcp --dport 0:65535 -j ACCEPT",
    "-p tcp --syn -j ACCEPT",
    "-p tcp ! --syn -j ACCEPT",
    "-p tcp --tcp-flags ALL NONE -j ACCEPT",
    "-p udp --dest 10.0.0.9 --dport 53 -j ACCEPT",
    "! -p udp -j ACCEPT",
    "-p 47 -j ACCEPT",
    "-p sctp --dport 80 -j ACCEPT",
    "-p icmp -j ACCEPT",
    "-p icmp --icmp-type ping -j ACCEPT",
    "-p icmp --icmp-type host-unreachable -j ACCEPT",
    "-p icmp --icmp-type 8/0 -j ACCEPT",
    "-p icmp --icmp-type any -j DROP",
    "-p tcp -m comment --comment x --dport 85 -j ACCEPT",
    "-j ACCEPT -p tcp -m comment --comment last",
    "-m comment --comment plain -j ACCEPT",
    "-m comment --comment 'a canary, with spaces' -j ACCEPT",
    """-m comment --comment "it's a \\"q\\" back\\\\slash" -j ACCEPT""",
    "-m comment --comment 'two\n-A r0 -j DROP' -j ACCEPT",
    "-m comment --comment '' -j ACCEPT",
    "-m comment --comment '!' ! -s 10.0.0.3 -j ACCEPT",
    "-m comment --comment --dport -j ACCEPT",
    "-i 'a\"b' -o 'c;d' -j ACCEPT",
    "-m conntrack --ctstate established,NEW,RELATED -j ACCEPT",
    "-m conntrack ! --ctstate INVALID --ctproto tcp -j ACCEPT",
    "-m state --state ESTABLISHED,NEW -j ACCEPT",
    "-p tcp -m multiport --dports http,443,1000:1010 -j ACCEPT",
    "-p udp -m multiport --source-p 443,80 -j ACCEPT",
    "-m mark --mark 1 -j ACCEPT",
    "-m mark ! --mark 010/0xff -j ACCEPT",
    "-m addrtype --dst-type local -j ACCEPT",
    "-m mac --mac-source AA:bb:cc:dd:ee:ff -j ACCEPT",
    "-m limit -j ACCEPT",
    "-m limit --limit 60/minute --limit-burst 5 -j ACCEPT",
    "-m limit --limit 5/m --limit-burst 7 -j LOG --log-prefix 'hi there ' --log-level info",
    "-m iprange --src-range 10.0.0.1-10.0.0.9 -j ACCEPT",
    "-j LOG --log-level warning",
    "-j REJECT",
    "-p tcp -j REJECT --reject-with tcp-rst",
    "-j REJECT --reject-w host-unreach",
]

NAT = [
    "-s 172.168.1.0/24 -o ens33 -j MASQUERADE",
    "-s 172.168.2.77/255.255.255.0 ! -o br0 -j MASQUERADE",
    "-p tcp -j MASQUERADE --to 1024-2048",
    "-p tcp -j MASQUERADE --to-ports 1024-2048 --random",
    "-j SNAT --to-s 1.2.3.4",
    "-j SNAT --to 1.2.3.4-1.2.3.9 --random-f",
    "-j SNAT --to-source 1.2.3.5-1.2.3.5",
    "-p tcp --dport 8888 -j DNAT --to- 172.168.1.11:80",
    "-p tcp -m tcp --dport 9999 -j DNAT --to-dest=172.168.1.12:80 --pers",
    "-p tcp --dport 80 -j REDIRECT --to-p 8080",
    "-j DNAT -p tcp --to 1.2.3.4:80-80",
    "-j DNAT -p tcp --to 1.2.3.4:90-99",
    "-m addrtype --dst-type LOCAL -j DNAT --to 1.2.3.4",
]

MANGLE = [
    "-j MARK --set-mark 1",
    "-j MARK --set-mark 0x10/0xf0",
    "-j MARK --set-xmark 2/3",
    "-p tcp --syn -j TCPMSS --clamp-mss-to-pmtu",
    "-p tcp --syn -j TCPMSS --set-mss 1400",
]

TABLES = {"filter": FILTER, "nat": NAT, "mangle": MANGLE}
TYPED = [(table, rule) for table, rules in TABLES.items() for rule in rules]

LACKING = ("missing kernel module", "No chain/target/match by that name", "Couldn't load")
"""What iptables says where this kernel has no such module; anything else is our mistake."""

SCRIPT = """
set -eu
[ "$(readlink /proc/self/ns/net)" != {outside} ] || exit 99
mount -t tmpfs tmpfs /run
{iptables} -w -t filter -N MINE
{rules}
for table in filter nat mangle; do {iptables}-save -t "$table"; done
"""


def _script(iptables: str) -> str:
    rules = []
    for number, (table, rule) in enumerate(TYPED):
        command = f"{iptables} -w -t {table}"
        rules.append(f"{command} -N r{number}")
        rules.append(f"said=$({command} -A r{number} {rule} 2>&1) || printf '%s %s\\n' r{number} \"$said\" >&2")
    outside = shlex.quote(os.readlink("/proc/self/ns/net"))
    return SCRIPT.format(iptables=iptables, rules="\n".join(rules), outside=outside)


@pytest.fixture(scope="module", params=["iptables"] if OLD else ["iptables", "iptables-legacy"])
def saved(request: pytest.FixtureRequest) -> Mapping[str, Rule | str]:
    """By chain: the rule that was saved, or why it was refused."""
    path = "/usr/sbin:/sbin:/usr/bin:/bin"
    if shutil.which(request.param, path=path) is None:
        pytest.skip(f"{request.param} is not installed")
    user = () if os.geteuid() == 0 else ("--user", "--map-root-user")
    private = ("unshare", *user, "--net", "--mount")
    environment = {"PATH": path, "LC_ALL": "C"}
    attempt = subprocess.run((*private, "true"), capture_output=True, text=True, env=environment, check=False)
    if attempt.returncode != 0:
        pytest.skip(f"no private namespace here: {attempt.stderr.strip()}")
    done = subprocess.run(
        (*private, "sh", "-c", _script(request.param)),
        capture_output=True,
        text=True,
        env=environment,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    refused = {line.split()[0]: line for line in done.stderr.splitlines() if line.startswith("r")}
    rules = [rule for table in TABLES for rule in parse_table(done.stdout, table).rules]
    assert len({rule.chain for rule in rules}) == len(rules)
    return refused | {rule.chain: rule for rule in rules}


@pytest.mark.parametrize(
    ("number", "rule"), [pytest.param(*case, id=case[1]) for case in enumerate(r for _, r in TYPED)]
)
def test_typed_equals_saved(saved: Mapping[str, Rule | str], number: int, rule: str) -> None:
    found = saved[f"r{number}"]
    if isinstance(found, str):
        assert any(words in found for words in LACKING), found
        pytest.skip(found)
    assert canonical(shlex.split(rule)) == found.match, found.text


def test_no_two_of_these_are_equal(saved: Mapping[str, Rule | str]) -> None:
    rules = [rule for rule in saved.values() if isinstance(rule, Rule)]
    assert len(rules) > len(TYPED) * 3 // 4
    same = {(one.text, other.text) for one, other in combinations(rules, 2) if one.match == other.match}
    assert same == set()

"""The normal form of a lab host: what undo, tests and people compare to see that nothing but the lab changed.

Covered, in the lab host's own stack and in each network namespace: links, addresses, all routing tables and rules,
permanent neighbours, both iptables backends and nftables, every sysctl under ``net.``, listening sockets, and the names
of the namespaces. What changes by itself is masked, in `normal_stack` and `normal_rules`, and nothing else.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from netlab import normal_links, normal_rules, normal_stack
from netlab.compare import Comparison, Difference, compare
from netlab.errors import CommandFailed, UsageError
from netlab.model import Command, Result, Runner

__all__ = ["HOST", "Comparison", "Difference", "Snapshot", "compare", "dump", "load", "take"]

Snapshot = dict[str, Any]
"""``{"host": {section: …}, "container1": {section: …}, "/format": 1}``.

A section is a list of lines, or a mapping of names to a value or to lines. A section that could not be read (nft on a
machine without it) is not there. No namespace's name holds a slash.
"""

HOST: Final = "host"
_FORMAT: Final = "/format"
_VERSION: Final = 1

# One shell for a namespace, because entering one costs more than most of what is asked there. It is a constant: nothing
# is ever put into it. Each answer stands between its name behind an RS byte and its exit code behind a US byte.
#
# - /proc/sys/net is read by grep: sysctl(8) needs 17 µs a name, grep 5, and a lab of 500 links has 60,000 names.
# - Where nft shows no table of a family, iptables-nft-save has nothing to show either: two processes less.
# - Reading a table with iptables-legacy registers it, so only tables that the kernel lists are read. That list is
#   closed to an ordinary user in a user namespace: then each table is read whose module is loaded, or, where ip_tables
#   is built in, each of the five. Loading a module to look would change the machine.
# - Before iptables 1.8 there is only one iptables-save, and it is legacy; some distributions name the nft one only so.
_SCRIPT: Final = r"""
PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C
export PATH LC_ALL
ask() { printf '\036%s\n' "$1"; shift; "$@"; printf '\037%d' $?; }
have() { command -v "$1" >/dev/null 2>&1; }
again() { printf '%s\n' "$ruleset"; return $known; }
new() {
  if have "$2" && [ $known = 0 ]; then
    case $ruleset in *"table $1 "*) ;; *) return 0 ;; esac
  fi
  "$2"
}
old() {
  have "$2" || return 127
  names=/proc/net/$1_tables_names
  [ -e $names ] || return 0
  if [ -r $names ]; then
    while read -r table; do "$2" -t "$table" || return; done <$names
    return 0
  fi
  modules=
  [ ! -r /proc/modules ] || modules=$(cat /proc/modules)
  for table in filter nat mangle raw security; do
    case $modules in *"$1_tables "*) case $modules in *"$1table_$table "*) ;; *) continue ;; esac ;; esac
    "$2" -t $table 2>/dev/null || :
  done
}
ask link ip -o -d link show
ask address ip -o -batch - <<E
address show
neighbour show nud permanent
E
ask route ip -o -4 -batch - <<E
route show table all
rule show
E
ask route6 ip -o -6 -batch - <<E
route show table all
rule show
E
new=tables-nft-save old=tables-legacy-save
if ! have ip$new || ! have ip$old; then
  case $(iptables --version 2>/dev/null) in
    *nf_tables*) have ip$new || new=tables-save ;;
    *) have ip$old || old=tables-save ;;
  esac
fi
ruleset=$(nft list ruleset)
known=$?
ask nft again
ask iptables new ip ip$new
ask ip6tables new ip6 ip6$new
ask iptables-legacy old ip ip$old
ask ip6tables-legacy old ip6 ip6$old
ask sysctl grep -ars '' /proc/sys/net
ask listener ss -ltnu
"""

# /run/netns is the same for all; /sys/class/net is the lab host's in a container that was entered by nsenter.
_HOST_SCRIPT: Final = (
    _SCRIPT
    + r"""
ask hardware grep -s . /sys/class/net/*/address /sys/class/net/*/addr_assign_type
ask namespace stat -f -c '%t %n' /run/netns/*
ask id ip netns list
"""
)

_NEEDED: Final = ("link", "address", "route")
_NSFS: Final = "6e736673"


def take(run: Runner, namespaces: Sequence[str]) -> Snapshot:
    """The lab host and its ``namespaces`` as they are now, by one call of ``run`` with one command for each stack.

    A namespace that is not there, or that is only a file (a torn ``ip netns add``), has no part in the snapshot.
    Raises ``CommandFailed`` when what every machine can tell cannot be read.
    """
    # The last word, $0 in there, says to whoever runs many at once that this one looks into /run/netns.
    commands = [
        Command(("sh", "-c", _HOST_SCRIPT, "netns")),
        *(Command(("sh", "-c", _SCRIPT), name) for name in namespaces),
    ]
    host, *others = run(commands)
    answers = {HOST: _needed("the lab host", host)}
    living = _namespaces(answers[HOST])
    for name, result in zip(namespaces, others, strict=True):
        if living.get(name) == "live":
            answers[_key(name)] = _needed(name, result)
    cards = {stack: normal_links.links(said["link"], said.get("hardware", "")) for stack, said in answers.items()}
    ends = normal_links.other_ends(cards, _ids(answers[HOST]), HOST)
    snapshot: Snapshot = {stack: _sections(said, cards[stack], stack, ends) for stack, said in answers.items()}
    snapshot[HOST]["namespace"] = living
    snapshot[_FORMAT] = _VERSION
    return snapshot


def dump(snapshot: Snapshot) -> str:
    """The snapshot as JSON: sorted, one line a value, the same text for the same state."""
    return json.dumps(snapshot, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def load(text: str) -> Snapshot:
    """What ``dump`` wrote. Raises ``UsageError`` for anything else, and for a snapshot of a newer netlab."""
    try:
        snapshot = json.loads(text)
    except ValueError as error:
        raise UsageError(f"not a snapshot: {error}", hint="write one with: netlab snapshot --json > FILE") from None
    if not isinstance(snapshot, dict) or not isinstance(snapshot.get(HOST), dict):
        raise UsageError("not a snapshot of netlab", hint="write one with: netlab snapshot --json > FILE")
    if snapshot.get(_FORMAT) != _VERSION:
        raise UsageError(f"a snapshot in format {snapshot.get(_FORMAT)!r}, and this netlab knows format {_VERSION}")
    return snapshot


def _key(netns: str) -> str:
    """A namespace that somebody called "host" is not the lab host."""
    return netns if netns != HOST else f"netns/{netns}"


def _needed(stack: str, result: Result) -> dict[str, str]:
    """What was answered, by section; a section whose command failed or is not on this machine is left out."""
    answers = {}
    for part in result.stdout.split("\x1e")[1:]:
        name, _, rest = part.partition("\n")
        text, _, code = rest.rpartition("\x1f")
        # grep says 2 when one of many files may not be read, which of /proc/sys is always so
        if code == "0" or (code == "2" and name in ("sysctl", "hardware")):
            answers[name] = text
    lacking = [name for name in _NEEDED if name not in answers]
    if lacking:
        details = result.stderr.strip().splitlines()
        raise CommandFailed(f"{stack}: cannot be read: {', '.join(lacking)}", details=details)
    return answers


def _namespaces(answers: Mapping[str, str]) -> dict[str, str]:
    """Names under /run/netns: "live", or "torn" where a plain file stands that no namespace is mounted on."""
    found = {}
    for line in answers.get("namespace", "").splitlines():
        kind, _, path = line.partition(" ")
        found[path.rpartition("/")[2]] = "live" if kind == _NSFS else "torn"
    return dict(sorted(found.items()))


def _ids(answers: Mapping[str, str]) -> dict[str, str]:
    """``container1 (id: 1)``: ``container1`` and ``#1`` both mean it, for iproute2 4.11 prints ``link-netnsid 1``."""
    lines = [line.split() for line in answers.get("id", "").splitlines()]
    named = [(words[0], words[2].rstrip(")")) for words in lines if len(words) == 3 and words[1] == "(id:"]
    return {said: _key(name) for name, number in named for said in (name, f"#{number}")}


def _sections(
    said: Mapping[str, str], cards: list[normal_links.Link], stack: str, ends: Mapping[tuple[str, str], str]
) -> dict[str, Any]:
    def words(card: normal_links.Link) -> str:
        other = ends.get((stack, card.name)) or (f"@{card.other}" if card.other else "")
        return f"{other} {card.words}".strip()

    sections: dict[str, Any] = {
        "link": {card.name: words(card) for card in sorted(cards, key=lambda card: card.name)},
        "link details": {card.name: card.details for card in sorted(cards, key=lambda card: card.name)},
        "address": normal_stack.addresses(said["address"], cards),
        "neighbour": normal_stack.neighbours(said["address"]),
        "route": normal_stack.routes(said["route"], cards) + normal_stack.routes(said.get("route6", ""), cards),
        "rule": normal_stack.rules(said["route"])
        + [f"-6 {rule}" for rule in normal_stack.rules(said.get("route6", ""))],
    }
    if "listener" in said:
        sections["listener"] = normal_stack.listeners(said["listener"])
    if "sysctl" in said:
        sections["sysctl"] = normal_stack.sysctls(said["sysctl"])
    for name in ("iptables", "ip6tables", "iptables-legacy", "ip6tables-legacy"):
        if name in said:
            sections[name] = normal_rules.iptables(said[name], legacy=name.endswith("legacy"))
    if "nft" in said:
        sections["nft"] = normal_rules.nft(said["nft"])
    return sections

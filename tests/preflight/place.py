"""A machine for the preflight to look at: a folder, what its tools print, and the lab that is wanted there."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence, Set
from functools import lru_cache
from pathlib import Path
from typing import Any

from netlab import facts as parse
from netlab import parameters
from netlab.lab import Choice
from netlab.machine import Machine
from netlab.model import Command, Facts, Namespaces, Operation, Query, Result
from netlab.preflight import Finding, examine_host, host_queries
from netlab.reading import parsed

TOP = Path(__file__).resolve().parent.parent.parent
FIREWALLS = TOP / "tests/data/firewalls"

LINKS = r"""1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536 qdisc noqueue state UNKNOWN mode DEFAULT group default qlen 1000\    link/loopback 00:00:00:00:00:00 brd 00:00:00:00:00:00 promiscuity 0
2: ens33: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc fq_codel state UP mode DEFAULT group default qlen 1000\    link/ether 00:0c:29:5e:10:0a brd ff:ff:ff:ff:ff:ff promiscuity 0 addrgenmode eui64
1: lo    inet 127.0.0.1/8 scope host lo\       valid_lft forever preferred_lft forever
2: ens33    inet 192.168.0.10/24 brd 192.168.0.255 scope global ens33\       valid_lft forever preferred_lft forever
2: ens33    inet6 fe80::20c:29ff:fe5e:100a/64 scope link \       valid_lft forever preferred_lft forever
default via 192.168.0.2 dev ens33
192.168.0.0/24 dev ens33 proto kernel scope link src 192.168.0.10
"""  # noqa: E501
"""The tutorial's machine, as `ip -o -d` shows it."""

NFT, LEGACY = "iptables v1.8.9 (nf_tables)", "iptables v1.4.21"
NO_RULES = '{"nftables": [{"metainfo": {"version": "1.0.6", "json_schema_version": 1}}]}'
POLICIES = "0:\tfrom all lookup local \n32766:\tfrom all lookup main \n32767:\tfrom all lookup default \n"
PROGRAMS = (
    *("ip", "iptables", "iptables-save", "iptables-restore", "nft", "sysctl", "tcpdump", "bridge", "brctl", "route"),
    *("ss", "ping", "curl", "nsenter", "unshare", "mount", "sh", "sleep", "grep", "python3"),
)
MODULES = ("veth", "bridge", "nf_nat", "xt_MASQUERADE", "nf_tables", "nft_compat", "ip_tables")


@lru_cache
def _lab(settings: tuple[str, ...]) -> Choice:
    return Choice.of(TOP / "steps", parameters.given(settings, None))


class Answers(Mapping[Query, Any]):
    """What was captured; of all else, nothing is there. What nobody declared is a bug, as on a real host."""

    def __init__(self, declared: Set[Query], answers: Mapping[Query, Any]) -> None:
        self._declared, self._answers = declared, answers

    def __getitem__(self, query: Query) -> Any:
        if query not in self._declared:
            raise KeyError(query)
        if query in self._answers:
            return self._answers[query]
        return Namespaces() if query.kind == "namespaces" else parsed(query, "")

    def __iter__(self) -> Iterator[Query]:
        return iter(self._declared)

    def __len__(self) -> int:
        return len(self._declared)


class Place:
    """A machine where nothing is in the way, until a test puts something there."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.write("etc/os-release", "ID=debian\n")
        self.write("lib/modules/6.1.0/modules.builtin", "".join(f"kernel/{name}.ko\n" for name in MODULES))
        for name in PROGRAMS:
            self.write(f"usr/bin/{name}", "").chmod(0o755)
        self.says = NFT
        self.uid = 0
        self.links = LINKS
        self.namespaces = Namespaces()
        self.stacks: dict[str, str] = {}
        self.policies = POLICIES
        self.listening = ""
        self.rules = ""
        self.ruleset = NO_RULES
        self.legacy = ""
        self.sysctls = "net.ipv4.conf.all.rp_filter = 0\nnet.ipv4.conf.ens33.rp_filter = 0\n"
        self.asked: list[tuple[str, ...]] = []

    def write(self, path: str, text: str) -> Path:
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).write_text(text)
        return self.root / path

    def process(self, pid: int, name: str) -> None:
        self.write(f"proc/{pid}/comm", f"{name}\n")

    def load(self, file: str) -> None:
        """A firewall's rules: of iptables (.txt), or as nft shows them (.json)."""
        text = (FIREWALLS / file).read_text()
        if file.endswith(".json"):
            self.ruleset = text
        else:
            self.rules = text

    def _run(self, commands: Sequence[Command]) -> list[Result]:
        self.asked += [command.argv for command in commands]
        return [self._result(command.argv) for command in commands]

    def _result(self, argv: tuple[str, ...]) -> Result:
        match argv:
            case ("iptables", "--version"):
                return Result(0, f"{self.says}\n", "")
            case ("nft", "-j", "list", "ruleset"):
                return (
                    Result(0, self.ruleset, "")
                    if self.ruleset
                    else Result(1, "", "Error: JSON support not compiled-in")
                )
            case ("ip", "-4", "rule"):
                return Result(0, self.policies, "")
            case ("iptables-legacy-save", "-t", _):
                return Result(0, self.legacy, "") if self.legacy else Result(127, "", "not found")
        raise AssertionError(argv)

    def facts(self, queries: Set[Query]) -> Facts:
        answers = {
            Query("namespaces"): self.namespaces,
            Query("stack"): parse.parse_stack(self.links),
            **{Query("stack", name): parse.parse_stack(text) for name, text in self.stacks.items()},
            Query("listeners"): parse.parse_listeners(self.listening),
            **{Query("iptables", "", name): parse.parse_table(self.rules, name) for name in ("filter", "nat")},
            **{each: parsed(each, self.sysctls) for each in queries if each.kind == "sysctl"},
        }
        return Facts(Answers(queries, answers))

    def findings(self, *settings: str, until: int = 11, ours: Sequence[str] = ()) -> list[Finding]:
        """For the first ``until`` steps of the tutorial's lab; ``ours`` are operations by their words."""
        choice = _lab(settings)
        chapters = choice.chapters[:until]
        here = Machine(root=self.root, uid=self.uid, environ={}, python=(3, 11), release="6.1.0")
        mine: set[Operation] = {each for one in chapters for each in one.operations if str(each) in ours}
        assert {str(each) for each in mine} == set(ours)
        record = json.loads(json.dumps(choice.record()["parameters"]))
        return examine_host(self._run, here, chapters, self.facts(host_queries(chapters)), mine, record)

    def found(self, name: str, *settings: str, until: int = 11, ours: Sequence[str] = ()) -> list[tuple[str, str, str]]:
        """(level, detail, cure) of the findings of that name."""
        findings = self.findings(*settings, until=until, ours=ours)
        return [(each.level, each.detail, each.cure) for each in findings if each.name == name]

    def bad(self, *settings: str) -> set[str]:
        """The names of what would stop the lab."""
        return {each.name for each in self.findings(*settings) if not each.ok}

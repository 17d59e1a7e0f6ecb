"""A snapshot from what the tools print, without running any: what is asked, what is left out, what is refused."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from netlab.errors import CommandFailed, UsageError
from netlab.model import Command, Result, Runner
from netlab.snapshot import compare, dump, load, take

DATA = Path(__file__).parents[1] / "data"

Answers = Mapping[str, str | int]
"""Section → what was printed, or the exit code of a command that printed nothing."""

HOST: Answers = {
    "link": (DATA / "el7" / "link-details.txt").read_text(),
    "hardware": "",
    "address": (DATA / "el7" / "addr.txt").read_text(),
    "route": (DATA / "el7" / "route.txt").read_text() + "0:\tfrom all lookup local\n",
    "route6": "fe80::/64 dev ens33 proto kernel metric 256\n0:\tfrom all lookup local\n",
    "nft": 127,
    "iptables": 127,
    "ip6tables": 127,
    "iptables-legacy": (DATA / "el7" / "iptables-save-nat.txt").read_text(),
    "ip6tables-legacy": "",
    "sysctl": "/proc/sys/net/ipv4/ip_forward:1\n",
    "listener": "Netid State Recv-Q\ntcp LISTEN 0 5 *:80 *:*\n",
    "namespace": "6e736673 /run/netns/container1\n6e736673 /run/netns/container2\n1021994 /run/netns/torn\n",
    "id": (DATA / "el7" / "netns-list.txt").read_text(),
}
CONTAINER: Answers = {
    **{name: text for name, text in HOST.items() if name not in ("hardware", "namespace", "id", "address", "route")},
    "link": r"3: eth1@if4: <UP> mtu 1500 \    link/ether 8e:4f:8c:5a:46:a0 link-netnsid 0 promiscuity 0 \    veth x",
    "address": "3: eth1    inet 172.168.1.11/24 scope global eth1\\       valid_lft forever preferred_lft forever\n",
    "route": "default via 172.168.1.1 dev eth1\n",
}


def printed(answers: Answers) -> str:
    said = ((name, *((text, 0) if isinstance(text, str) else ("", text))) for name, text in answers.items())
    return "".join(f"\x1e{name}\n{text}\x1f{code}" for name, text, code in said)


class Tools:
    """A runner that prints what was captured, and remembers what was asked."""

    def __init__(self, stacks: Mapping[str | None, Answers | Result]) -> None:
        self.stacks = stacks
        self.calls: list[Sequence[Command]] = []

    def __call__(self, commands: Sequence[Command]) -> list[Result]:
        self.calls.append(commands)
        found = [self.stacks[command.netns] for command in commands]
        return [each if isinstance(each, Result) else Result(0, printed(each), "") for each in found]


def runner(**changes: str | int) -> Runner:
    return Tools({None: {**HOST, **changes}})


def test_all_is_asked_in_one_call_a_command_for_each_stack() -> None:
    tools = Tools({None: HOST, "container1": CONTAINER})
    snapshot = take(tools, ["container1"])
    [commands] = tools.calls
    assert [command.netns for command in commands] == [None, "container1"]
    assert {command.argv[:2] for command in commands} == {("sh", "-c")}
    assert set(snapshot) == {"/format", "host", "container1"}


def test_an_old_machine() -> None:
    snapshot = take(Tools({None: HOST, "container1": CONTAINER}), ["container1"])
    host = snapshot["host"]
    assert set(host) == {
        *("link", "link details", "address", "route", "rule", "neighbour", "listener", "sysctl", "namespace"),
        *("iptables-legacy", "ip6tables-legacy"),
    }
    assert host["link"]["veth1"].startswith("@eth1 in container1 veth <")
    assert host["link"]["veth2"].startswith("@elsewhere veth <")  # nobody looked into container2
    assert snapshot["container1"]["link"] == {"eth1": "@veth1 in host veth <UP> mtu 1500 link/ether *"}
    assert host["namespace"] == {"container1": "live", "container2": "live", "torn": "torn"}
    assert host["rule"] == ["0: from all lookup local", "-6 0: from all lookup local"]
    assert host["listener"] == ["tcp *:80"]
    assert host["sysctl"] == {"net.ipv4.ip_forward": "1"}
    assert list(host["iptables-legacy"]) == ["nat"]


def test_namespaces_on_a_kernel_before_nsfs() -> None:
    host = take(runner(namespace="9fa0 /run/netns/container1\n1021994 /run/netns/torn\n"), [])["host"]
    assert host["namespace"] == {"container1": "live", "torn": "torn"}


@pytest.mark.parametrize("name", ["torn", "gone"])
def test_a_namespace_that_cannot_be_entered_has_no_part(name: str) -> None:
    tools = Tools({None: HOST, name: Result(1, "", "setns failed")})
    assert set(take(tools, [name])) == {"/format", "host"}


def test_a_namespace_that_somebody_called_host() -> None:
    names = {"namespace": "6e736673 /run/netns/host\n", "id": "host (id: 1)\n"}
    snapshot = take(Tools({None: {**HOST, **names}, "host": CONTAINER}), ["host"])
    assert set(snapshot) == {"/format", "host", "netns/host"}
    assert snapshot["host"]["link"]["veth1"].startswith("@eth1 in netns/host ")


@pytest.mark.parametrize("section", ["nft", "iptables", "ip6tables", "sysctl", "listener", "iptables-legacy"])
@pytest.mark.parametrize("code", [1, 127])
def test_what_this_machine_cannot_tell_is_left_out(section: str, code: int) -> None:
    with_it, without = take(runner(**{section: "x"}), []), take(runner(**{section: code}), [])
    assert section in with_it["host"]
    assert section not in without["host"]
    assert compare(without, without) == ([], [])
    assert compare(with_it, without) == ([], [f"host: {section}: not compared, for it could be read only before"])


def test_some_files_of_proc_sys_may_always_be_unreadable() -> None:
    text = printed({**HOST, "sysctl": "/proc/sys/net/ipv4/ip_forward:1\n"}).replace(
        "forward:1\n\x1f0", "forward:1\n\x1f2"
    )
    assert take(Tools({None: Result(0, text, "")}), [])["host"]["sysctl"] == {"net.ipv4.ip_forward": "1"}


def test_one_of_the_names_may_go_while_they_are_looked_at() -> None:
    text = printed({**HOST, "namespace": "6e736673 /run/netns/a\n"}).replace("netns/a\n\x1f0", "netns/a\n\x1f1")
    assert take(Tools({None: Result(0, text, "")}), [])["host"]["namespace"] == {"a": "live"}


@pytest.mark.parametrize("section", ["link", "address", "route"])
def test_what_every_machine_tells_must_be_readable(section: str) -> None:
    with pytest.raises(CommandFailed, match=f"the lab host: cannot be read: {section}$"):
        take(runner(**{section: 1}), [])


def test_a_namespace_that_is_there_must_be_readable() -> None:
    tools = Tools({None: HOST, "container1": Result(1, "", "nsenter: reassociate failed\n")})
    with pytest.raises(CommandFailed, match="container1: cannot be read") as caught:
        take(tools, ["container1"])
    assert caught.value.details == ("nsenter: reassociate failed",)


def test_a_dump_is_stable_and_loads() -> None:
    snapshot = take(runner(), [])
    turned = {name: dict(reversed(part.items())) if isinstance(part, dict) else part for name, part in snapshot.items()}
    assert dump(snapshot) == dump(turned)
    assert load(dump(snapshot)) == snapshot
    assert compare(load(dump(snapshot)), snapshot) == ([], [])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "not a snapshot"),
        ("[]", "not a snapshot"),
        ('{"steps": []}', "not a snapshot"),
        (json.dumps({"/format": 2, "host": {}}), "format 2, and this netlab knows format 1"),
        (json.dumps({"host": {}}), "format None"),
    ],
)
def test_what_is_no_snapshot_is_refused(text: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        load(text)

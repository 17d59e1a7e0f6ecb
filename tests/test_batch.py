"""Which neighbours share a process. Whatever is given: nothing is lost, nothing twice, nothing overtakes."""

# ruff: noqa: E501 — a row of a table is a line

from __future__ import annotations

import shlex
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netlab.batch import SWEEP, Group, groups, waves
from netlab.model import Command, Serve


def host(line: str) -> Command:
    return Command(tuple(shlex.split(line)))


def c1(line: str) -> Command:
    return Command(tuple(shlex.split(line)), "container1")


def c2(line: str) -> Command:
    return Command(tuple(shlex.split(line)), "container2")


def server(line: str) -> Command:
    return Command(tuple(shlex.split(line)), "container1", Serve("web", ""))


def processes(commands: Sequence[Command]) -> list[str]:
    """Each process, as argv, and what it reads."""
    return [
        f"{shlex.join(each.argv)} < {each.stdin}" if each.stdin else shlex.join(each.argv) for each in groups(commands)
    ]


# --- what shares a process -------------------------------------------------------------------------------------------

RULE = "iptables -w -t nat -A POSTROUTING -s 172.168.1.0/24 -j MASQUERADE"

SHARED = {
    "one stays as it is typed": ([host("ip link add br0 type bridge")], ["ip link add br0 type bridge"]),
    "ip's neighbours": (
        [host("ip link add br0 type bridge"), host("ip link set br0 up"), host("ip addr add 10.0.0.1/24 dev br0")],
        ["ip -batch - < link add br0 type bridge\nlink set br0 up\naddr add 10.0.0.1/24 dev br0\n"],
    ),
    "netns add goes with its like only": (
        [host("ip netns add a"), host("ip netns add b"), host("ip link set br0 up"), host("ip netns del a")],
        ["ip -batch - < netns add a\nnetns add b\n", "ip link set br0 up", "ip netns del a"],
    ),
    "rules of one table are one change": (
        [host(RULE), host("iptables -w -t nat -D PREROUTING -p tcp -j ACCEPT")],
        ["iptables-restore --noflush < *nat\n-A POSTROUTING -s 172.168.1.0/24 -j MASQUERADE\n-D PREROUTING -p tcp -j ACCEPT\nCOMMIT\n"],
    ),
    "rules of two tables are two": (
        [host(RULE), host("iptables -w -t filter -A FORWARD -j ACCEPT")],
        [RULE, "iptables -w -t filter -A FORWARD -j ACCEPT"],
    ),
    "a word with blanks and quotes": (
        [host(RULE), host("""iptables -w -t nat -A INPUT -m comment --comment 'it is "mine" \\ here' -j ACCEPT""")],
        ['iptables-restore --noflush < *nat\n-A POSTROUTING -s 172.168.1.0/24 -j MASQUERADE\n-A INPUT -m comment --comment "it is \\"mine\\" \\\\ here" -j ACCEPT\nCOMMIT\n'],
    ),
    "policies and chains are typed one by one": (
        [host("iptables -w -t filter -P FORWARD ACCEPT"), host("iptables -w -t nat -X INPUT"), host("iptables -w -t nat -X OUTPUT")],
        ["iptables -w -t filter -P FORWARD ACCEPT", "iptables -w -t nat -X INPUT", "iptables -w -t nat -X OUTPUT"],
    ),
    "one sysctl writes many": (
        [host("sysctl -w net.ipv4.ip_forward=0"), host("sysctl -w net.ipv4.conf.all.forwarding=0")],
        ["sysctl -w net.ipv4.ip_forward=0 net.ipv4.conf.all.forwarding=0"],
    ),
    "one kill ends many": ([host("kill -KILL 10"), host("kill -KILL 11")], ["kill -KILL 10 11"]),
    "other tools share nothing": ([host("nft delete table ip nat"), host("nft delete table ip filter")], ["nft delete table ip nat", "nft delete table ip filter"]),
    "servers share nothing": ([server("python3 -m http.server 80"), server("python3 -m http.server 81")], ["python3 -m http.server 80", "python3 -m http.server 81"]),
    "a few deletes are a batch": ([host("ip link del a"), host("ip link del b")], ["ip -batch - < link del a\nlink del b\n"]),
}  # fmt: skip


@pytest.mark.parametrize(("commands", "expected"), SHARED.values(), ids=SHARED)
def test_what_shares_a_process(commands: list[Command], expected: list[str]) -> None:
    assert processes(commands) == expected


def test_many_deletes_are_a_sweep() -> None:
    commands = [host(f"ip link del veth{number}") for number in range(SWEEP)]
    (group,) = groups(commands)
    assert group.sweep == tuple(f"veth{number}" for number in range(SWEEP))
    assert group.commands == tuple(commands)
    assert [each.sweep for each in groups(commands[1:])] == [()]


WAVES = {
    "containers side by side, each in its order": (
        [c1("ip addr add 10.0.0.1/24 dev a"), c2("ip link set b up"), c1("ip link set a up")],
        [[["ip addr add 10.0.0.1/24 dev a", "ip link set a up"], ["ip link set b up"]]],
    ),
    "nothing overtakes the lab host's": (
        [c1("ip link set a up"), host("ip link set br0 up"), c2("ip link set b up")],
        [[["ip link set a up"]], [["ip link set br0 up"]], [["ip link set b up"]]],
    ),
    "nor what reaches into another namespace": (
        [c1("ip link set a up"), c1("ip link set a netns container2"), c2("ip link set a up")],
        [[["ip link set a up"]], [["ip link set a netns container2"]], [["ip link set a up"]]],
    ),
    "nor a server": (
        [c1("ip link set a up"), server("python3 -m http.server 80"), c1("ip link set b up")],
        [[["ip link set a up"]], [["python3 -m http.server 80"]], [["ip link set b up"]]],
    ),
    "nothing": ([], []),
}  # fmt: skip


@pytest.mark.parametrize(("commands", "expected"), WAVES.values(), ids=WAVES)
def test_what_runs_side_by_side(commands: list[Command], expected: list[list[list[str]]]) -> None:
    found = [
        [[shlex.join(c.argv) for group in lane for c in group.commands] for lane in wave] for wave in waves(commands)
    ]
    assert found == expected


# --- whatever is given -----------------------------------------------------------------------------------------------

NAMES = st.sampled_from(["a", "b", "veth1", "eth0"])
LINES = st.one_of(
    NAMES.map(lambda name: f"ip link set {name} up"),
    NAMES.map(lambda name: f"ip link del {name}"),
    NAMES.map(lambda name: f"ip netns add {name}"),
    NAMES.map(lambda name: f"ip netns del {name}"),
    NAMES.map(lambda name: f"ip link set {name} netns b"),
    st.sampled_from(["nat", "filter"]).map(lambda table: f"iptables -w -t {table} -A FORWARD -j ACCEPT"),
    st.sampled_from(["nat", "filter"]).map(lambda table: f"iptables -w -t {table} -P FORWARD DROP"),
    NAMES.map(lambda name: f"sysctl -w net.ipv4.conf.{name}.forwarding=1"),
    st.integers(2, 9).map(lambda pid: f"kill -KILL {pid}"),
    st.just("nft delete table ip nat"),
)
SERVERS = st.builds(lambda netns: Command(("python3", "-m", "http.server"), netns, Serve("x", "")), NAMES)
COMMANDS = st.lists(
    st.one_of(st.builds(lambda line, netns: Command(tuple(line.split()), netns), LINES, st.none() | NAMES), SERVERS),
    max_size=25,
)


def numbered(commands: Sequence[Command]) -> list[Command]:
    """Each command told from all others, without a change to what it may share a process with."""
    return [Command((*each.argv, f"#{number}"), each.netns, each.serve) for number, each in enumerate(commands)]


def in_order(commands: Sequence[Command]) -> list[list[Command]]:
    return [[command for lane in wave for group in lane for command in group.commands] for wave in waves(commands)]


@given(COMMANDS, st.booleans())
def test_every_command_runs_exactly_once(commands: list[Command], together: bool) -> None:
    commands = numbered(commands)
    ran = [
        command
        for wave in waves(commands, together=together)
        for lane in wave
        for group in lane
        for command in group.commands
    ]
    assert sorted(ran, key=commands.index) == commands


@given(COMMANDS)
def test_the_order_within_a_namespace_never_changes(commands: list[Command]) -> None:
    commands = numbered(commands)
    ran = [command for wave in in_order(commands) for command in wave]
    for netns in {each.netns for each in commands}:
        assert [each for each in ran if each.netns == netns] == [each for each in commands if each.netns == netns]


@given(COMMANDS)
def test_the_lab_hosts_commands_are_barriers(commands: list[Command]) -> None:
    commands = numbered(commands)
    ran = [command for wave in in_order(commands) for command in wave]
    for command in commands:
        if command.netns is None or "netns" in command.argv or command.serve is not None:
            number = commands.index(command)
            assert set(ran[: ran.index(command)]) == set(commands[:number])


@given(COMMANDS)
def test_one_at_a_time_is_the_order_given(commands: list[Command]) -> None:
    alone = [[[group.commands for group in lane] for lane in wave] for wave in waves(commands, together=False)]
    assert alone == [[[(command,)]] for command in commands]
    assert all(
        group.argv == group.commands[0].argv
        for wave in waves(commands, together=False)
        for lane in wave
        for group in lane
    )


@given(COMMANDS)
def test_a_group_is_of_one_tool_and_one_namespace(commands: list[Command]) -> None:
    for wave in waves(commands):
        lanes = [{group.netns for group in lane} for lane in wave]
        assert all(len(lane) == 1 for lane in lanes)
        assert len({next(iter(lane)) for lane in lanes}) == len(lanes)
        for lane in wave:
            for group in lane:
                assert {(each.argv[0], each.netns) for each in group.commands} == {
                    (group.commands[0].argv[0], group.netns)
                }


@given(COMMANDS)
def test_every_line_is_mapped_to_its_command(commands: list[Command]) -> None:
    for wave in waves(numbered(commands)):
        for lane in wave:
            for group in lane:
                if group.stdin and group.argv[0] == "ip":
                    for number, line in enumerate(group.stdin.splitlines(), 1):
                        failing = group.failing(f"RTNETLINK answers: File exists\nCommand failed -:{number}\n")
                        assert " ".join(failing.argv[1:]) == line
                if group.argv[0] == "iptables-restore":
                    for number, line in enumerate(group.stdin.splitlines()[1:-1], 2):
                        failing = group.failing(f"iptables-restore: line {number} failed\n")
                        assert " ".join(failing.argv[4:]) == line


# --- a line that fails -----------------------------------------------------------------------------------------------

IP = [host("ip link add br0 type bridge"), host("ip link set br0 up"), host("ip link set veth1 master br0")]
RULES = [host(RULE), host("iptables -w -t nat -A PREROUTING -j NOSUCH")]

FAILED = {
    "iproute2 4.11 and 6.1": (IP, "RTNETLINK answers: File exists\nCommand failed -:2\n", 1),
    "with the file's name": (IP, "Error: argument \"x\" is wrong\nCommand failed /run/batch:3\n", 2),
    "no line named": (IP, "something else", 0),
    "a line beyond the last": (IP, "Command failed -:9", 2),
    "iptables 1.4.21, a wrong word": (RULES, "iptables-restore v1.4.21: Couldn't load target `NOSUCH':No such file or directory\n\nError occurred at line: 3\nTry `iptables-restore -h' or 'iptables-restore --help' for more information.\n", 1),
    "iptables 1.8.9, a wrong word": (RULES, "iptables-restore v1.8.9 (nf_tables): invalid port/service `x' specified\nError occurred at line: 3\nTry `iptables-restore -h' or 'iptables-restore --help' for more information.\n", 1),
    "iptables 1.8.9, which finds out at COMMIT": (RULES, "iptables-restore v1.8.9 (nf_tables): Chain 'NOSUCH' does not exist\nError occurred at line: 4\nTry `iptables-restore -h' or 'iptables-restore --help' for more information.\n", 1),
    "iptables 1.8.9, what the kernel refuses": (RULES, "iptables-restore: line 3 failed: No chain/target/match by that name.\n", 1),
    "iptables 1.4.21 and 1.8.9 legacy, the same": (RULES, "iptables-restore: line 3 failed\n", 1),
}  # fmt: skip


@pytest.mark.parametrize(("commands", "stderr", "failing"), FAILED.values(), ids=FAILED)
def test_which_command_failed(commands: list[Command], stderr: str, failing: int) -> None:
    (group,) = groups(commands)
    assert group.failing(stderr) == commands[failing]


def test_a_batch_goes_on_where_it_stopped() -> None:
    (group,) = groups(IP)
    rest = group.rest("RTNETLINK answers: Device or resource busy\nCommand failed -:2\n")
    assert rest == Group(tuple(IP[1:]), ("ip", "-batch", "-"), "link set br0 up\nlink set veth1 master br0\n", (0, 1))
    assert rest.rest("Command failed -:1\n") == rest
    assert rest.rest("Command failed -:2\n").commands == (IP[2],)


def test_rules_are_all_or_nothing() -> None:
    (group,) = groups(RULES)
    assert group.rest("iptables-restore: line 3 failed\n") == group

"""Exported scripts at work: the same as `apply`, twice the same, and back to the start, whatever was there before."""

# ruff: noqa: E501 — a row of a table is a line

from __future__ import annotations

import os
import re
import signal
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from netlab import course, parameters
from netlab.export import STATE, script
from netlab.lab import Choice
from netlab.model import Chapter, Operation
from netlab.operations import address, policy, port, route, rule, sysctl, up
from tests.kernel.machine import ADDRESS, CARD
from tests.kernel.oldtools import NO_NFT, OLD, unused
from tests.kernel.runner import Done, Netlab, OnMachine
from tests.kernel.tutorial import STEPS

pytestmark = pytest.mark.kernel

MEASURED = False

NOTHING_TO_DO = "nothing to do: all of it is there\n"
NOTHING_TO_TAKE_BACK = "nothing to take back\n"


@cache
def exported(*settings: str, until: str | None = None, undo: bool = False) -> str:
    """What `netlab export --shell` prints; that it prints this, one test below sees."""
    wanted = Choice.of(course.default_folder(), parameters.given(settings, None))
    steps = wanted.course.graph.until(until)
    return script(wanted.chapters, steps, wanted.parameters.model_dump(mode="json"), undo=undo)


def run(lab: Netlab, text: str, *, shell: tuple[str, ...] = ("dash",), code: int = 0) -> Done:
    """Run a script on the lab host."""
    file = lab.home / "work/script.sh"
    file.write_text(text)
    return lab("exec", "host", "--", *shell, file, code=code)


def taken_back(lab: Netlab, **how: str | None) -> None:
    """By the script for it, and nothing of either is left."""
    run(lab, exported(undo=True, **how))
    gone(lab)


def gone(lab: Netlab) -> None:
    lab.type(f"[ ! -e {STATE} ]")


@pytest.fixture(autouse=True)
def _nothing_is_kept(lab: Netlab) -> Iterator[None]:
    """A test that failed in the middle leaves its script's record behind: the next one shall not find it."""
    yield
    lab.type(f"rm -rf {STATE}")


# --- the same as `apply` ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("until", [*STEPS, None])
def test_it_makes_what_apply_makes(lab: Netlab, until: str | None) -> None:
    there_and_back(lab, until, ("dash",))


@pytest.mark.parametrize("until", ["addresses", None])
def test_another_shell_makes_the_same(lab: Netlab, until: str | None) -> None:
    there_and_back(lab, until, ("bash", "--posix"))


def there_and_back(lab: Netlab, until: str | None, shell: tuple[str, ...]) -> None:
    run(lab, exported(until=until), shell=shell)
    made = lab.snapshot("made")
    assert run(lab, exported(until=until), shell=shell).out == NOTHING_TO_DO
    assert lab.differences(made) == []
    run(lab, exported(until=until, undo=True), shell=shell)
    assert lab.differences(lab.start) == []
    assert run(lab, exported(until=until, undo=True), shell=shell).out == NOTHING_TO_TAKE_BACK
    gone(lab)
    lab.apply(*(["--until", until] if until else []))
    assert lab.differences(made) == []
    lab.undo()


def test_many_containers_and_other_names(netlab: Netlab) -> None:
    settings = ("containers=12", "bridge=docker0", "containers.2.name=a.b-c", "web_port=8080")
    netlab("sandbox", "start", *(word for each in settings for word in ("--set", each)))
    start = netlab.snapshot()
    netlab("exec", "host", "--", "sh", "-c", exported(*settings))
    made = netlab.snapshot("made")
    netlab("prove", "web", "publish")
    netlab("exec", "host", "--", "sh", "-c", exported(*settings, undo=True))
    assert netlab.differences(start) == []
    netlab.apply()
    assert netlab.differences(made) == []


def test_the_pages_are_there_and_the_proofs_right(lab: Netlab) -> None:
    run(lab, exported())
    lab("prove")
    assert "Hello from container2" in lab.type("curl -s http://172.168.1.12/")
    taken_back(lab)


def test_the_command_prints_it(lab: Netlab) -> None:
    assert lab("export", "--shell").out == exported()
    assert lab("export", "--shell", "--undo", "--until", "nat").out == exported(until="nat", undo=True)
    assert lab.json("export", "--shell", "--until", "nat") == {"script": exported(until="nat")}


def test_it_makes_no_sandbox(netlab: Netlab) -> None:
    settings = ("--set", "containers=3")
    assert netlab("export", "--shell", *settings).out == exported("containers=3")
    assert netlab.left() == []
    assert "--shell" in netlab("export", code=2).err


def test_a_longer_script_goes_on_and_a_shorter_one_finds_all_there(lab: Netlab) -> None:
    run(lab, exported(until="bridge"))
    assert "ip netns add" not in run(lab, exported()).out
    assert run(lab, exported(until="nat")).out == NOTHING_TO_DO
    assert "was done as well" in run(lab, exported(until="nat", undo=True), code=4).err
    assert run(lab, exported()).out == NOTHING_TO_DO
    taken_back(lab)


def test_what_was_deleted_by_hand_is_made_again(lab: Netlab) -> None:
    run(lab, exported())
    made = lab.snapshot("made")
    lab.type("ip link del br0", "iptables -w -t nat -F POSTROUTING", "sysctl -qw net.ipv4.ip_forward=0")
    run(lab, exported())
    assert lab.differences(made) == []
    lab.type("ip link del br0", "ip netns del container2")
    taken_back(lab)


def test_on_a_real_machine(host: OnMachine) -> None:
    """The uplink is the machine's own, nothing is sent by it, and nobody's second card is touched."""
    texts = {name: host("export", "--shell", *more).out for name, more in (("make", ()), ("undo", ("--undo",)))}
    for name, text in texts.items():
        (host.home / name).write_text(text)
    assert f"-o {CARD} -j MASQUERADE" in texts["make"]
    with host.machine.watched() as packets:
        host.type(f"sh {host.home / 'make'}")
    assert packets in ([], [""])
    made = host.snapshot("made")
    assert host.type(f"sh {host.home / 'make'}") == NOTHING_TO_DO
    assert "Hello from container2" in host.machine.from_outside(f"curl -sS --max-time 2 http://{ADDRESS}:9999/")
    host.type(f"sh {host.home / 'undo'}")
    assert host.left() == []
    assert host.differences(host.start) == []
    host.apply()
    assert host.differences(made) == []


def test_with_the_iptables_of_old(lab: Netlab) -> None:
    """iptables-legacy is all there is, as on CentOS 7; nft is not there, and nobody misses it."""
    multi = "/usr/sbin/xtables-{}-multi"
    if OLD:
        pytest.skip(f"{NO_NFT}, and every test here is this one")
    if not Path(multi.format("legacy")).exists():
        pytest.skip("there is no iptables-legacy")
    for name, text in (("make", exported()), ("undo", exported(undo=True))):
        (lab.home / "work" / name).write_text(text)
    old = f"mount --bind {multi.format('legacy')} {multi.format('nft')}; : >/run/none; mount --bind /run/none $(command -v nft)"
    lines = f"iptables -V; sh {lab.home}/work/make; iptables-save -t nat; sh {lab.home}/work/make; sh {lab.home}/work/undo; iptables-save -t nat"
    said = lab.type(f"unshare --mount sh -euc '{old}; {lines}'; rm /run/none")
    assert "(legacy)" in said
    assert said.count("-j MASQUERADE\n") == 3  # typed, saved, deleted
    assert NOTHING_TO_DO in said
    gone(lab)


# --- what was there before -------------------------------------------------------------------------------------------

EQUAL = "-t nat {} POSTROUTING -s 172.168.1.0/24 -o ens33 -j MASQUERADE"

# fmt: off
BEFORE: dict[str, tuple[str, str]] = {
    "forwarding is on": ("sysctl -qw net.ipv4.ip_forward=1", "sysctl -qw net.ipv4.ip_forward=0 net.ipv4.conf.all.accept_redirects=1"),
    "one card forwards, redirects are refused": (
        "sysctl -qw net.ipv4.conf.ens33.forwarding=1 net.ipv4.conf.all.accept_redirects=0",
        "sysctl -qw net.ipv4.conf.ens33.forwarding=0 net.ipv4.conf.all.accept_redirects=1"),
    "a card with a dot in its name forwards": (
        "ip link add eth0.100 type veth peer name other0; sysctl -qw net.ipv4.conf.eth0/100.forwarding=1", "ip link del eth0.100"),
    "FORWARD is closed": (
        "iptables -w -P FORWARD DROP", unused("filter")),
    "FORWARD is closed, with a rule": (
        "iptables -w -P FORWARD DROP; iptables -w -A FORWARD -j ACCEPT",
        unused("filter")),
    "an equal rule": (
        f"iptables -w {EQUAL.format('-A')}", unused("nat")),
    "two equal rules": (
        f"for n in 1 2; do iptables -w {EQUAL.format('-A')}; done",
        unused("nat")),
    "an empty table": ("nft add table ip nat", "nft delete table ip nat"),
    "an empty chain": (
        "iptables -w -t nat -P PREROUTING ACCEPT", unused("nat")),
    "a chain of somebody's": (
        "iptables -w -t nat -N MINE", f"iptables -w -t nat -X MINE; {unused('nat')}"),
    "a namespace and a bridge of somebody's": (
        "ip netns add other; ip link add br9 type bridge; ip addr add 10.9.9.1/24 dev br9",
        "ip netns del other; ip link del br9"),
}
# fmt: on


@pytest.mark.parametrize(("typed", "back"), BEFORE.values(), ids=BEFORE)
def test_what_was_there_before_is_there_again(lab: Netlab, typed: str, back: str) -> None:
    if OLD and typed.startswith("nft "):
        pytest.skip(NO_NFT)
    lab.type(typed)
    before = lab.snapshot("before")
    run(lab, exported())
    made = lab.snapshot("made")
    assert run(lab, exported()).out == NOTHING_TO_DO
    taken_back(lab)
    assert lab.differences(before) == []
    lab.apply()
    assert lab.differences(made) == []
    lab.undo()
    # What `undo` of a sandbox takes for typed by hand, an equal rule say, is gone by now.
    lab.type(f"{{ {back}; }} 2>/dev/null || :")


def test_a_strangers_equal_rule_stays(lab: Netlab) -> None:
    run(lab, exported(until="nat"))
    lab.type(f"iptables -w {EQUAL.format('-A')}")
    run(lab, exported(until="nat", undo=True))
    assert lab.type("iptables-save -t nat").count("MASQUERADE") == 1
    lab.type(f"iptables -w {EQUAL.format('-D')}", unused("nat"))


IN_THE_WAY = {
    "a namespace": ("ip netns add container2", "/run/netns/container2", "ip netns del container2"),
    "a torn namespace": ("touch /run/netns/container1", "/run/netns/container1", "rm /run/netns/container1"),
    "a bridge": ("ip link add br0 type bridge", "link br0", "ip link del br0"),
    "another kind of link": ("ip link add veth1 type bridge", "link veth1", "ip link del veth1"),
}


@pytest.mark.parametrize(("typed", "named", "back"), IN_THE_WAY.values(), ids=IN_THE_WAY)
def test_what_it_did_not_make_is_in_the_way(lab: Netlab, typed: str, named: str, back: str) -> None:
    lab.type(typed)
    before = lab.snapshot("before")
    refused = run(lab, exported(), code=4)
    assert f"in the way:\n  {named}" in refused.err
    assert refused.out == ""
    assert lab.differences(before) == []
    gone(lab)
    assert run(lab, exported(undo=True)).out == NOTHING_TO_TAKE_BACK
    lab.type(back)


# --- what the course does not do ------------------------------------------------------------------------------------

OTHERS = (
    up("a0"),
    port("a0", "br9"),
    address("10.99.0.1/32", "lo"),
    address("10.9.9.1/24", "b0"),
    route("10.8.0.0/16", "b0", via="10.9.9.2"),
    route("10.7.0.1/32", "b0"),
    up("lo", "other"),
    sysctl("net.ipv4.ip_forward", "1", "other"),
    rule("filter", "INPUT", "-m", "comment", "--comment", "it's $HOME", "-j", "ACCEPT", netns="other"),
    policy("filter", "INPUT", "DROP"),
)
"""In what is there already, so that each is taken back by a command of its own."""

AROUND = (
    "ip netns add other; ip link add br8 type bridge; ip link add br9 type bridge",
    "ip link add a0 type veth peer name b0; ip link set b0 up",
    # A bridge that had a port once, shows it ever after (tso_max_size).
    "ip link set a0 master br9; ip link set a0 master br8",
)


def of(*operations: Operation, undo: bool = False) -> str:
    """The script of one step with these operations."""
    return script([Chapter("some", "Some.", (), operations)], ["some"], {}, undo=undo)


def test_every_kind_is_taken_back_by_a_command_of_its_own(lab: Netlab) -> None:
    lab.type(*AROUND)
    before = lab.snapshot("before")
    assert len(run(lab, of(*OTHERS)).out.splitlines()) == len(OTHERS) + 1  # sysctl says something too
    host = lab.type("ip -o link show a0; ip addr show lo; ip route; iptables-save -t filter")
    assert all(each in host for each in ("master br9", "10.99.0.1/32", "10.8.0.0/16 via 10.9.9.2", ":INPUT DROP"))
    assert "s $HOME" in lab.type("ip netns exec other iptables-save -t filter")
    assert run(lab, of(*OTHERS)).out == NOTHING_TO_DO
    run(lab, of(*OTHERS, undo=True))
    assert lab.differences(before) == []
    gone(lab)
    lab.type("ip netns del other; ip link del br8; ip link del br9; ip link del a0")


STRANGERS = {
    "a rule": ("iptables -w -A FORWARD -j RETURN", "-A FORWARD -j RETURN"),
    "a policy": ("iptables -w -P FORWARD DROP", ":FORWARD DROP [0:0]"),
}


@pytest.mark.parametrize(("typed", "stays"), STRANGERS.values(), ids=STRANGERS)
def test_what_a_stranger_put_into_our_chain_stays(lab: Netlab, typed: str, stays: str) -> None:
    ours = rule("filter", "FORWARD", "-i", "br0", "-j", "ACCEPT")
    run(lab, of(ours))
    lab.type(typed)
    run(lab, of(ours, undo=True))
    left = lab.type("iptables-save -t filter").splitlines()
    assert stays in left
    assert "-A FORWARD -i br0 -j ACCEPT" not in left
    lab.type(unused("filter"))


def test_a_command_that_did_nothing_is_an_error(lab: Netlab) -> None:
    odd = sysctl("net.ipv4.ip_forward", "01")  # which the kernel takes, and shows as 1
    failed = run(lab, of(odd), code=1)
    assert "it does not hold, though its command ran: sysctl net.ipv4.ip_forward = 01" in failed.err
    run(lab, of(odd, undo=True))


def test_another_way_to_the_same_place_is_in_the_way(lab: Netlab) -> None:
    lab.type("ip route add 10.8.0.0/16 via 192.168.0.1")
    wanted = route("10.8.0.0/16", "ens33", via="192.168.0.2")
    assert "in the way:\n  another route to 10.8.0.0/16" in run(lab, of(wanted), code=4).err
    lab.type("ip route del 10.8.0.0/16")


# --- cut short -------------------------------------------------------------------------------------------------------

KILL = "kill -9 $$"


def cuts(text: str, pattern: str) -> list[str]:
    """The script, killed after each line that fits, one after the other."""
    ends = [match.end() for match in re.finditer(rf"(?m)^    (?:{pattern}) .*$", text)]
    # A page stands between a server's words: there the line goes on. And the policy is ACCEPT already.
    ends = [end for end in ends if not re.search("<!doctype|forwarding.2.*", text[:end].rpartition("\n")[2])]
    return [f"{text[:end]}\n{KILL}{text[end:]}" for end in ends]


AFTER = [*cuts(exported(), "keep|run"), *cuts(exported(), "check 'server")]
BACKWARDS = cuts(exported(undo=True), r"forget|delete_netns|end_server|! has_rule|! is_kind|set_values")


def run_anyhow(lab: Netlab, text: str) -> int:
    return lab.run("exec", "host", "--", "dash", "-c", text).code


def killed(lab: Netlab, text: str) -> None:
    run(lab, text, code=128 + signal.SIGKILL)


def test_killed_and_finished(lab: Netlab) -> None:
    """Each script is killed one step further than the one before it, and the last one finishes."""
    for text in AFTER[::3]:
        # What was made by the one before it is there already: its own last command may have nothing to do.
        assert run_anyhow(lab, text) in (0, 128 + signal.SIGKILL)
    run(lab, exported())
    assert run(lab, exported()).out == NOTHING_TO_DO
    taken_back(lab)


def test_killed_and_taken_back(lab: Netlab) -> None:
    for text in AFTER[1::5]:
        assert run_anyhow(lab, text) in (0, 128 + signal.SIGKILL)
        taken_back(lab)
        assert lab.differences(lab.start) == []


def test_there_are_points_enough() -> None:
    assert len(AFTER) > 30
    assert len(BACKWARDS) > 15


def test_killed_while_it_takes_back(lab: Netlab) -> None:
    run(lab, exported())
    for text in BACKWARDS[::2]:
        assert run_anyhow(lab, text) in (0, 128 + signal.SIGKILL)
    taken_back(lab)


@pytest.mark.parametrize("text", BACKWARDS[::5])
def test_killed_while_it_takes_back_and_made_again(lab: Netlab, text: str) -> None:
    run(lab, exported())
    made = lab.snapshot("made")
    killed(lab, text)
    run(lab, exported())
    assert lab.differences(made) == []
    taken_back(lab)


@pytest.mark.parametrize("seconds", [0.05, 0.15, 0.3, 0.45, 0.6, 0.8])
def test_killed_at_any_moment(lab: Netlab, seconds: float) -> None:
    file = lab.home / "work/cut.sh"
    file.write_text(exported())
    # Only the script, not the command that it is waiting for.
    lab.type(f"timeout --foreground -s KILL {seconds} sh {file} || [ $? -ge 124 ]")
    taken_back(lab)
    assert lab.differences(lab.start) == []


def test_an_interrupted_rule_is_added_once(lab: Netlab) -> None:
    cut = next(text for text in AFTER if text.partition(f"\n{KILL}")[0].endswith("keep nat.1 chains_of '' nat"))
    killed(lab, cut)
    assert "MASQUERADE" not in lab.type("iptables-save -t nat")
    run(lab, exported())
    assert lab.type("iptables-save -t nat").count("MASQUERADE") == 1
    taken_back(lab)


# --- who may, and where it is written down ---------------------------------------------------------------------------


def test_without_the_rights_it_says_so(lab: Netlab) -> None:
    file = lab.home / "work/script.sh"
    file.write_text(exported())
    weak = ("setpriv", "--ambient-caps=-all", "--inh-caps=-all", "--bounding-set=-net_admin")
    refused = lab("exec", "host", "--", *weak, "sh", file, code=5)
    assert "run it as root" in refused.err
    gone(lab)


@pytest.mark.parametrize("program", ["flock", "nft", "ss"])
def test_without_a_program_it_says_so(lab: Netlab, program: str) -> None:
    if OLD and program == "nft":
        pytest.skip(NO_NFT)
    file = lab.home / "work/script.sh"
    file.write_text(exported())
    hide = f": >/run/none; for each in /usr/bin /usr/sbin; do [ ! -e $each/{program} ] || mount --bind /run/none $each/{program}; done"
    refused = lab("exec", "host", "--", "unshare", "--mount", "sh", "-c", f"{hide}; sh {file}", code=5)
    assert refused.err.endswith(f"install them first: {program}\n")
    gone(lab)


UNTRUSTED = {
    "a link": f"mkdir -m 700 /run/elsewhere; ln -s /run/elsewhere {STATE}",
    "a file": f": >{STATE}",
    "others may look": f"mkdir -m 755 {STATE}",
    "others may write beside it": f"mkdir -m 700 {STATE}; chmod 777 /run",
}


@pytest.mark.parametrize("typed", UNTRUSTED.values(), ids=UNTRUSTED)
@pytest.mark.parametrize("undo", [False, True], ids=["apply", "undo"])
def test_a_folder_that_cannot_be_trusted(lab: Netlab, typed: str, *, undo: bool) -> None:
    lab.type(typed)
    assert "cannot be trusted" in run(lab, exported(undo=undo), code=4).err
    lab.type(f"chmod 755 /run; rm -rf {STATE} /run/elsewhere")


def test_a_folder_of_another_user(lab: Netlab) -> None:
    if os.geteuid() != 0:
        pytest.skip("the root half: only root can give a folder away")
    lab.type(f"mkdir -m 700 {STATE}; chown 12345 {STATE}")
    assert "it is user 12345's" in run(lab, exported(), code=4).err


def test_another_lab_is_not_mixed_in(lab: Netlab) -> None:
    run(lab, exported(until="namespaces"))
    for undo in (False, True):
        assert "is of another lab" in run(lab, exported("containers=1", until="namespaces", undo=undo), code=4).err
    inside = f"ip netns exec container1 sh {lab.home / 'work/script.sh'}"
    (lab.home / "work/script.sh").write_text(exported(until="namespaces"))
    lab.type(inside, code=4)
    taken_back(lab, until="namespaces")


def test_after_a_restart_nothing_of_it_counts(lab: Netlab) -> None:
    run(lab, exported(until="forwarding"))
    lab.type(f"sed -i 's/ [-0-9a-f]* / another-boot /' {STATE}/lab")
    made = lab.snapshot("made")
    assert run(lab, exported(undo=True)).out == NOTHING_TO_TAKE_BACK
    assert lab.differences(made) == []
    gone(lab)
    lab.undo()


def test_one_at_a_time(lab: Netlab) -> None:
    """Two at once: the second waits for the first, and finds all done."""
    file = lab.home / "work/script.sh"
    file.write_text(exported())
    said = lab.type(f"sh {file} & sh {file}; wait")
    assert said.count("+ ip netns add container1\n") == 1
    assert said.count(NOTHING_TO_DO) == 1
    taken_back(lab)


def test_another_process_with_a_servers_pid_is_not_killed(lab: Netlab) -> None:
    run(lab, exported())
    record = f"{STATE}/servers/web.1/process"
    pid = lab.type(f"cut -d' ' -f1 {record}").strip()
    lab.type(f"awk '{{ $22 = $22 - 1; print }}' {record} >/run/changed; mv /run/changed {record}")
    run(lab, exported(undo=True))
    lab.type(f"kill -0 {pid}; kill -KILL {pid}; while [ -e /proc/{pid} ]; do sleep 0.1; done")


def test_a_server_that_is_still_starting_is_waited_for(lab: Netlab) -> None:
    """It stands still before it listens, and the script is killed: a second one would be in the first one's way."""
    own = "$state/servers/web.1/process"
    still = f"""
    until [ -s "{own}" ] && read -r pid _ <"{own}" && grep -q python "/proc/$pid/comm"; do :; done
    kill -STOP "$pid"
    {KILL}"""
    before, check, after = exported().partition("\n    check 'server on port 80 in container1'")
    killed(lab, before + still + check + after)
    (lab.home / "work/script.sh").write_text(exported())
    said = lab.type(
        f"pid=$(cut -d' ' -f1 {STATE}/servers/web.1/process)",
        f"sh {lab.home}/work/script.sh & sleep 2; kill -CONT $pid; wait $!",
    )
    assert "container1 python3" not in said
    assert "container2 python3" in said
    taken_back(lab)


def test_a_server_that_was_killed_starts_again(lab: Netlab) -> None:
    run(lab, exported())
    lab.type(f"kill -KILL $(cut -d' ' -f1 {STATE}/servers/web.1/process); sleep 0.2")
    assert run(lab, exported()).out == "+ ip netns exec container1 python3 -m http.server 80 &\n"
    taken_back(lab)


def test_a_server_has_a_host_name_that_needs_no_name_server(lab: Netlab) -> None:
    run(lab, exported())
    name = lab.type("hostname")
    own, its = f"{STATE}/servers/web.1/process", "readlink /proc/{}/ns/uts"
    lab.type(f'pid=$(cut -d" " -f1 {own}); [ "$({its.format("$pid")})" != "$({its.format("self")})" ]')
    if os.geteuid() == 0:  # in a sandbox of an ordinary user the name stays, and /etc/hosts knows it
        assert lab.type(f'nsenter --uts=/proc/$(cut -d" " -f1 {own})/ns/uts hostname') == "localhost\n"
    assert lab.type("hostname") == name
    taken_back(lab)


def test_it_runs_what_the_system_has(lab: Netlab, tmp_path: Path) -> None:
    """Neither the caller's PATH nor Python's variables lead anywhere."""
    for name in ("ip", "iptables", "python3", "awk"):
        (tmp_path / name).write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
        (tmp_path / name).chmod(0o755)
    (tmp_path / "http").mkdir()
    (tmp_path / "http/__init__.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\n")
    file = tmp_path / "script.sh"
    file.write_text(exported())
    hostile = ("env", f"PATH={tmp_path}:/usr/bin:/bin", f"PYTHONPATH={tmp_path}", "IFS=/", "LC_ALL=tr_TR.UTF-8")
    lab("exec", "host", "--", *hostile, "/bin/sh", file)
    assert not (tmp_path / "ran").exists()
    taken_back(lab)

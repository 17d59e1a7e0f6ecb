"""The lab's parameters: how --set and --lab are read, and what is said of each that is wrong."""

# ruff: noqa: E501 — a row of a table is a line

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netlab import parameters
from netlab.course import default_folder, load
from netlab.errors import UsageError
from netlab.parameters import given as read
from netlab.parameters import merged

LAB = load(default_folder()).lab_type


def lab(*settings: str, file: Path | None = None) -> Any:
    return parameters.lab(LAB, read(settings, file))


def complaints(*settings: str, file: Path | None = None) -> list[str]:
    with pytest.raises(UsageError) as caught:
        lab(*settings, file=file)
    assert caught.value.code == 2
    return list(caught.value.details)


# --- as the tutorial has them ----------------------------------------------------------------------------------------


def test_the_tutorials_values_are_the_defaults() -> None:
    assert lab().model_dump() == {
        "network": "192.168.0.0/24",
        "host_address": "192.168.0.10",
        "router": "192.168.0.2",
        "client": "192.168.0.1",
        "internet": "114.114.114.114",
        "uplink": "ens33",
        "bridge": "br0",
        "subnet": "172.168.1.0/24",
        "gateway": "172.168.1.1",
        "web_port": 80,
        "containers": (
            {"name": "container1", "veth": "veth1", "interface": "eth1", "address": "172.168.1.11", "port": 8888},
            {"name": "container2", "veth": "veth2", "interface": "eth2", "address": "172.168.1.12", "port": 9999},
        ),
    }


def test_no_table_of_a_container_is_as_good_as_none(tmp_path: Path) -> None:
    file = tmp_path / "lab.toml"
    file.write_text("containers = {}\n")
    assert lab(file=file) == lab()


def test_many_containers() -> None:
    many = lab("containers=5").containers
    assert [(each.name, each.veth, each.interface, each.address, each.port) for each in many[2:]] == [
        ("container3", "veth3", "eth3", "172.168.1.13", 10003),
        ("container4", "veth4", "eth4", "172.168.1.14", 10004),
        ("container5", "veth5", "eth5", "172.168.1.15", 10005),
    ]
    assert lab("containers=244").containers[-1].address == "172.168.1.254"
    most = lab("containers=1023", "subnet=172.168.0.0/16").containers
    assert (len(most), most[-1].address, most[-1].port) == (1023, "172.168.4.9", 11023)
    assert len({each.address for each in most}) == 1023


# --- --set and --lab -------------------------------------------------------------------------------------------------

READ: dict[str, tuple[list[str], dict[str, Any]]] = {
    "a word": (["bridge=lan0"], {"bridge": "lan0"}),
    "a number": (["containers=3"], {"containers": 3}),
    "an address is no number": (["gateway=172.168.1.254"], {"gateway": "172.168.1.254"}),
    "22:22 is no number either": (["bridge=22:22"], {"bridge": "22:22"}),
    "a date is a word": (["bridge=2021-08-28"], {"bridge": "2021-08-28"}),
    "nothing": (["bridge="], {"bridge": ""}),
    "an equals sign": (["bridge=a=b"], {"bridge": "a=b"}),
    "quoted": (['bridge="7"'], {"bridge": "7"}),
    "a list": (['containers=[{name="a"}, {}]'], {"containers": [{"name": "a"}, {}]}),
    "into a table": (["containers.2.address=172.168.1.20"], {"containers": {"2": {"address": "172.168.1.20"}}}),
    "a number, then into it": (
        ["containers=3", "containers.3.name=web"],
        {"containers": {"count": 3, "3": {"name": "web"}}},
    ),
    "the last one counts": (["bridge=a", "bridge=b"], {"bridge": "b"}),
}


@pytest.mark.parametrize(("settings", "expected"), READ.values(), ids=READ)
def test_settings(settings: list[str], expected: dict[str, Any]) -> None:
    assert read(settings, None) == expected


@pytest.mark.parametrize("setting", ["bridge", "", "=7", "a.b"])
def test_no_setting(setting: str) -> None:
    with pytest.raises(UsageError, match="is no key=value"):
        read([setting], None)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ((f"{'a.' * 9000}b=1",), "no lab has tables so deep"),
        (("containers=99999999999", "containers.3.name=x"), "containers is 99999999999, not a table"),
        (("bridge=0x" + "f" * 9000, "bridge.x=1"), "bridge is a number of 36000 bits, not a table"),
    ],
)
def test_beyond_all_measure(settings: tuple[str, ...], said: str) -> None:
    with pytest.raises(UsageError, match=said) as caught:
        read(settings, None)
    assert len(caught.value.message) < 250


COUNTS: dict[str, tuple[dict[str, Any], list[str], list[str]]] = {
    "two by themselves": ({}, [], ["container1", "container2"]),
    "two, and one of them otherwise": ({}, ["containers.1.name=a"], ["a", "container2"]),
    "as many as are named": ({}, ["containers.3.name=c"], ["container1", "container2", "c"]),
    "one, and otherwise": ({}, ["containers=1", "containers.1.name=a"], ["a"]),
    "a list of one, and otherwise": ({"containers": [{"port": 81}]}, ["containers.1.name=a"], ["a"]),
    "a number, and one more": ({}, ["containers=1", "containers.2.name=b"], ["container1", "b"]),
    "a lab of three, and one otherwise": ({"containers": 3}, ["containers.2.name=b"], ["container1", "b", "container3"]),
    "a lab's own names stay": (
        {"containers": [{"name": "x"}, {"name": "y"}, {}]}, ["containers.2.port=81"], ["x", "y", "container3"],
    ),
    "a number in place of a lab's": ({"containers": [{"name": "x"}, {}, {}]}, ["containers=1"], ["container1"]),
    "a number and a table in place of a lab's": (
        {"containers": [{"name": "x"}, {}, {}]}, ["containers=2", "containers.1.name=a"], ["a", "container2"],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("old", "settings", "names"), COUNTS.values(), ids=COUNTS)
def test_how_many_containers(old: dict[str, Any], settings: list[str], names: list[str]) -> None:
    values = merged(old, read(settings, None))
    made: Any = parameters.lab(LAB, values)
    assert [each.name for each in made.containers] == names
    again: Any = parameters.lab(LAB, merged(values, {}))
    assert again == made


@pytest.mark.parametrize(
    "settings", [["containers=-5", "containers.1.port=81"], ["containers=0", "containers.1.port=1"]]
)
def test_none_is_no_number_of_containers(settings: list[str]) -> None:
    with pytest.raises(UsageError, match="not a table"):
        read(settings, None)


@pytest.mark.parametrize("last", ["0", "255"])
def test_the_internet_is_a_hosts_address(last: str) -> None:
    with pytest.raises(UsageError) as caught:
        lab(f"internet=9.9.9.{last}")
    assert "not the first or last" in caught.value.details[0]


def test_into_what_is_no_table() -> None:
    with pytest.raises(UsageError, match=r"--set 'bridge\.name=x': bridge is 'br0', not a table"):
        read(["bridge=br0", "bridge.name=x"], None)


def test_a_file_and_settings_over_it(tmp_path: Path) -> None:
    file = tmp_path / "lab.toml"
    file.write_text('bridge = "lan0"\nweb_port = 8080\n[[containers]]\nname = "web"\n[[containers]]\n')
    made = lab("bridge=lan1", "containers.2.port=81", file=file)
    assert (made.bridge, made.web_port) == ("lan1", 8080)
    assert [(each.name, each.port) for each in made.containers] == [("web", 8888), ("container2", 81)]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "cannot be read: No such file or directory"),
        ("a = = b", "is no TOML: Invalid value"),
        ("\xff", "cannot be read: .* can't decode"),
        (f"a = {'[' * 9000}", "is no TOML: its brackets are nested too deep"),
    ],
)
def test_a_file_that_cannot_be_read(tmp_path: Path, text: str | None, said: str) -> None:
    file = tmp_path / "lab.toml"
    if text is not None:
        file.write_bytes(text.encode("latin-1"))
    with pytest.raises(UsageError, match=said) as caught:
        read([], file)
    assert str(file) in caught.value.message


def test_a_file_without_end() -> None:
    with pytest.raises(UsageError, match="/dev/zero cannot be read: it has more than 33554432 characters"):
        read([], Path("/dev/zero"))


@given(st.text())
def test_any_setting_is_read_or_refused(text: str) -> None:
    try:
        values = read([text], None)
    except UsageError:
        return
    assert isinstance(values, dict)
    try:
        parameters.lab(LAB, values)
    except UsageError as error:
        assert error.details  # noqa: PT017 either is right; only a crash is not


@given(st.dictionaries(st.sampled_from("ab"), st.integers() | st.dictionaries(st.sampled_from("ab"), st.integers())))
def test_merging_nothing_changes_nothing(values: dict[str, Any]) -> None:
    assert merged(values, {}) == merged({}, values) == merged(values, values) == values


def test_merging_goes_into_tables() -> None:
    old = {"bridge": "a", "containers": {"1": {"name": "x", "port": 1}}}
    new = {"containers": {"1": {"port": 2}, "2": {}}}
    assert merged(old, new) == {"bridge": "a", "containers": {"1": {"name": "x", "port": 2}, "2": {}}}
    assert old == {"bridge": "a", "containers": {"1": {"name": "x", "port": 1}}}


# --- what is wrong ---------------------------------------------------------------------------------------------------

# fmt: off
WRONG: dict[str, tuple[list[str], list[str]]] = {
    "a name too long": (["bridge=abcdefghijklmnop"], ["bridge = 'abcdefghijklmnop'", "1 to 15"]),
    "an option": (["bridge=-t"], ["bridge = '-t'"]),
    "two dashes": (["bridge=--"], ["bridge = '--'"]),
    "a shell's word": (["bridge=a;id"], ["bridge = 'a;id'"]),
    "a command": (["bridge=$(id)"], ["bridge = '$(id)'"]),
    "a wildcard of iptables": (["bridge=br+"], ["bridge = 'br+'"]),
    "a pattern of the kernel": (["bridge=x%d"], ["bridge = 'x%d'"]),
    "a word of ip's": (["bridge=type"], ["bridge = 'type'"]),
    "another word of ip's": (["bridge=name"], ["bridge = 'name'"]),
    "a slash": (["bridge=a/b"], ["bridge = 'a/b'"]),
    "a folder": (["containers.1.name=.."], ["containers.1.name = '..'"]),
    "a blank": (["bridge=a b"], ["bridge = 'a b'"]),
    "no ASCII": (["bridge=brücke"], ["bridge = 'brücke'"]),
    "a control character": (["bridge=a\x1b[31m"], ["bridge = 'a\\x1b[31m'"]),
    "nothing": (["bridge="], ["bridge = ''"]),
    "the uplink's name": (["bridge=ens33"], ["bridge = 'ens33'", "already"]),
    "the bridge's name for a cable": (["containers.1.veth=br0"], ["containers.1.veth = br0", "already used by bridge"]),
    "one cable twice": (["containers.2.veth=veth1"], ["containers.2.veth = veth1", "already used by container 1"]),
    "one name twice": (["containers.2.name=container1"], ["containers.2.name = container1", "already used by container 1"]),
    "a node's name": (["containers.1.name=router"], ["containers.1.name = router", "a node of the surroundings"]),
    "one address twice": (["containers.2.address=172.168.1.11"], ["containers.2.address = 172.168.1.11", "already used by container 1"]),
    "the gateway's address": (["containers.1.address=172.168.1.1"], ["containers.1.address = 172.168.1.1", "already used by gateway"]),
    "an address outside": (["containers.1.address=172.168.2.11"], ["containers.1.address = 172.168.2.11", "subnet 172.168.1.0/24"]),
    "the network's own address": (["containers.1.address=172.168.1.0"], ["containers.1.address = 172.168.1.0"]),
    "the broadcast": (["containers.1.address=172.168.1.255"], ["containers.1.address = 172.168.1.255"]),
    "no address": (["containers.1.address=172.168.1"], ["containers.1.address = '172.168.1'", "IPv4 address"]),
    "a gateway outside": (["gateway=10.0.0.1"], ["gateway = '10.0.0.1'", "172.168.1.0/24"]),
    "a subnet over the network": (["subnet=192.168.0.0/16"], ["subnet = '192.168.0.0/16'", "overlaps network 192.168.0.0/24"]),
    "a subnet over the internet": (["subnet=114.114.114.0/24"], ["subnet = '114.114.114.0/24'", "overlaps internet 114.114.114.114"]),
    "a subnet with host bits": (["subnet=172.168.1.7/24"], ["subnet = '172.168.1.7/24'", "IPv4 network"]),
    "a subnet too small": (["subnet=172.168.1.0/30"], ["subnet = '172.168.1.0/30'", "/8 to /28"]),
    "port 0": (["web_port=0"], ["web_port = 0", "a port, from 1 to 65535"]),
    "a port too high": (["containers.1.port=65536"], ["containers.1.port = 65536", "a port, from 1 to 65535"]),
    "one port twice": (["containers.1.port=9999"], ["containers.2.port = 9999", "already used by container 1"]),
    "a port that is a word": (["web_port=http"], ["web_port = 'http'", "a port, from 1 to 65535"]),
    "no container": (["containers=0"], ["containers = 0", "1 to 244"]),
    "too many for the subnet": (["containers=245"], ["containers = 245", "--set subnet=172.168.0.0/16"]),
    "too many for a bridge": (["containers=1024", "subnet=172.168.0.0/16"], ["containers = 1024", "1023"]),
    "no container of that number": (["containers.0.name=a"], ["containers = {'0': {'name': 'a'}}", "there is no container '0'"]),
    "a container beyond all numbers": (["containers.99999999999.name=a"], ["there is no container '99999999999': they are counted from 1 to 1023"]),
    "a value without end": (["bridge=" + "a" * 9000], ["bridge = 'aaaa", "1 to 15"]),
    "a number without end": (["web_port=0x" + "f" * 9000], ["web_port = a number of 36000 bits"]),
    "brackets without end": (["bridge=" + "[" * 9000], ["bridge = '[[[[", "1 to 15"]),
    "a key without end": (["k" * 9000 + "=1"], ["kkkk", "unknown key"]),
    "an unknown key": (["bridg=br1"], ["bridg = 'br1': unknown key; did you mean bridge?"]),
    "an unknown key, nothing near": (["colour=blue"], ["colour = 'blue': unknown key; there are: network,"]),
    "an unknown key of a container": (["containers.1.nam=x"], ["containers.1.nam = 'x': unknown key"]),
    "a router outside the network": (["router=10.0.0.1"], ["router = '10.0.0.1'", "192.168.0.0/24"]),
    "the router's address for the client": (["client=192.168.0.2"], ["client = '192.168.0.2'", "already used as router"]),
    "the internet at home": (["internet=192.168.0.99"], ["internet = '192.168.0.99'", "outside 192.168.0.0/24"]),
}
# fmt: on


@pytest.mark.parametrize(("settings", "said"), WRONG.values(), ids=WRONG)
def test_wrong(settings: list[str], said: list[str]) -> None:
    lines = complaints(*settings)
    assert any(all(word in line for word in said) for line in lines), lines


def test_all_errors_at_once() -> None:
    lines = complaints("bridge=-t", "web_port=0", "containers.1.port=0", "containers.2.address=x", "colour=blue")
    assert sorted(line.partition(" = ")[0] for line in lines) == [
        "bridge", "colour", "containers.1.port", "containers.2.address", "web_port"
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["a", "br0", "A.b-c_9", "abcdefghijklmno", "0eth"])
def test_names_that_are_taken(name: str) -> None:
    assert lab(f"bridge={name}").bridge == name


# --- what they lead to -----------------------------------------------------------------------------------------------

ALLOWED = {
    "the tutorial's": [],
    "one container": ["containers=1"],
    "as many as the subnet has room for": ["containers=244"],
    "another subnet and gateway": ["subnet=10.0.0.0/8", "gateway=10.255.255.254"],
    "another port": ["web_port=8080"],
    "another network": [
        "network=10.1.0.0/16",
        "host_address=10.1.2.3",
        "router=10.1.0.1",
        "client=10.1.0.2",
        "uplink=eth7",
    ],
}


@pytest.mark.parametrize("settings", ALLOWED.values(), ids=ALLOWED)
def test_what_is_allowed_makes_a_course(settings: list[str]) -> None:
    """No step breaks on it, nothing is declared twice, and the surroundings can be built from it."""
    course = load(default_folder())
    made = lab(*settings)
    chapters = course.chapters(made)
    assert [each.name for each in chapters if not each.operations or not each.proofs] == []
    around = list(course.surroundings.operations(made))
    everything = [*around, *(operation for chapter in chapters for operation in chapter.operations)]
    assert len({*everything}) == len(everything)

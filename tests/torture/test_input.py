"""Any lab file, any ``--set``, any name in any place, any broken course: a lab, or exit code 2 and what is wrong.

What is wrong with each value has its table in tests/test_parameters.py, and with each part of a course in
tests/test_contract.py; here is what a person sees of it, and that nothing is run or made before.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from netlab import authoring
from tests.kernel.runner import Done, Netlab
from tests.test_contract import BROKEN, break_it

pytestmark = pytest.mark.kernel

MEASURED = False

# --- lab files and settings ------------------------------------------------------------------------------------------

NAMES = [
    "br1", "web", "a", "abcdefghijklmno", "abcdefghijklmnop", "-t", "--", "name", "type", "x%d", "a;id", "$(id)", "é",
    "br+", "\x1b[31mred", "[red]x[/red]", "[/]", "", ".", "..", "a/b", "a b", "a\nb", "lo", "host", "all", "ens33",
    "br0", "veth1", "eth1", "router", "container1", "链路", "a" * 9000, "{0}", "%s", "\u202eabc", "\u00a0", "nul\x00",
]  # fmt: skip
ADDRESSES = [
    "172.168.1.11", "172.168.1.1", "172.168.1.255", "10.0.0.7", "192.168.0.2", "127.0.0.1", "0.0.0.0", "224.0.0.1",
    "255.255.255.255", "172.168.1.011", "172.168.1", "::1", "example.org", "172.168.1.11/24", "１.2.3.4",
]  # fmt: skip
NETWORKS = [
    "172.168.1.0/24", "10.0.0.0/8", "10.9.0.0/28", "10.0.0.0/29", "172.168.1.7/24", "0.0.0.0/0", "192.168.0.0/16",
    "114.114.114.0/24", "fe80::/64", "172.168.1.0/255.255.255.0",
]  # fmt: skip
ANYTHING = st.recursive(
    st.text(max_size=20) | st.integers() | st.booleans() | st.floats() | st.sampled_from([*NAMES, *ADDRESSES]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


def mostly(*values: Any) -> st.SearchStrategy[Any]:
    """Of these seven times in eight, so that the checks beyond a field's own are reached."""
    return st.integers(0, 7).flatmap(lambda number: st.sampled_from(values) if number else ANYTHING)


PORTS = mostly(80, 8888, 9999, 1, 65535, 0, 65536, -1, 2**70)
CONTAINER = st.fixed_dictionaries(
    {},
    optional={
        "name": mostly(*NAMES),
        "veth": mostly(*NAMES),
        "interface": mostly(*NAMES),
        "address": mostly(*ADDRESSES),
        "port": PORTS,
        "colour": ANYTHING,
    },
)
NUMBERS = st.sampled_from(["1", "2", "3", "0", "01", "1024", "x", "-1", "٣", "99999999999"])
LAB = st.fixed_dictionaries(
    {},
    optional={
        **{key: mostly(*NAMES) for key in ("bridge", "uplink")},
        **{key: mostly(*ADDRESSES) for key in ("gateway", "router", "client", "internet", "host_address")},
        **{key: mostly(*NETWORKS) for key in ("subnet", "network")},
        "web_port": PORTS,
        "containers": mostly(1, 2, 5, 0, -1, 245, 1023, 1024, 10**11)
        | st.lists(CONTAINER, max_size=4)
        | st.dictionaries(NUMBERS, CONTAINER, max_size=3),
        "bridg": ANYTHING,
        "\x1b[2J": ANYTHING,
    },
)
SETTINGS = st.lists(
    st.tuples(
        st.sampled_from(["bridge", "uplink", "subnet", "gateway", "containers", "web_port", "network", "colour", ""])
        | NUMBERS.map("containers.{}".format)
        | st.tuples(NUMBERS, st.sampled_from(["name", "veth", "address", "port", "x"])).map(
            "containers.{0[0]}.{0[1]}".format
        )
        | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12),
        st.sampled_from([*NAMES[:-1], *ADDRESSES, *NETWORKS, "3", "[{}]", "[[[", "{name='a'}", "true", "0x1F", "1e9"])
        | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30),
    ).map("=".join),
    max_size=3,
)
FILES = LAB.map(lambda values: toml(values, top=True).encode()) | st.binary(max_size=60) | st.just(b"")


def toml(value: Any, *, top: bool = False) -> str:
    """As a lab file has it. (Strings are written as JSON has them, which TOML reads, too.)"""
    if isinstance(value, dict):
        pairs = [f"{json.dumps(key)} = {toml(inner)}" for key, inner in value.items()]
        return "\n".join([*pairs, ""]) if top else f"{{{', '.join(pairs)}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(toml, value))}]"
    return json.dumps(value) if isinstance(value, str | bool) else repr(value)


def right(done: Done) -> None:
    """All that a refusal has to be; what it quotes is printable."""
    assert done.code == 2, str(done)
    assert done.out == "", str(done)
    assert done.err.startswith(("netlab: ", "Usage: ")), str(done)
    assert "Traceback" not in done.err
    assert all(each.isprintable() for each in done.err.splitlines()), repr(done.err)
    assert len(done.err) < 20_000, "it quotes what takes to know it again"


COUNT = 100


@pytest.mark.timeout(900)
@pytest.mark.parametrize("number", [0, *(pytest.param(each, marks=pytest.mark.torture) for each in range(1, 100))])
def test_lab_files_and_settings(netlab: Netlab, number: int) -> None:
    """A plan, or a refusal; and `apply` refuses what `plan` refuses, in the same words, before it makes a sandbox."""
    file = netlab.home / "lab.toml"
    codes = []

    @seed(number)
    @given(FILES, SETTINGS)
    @settings(
        max_examples=COUNT, deadline=None, database=None, phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    def one(text: bytes, changes: list[str]) -> None:
        file.write_bytes(text)
        words = ("--lab", str(file), *(word for each in changes for word in ("--set", each)))
        done = netlab.run("plan", "--json", *words)
        codes.append(done.code)
        if done.code == 0:
            shown = [command for step in done.json["steps"] for command in step["commands"]]
            assert shown
            assert all(each.isprintable() and each.isascii() for each in shown)
        else:
            right(done)
            assert " = " in done.err or str(file) in done.err or "--set" in done.err, "what is wrong is named"
            refused = netlab.run("apply", *words)
            assert (refused.code, refused.err) == (2, done.err)
        assert netlab.left() == []

    one()
    print(f"{len(codes)} lab files with settings, of which {codes.count(0)} made a lab")
    assert len(codes) >= COUNT
    assert codes.count(0) > COUNT // 50, "the checks of whole labs were reached"


# --- names -----------------------------------------------------------------------------------------------------------

PLACES: dict[str, Callable[[str], tuple[str, ...]]] = {
    "a sandbox": lambda name: ("status", "--sandbox", name),
    "a step to apply": lambda name: ("apply", "--until", name),
    "a step to plan": lambda name: ("plan", "--until", name),
    "a step to undo": lambda name: ("undo", "--from", name),
    "a step to go to": lambda name: ("goto", name),
    "a step to explain": lambda name: ("explain", name),
    "a step to learn": lambda name: ("learn", name),
    "a step to prove": lambda name: ("prove", name),
    "a step to see fail and pass": lambda name: ("prove", "--cycle", name),
    "a step to export": lambda name: ("export", "--shell", "--until", name),
    "a language": lambda name: ("explain", "nat", "--lang", name),
    "a node to run in": lambda name: ("exec", name, "--", "true"),
    "a node to sit in": lambda name: ("shell", name),
    "a lab file": lambda name: ("plan", "--lab", name),
    "a course": lambda name: ("plan", "--course", name),
    "a course to check": lambda name: ("course", "check", name),
    "a snapshot": lambda name: ("snapshot", "--compare", name),
    "a setting": lambda name: ("plan", "--set", name),
    "a setting's key": lambda name: ("plan", "--set", f"{name}=1"),
    "a bridge": lambda name: ("plan", "--set", f"bridge={name}"),
    "an uplink": lambda name: ("plan", "--set", f"uplink={name}"),
    "a container": lambda name: ("plan", "--set", f"containers.1.name={name}"),
    "a card of the lab host": lambda name: ("plan", "--set", f"containers.1.veth={name}"),
    "a card of a container": lambda name: ("plan", "--set", f"containers.1.interface={name}"),
    "a container's number": lambda name: ("plan", "--set", f"containers.{name}.name=x"),
    "an address": lambda name: ("plan", "--set", f"containers.1.address={name}"),
    "an address of the internet": lambda name: ("apply", "--internet", name),
    "a command": lambda name: (name,),
}

HOSTILE = [
    "-t", "--", "x%d", "a;id", "$(id)", "`id`", "é", "\x1b[31mred", "br+", "[red]x[/red]", "[/]", "..", "a/b",
    "a b", "a\nb", "x" * 300, "x" * 5000, "链路", "*", "\udcff", "\u202e", "",
]  # fmt: skip
TAKEN = {("a snapshot", ".."), ("a course to check", ""), ("a course to check", ".."), ("a course", "")}
"""What is right there: a folder, or nothing."""
VALUED = ("--sandbox", "--until", "--from", "--lang", "--lab", "--course", "--compare", "--set", "--internet")
"""Elsewhere -- is the end of the options."""


OFTEN = ("a sandbox", "a step to apply", "a node to run in", "a course", "a setting's key", "a container", "a command")


@pytest.mark.parametrize(
    "place", [each if each in OFTEN else pytest.param(each, marks=pytest.mark.torture) for each in PLACES]
)
def test_hostile_names(netlab: Netlab, place: str) -> None:
    for name in HOSTILE:
        words = PLACES[place](name)
        if (place, name) not in TAKEN and (name != "--" or (words[-2:-1] and words[-2] in VALUED)):
            done = netlab.run(*words)
            assert "Traceback" not in done.err, str(done)
            assert (done.code, done.out) == (2, ""), str(done)
            assert all(each.isprintable() for each in done.err.splitlines()), repr(done.err)
    assert netlab.holders() == []


# --- courses ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [name if number % 8 == 0 else pytest.param(name, marks=pytest.mark.torture) for number, name in enumerate(BROKEN)],
)
def test_broken_courses(netlab: Netlab, tmp_path: Path, name: str) -> None:
    folder = tmp_path / "made"
    authoring.new(folder)
    break_it(folder, BROKEN[name])
    for words in (("apply",), ("prove", "--cycle"), ("learn",)):
        right(netlab.run(*words, "--course", folder))
    # What needs no parameters or no surroundings may do.
    for words in (("plan",), ("export", "--shell"), ("steps",), ("explain", "address")):
        done = netlab.run(*words, "--course", folder)
        assert done.code in (0, 2), str(done)
        assert "Traceback" not in done.err
    told = netlab.run("course", "check", folder)
    assert told.code == 1, str(told)
    assert "Traceback" not in told.err + told.out
    assert netlab.holders() == []

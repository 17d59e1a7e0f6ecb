"""Chapters in, a shell script out: the same commands as `apply`, in shell that every sh and shellcheck take."""

# ruff: noqa: E501 — a row of a table is a line

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import pytest

import netlab
from netlab import course, parameters
from netlab.errors import CourseError
from netlab.export import script
from netlab.export.forms import Form, form
from netlab.lab import Choice, Nothing, plan
from netlab.model import Chapter, Command, Facts, Json, Operation, Query
from netlab.operations import KINDS, address, bridge, namespace, policy, port, route, rule, service, sysctl, up, veth
from netlab.reading import NOWHERE

LIBRARY = Path(netlab.__file__).parent / "export/library.sh"

SETTINGS: Mapping[str, tuple[str, ...]] = {
    "as it comes": (),
    "one container": ("containers=1",),
    "thirty containers": ("containers=30",),
    "other names": ("bridge=docker0", "uplink=eth0.100", "containers.1.name=a.b-c", "web_port=8080"),
    "another subnet": ("subnet=10.20.0.0/16", "containers.2.address=10.20.5.7"),
}

every_lab = pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS)


def choice(*settings: str) -> Choice:
    return Choice.of(course.default_folder(), parameters.given(settings, None))


def exported(*settings: str, until: str | None = None, undo: bool = False) -> str:
    wanted = choice(*settings)
    steps = wanted.course.graph.until(until)
    return script(wanted.chapters, steps, wanted.parameters.model_dump(mode="json"), undo=undo)


def of(*operations: Operation, undo: bool = False) -> str:
    """The script of one step with these operations."""
    return script([Chapter("some", "Some.", (), operations)], ["some"], {}, undo=undo)


def main(text: str) -> str:
    """What stands after the functions."""
    return text[text.index("\nneed ") :]


def found(pattern: str, text: str) -> list[str]:
    return re.findall(pattern, main(text), re.MULTILINE)


# --- the same walk ---------------------------------------------------------------------------------------------------


@every_lab
@pytest.mark.parametrize("until", [None, "bridge", "nat"])
def test_the_commands_are_those_of_apply(settings: tuple[str, ...], until: str | None) -> None:
    wanted = choice(*settings)
    steps = wanted.course.graph.until(until)
    chapters = [each for each in wanted.chapters if each.name in steps]
    # A page stands between `serve` and its command, and has lines.
    ran = re.findall(r"^    (?:run|serve \S+ '[^']*') (.+)$", main(exported(*settings, until=until)), re.MULTILINE)
    operations = [operation for chapter in chapters for operation in chapter.operations]
    assert ran == [str(command) for operation in operations for command in operation.apply(NOWHERE)]
    planned = [command for step in plan(chapters, Nothing()).steps for command in step.commands]
    assert [each for each in ran if each in planned] == planned


@every_lab
def test_what_is_kept_is_taken_back_newest_first(settings: tuple[str, ...]) -> None:
    kept = found(r"^    keep (\S+) ", exported(*settings))
    back = exported(*settings, undo=True)
    assert len(kept) >= 8
    assert found(r"^if kept (\S+); then$", back) == kept[::-1] == found(r"^    forget (\S+)$", back)


def test_what_goes_with_something_else_is_not_kept() -> None:
    text = of(bridge("br0"), up("br0"), address("10.0.0.1/24", "br0"), up("eth7"), port("eth7", "br0"))
    assert found(r"^    keep (\S+) ", text) == ["some.1", "some.4"]


def test_each_step_has_its_summary_and_each_operation_its_name() -> None:
    text = exported()
    for chapter in choice().chapters:
        assert f"\n# --- {chapter.name}: {chapter.summary} ---\n" in text
        for operation in chapter.operations:
            assert f"\n# {operation}\nholds() {{ " in text


def test_the_head_says_what_it_is() -> None:
    head = exported("containers=3", "bridge=docker0", until="nat").partition("\n\n")[0]
    assert head.startswith("#!/bin/sh\n")
    assert f"netlab {netlab.__version__}" in head
    assert "namespaces, veth, addresses, bridge, gateway, routes, forwarding, nat" in head
    assert '#   bridge = "docker0"\n' in head
    assert '#   containers.3 = {"name": "container3"' in head
    assert "netlab export --shell --undo" in head


def test_both_scripts_are_of_one_lab_and_another_is_another() -> None:
    labs = [found(r"^open_record (\w+)$", text) for text in (exported(), exported(until="nat", undo=True))]
    assert labs[0] == labs[1]
    assert labs[0] != found(r"^open_record (\w+)$", exported("web_port=81"))


# --- each kind -------------------------------------------------------------------------------------------------------

NAT = "iptables -w -t nat"

# fmt: off
FORMS: dict[str, tuple[Operation, Form]] = {
    "namespace": (namespace("c1"), Form(
        "is_netns c1", ("delete_netns c1",),
        clashes=(("/run/netns/c1", "test -e /run/netns/c1"),), first=("delete_netns c1",))),
    "veth": (veth("v1", "e1", "c1"), Form(
        "is_kind veth '' v1 && is_kind veth c1 e1", ("! is_kind veth '' v1 || run_in '' ip link del v1",),
        clashes=(("link v1", "has_link '' v1"), ("link e1 in c1", "has_link c1 e1")))),
    "bridge": (bridge("br0", "c1"), Form(
        "is_kind bridge c1 br0", ("! is_kind bridge c1 br0 || run_in c1 ip link del br0",),
        clashes=(("link br0 in c1", "has_link c1 br0"),))),
    "port": (port("v1", "br0"), Form(
        '[ "$(master_of \'\' v1)" = br0 ]', ("give_back {} '' v1",), "master_of '' v1")),
    "up": (up("lo"), Form("is_up '' lo", ("take_down {} '' lo",), "addresses_of '' lo")),
    "address": (address("10.0.0.1/24", "e1", "c1"), Form(
        "has_address c1 e1 10.0.0.1/24", ("! has_address c1 e1 10.0.0.1/24 || run_in c1 ip addr del 10.0.0.1/24 dev e1",))),
    "route": (route("10.0.0.9/32", "e1", via="10.0.0.1"), Form(
        "has_route '' 10.0.0.9 e1 10.0.0.1",
        ("! has_route '' 10.0.0.9 e1 10.0.0.1 boot || run_in '' ip route del 10.0.0.9 via 10.0.0.1 dev e1 proto boot",),
        clashes=(("another route to 10.0.0.9/32", "has_other_route '' 10.0.0.9 e1 10.0.0.1"),))),
    "sysctl": (sysctl("net.ipv4.ip_forward", "1"), Form(
        '[ "$(value_of \'\' net.ipv4.ip_forward)" = 1 ]', ("set_values {} ''",),
        "values_of '' /proc/sys/net/ipv4/ip_forward '/proc/sys/net/ipv4/conf/*/forwarding'"
        " /proc/sys/net/ipv4/conf/all/accept_redirects")),
    "policy": (policy("filter", "FORWARD", "ACCEPT"), Form(
        '[ "$(policy_of \'\' filter FORWARD)" = ACCEPT ]',
        ("set_policy {} '' filter FORWARD", "clear_chain {} '' filter FORWARD"), "policy_and_chains_of '' filter FORWARD")),
    "rule": (rule("nat", "PRE", "-A", "x y", "-j", "DNAT"), Form(
        f"has_rule '' {NAT} -C PRE -A 'x y' -j DNAT",
        (f"! has_rule '' {NAT} -C PRE -A 'x y' -j DNAT || run_in '' {NAT} -D PRE -A 'x y' -j DNAT", "clear_chain {} '' nat PRE"),
        "chains_of '' nat")),
    "service": (service("c1", ("server",), 80, "http://10.0.0.1/", "page"), Form(
        "listens c1 80", ("end_server {}",), slow=300)),
}
# fmt: on


def test_every_kind_has_a_form() -> None:
    assert FORMS.keys() == KINDS.keys()


@pytest.mark.parametrize(("operation", "wanted"), FORMS.values(), ids=FORMS)
def test_a_form(operation: Operation, wanted: Form) -> None:
    assert form(operation) == wanted


@dataclass(frozen=True)
class _Unknown(Operation):
    kind: ClassVar[str] = "unknown"

    def __str__(self) -> str:
        return "something new"

    def queries(self) -> frozenset[Query]:
        return frozenset()

    def holds(self, facts: Facts) -> bool:
        return False

    def apply(self, facts: Facts) -> tuple[Command, ...]:
        return ()

    def undo(self, facts: Facts, before: Json) -> tuple[Command, ...]:
        return ()


def test_a_kind_without_a_form_is_said() -> None:
    with pytest.raises(CourseError, match="kind 'unknown' cannot be exported: something new"):
        of(_Unknown())


# --- shell -----------------------------------------------------------------------------------------------------------


def said(*argv: str, text: str) -> str:
    """What a checker has to say of a script; "" when it is content."""
    if shutil.which(argv[0]) is None:
        pytest.skip(f"{argv[0]} is not installed")
    done = subprocess.run(argv, input=text, capture_output=True, text=True, check=False, timeout=60)
    return done.stdout + done.stderr + (f"exit code {done.returncode}" if done.returncode else "")


CHECKERS = {
    "shellcheck": ("shellcheck", "-"),
    "dash": ("dash", "-n"),
    "bash --posix": ("bash", "--posix", "-n"),
}


@pytest.mark.parametrize("checker", CHECKERS.values(), ids=CHECKERS)
@pytest.mark.parametrize("undo", [False, True], ids=["apply", "undo"])
@every_lab
def test_a_script_is_clean(settings: tuple[str, ...], *, undo: bool, checker: tuple[str, ...]) -> None:
    assert said(*checker, text=exported(*settings, undo=undo)) == ""


@pytest.mark.parametrize("until", course.load(course.default_folder()).steps)
def test_a_beginning_is_clean(until: str) -> None:
    assert said("shellcheck", "-", text=exported(until=until)) == ""


@pytest.mark.parametrize("undo", [False, True], ids=["apply", "undo"])
def test_every_kind_is_clean(*, undo: bool) -> None:
    alone = [operation for operation, _ in FORMS.values() if not operation.makes]  # nothing goes with another
    assert said("shellcheck", "-", text=of(*alone, undo=undo)) == ""


def test_shellcheck_would_say_so() -> None:
    assert "SC2086" in said("shellcheck", "-", text=exported() + "echo $1\n")


def test_a_script_has_the_functions_that_it_calls_and_no_others() -> None:
    known = set(re.findall(r"(?m)^(\w+)\(\) \{", LIBRARY.read_text(encoding="utf-8")))
    texts = [of(operation, undo=undo) for operation, _ in FORMS.values() for undo in (False, True)]
    for text in texts:
        code = re.sub(r"(?m)#.*", "", text)
        for name in set(re.findall(r"(?m)^(\w+)\(\) \{", text)):
            assert len(re.findall(rf"\b{name}\b", code)) > 1, name
    assert {name for text in texts for name in re.findall(r"(?m)^(\w+)\(\) \{", text)} == known | {"holds"}
    few = exported(until="namespaces")
    assert "iptables" not in few
    assert "serve()" not in few


def test_only_what_is_needed_is_asked_for() -> None:
    assert found(r"^need (.*)$", exported(until="bridge")) == ["awk flock ip"]
    assert found(r"^need(?:_nft| .*)$", exported()) == [
        "need awk flock ip iptables iptables-save python3 setsid ss sysctl unshare",
        "need_nft",
    ]


# --- hostile words ---------------------------------------------------------------------------------------------------

EVIL = "x'; touch /tmp/evil; $(id) `id`"
WORSE = f"{EVIL}\n touch /tmp/evil \x1b[2J"
"""What no word of a command can be, and a page, a summary or a value can."""


@pytest.mark.parametrize("undo", [False, True], ids=["apply", "undo"])
def test_whatever_a_course_says_stays_a_word_or_a_comment(*, undo: bool) -> None:
    operations = (
        rule("nat", "POST", "-m", "comment", "--comment", EVIL),
        sysctl("net.ipv4.ip_forward", EVIL),
        service("a", (EVIL,), 80, "http://10.0.0.1/", WORSE),
    )
    text = script([Chapter("some", WORSE, (), operations)], ["some"], {WORSE: WORSE, "list": [WORSE]}, undo=undo)
    comments = [line for line in text.splitlines() if line.startswith("#")]
    assert not [line for line in comments if not line.isprintable()]
    # Read as a shell reads it, the evil is there as a word, and nowhere as a command.
    left = shlex.split(main(text), comments=True)
    assert [word for word in left if word.strip(";") == "touch"] == []
    assert [word for word in left if EVIL in word]


HOSTILE = ("bridge=a;id", "bridge=$(id)", "containers.1.name=-t", "uplink=br+", "containers.1.interface=x y")


@pytest.mark.parametrize("setting", HOSTILE)
def test_hostile_parameters_never_come_so_far(setting: str) -> None:
    with pytest.raises(netlab.errors.UsageError, match="parameters are wrong"):
        exported(setting)

"""Scenes of the real course without a lab: facts are foreseen, and what was seen is written here."""

from __future__ import annotations

from functools import cache

from netlab.course import default_folder
from netlab.difference import Change
from netlab.events import Proved
from netlab.foresight import foresee
from netlab.lab import Choice
from netlab.learn import scenes
from netlab.lessons import Lesson, path_of, read
from netlab.picture import Picture, picture, queries
from netlab.reading import NOWHERE
from netlab.views import State

HEADINGS = ("what", "why")


@cache
def choice() -> Choice:
    return Choice.of(default_folder(), {})


STEPS = tuple(chapter.name for chapter in choice().chapters)


@cache
def lesson(step: str, language: str) -> Lesson:
    return read(path_of(default_folder(), step, language).read_text(encoding="utf-8"), language)


@cache
def pictures() -> dict[str, tuple[Picture, Picture]]:
    """Before and after each step."""
    lab = choice()
    asked = queries((*lab.course.surroundings.NODES, *lab.declared()))
    facts = foresee(NOWHERE, lab.course.surroundings.operations(lab.parameters), asked)
    found = {}
    for chapter in lab.chapters:
        after = foresee(facts, [each for each in chapter.operations if not each.holds(facts)], asked)
        shown = [picture(each, each.namespaces().live, ("router", "client", "internet")) for each in (facts, after)]
        found[chapter.name] = (shown[0], shown[1])
        facts = after
    return found


SEEN: dict[scenes.Phase, tuple[tuple[str, str, str], ...]] = {
    "before": (
        ("nat", "container1 pings 114.114.114.114", "no reply"),
        (
            "nat",
            "container1 pings 114.114.114.114 while ens33 is watched",
            "00:42:58.903404 IP 172.168.1.11 > 114.114.114.114: ICMP echo request, id 600, seq 1, length 64",
        ),
    ),
    "after": (
        (
            "nat",
            "container1 pings 114.114.114.114",
            "64 bytes from 114.114.114.114: icmp_seq=1 ttl=62 time=0.053 ms",
        ),
        (
            "nat",
            "container1 pings 114.114.114.114 while ens33 is watched",
            "00:43:00.103867 IP 192.168.0.10 > 114.114.114.114: ICMP echo request, id 646, seq 1, length 64",
        ),
    ),
}


def proved(phase: scenes.Phase) -> tuple[Proved, ...]:
    expected = "the request leaves as 192.168.0.10"
    shown = [Proved(step, probe, expected, seen, True, 0.1, phase) for step, probe, seen in SEEN[phase]]
    refused = "refused, as before"
    return (
        *shown,
        Proved("nat", "host connects to 192.168.0.10:8888", refused, "refused", True, 0.1, phase, stays=True),
    )


FAILED = Proved("nat", "container1 pings 114.114.114.114", "answers", "no reply", False, 0.1, "after")
MARKED = {"before": ("172.168.1.11",), "after": ("192.168.0.10",)}

CHANGES = (
    Change("host", "ip addr", "-", "veth1: <BROADCAST,MULTICAST> mtu 1500"),
    Change("host", "ip addr", "+", "veth1: <BROADCAST,MULTICAST,UP> mtu 1500"),
    Change("host", "iptables -w -t nat -S", "+", "-A POSTROUTING -s 172.168.1.0/24 -o ens33 -j MASQUERADE"),
    Change("container1", "ip addr", "+", "inet 172.168.1.11/24 scope global eth1"),
)

TICKS = scenes.Ticks(
    "addresses",
    (
        scenes.Tick(
            "address 172.168.1.11/24 on eth1 in container1",
            "ip netns exec container1 ip addr add 172.168.1.11/24 dev eth1",
            "wrong",
            "eth1 has 172.168.1.11/16, the step wants 172.168.1.11/24",
        ),
        scenes.Tick("eth1 in container1 up", "ip netns exec container1 ip link set eth1 up", "done"),
        scenes.Tick("address 172.168.1.12/24 on eth2 in container2", "", "open"),
        scenes.Tick("bridge br0", "", "in the way", "a card br0 of another kind is there (dummy)"),
        scenes.Tick("veth1 up", "ip link set veth1 up", "done"),
    ),
)

STATES: tuple[State, ...] = ("done", "done", "drifted", "done", "partial")


def listed(language: str, at: int = 5) -> scenes.Listed:
    states = dict(zip(STEPS, STATES, strict=False))
    rows = [scenes.Row(step, lesson(step, language).title, states.get(step, "todo")) for step in STEPS]
    return scenes.Listed(tuple(rows), at)


def summary(language: str) -> scenes.Summary:
    steps = [(step, lesson(step, language).title, proved("after") if step == "nat" else ()) for step in STEPS]
    steps[-1] = (*steps[-1][:2], (FAILED,))
    return scenes.Summary(tuple(steps))


def words_of(step: str, language: str, command: str) -> scenes.Words:
    about = lesson(step, language).about(command)
    return scenes.Words(command, tuple((word, flag.about if flag else None) for word, flag in about))


def text(step: str, language: str, key: str) -> scenes.Text:
    section = lesson(step, language).section(key)
    return scenes.Text(key, section.heading, section.blocks)

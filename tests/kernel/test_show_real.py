"""What netlab draws is what the kernel shows, after each step, and what was foreseen before it."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from netlab.difference import difference
from netlab.model import Command
from tests.kernel.runner import Netlab
from tests.kernel.tutorial import STEPS

pytestmark = pytest.mark.kernel

DRAWN = Path(__file__).resolve().parent.parent / "data/drawings/whole-80.txt"
"""The default lab, whole, as it is drawn from facts that nobody's kernel told."""

LOOK = """
import json, sys
from pathlib import Path
from netlab import course, difference, engine, parameters, reading
from netlab.foresight import foresee
from netlab.host import Host
from netlab.picture import elements, picture, queries
from netlab.services import Services

folder, step = sys.argv[1:]
loaded = course.load(course.default_folder())
operations = next(each for each in loaded.chapters(parameters.lab(loaded.lab_type, {})) if each.name == step).operations
around = loaded.surroundings.NODES
host = Host(Services(Path(folder, "services")))
asked = queries((*around, "container1", "container2"))
facts = host.facts(asked | {query for each in operations for query in each.queries()})
missing = [each for each in operations if not each.holds(facts)]
then = foresee(facts, missing, asked)
shown = [sorted(elements(picture(each, each.namespaces().live, around))) for each in (facts, then)]
commands = difference.commands([*around, "container1", "container2"])
said = difference.said(commands, host.run(commands))
print(json.dumps([*shown, [[each.argv, each.netns, text] for each, text in said.items()]]))
host.close()
"""


def look(netlab: Netlab, step: str) -> tuple[list[Any], list[Any], dict[Any, str]]:
    """The elements of the lab as it is and as it is foreseen after ``step``, and what the tools print."""
    said = netlab("exec", "host", "--", sys.executable, "-P", "-c", LOOK, netlab.base / "default", step).out
    now, then, printed = json.loads(said)
    return now, then, {Command(tuple(argv), node): text for argv, node, text in printed}


DIFFERENCES: dict[str, set[str]] = {
    "namespaces": {"host: + container1", "container1: + lo: <LOOPBACK> mtu 65536"},
    "veth": {"host: + veth1: <BROADCAST,MULTICAST> mtu 1500", "container2: + eth2: <BROADCAST,MULTICAST> mtu 1500"},
    "addresses": {
        "container1: + inet 172.168.1.11/24 scope global eth1",
        "container1: + 172.168.1.0/24 dev eth1 proto kernel scope link src 172.168.1.11",
        "host: - veth1: <BROADCAST,MULTICAST> mtu 1500",
        "host: + veth1: <BROADCAST,MULTICAST,UP> mtu 1500",
    },
    "loopback": {"container1: + inet 127.0.0.1/8 scope host lo"},
    "bridge": {"host: + br0: <BROADCAST,MULTICAST,UP> mtu 1500"},
    "gateway": {"host: + inet 172.168.1.1/24 scope global br0"},
    "routes": {"container1: + default via 172.168.1.1 dev eth1"},
    "forwarding": {"host: + net.ipv4.ip_forward = 1", "host: - net.ipv4.ip_forward = 0"},
    "nat": {"host: + -A POSTROUTING -s 172.168.1.0/24 -o ens33 -j MASQUERADE"},
    "web": set(),
    "publish": {"host: + -A PREROUTING -p tcp -m tcp --dport 8888 -j DNAT --to-destination 172.168.1.11:80"},
}
"""Some of what each step changes, in the tools' words."""


def test_every_step_looks_as_it_was_foreseen_and_its_differences_are_the_tools(netlab: Netlab) -> None:
    netlab("sandbox", "start")
    assert DIFFERENCES.keys() == set(STEPS)
    before = netlab.snapshot()
    now, foreseen, said = look(netlab, STEPS[0])
    assert netlab.differences(before) == []  # looking makes nothing
    for step, following in zip(STEPS, [*STEPS[1:], STEPS[-1]], strict=True):
        assert foreseen != now, step
        netlab.apply("--until", step)
        now, after, printed = look(netlab, following)
        assert now == foreseen, step
        found = {f"{each.node}: {each}" for each in difference(said, printed)}
        assert DIFFERENCES[step] <= found
        assert bool(DIFFERENCES[step]) == bool(found), step
        foreseen, said = after, printed
    assert foreseen == now  # nothing is missing when all is there


def test_show_draws_what_stands_typed_or_applied(netlab: Netlab) -> None:
    none = netlab("show")
    assert "there is no lab in sandbox 'default': netlab apply" in none.err
    assert "uplink  ╳  none" in none.out
    netlab.apply()
    drawn = netlab("show").out
    assert drawn == DRAWN.read_text(encoding="utf-8")
    netlab.type("ip link add br7 type bridge", "ip addr add 10.7.0.1/24 dev br7", "iptables -P FORWARD DROP")
    after = netlab("show").out
    assert "also  │  br7  down  10.7.0.1/24  bridge" in after
    assert "FORWARD  ╳  DROP" in after


def test_show_has_three_forms(netlab: Netlab) -> None:
    netlab.apply("--until", "bridge")
    shown = netlab.json("show")
    assert [each["name"] for each in shown["containers"]] == ["container1", "container2"]
    assert [each["name"] for each in shown["around"]] == ["client", "internet", "router"]
    (eth1,) = (each for each in shown["containers"][0]["cards"] if each["name"] == "eth1")
    assert eth1["far"] == {"node": "host", "card": "veth1"}
    assert eth1["addresses"] == ["172.168.1.11/24"]
    graph = netlab("show", "--mermaid").out
    assert graph.startswith("graph TB\n")
    assert graph.endswith("\n")
    assert netlab("show", "-v").out.count("container1") > netlab("show").out.count("container1")
    assert "two forms of the same" in netlab("show", "--mermaid", "--json", code=2).err

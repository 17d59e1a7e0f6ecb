"""The guided walk with nobody at a terminal: the same commands and outcomes, as a page that can be handed out."""

from __future__ import annotations

import re
from typing import NamedTuple

import pytest

from netlab.words import LANGUAGES, Words, words
from tests.kernel.runner import Netlab
from tests.kernel.tutorial import PLAN, STEPS

pytestmark = pytest.mark.kernel

MEASURED = False


class Step(NamedTuple):
    """What a page tells of one step."""

    title: str
    sections: dict[str, str]
    """What stands below each heading; below one that stands twice, the last."""

    def typed(self, heading: str) -> list[str]:
        """The commands in the section's first console."""
        console = re.search(r"(?ms)^```console\n(.*?)^```$", self.sections.get(heading, ""))
        return re.findall(r"(?m)^\$ (.*)$", console[1]) if console else []

    def marks(self, heading: str) -> list[str]:
        return re.findall(r"(?m)^- ([✓✗]) ", self.sections.get(heading, ""))


def page(text: str) -> list[Step]:
    """The steps of a page."""
    found = []
    for part in re.split(r"(?m)^## ", text)[1:]:
        title, _, rest = part.partition("\n")
        sections = re.split(r"(?m)^### (.*)\n", rest)
        found.append(Step(title, dict(zip(sections[1::2], sections[2::2], strict=True))))
    return found


def check(text: str, said: Words) -> None:
    """All eleven steps: what was typed is the plan, each proof failed before and passed after."""
    steps = page(text)
    assert [each.title.partition(". ")[0] for each in steps] == [str(number) for number in range(1, 12)]
    for name, step in zip(STEPS, steps, strict=True):
        assert step.typed(said("heading.commands")) == PLAN[name], name
        before, after = step.marks(said("proof.before")), step.marks(said("proof.after"))
        stays = name == "publish"  # the host itself is refused, as before
        assert set(before[: len(before) - stays]) == {"✗"}, name
        assert set(after) == {"✓"}, name
        for key in ("what", "why", "before", "look", "docker", "try"):
            assert step.sections[said(f"heading.{key}")].strip(), (name, key)
    rows = re.findall(r"(?m)^\| .*\| ([✓✗]) ", text)
    assert len(rows) == 18
    assert set(rows) == {"✓"}


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_whole_course(netlab: Netlab, language: str) -> None:
    if language == "en":
        text = netlab("learn", "--lang", language).out
    else:
        done = netlab("learn", "--lang", language, "--transcript", "page.md")
        assert done.out == ""
        assert "page.md" in done.err
        text = (netlab.home / "work/page.md").read_text(encoding="utf-8")
    check(text, words(language))
    assert set(netlab.states().values()) == {"done"}
    netlab("undo")
    assert netlab.left() == []


def test_what_is_on_the_page(netlab: Netlab) -> None:
    """The packet's address is marked, the kernel's own doing is told, and the words of each command are explained."""
    netlab("goto", "routes")
    steps = {each.title.partition(". ")[0]: each for each in page(netlab("learn", "routes").out)}
    assert list(steps) == ["7", "8", "9", "10", "11"]
    assert "`ip route add 172.168.1.0/24 dev br0`" in "".join(steps["7"].sections.values())
    nat = steps["9"].sections
    assert "IP **172.168.1.11** > 114.114.114.114" in nat["The proof, before the step"]
    assert "IP **192.168.0.10** > 114.114.114.114" in nat["The proof, after the step"]
    assert "+ -A POSTROUTING -s 172.168.1.0/24 -o ens33 -j MASQUERADE" in nat["What changed in the kernel"]
    assert "- `-j MASQUERADE`: " in nat["Commands"]
    assert "+ and double lines: what this step adds" in nat["Why Docker needs it"]


def test_what_stands_is_left_alone_and_a_proof_that_fails_is_told(netlab: Netlab) -> None:
    netlab.apply("--until", "forwarding")
    netlab.type("iptables -w -I FORWARD -p icmp -j DROP")
    done = netlab("learn", "forwarding", code=1)
    steps = page(done.out)
    assert steps[0].sections == {}
    assert set(steps[1].marks("The proof, after the step")) == {"✗"}
    assert set(steps[3].marks("The proof, after the step")) == {"✓"}  # and it goes on
    assert netlab.states()["publish"] == "done"


def test_a_page_without_a_step_does_not_take_the_place_of_a_good_one(netlab: Netlab) -> None:
    (netlab.home / "work/page.md").write_text("a good one\n", encoding="utf-8")
    netlab.apply()
    for step in ((), ("nat",)):
        done = netlab("learn", *step, "--transcript", "page.md", code=2)
        assert "done already" in done.err
        assert "netlab undo" in done.err
    assert (netlab.home / "work/page.md").read_text(encoding="utf-8") == "a good one\n"
    netlab("undo", "--from", "publish")
    netlab("learn", "nat", "--transcript", "page.md")
    text = (netlab.home / "work/page.md").read_text(encoding="utf-8")
    assert text.count("stood already") == 2  # nat and web, but not publish


def test_what_is_in_the_way_ends_it(netlab: Netlab) -> None:
    netlab.apply("--until", "addresses")
    netlab.type("ip link add br0 type veth peer name other")
    done = netlab("learn", "bridge", code=4)
    assert "br0 is there already: a veth" in done.err
    assert netlab.states()["addresses"] == "done"


def test_a_step_brings_what_it_needs(netlab: Netlab) -> None:
    done = netlab("learn", "publish")
    assert "Done for you, because this step needs it: namespaces, veth, addresses, bridge" in done.out
    assert netlab.states()["nat"] == "todo"
    assert "| `nat`" in done.out


def test_nothing_is_kept_of_who_is_alone(netlab: Netlab) -> None:
    netlab("learn", "publish")
    assert not (netlab.base / "default/progress.json").exists()

"""`netlab learn` as a person goes through it: in tmux, with keys, and with hands in a shell beside it."""

from __future__ import annotations

import contextlib
import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pexpect
import pytest

from tests.kernel.runner import COMMAND, Netlab, until
from tests.kernel.tutorial import STEPS
from tests.tmux import Tmux, lines, tmux

pytestmark = pytest.mark.kernel

MEASURED = False

Window = contextlib.AbstractContextManager[Tmux]

TITLES = {
    "en": {"addresses": "Addresses: who is who", "veth": "The veth pair", "bridge": "The bridge: a switch"},
    "zh": {"addresses": "地址：网线上谁是谁", "veth": "veth 对", "bridge": "网桥：软件实现的交换机"},
}
RIGHT = (
    "ip netns exec container1 ip addr add 172.168.1.11/24 dev eth1",
    "ip netns exec container1 ip link set eth1 up",
    "ip netns exec container2 ip addr add 172.168.1.12/24 dev eth2",
    "ip netns exec container2 ip link set eth2 up",
    "ip link set veth1 up",
    "ip link set veth2 up",
)
"""What the step `addresses` wants."""


@contextlib.contextmanager
def learning(netlab: Netlab, folder: Path, *words: str, size: tuple[int, int] = (80, 24), **own: str) -> Iterator[Tmux]:
    """A window in which `netlab learn WORDS…` runs, at its first question."""
    environment = {**netlab.environment, "LANG": "C.UTF-8", **own}
    with tmux(folder, environment, size) as window:
        window.start(*COMMAND, "learn", *words)
        window.ready()
        yield window


def to_the(window: Tmux, pattern: str) -> str:
    """Go on, with the first answer to each question, until something is to be seen."""
    screen = window.ready()
    for _ in range(300):
        if window.dead or re.search(pattern, screen):
            break
        screen = window.press("1" if re.search(r"(?m)^ 1-\d ", "\n".join(lines(screen)[-2:])) else "Enter")
    assert re.search(pattern, screen), screen
    return screen


def nothing_is_left(netlab: Netlab) -> None:
    """After `netlab undo`."""
    done = netlab("undo")
    assert netlab.left() == [], str(done)


# --- guided ----------------------------------------------------------------------------------------------------------


@pytest.mark.timeout(600)  # 70 keys, and all that they set going: 40 s on a machine that has nothing else to do
@pytest.mark.parametrize(("language", "size"), [("en", (80, 24)), ("zh", (120, 40))])
def test_the_whole_course(netlab: Netlab, tmp_path: Path, language: str, size: tuple[int, int]) -> None:
    with learning(netlab, tmp_path, "--lang", language, size=size) as window:
        to_the(window, "netlab undo")
        said = window.screen(whole=True)
        assert netlab.states() == dict.fromkeys(STEPS, "done")
        window.press("Enter")
        assert window.ended() == 0
    places = re.findall(r"step (\d+) of 11" if language == "en" else r"第 (\d+) 步，共 11 步", said)
    assert list(dict.fromkeys(map(int, places))) == list(range(1, 12))
    assert said.count("[192.168.0.10] >") == said.count("[172.168.1.11] >") == 2  # what changed is marked, in both
    summary = said[said.rindex("namespaces  ") :]
    assert "✗" not in summary
    assert summary.count("✓") == 18
    assert "$ iptables -w -t nat -A POSTROUTING -s 172.168.1.0/24 -o ens33 -j MASQUERADE" in said
    nothing_is_left(netlab)


def test_help_with_a_command(netlab: Netlab, tmp_path: Path) -> None:
    """Its words; the hints to the last, which shows it; the lesson; solve."""
    with learning(netlab, tmp_path, "veth", size=(120, 40)) as window:
        to_the(window, r"command 1 of 2\n\$ ip link add veth1")
        assert "peer name eth1" in window.press("?")
        for number in (1, 2, 3):
            assert f"Hint {number} of 3" in window.press("h")
        assert "`ip link add veth1 type veth peer name eth1 netns container1`" in window.screen()
        assert "Hint 3 of 3" in window.press("h")
        to_the_end = window.press("e")
        assert "What it is" in window.screen(whole=True)
        assert "lesson" not in lines(to_the_end)[-1]
        to_the(window, r"command 1 of 2\n\$ ip link add veth1")
        assert netlab.states()["veth"] == "todo"
        window.press("s")
        to_the(window, "The proof, after the step")
        assert netlab.states()["veth"] == "done"
        window.keys("q")
        assert window.ended() == 0
    nothing_is_left(netlab)


def test_reset_back_and_jump(netlab: Netlab, tmp_path: Path) -> None:
    with learning(netlab, tmp_path, "veth", "--lang", "zh") as window:
        to_the(window, "验证：这一步之后")
        assert netlab.states()["veth"] == "done"
        window.press("r")
        assert netlab.states()["veth"] == "todo"
        to_the(window, "验证：这一步之后")
        assert "第 1 步" in window.press("p")
        window.press("l")
        for _ in range(4):
            window.press("Down")
        assert re.search("▸ . +5  bridge", window.screen())
        window.press("Up")
        window.press("Down")
        assert TITLES["zh"]["bridge"] in lines(window.press("Enter"))[0]
        assert netlab.states()["addresses"] == "done"  # what the step needs was done
        window.press("l")
        assert TITLES["zh"]["bridge"] in lines(window.press("Escape"))[0]  # as if there had been no list
        window.keys("q")
        assert window.ended() == 0
    nothing_is_left(netlab)


def test_the_language_changes_at_once(netlab: Netlab, tmp_path: Path) -> None:
    with learning(netlab, tmp_path, "veth") as window:
        to_the(window, r"(?m)^ 1-3 answer")
        screen = window.press("L")
        assert "动手之前" in screen
        assert "Before you run it" not in screen
        assert "Before you run it" in window.press("L")
        window.keys("q")
        assert window.ended() == 0
    nothing_is_left(netlab)


def test_coming_back_after_the_lab_was_changed(netlab: Netlab, tmp_path: Path) -> None:
    """Where the learner was is kept; that it holds is asked of the kernel."""
    with learning(netlab, tmp_path, "addresses") as window:
        to_the(window, "The proof, after the step")
        window.keys("q")
        assert window.ended() == 0
    netlab.type("ip netns exec container1 ip addr del 172.168.1.11/24 dev eth1")
    with learning(netlab, tmp_path) as window:
        screen = window.ready()
        assert TITLES["en"]["addresses"] in screen
        assert "The lab is not as you left it" in screen
        to_the(window, "The proof, after the step")
        assert netlab.states()["addresses"] == "done"
        window.keys("q")
        assert window.ended() == 0
    netlab("sandbox", "end")
    with learning(netlab, tmp_path) as window:  # all of it is gone, with what was kept
        assert "step 1 of 11" in window.ready()
        window.keys("q")
        assert window.ended() == 0
    nothing_is_left(netlab)


# --- hands-on --------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def hands_on(netlab: Netlab, folder: Path, size: tuple[int, int] = (80, 24)) -> Iterator[tuple[Tmux, str]]:
    """At the commands of `addresses`, and the pane with the shell."""
    with learning(netlab, folder, "addresses", "--hands-on", size=size) as window:
        to_the(window, "0 of 6")
        shell = window.panes()[1]
        window.see(r"\(host\)", pane=shell)
        yield window, shell


def test_typed_wrongly_then_rightly_out_of_order_with_a_detour(netlab: Netlab, tmp_path: Path) -> None:
    with hands_on(netlab, tmp_path) as (window, shell):
        window.type(shell, RIGHT[5])
        window.see("1 of 6")
        window.type(shell, RIGHT[0].replace("/24", "/16"))
        assert "✗ address 172.168.1.11/24" in window.see("eth1 has 172.168.1.11/16, the step wants /24")
        window.type(shell, "ip link add detour type bridge")  # a detour is nobody's business
        window.type(shell, RIGHT[0].replace("addr add", "addr del").replace("/24", "/16"))
        window.see("(?m)○ address 172.168.1.11/24")
        for number, line in enumerate(reversed(RIGHT[:5]), 2):
            window.type(shell, line)
            if number < 6:
                window.see(f"{number} of 6")
        assert "6 of 6" in window.see("All of it is there.")
        window.ready()
        to_the(window, "The proof, after the step")
        window.keys("q")
        window.see("take everything back")
        until(lambda: len(window.panes()) == 1)
        assert window.ended() == 0
    netlab.type("ip link del detour")
    nothing_is_left(netlab)


def test_hints_solve_and_reset_with_hands_on(netlab: Netlab, tmp_path: Path) -> None:
    with hands_on(netlab, tmp_path, (120, 40)) as (window, shell):
        for number in (1, 2, 3):
            window.keys("h")
            window.see(f"Hint {number} of 3")
        window.type(shell, RIGHT[0])
        window.see("1 of 6")
        window.keys("r")
        window.see("The step is taken back")
        window.see("0 of 6")
        assert netlab.states()["addresses"] == "todo"
        window.keys("s")
        window.see("6 of 6")
        assert netlab.states()["addresses"] == "done"
        window.type(shell, "exit")
        until(lambda: len(window.panes()) == 1)
        window.keys("q")  # a pane that its owner has closed
        assert window.ended() == 0
    nothing_is_left(netlab)


def test_what_is_in_the_way_can_be_reset(netlab: Netlab, tmp_path: Path) -> None:
    with learning(netlab, tmp_path, "bridge", "--hands-on", size=(120, 40)) as window:
        to_the(window, "0 of 4")
        shell = window.panes()[1]
        window.see(r"\(host\)", pane=shell)
        window.type(shell, "ip link add br0 type veth peer name br0-peer")
        window.see("reset the step")
        assert "! bridge br0" in window.screen()
        window.keys("r")
        window.see("The step is taken back")
        window.see("○ bridge br0")
        window.keys("q")
        assert window.ended() == 0
    nothing_is_left(netlab)


def test_outside_tmux_it_says_what_to_type(netlab: Netlab) -> None:
    environment = {**netlab.environment, "LANG": "C.UTF-8", "NO_COLOR": "1"}
    words = [*COMMAND[1:], "learn", "veth", "--hands-on", "--sandbox", "other"]
    child = pexpect.spawn(COMMAND[0], words, env=environment, dimensions=(50, 120), encoding="utf-8", timeout=60)
    for answer in ("\r", "\r", "1", "\r"):
        child.expect(r"q\x1b\[0m\x1b\[7m quit")
        child.send(answer)
    child.expect(r"Open another\s+terminal\s+and\s+type\s+`netlab\s+shell\s+--sandbox\s+other`\s+there")
    child.expect("0 of 2")
    netlab(
        "exec",
        "--sandbox",
        "other",
        "host",
        "--",
        "ip",
        *["link", "add", "veth1", "type", "veth", "peer", "name", "eth1"],
        "netns",
        "container1",
    )
    child.expect("1 of 2")
    child.send("q")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0
    netlab("undo", "--sandbox", "other")
    assert netlab.left() == []


# --- the terminal ----------------------------------------------------------------------------------------------------


PLACES = {
    "a lesson": "What it is",
    "a question": r"(?m)^ 1-3 answer",
    "the proof before": "The proof, before the step",
    "a command": r"command 1 of 2",
    "the proof after": "The proof, after the step",
}


@pytest.mark.parametrize("place", PLACES)
def test_interrupted_anywhere(netlab: Netlab, tmp_path: Path, place: str) -> None:
    with learning(netlab, tmp_path, "veth") as window:
        to_the(window, PLACES[place])
        window.keys("C-c")
        assert window.ended() == 128 + signal.SIGINT
        assert "Traceback" not in window.screen(whole=True)
    assert netlab.states()["veth"] == ("done" if place == "the proof after" else "todo")
    nothing_is_left(netlab)


@pytest.mark.parametrize("pause", [0.0, 0.1, 0.2, 0.3, 0.5, 0.8])
def test_interrupted_while_it_works(netlab: Netlab, tmp_path: Path, pause: float) -> None:
    """In the midst of an answer: what was begun is known, and is taken back."""
    with learning(netlab, tmp_path, "nat") as window:
        to_the(window, r"(?m)^ 1-3 answer")
        window.keys("1")
        with contextlib.suppress(TimeoutError):
            signal.sigtimedwait([], pause)
        window.keys("C-c")
        assert window.ended() == 128 + signal.SIGINT
        assert "Traceback" not in window.screen(whole=True)
    nothing_is_left(netlab)


def test_a_paste_into_the_wrong_window_does_nothing(netlab: Netlab, tmp_path: Path) -> None:
    with learning(netlab, tmp_path, "veth") as window:
        to_the(window, r"command 1 of 2")
        window.paste("ip link show; sysctl -a\r")
        window.see("One key at a time")
        assert "peer name eth1" in window.press("?")
        assert netlab.states()["veth"] == "todo"
        window.keys("q")
        assert window.ended() == 0
    nothing_is_left(netlab)


def test_another_size_in_the_midst_of_it(netlab: Netlab, tmp_path: Path) -> None:
    with learning(netlab, tmp_path, "publish", size=(120, 40)) as window:
        to_the(window, r"command 1 of 2")
        for size in ((80, 24), (60, 20), (120, 40)):
            window.resize(*size)
            window.see(r"command 1 of 2\n(.*\n)+ Enter run.*\n( .+\n)?\Z")  # the bar stands in the last row again
        window.press("Enter")
        window.see(r"command 2 of 2")
        window.keys("q")
        assert window.ended() == 0
    nothing_is_left(netlab)


def test_without_colours(netlab: Netlab, tmp_path: Path) -> None:
    with learning(netlab, tmp_path, "nat", NO_COLOR="1") as window:
        to_the(window, "The proof, before the step")
        shown = window.screen(whole=True, styles=True)
    assert not re.search(r"\x1b\[[0-9;]*\b[349][0-7]m", shown)
    assert re.search(r"\x1b\[[0-9;]*7m", shown)  # the bar is dark all the same
    nothing_is_left(netlab)


def test_without_symbols(netlab: Netlab, tmp_path: Path) -> None:
    with learning(netlab, tmp_path, "nat", LANG="C") as window:
        to_the(window, "The proof, before the step")
        said = window.screen(whole=True).replace("中文", "")
    assert said.isascii()
    assert "  x container1 pings" in said
    nothing_is_left(netlab)


def test_stopped_and_gone_on_with(netlab: Netlab, tmp_path: Path) -> None:
    environment = {**netlab.environment, "LANG": "C.UTF-8"}
    with tmux(tmp_path, environment, (80, 24)) as window:
        window.start("env", "PS1=prompt> ", "bash", "--norc", "--noediting")  # no shell on the way keeps PS1
        window.type("", " ".join([*COMMAND, "learn", "veth"]))
        window.ready()
        window.keys("C-z")
        window.see(r"Stopped[^\n]*\n(.*\n)*prompt>")
        window.type("", "fg")
        assert TITLES["en"]["veth"] in window.ready()
        window.keys("q")
        window.see(r"netlab undo[^\n]*\n(.*\n)*prompt>")
        window.type("", "stty -a | grep -c -- ' icanon.* echo '")
    nothing_is_left(netlab)


def test_the_terminal_hangs_up(netlab: Netlab, tmp_path: Path) -> None:
    with learning(netlab, tmp_path, "veth") as window:
        to_the(window, r"command 1 of 2")
        pid = window.pid()
    until(lambda: not Path(f"/proc/{pid}").exists())
    assert not os.path.exists(f"/proc/{pid}")
    nothing_is_left(netlab)

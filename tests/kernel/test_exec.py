"""A person's own commands in the lab: exit codes, signals, streams, and a shell on a terminal."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pexpect
import pytest

from tests.kernel.runner import COMMAND, Netlab, processes_of, until

pytestmark = pytest.mark.kernel

NODES = ("host", "router", "client", "internet")

CODES = {
    "true": (["true"], 0),
    "false": (["false"], 1),
    "its own code": (["sh", "-c", "exit 42"], 42),
    "the highest": (["sh", "-c", "exit 255"], 255),
    "killed by SIGTERM": (["sh", "-c", "kill -TERM $$"], 128 + 15),
    "killed by SIGKILL": (["sh", "-c", "kill -KILL $$"], 128 + 9),
    "killed by a real-time signal": (["sh", "-c", "kill -40 $$"], 128 + 40),
    "no such program": (["no-such-program"], 5),
    "not a program": (["/etc/passwd"], 126),
}


@pytest.mark.parametrize(("command", "code"), CODES.values(), ids=CODES)
def test_the_exit_code_is_passed_on(shared: Netlab, command: list[str], code: int) -> None:
    done = shared("exec", "host", "--", *command, code=code)
    assert done.out == ""
    assert "Traceback" not in done.err


@pytest.mark.parametrize("node", NODES)
def test_every_node_is_a_stack_of_its_own(shared: Netlab, node: str) -> None:
    inside = shared.type("readlink /proc/self/ns/net", node=node)
    others = {shared.type("readlink /proc/self/ns/net", node=each) for each in NODES if each != node}
    assert inside not in others | {os.readlink("/proc/self/ns/net") + "\n"}
    assert shared.type("echo $NETLAB_NODE", node=node) == f"{node}\n"


def test_arguments_reach_the_command_as_they_are(shared: Netlab) -> None:
    words = ["a b", "", "$HOME", "--json", "-v", "--", "*", "é"]
    done = shared("exec", "host", "--", "printf", "[%s]", *words)
    assert done.out == "".join(f"[{word}]" for word in words)
    assert shared("exec", "host", "printf", "[%s]", "--json").out == "[--json]"  # the first -- may be left out


def test_options_before_the_node_are_netlabs(shared: Netlab) -> None:
    assert shared("exec", "--sandbox", "default", "host", "--", "echo", "yes").out == "yes\n"
    assert shared("--sandbox", "default", "exec", "host", "--", "echo", "yes").out == "yes\n"


def test_streams_are_the_commands_own(shared: Netlab) -> None:
    with shared.process("exec", "host", "--", "sh", "-c", "echo out; echo err >&2") as process:
        assert process.communicate(timeout=60) == ("out\n", "err\n")
    command = [*COMMAND, "exec", "client", "--", "wc", "-c"]
    done = subprocess.run(
        command, input="x" * 200_000, env=shared.environment, capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.stderr, done.returncode) == ("200000\n", "", 0)


def test_the_folder_and_the_environment_are_the_persons(shared: Netlab) -> None:
    assert shared.type("pwd") == f"{shared.home / 'work'}\n"
    assert shared.type("echo $HOME") == f"{shared.home}\n"
    assert shared.type("command -v ip && command -v iptables").count("sbin/") >= 1


@pytest.mark.parametrize(
    ("node", "said"),
    [
        ("nowhere", "there are: host, client, internet, router"),
        ("container1", "it comes with: netlab apply --until namespaces"),
        ("", "there is no node ''"),
        ("../run/netns/client", "there is no node"),
    ],
)
def test_no_such_node(shared: Netlab, node: str, said: str) -> None:
    done = shared("exec", node, "--", "true", code=2)
    assert said in done.err


def test_a_container_is_a_node_once_it_is_there(lab: Netlab) -> None:
    lab.apply("--until", "namespaces")
    assert lab.type("ls /sys/class/net", node="container2") == "lo\n"
    assert "host, client, container1, container2, internet, router" in lab("exec", "x", "--", "true", code=2).err
    lab.undo()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_is_passed_on(shared: Netlab, number: int) -> None:
    with shared.process("exec", "host", "--", "sleep", "600") as process:
        until(lambda: [*processes_of(shared.holder()).values()].count("sleep") == 2)
        os.kill(process.pid, number)
        assert process.wait(60) == 128 + number
    until(lambda: [*processes_of(shared.holder()).values()] == ["sleep"])


IGNORING = "trap '' {}; exec \"$@\""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_what_the_caller_ignores_the_command_ignores(shared: Netlab, number: int) -> None:
    """As with nohup, and in a script that goes on with &."""
    words = [*shared.through, "sh", "-c", IGNORING.format(signal.Signals(number).name[3:]), "sh", *COMMAND]
    words += ["exec", "host", "--", "sh", "-c", "grep SigIgn /proc/self/status; exec sleep 600"]
    with subprocess.Popen(words, env=shared.environment, cwd=shared.home, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            ignored = int(process.stdout.readline().split()[1], 16)
            assert ignored == 1 << (number - 1)
            # CentOS 7's sh is bash, which goes on after a Ctrl-C that its child did not die of.
            until(lambda: [*processes_of(shared.holder()).values()].count("sleep") == 2)
            os.kill(process.pid, number)
            other = {signal.SIGTERM: signal.SIGINT}.get(signal.Signals(number), signal.SIGTERM)
            os.kill(process.pid, other)
            assert process.wait(60) == 128 + other
        finally:
            process.kill()


@pytest.mark.parametrize("words", [("apply", "--no-prove"), ("undo",)])
@pytest.mark.parametrize("how", ["signal(SIGCHLD, SIG_IGN)", "pthread_sigmask(SIG_BLOCK, (SIGCHLD,))"])
def test_a_caller_that_will_not_hear_of_children(lab: Netlab, how: str, words: tuple[str, ...]) -> None:
    """Who was started so, by a careless daemon, starts others so: then the kernel forgets, or keeps, what to tell."""
    text = f"import os, sys; from signal import *; {how}; os.execv(sys.argv[1], sys.argv[1:])"
    lab.apply("--until", "bridge")
    done = subprocess.run(
        [*lab.through, sys.executable, "-c", text, *COMMAND, *words],
        env=lab.environment, cwd=lab.home, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done
    lab.undo()


def test_no_signal_is_lost_before_somebody_takes_it(shared: Netlab) -> None:
    """As soon as it has forked, when neither netlab nor those that it forks may have said yet what a signal does."""
    for _ in range(20):
        with shared.process("exec", "host", "--", "sleep", "600") as process:
            children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
            while not children.read_text():
                pass
            os.kill(process.pid, signal.SIGHUP)
            assert process.wait(60) == 128 + signal.SIGHUP
    until(lambda: [*processes_of(shared.holder()).values()] == ["sleep"])


def test_a_pipe_that_nobody_reads_ends_a_command_as_anywhere(shared: Netlab) -> None:
    """Python ignores SIGPIPE, and what it starts would inherit that."""
    done = shared("exec", "host", "--", "sh", "-c", "yes | head -1")
    assert (done.out, done.err) == ("y\n", "")


def test_a_killed_netlab_takes_its_command_along(shared: Netlab) -> None:
    with shared.process("exec", "host", "--", "sleep", "600") as process:
        until(lambda: [*processes_of(shared.holder()).values()].count("sleep") == 2)
        process.kill()
    until(lambda: [*processes_of(shared.holder()).values()] == ["sleep"])


def test_a_long_command_keeps_nobody_out(shared: Netlab) -> None:
    with shared.process("exec", "host", "--", "sleep", "600") as process:
        until(lambda: [*processes_of(shared.holder()).values()].count("sleep") == 2)
        assert shared("status", "--wait", "0").out
        assert process.poll() is None


# --- a shell on a terminal -------------------------------------------------------------------------------------------


def shell(netlab: Netlab, *words: str, **environment: str) -> pexpect.spawn[str]:
    own = {**netlab.environment, **environment}
    return pexpect.spawn(COMMAND[0], [*COMMAND[1:], "shell", *words], env=own, encoding="utf-8", timeout=60, echo=False)


@pytest.mark.parametrize("program", ["/bin/bash", "/bin/sh", "", "/no/such/shell"])
@pytest.mark.parametrize("node", ["host", "client"])
def test_a_shell_says_where_it_is(shared: Netlab, node: str, program: str) -> None:
    with shell(shared, *([] if node == "host" else [node]), SHELL=program) as terminal:
        terminal.expect(re.escape(f"({node}) "))
        terminal.sendline("echo <$NETLAB_NODE>; exit 7".replace("<", "'<'").replace(">", "'>'"))
        terminal.expect(f"<{node}>")
        terminal.expect(pexpect.EOF)
    assert terminal.exitstatus == 7


def test_a_shell_has_a_job_control_and_gets_ctrl_c(shared: Netlab) -> None:
    with shell(shared) as terminal:
        terminal.expect(re.escape("(host) "))
        terminal.sendline("sleep 600; echo code=$?")
        until(lambda: [*processes_of(shared.holder()).values()].count("sleep") == 2)
        terminal.sendintr()
        terminal.expect(re.escape("(host) "))
        terminal.sendline("echo still=$((1 + 1)); exit")
        terminal.expect("still=2")
        terminal.expect(pexpect.EOF)
        assert "no job control" not in (terminal.before or "")
    assert terminal.exitstatus == 0


def test_the_tutorial_is_typed_in_a_shell(lab: Netlab) -> None:
    with shell(lab) as terminal:
        terminal.expect(re.escape("(host) "))
        terminal.sendline("ip netns add container1 && ip netns add container2 && exit")
        terminal.expect(pexpect.EOF)
    assert lab.states()["namespaces"] == "done"
    lab.undo()


def test_a_shell_whose_terminal_hangs_up_ends(shared: Netlab) -> None:
    with shell(shared) as terminal:
        terminal.expect(re.escape("(host) "))
    until(lambda: [*processes_of(shared.holder()).values()] == ["sleep"])

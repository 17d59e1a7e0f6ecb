"""Each command as a person sees it: its JSON, its words in a pipe, its picture on a terminal, and its exit codes."""

# ruff: noqa: E501 — a row of a table is a line

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pexpect
import pytest

from netlab import authoring
from tests.kernel.runner import COMMAND, TOP, Netlab
from tests.kernel.tutorial import NEEDS, STEPS, until
from tests.toy import TOY

pytestmark = pytest.mark.kernel

ESCAPE = "\x1b"


@pytest.fixture(scope="module")
def standing(shared: Netlab) -> Netlab:
    """A file's lab with the first steps in place; its tests only look."""
    shared.apply("--until", "bridge")
    return shared


# --- shapes ----------------------------------------------------------------------------------------------------------


def shape(value: object) -> object:
    """Keys and types, with one item for a list whose items are alike."""
    if isinstance(value, dict):
        return {key: shape(each) for key, each in value.items()}
    if isinstance(value, list):
        shapes = [shape(each) for each in value]
        return [each for number, each in enumerate(shapes) if each not in shapes[:number]]
    return type(value).__name__


SHAPES: dict[str, tuple[list[str], int, object]] = {
    "status": (["status"], 0, {"steps": [{"name": "str", "state": "str", "missing": []}]}),
    "plan": (["plan", "--until", "bridge"], 0, {"steps": [{"name": "str", "commands": [], "only_if_missing": []}]}),
    "plan, with something to do": (["plan", "--until", "loopback"], 0, {"steps": [{"name": "str", "commands": [], "only_if_missing": []}, {"name": "str", "commands": ["str"], "only_if_missing": []}]}),
    "prove": (["prove", "veth"], 0, {"proofs": [{"step": "str", "probe": "str", "expected": "str", "observed": "str", "ok": "bool"}], "left_out": []}),
    "prove what is not done": (["prove", "nat"], 1, {"proofs": [], "left_out": []}),
    "steps": (["steps"], 0, {"steps": [{"name": "str", "summary": "str", "needs": []}, {"name": "str", "summary": "str", "needs": ["str"]}]}),
    "sandbox list": (["sandbox", "list"], 0, {"sandboxes": [{"name": "str", "state": "str", "made_by": "str", "since": "str", "steps": "str"}]}),
    "doctor": (["doctor"], 0, {"findings": [{"name": "str", "level": "str", "detail": "str", "cure": "str"}]}),
}  # fmt: skip


@pytest.mark.parametrize(("words", "code", "expected"), SHAPES.values(), ids=SHAPES)
@pytest.mark.parametrize("place", ["before", "after"])
def test_shapes(standing: Netlab, words: list[str], code: int, expected: object, place: str) -> None:
    done = standing(*(["--json", *words] if place == "before" else [*words, "--json"]), code=code)
    assert done.out.count("\n") == 1  # one object, one line, and nothing else
    assert shape(done.json) == expected


def test_what_they_hold(standing: Netlab) -> None:
    assert standing.json("steps")["steps"][0] == {
        "name": "namespaces", "summary": "Give each container a network stack of its own.", "needs": []
    }  # fmt: skip
    assert {each["name"]: tuple(each["needs"]) for each in standing.json("steps")["steps"]} == NEEDS
    assert standing.json("plan", "--until", "loopback")["steps"][-1] == {
        "name": "loopback",
        "commands": ["ip netns exec container1 ip link set lo up", "ip netns exec container2 ip link set lo up"],
        "only_if_missing": [],
    }
    assert standing.json("sandbox", "list")["sandboxes"][0]["steps"] == ", ".join(sorted(until("bridge")))
    assert {each["level"] for each in standing.json("doctor")["findings"]} <= {"ok", "warning"}


EVENTS: dict[str, dict[str, str]] = {
    "begun": {"walk": "str", "steps": "list"},
    "step": {"step": "str", "summary": "str", "held": "int", "total": "int"},
    "ran": {"step": "str", "operation": "str", "command": "str", "seconds": "number", "shared": "int", "said": "str"},
    "gone": {"step": "str", "operation": "str", "within": "str"},
    "kept": {"step": "str", "operation": "str", "why": "str"},
    "done": {"step": "str", "held": "int", "changed": "int", "seconds": "number"},
    "process": {"argv": "str", "code": "int", "seconds": "number"},
    "proof": {"step": "str", "probe": "str", "expected": "str", "observed": "str", "ok": "bool", "seconds": "number", "phase": "str", "stays": "bool"},
    "ended": {"walk": "str", "changed": "int", "seconds": "number", "ok": "bool"},
}  # fmt: skip


def test_events_a_line_each(netlab: Netlab) -> None:
    netlab.type("sleep 600 </dev/null >/dev/null 2>&1 &")
    applied, undone = netlab("apply", "--until", "bridge", "--json"), netlab.undo()
    seen: dict[str, dict[str, str]] = {}
    for event in [*applied.events, *undone.events]:
        assert next(iter(event)) == "event"
        seen[event["event"]] = {
            key: "number" if key == "seconds" else type(value).__name__
            for key, value in event.items()
            if key != "event"
        }
        assert seen[event["event"]] == EVENTS[event["event"]]
    assert seen.keys() == EVENTS.keys()


def test_a_snapshot_is_json_and_the_same_each_time(standing: Netlab) -> None:
    one, other = standing("snapshot"), standing("snapshot", "--json")
    assert one.out == other.out
    assert one.json.keys() > {"host", "container1", "container2", "router", "client", "internet"}


def test_compare_says_what_differs(netlab: Netlab, tmp_path: Path) -> None:
    netlab.begin()
    assert netlab("snapshot", "--compare", netlab.start).out == "no difference\n"
    netlab.type("ip link add br9 type bridge")
    done = netlab("snapshot", "--compare", netlab.start, code=1)
    assert "host: link: + br9 bridge" in done.out
    found = netlab.json("snapshot", "--compare", netlab.start, code=1)
    assert shape(found) == {"differences": ["str"], "notes": []}
    torn = tmp_path / "torn.json"
    torn.write_text(netlab.start.read_text()[:-20])
    assert "not a snapshot" in netlab("snapshot", "--compare", torn, code=2).err
    assert "cannot be read" in netlab("snapshot", "--compare", tmp_path / "nowhere", code=2).err


# --- a pipe and a terminal -------------------------------------------------------------------------------------------

WORDS: dict[str, tuple[list[str], int, str]] = {
    "status": (["status"], 0, r"namespaces +done .*\n.*veth +done"),
    "plan": (["plan", "--until", "gateway"], 0, r"ip addr add 172\.168\.1\.1/24 dev br0"),
    "prove": (["prove"], 0, r"container1 pings 172\.168\.1\.12 . answers: 64 bytes from 172\.168\.1\.12"),
    "prove what is not done": (["prove", "web"], 1, r"step 'web' is not done: netlab apply --until web"),
    "steps": (["steps"], 0, r"namespaces .*\n.*veth .*\n.*addresses"),
    "sandbox list": (["sandbox", "list"], 0, r"default +alive +start"),
    "doctor": (["doctor"], 0, r"program ip .*/ip"),
    "snapshot": (["snapshot"], 0, r'"address": \['),
    "apply": (["apply", "--until", "bridge"], 0, r"nothing to do: 14 operations already there"),
    "exec": (["exec", "host", "--", "ip", "link", "show", "br0"], 0, r"br0: <BROADCAST,MULTICAST,UP"),
    "sandbox start": (["sandbox", "start"], 0, r"sandbox 'default' is there already"),
    "an error": (["apply", "--until", "nta"], 2, r"there is no step 'nta'\n.*did you mean nat\?"),
    "help": (["--help"], 0, r"apply .*\n"),
    "version": (["--version"], 0, r"netlab \d+\.\d+\.\d+"),
}  # fmt: skip


@pytest.mark.parametrize(("words", "code", "pattern"), WORDS.values(), ids=WORDS)
def test_in_a_pipe(standing: Netlab, words: list[str], code: int, pattern: str) -> None:
    done = standing(*words, code=code)
    assert re.search(pattern, done.out + done.err), str(done)
    assert ESCAPE not in done.out + done.err
    assert "\r" not in done.out + done.err


def on_terminal(netlab: Netlab, words: list[str], **environment: str) -> tuple[int | None, str]:
    own = {**netlab.environment, **environment}
    terminal = pexpect.spawn(
        COMMAND[0], [*COMMAND[1:], *words], env=own, encoding="utf-8", timeout=60, dimensions=(40, 160)
    )
    with terminal:
        terminal.expect(pexpect.EOF)
        text = terminal.before or ""
    return terminal.exitstatus, text


def plain(text: str) -> str:
    return re.sub(r"\x1b\[[?0-9;]*[A-Za-z]", "", text).replace("\r\n", "\n").replace("\r", "\n")


@pytest.mark.parametrize(
    "case", ["status", "plan", "prove", "steps", "sandbox list", "doctor", "snapshot", "apply", "exec", "an error"]
)
def test_on_a_terminal(standing: Netlab, case: str) -> None:
    words, code, pattern = WORDS[case]
    status, text = on_terminal(standing, words)
    assert status == code
    assert re.search(pattern, plain(text)), text
    assert (ESCAPE in text) == (case not in ("snapshot", "exec"))


def test_no_color_has_no_colour(standing: Netlab) -> None:
    status, text = on_terminal(standing, ["status"], NO_COLOR="1")
    assert status == 0
    assert not re.search(r"\x1b\[[0-9;]*3[0-9]m", text)


def test_the_living_display_leaves_the_same_words(netlab: Netlab) -> None:
    status, text = on_terminal(netlab, ["apply", "--until", "veth"])
    assert status == 0
    assert "✓ veth" in plain(text)
    assert "ip link add veth2 type veth peer name eth2 netns container2" in plain(text)
    assert re.search(r"4 operations ran, 0 already there, 2 proofs right", plain(text))
    status, text = on_terminal(netlab, ["undo"])
    assert status == 0
    assert re.search(r"4 taken back", plain(text))
    assert netlab.left() == []


# --- how much is said ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("words", [["apply", "--until", "bridge"], ["prove"], ["plan", "--until", "bridge"]])
def test_quiet_says_only_what_is_wrong(standing: Netlab, words: list[str]) -> None:
    done = standing(*words, "--quiet")
    assert (done.out, done.err) == ("", "")
    assert standing("-q", *words).out == ""


def test_verbose_shows_each_real_process(standing: Netlab) -> None:
    done = standing("status", "-v")
    assert standing("-v", "status").out == done.out
    assert "program" not in done.out


def test_verbose_talks_on_stderr_when_stdout_is_json(netlab: Netlab) -> None:
    done = netlab("apply", "--until", "namespaces", "--json", "-v")
    assert done.events[0]["event"] == "begun"
    assert re.search(r"^\$ /\S*/ip ", done.err, re.MULTILINE)


# --- exit codes ------------------------------------------------------------------------------------------------------

CODES: dict[str, tuple[list[str], int]] = {
    "nothing to do": (["plan", "--until", "bridge", "--exit-code"], 0),
    "something to do": (["plan", "--exit-code"], 3),
    "something to do, without asking": (["plan"], 0),
    "not all is done": (["status", "--exit-code"], 3),
    "no such command": (["aply"], 2),
    "no such option": (["apply", "--untl", "nat"], 2),
    "no such step": (["undo", "--from", "bridg"], 2),
    "no such step to prove": (["prove", "bridge", "nat", "nta"], 2),
    "no such sandbox's name": (["status", "--sandbox", "../x"], 2),
    "no such course": (["steps", "--course", "/nowhere"], 2),
    "no snapshot of nothing": (["snapshot", "--sandbox", "other"], 2),
    "a setting without a value": (["apply", "--set", "bridge"], 2),
    "a wrong parameter": (["apply", "--set", "bridge=-x"], 2),
    "no help asked": (["sandbox", "list", "--help"], 0),
}


@pytest.mark.parametrize(("words", "code"), CODES.values(), ids=CODES)
def test_exit_codes(standing: Netlab, words: list[str], code: int) -> None:
    done = standing(*words, code=code)
    if code in (2, 4, 5):
        assert done.out == ""
        assert done.err
    assert "Traceback" not in done.err


def test_near_names(standing: Netlab) -> None:
    assert "did you mean forwarding?" in standing("apply", "--until", "fowarding", code=2).err
    assert "namespaces, veth, addresses" in standing("apply", "--until", "zzz", code=2).err


# --- parameters ------------------------------------------------------------------------------------------------------


def test_every_error_at_once_and_before_anything_runs(netlab: Netlab) -> None:
    settings = ["bridge=a;id", "web_port=0", "containers.2.address=10.0.0.1", "colour=blue", "uplink=-x"]
    done = netlab("apply", *(word for each in settings for word in ("--set", each)), code=2)
    for key, value in (each.split("=") for each in settings):
        assert key in done.err
        assert value in done.err
    assert netlab.left() == []


def test_another_value_while_a_step_stands(netlab: Netlab) -> None:
    netlab.apply("--until", "bridge", "--set", "bridge=br7")
    done = netlab("apply", "--set", "bridge=br8", code=2)
    assert "bridge is br7, and br8 was asked for" in done.err
    assert "undo first: netlab undo" in done.err
    done = netlab("apply", "--set", "containers.2.name=web", code=2)
    assert "containers.2.name is container2, and web was asked for" in done.err
    assert (
        "containers is 2 of them, and 3 of them was asked for" in netlab("apply", "--set", "containers=3", code=2).err
    )
    assert netlab.states()["bridge"] == "done"
    assert netlab.apply("--until", "bridge").ran == []  # without a word about it, the lab's own value counts
    assert "br7" in netlab.type("ip -br link show type bridge")
    netlab.undo("--from", "namespaces")
    netlab.apply("--until", "bridge", "--set", "bridge=br8")
    assert "br8" in netlab.type("ip -br link show type bridge")


def test_other_surroundings_need_another_sandbox(netlab: Netlab) -> None:
    netlab("sandbox", "start")
    done = netlab("apply", "--set", "uplink=eth0", code=2)
    assert "uplink is ens33, and eth0 was asked for" in done.err
    assert "netlab sandbox end" in done.err


def test_another_course_needs_its_own_surroundings(netlab: Netlab) -> None:
    netlab("sandbox", "start")
    done = netlab("apply", "--course", TOY, code=2)
    assert "the sandbox was made with other surroundings" in done.err
    assert done.err.count("was asked for") == 1, "its parameters are not compared with another course's"
    assert "netlab sandbox end" in done.err
    netlab("sandbox", "end")
    netlab("apply", "--course", TOY)
    netlab("undo")


def test_surroundings_that_were_changed_since(netlab: Netlab, tmp_path: Path) -> None:
    authoring.new(tmp_path / "made")
    netlab("apply", "--course", tmp_path / "made")
    around = tmp_path / "made/surroundings.py"
    text = around.read_text().replace("import up", "import address, up")
    around.write_text(f'{text}    yield address("10.98.0.1/32", dev="lo")\n')
    for words in (("apply",), ("plan",)):
        done = netlab(*words, "--course", tmp_path / "made", code=2)
        assert "the sandbox was made with other surroundings" in done.err
        assert "the course's surroundings have changed since" in done.err
    netlab("undo")
    assert netlab.left() == []


def test_more_containers(netlab: Netlab) -> None:
    applied = netlab("apply", "--set", "containers=5", "--json")
    assert [each for each in applied.proofs if not each["ok"]] == []
    assert netlab.type("ip -br link show type veth | grep -c ^veth") == "5\n"
    assert netlab.type("curl -s http://192.168.0.10:10005/", node="client").count("container5") == 2
    # A stranger in the very group of links in which ours are deleted.
    netlab.type("ip link add stranger type bridge", "ip link set stranger group 28268")
    netlab.undo()
    assert netlab.type("ip -br link show type bridge | cut -d' ' -f1") == "stranger\n"
    netlab.type("ip link del stranger")
    netlab.undo()
    assert netlab.left() == []


def test_so_many_containers_that_others_enter_them(netlab: Netlab) -> None:
    """From some number on it is not a shell that goes through the namespaces."""
    done = netlab("apply", "--until", "nat", "--set", "containers=30", "--json")
    assert [each for each in done.proofs if not each["ok"]] == []
    assert netlab.apply("--until", "nat").ran == []
    for number in (1, 7, 30):
        netlab.type("ping -c 1 -W 2 114.114.114.114", node=f"container{number}")
    netlab.type("ip -n container7 addr flush dev eth7", "ip -n container9 link set eth9 down")
    assert netlab.missing()["addresses"] == [
        "address 172.168.1.17/24 on eth7 in container7", "eth9 in container9 up (eth9 in container9 is down)"
    ]  # fmt: skip
    netlab.apply("--until", "nat")
    netlab.type("ping -c 1 -W 2 114.114.114.114", node="container7")
    netlab.undo()
    assert netlab.left() == []


def test_a_lab_file_and_another_subnet(netlab: Netlab, tmp_path: Path) -> None:
    file = tmp_path / "lab.toml"
    file.write_text(
        'subnet = "10.7.0.0/16"\nbridge = "lan7"\n[[containers]]\nname = "web"\nport = 80\n[[containers]]\n'
    )
    applied = netlab("apply", "--lab", file, "--json")
    assert [each for each in applied.proofs if not each["ok"]] == []
    assert "address 10.7.0.11/16 on eth1 in web" in applied.ran
    assert netlab.type("curl -s -o /dev/null -w '%{http_code}' http://192.168.0.10/", node="client") == "200"
    netlab.undo()
    assert netlab.left() == []


# --- started otherwise -----------------------------------------------------------------------------------------------


def test_as_a_module_and_as_a_command(standing: Netlab) -> None:
    code = "import sys; sys.argv[0] = 'netlab'; from netlab.__main__ import main; main()"
    for command in ([*COMMAND], [sys.executable, "-P", "-c", code]):
        done = subprocess.run(
            [*command, "status", "--json"], env=standing.environment, capture_output=True, text=True, check=True
        )
        assert len(json.loads(done.stdout)["steps"]) == len(STEPS)


def test_a_reader_that_has_gone_is_no_error_of_ours(standing: Netlab) -> None:
    with standing.process("snapshot") as process:
        assert process.stdout is not None
        process.stdout.close()
        assert process.stderr is not None
        said = process.stderr.read()
        process.wait(60)
    assert "Traceback" not in said


def test_closed_streams(standing: Netlab) -> None:
    for closed in (">&-", "2>&-", "<&-", ">&- 2>&- <&-"):
        script = f'exec "$@" {closed}'
        done = subprocess.run(
            ["sh", "-c", script, "sh", *COMMAND, "status"],
            env=standing.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode in (0, 1), (closed, done.stderr)
        assert "Traceback" not in done.stderr


def test_from_a_folder_that_is_gone(standing: Netlab, tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    script = 'rmdir "$0"; exec "$@"'
    done = subprocess.run(
        ["sh", "-c", script, str(gone), *COMMAND, "status", "--json"],
        cwd=gone,
        env=standing.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def completions(netlab: Netlab, words: str) -> list[str]:
    own = {
        **netlab.environment,
        "_NETLAB_COMPLETE": "complete_bash",
        "COMP_WORDS": words,
        "COMP_CWORD": str(words.count(" ")),
    }
    done = subprocess.run([*COMMAND], env=own, capture_output=True, text=True, check=False)
    return done.stdout.split()


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("netlab apply --until n", ["namespaces", "nat"]),
        ("netlab undo --from ga", ["gateway"]),
        ("netlab prove we", ["web"]),
        ("netlab sandbox e", ["end"]),
    ],
)
def test_the_shell_completes_step_names(standing: Netlab, words: str, expected: list[str]) -> None:
    assert completions(standing, words) == expected


def test_the_checkout_is_what_is_tested() -> None:
    assert (TOP / "netlab/cli/lab.py").is_file()
    assert (TOY / "__init__.py").is_file()

"""In a hostile environment and folder, netlab runs the system's tools and its own Python, and nothing else."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from netlab.programs import PATH
from netlab.sandbox import MARK
from tests.distribution import TOP, build_wheel, install, make_environment, site_packages
from tests.kernel.bait import NEVER, SPOILING, TAKERS, VARIABLES, Bait
from tests.kernel.conftest import ROOT_HALF
from tests.kernel.machine import Machine
from tests.kernel.oldtools import OLD, STANDING_IN
from tests.kernel.runner import until

pytestmark = pytest.mark.kernel


@pytest.fixture
def bait(tmp_path: Path) -> Bait:
    made = Bait(tmp_path / "bait")
    made.lay()
    return made


@pytest.fixture(scope="module", params=["installed", "checkout"])
def command(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Both ways in: the command of a wheel, by a link as pipx makes it; and scripts/lab of a checkout."""
    folder = tmp_path_factory.mktemp(request.param)
    if request.param == "installed":
        environment = make_environment(folder / "environment")
        install(environment, build_wheel(tmp_path_factory.mktemp("wheel")))
        (folder / "netlab").symlink_to(environment / "bin/netlab")
        return folder / "netlab"
    for name in ("netlab", "steps", "scripts", "requirements"):
        shutil.copytree(TOP / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(TOP / "pyproject.toml", folder)
    (site_packages(make_environment(folder / ".venv")) / "netlab-checkout.pth").write_text("../../../..\n")
    common = f"self={folder}/scripts/lab; . {folder}/scripts/common.sh"
    stamp = f'{common}; requirements=requirements/run.txt; place .venv; stamp >"$venv/stamp"; fresh'
    subprocess.run(["/bin/bash", "-c", stamp], env={}, check=True, timeout=60)
    return folder / "scripts/lab"


@pytest.fixture
def calm(tmp_path: Path) -> dict[str, str]:
    """The environment of somebody who means no harm."""
    (tmp_path / "state").mkdir(mode=0o700)
    return {"HOME": str(tmp_path), "XDG_STATE_HOME": str(tmp_path / "state"), "PATH": "/usr/bin:/bin"}


def ends(argv: list[str | Path], environment: dict[str, str], folder: Path) -> tuple[int, str, str]:
    done = subprocess.run(
        argv,
        env=environment,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


# --- one variable at a time ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", VARIABLES)
def test_the_bait_is_taken_by_who_is_not_isolated(bait: Bait, calm: dict[str, str], name: str) -> None:
    if name in NEVER:
        assert name == "PS4" or name not in TAKERS
        return
    argv = [word.replace("BAIT", str(bait.folder)) for word in TAKERS[name]]
    assert bait.taken({**calm, **bait.variables(name)}, argv)
    assert not bait.taken(calm, argv)


def test_a_folder_is_taken_by_who_is_not_isolated(bait: Bait, calm: dict[str, str]) -> None:
    assert bait.taken(calm, ["/bin/sh", "-c", f"cd {bait.folder} && exec python3 -m netlab"])


COMMANDS = (["plan", "--json"], ["doctor", "--json"])
"""One that runs the course's code, and one that runs the system's tools."""


@pytest.fixture(scope="module")
def expected(command: Path) -> list[tuple[int, str]]:
    """What they print, and how they end, where all is well."""
    return [ends([command, *words], {"HOME": "/nowhere", "PATH": "/usr/bin:/bin"}, Path("/"))[:2] for words in COMMANDS]


@pytest.mark.parametrize("name", VARIABLES)
def test_netlab_takes_no_bait(
    command: Path, expected: list[tuple[int, str]], bait: Bait, calm: dict[str, str], name: str
) -> None:
    hostile = {**calm, **bait.variables(name)}
    assert [ends([command, *words], hostile, bait.folder)[:2] for words in COMMANDS] == expected
    assert not bait.mark.exists()


def test_its_name_in_path_is_enough(command: Path, bait: Bait, calm: dict[str, str]) -> None:
    hostile = {**calm, **bait.variables("PYTHONPATH"), "PATH": f"{command.parent}:{bait.folder}"}
    code, said, _ = ends(["/usr/bin/env", command.name, "--version"], hostile, bait.folder)
    assert (code, said.split()[0]) == (0, "netlab")
    assert not bait.mark.exists()


def test_no_library_is_configured_by_the_caller(command: Path, calm: dict[str, str], tmp_path: Path) -> None:
    """OpenSSL loads what its configuration names. A pipe in its place holds whoever reads it."""
    os.mkfifo(tmp_path / "openssl.cnf")
    hostile = {**calm, "OPENSSL_CONF": str(tmp_path / "openssl.cnf")}
    digest = [sys.executable, "-I", "-c", "import hashlib; hashlib.sha256()"]
    with subprocess.Popen(digest, env=hostile) as reader:
        until(lambda: is_read(tmp_path / "openssl.cnf"))
        reader.kill()
    assert ends([command, "plan", "--quiet"], hostile, Path("/"))[0] == 0


def is_read(pipe: Path) -> bool:
    try:
        os.close(os.open(pipe, os.O_WRONLY | os.O_NONBLOCK))
    except OSError:  # nobody has it open to read
        return False
    return True


# --- all of them, and a whole lab ------------------------------------------------------------------------------------


Environments = dict[str, list[dict[str, str]]]
"""By the program's name, each environment that it was seen with."""


@dataclass
class Watch:
    """Reads the environment of every program that a netlab starts, and of what these start, while it runs."""

    netlab: int
    sandbox: str
    """The folder of its sandbox's state, by which the holder is known."""
    environments: Environments
    _ours: set[int] = field(default_factory=set)
    _stop: threading.Event = field(default_factory=threading.Event)

    @contextlib.contextmanager
    def watching(self) -> Iterator[None]:
        thread = threading.Thread(target=self._watch, daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._stop.set()
            thread.join()

    def _watch(self) -> None:
        others = {path.name for path in Path("/proc").iterdir()}
        own = b""
        while b"-m\0netlab" not in own and not self._stop.is_set():  # till then it is bash, looking for its Python
            own = (Path("/proc") / str(self.netlab) / "cmdline").read_bytes()
        self._ours.add(self.netlab)
        while not self._stop.is_set():
            for name in os.listdir("/proc"):
                if name.isdecimal() and name not in others:
                    with contextlib.suppress(OSError):
                        self._look(int(name), own)

    def _look(self, pid: int, own: bytes) -> None:
        folder = Path(f"/proc/{pid}")
        parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
        words = (folder / "cmdline").read_bytes()
        found = dict(line.split("=", 1) for line in os.fsdecode((folder / "environ").read_bytes()).split("\0") if line)
        if parent not in self._ours and found.get(MARK) != self.sandbox:
            return
        self._ours.add(pid)
        # The words were read first: who is not netlab's copy any more has an environment of its own already. One that
        # is just being started, or has ended, shows none.
        if words not in (b"", own) and found:
            seen = self.environments.setdefault(os.path.basename(os.fsdecode(words.split(b"\0")[0])), [])
            if found not in seen:
                seen.append(found)


ADDED_BY_SH = {"PWD", "OLDPWD", "SHLVL", "_"}

LASTING = {"sh", "tcpdump", "ping", "curl", "python3", "sleep"}
"""Programs that last long enough to be looked at, most times: a shell, probes, a server, the sandbox's holder."""


def all_at_once(bait: Bait) -> dict[str, str]:
    hostile = {**SPOILING}
    for name in VARIABLES:
        hostile |= bait.variables(name) if "empty" not in name else {}
    return {key: value.replace("BAIT", str(bait.folder)) for key, value in hostile.items()}


def test_a_whole_lab_on_a_machine_as_root_in_a_hostile_environment(command: Path, bait: Bait) -> None:
    """As `sudo env PATH=… PYTHONPATH=… netlab --host` does."""
    if os.geteuid() != 0:
        pytest.skip(f"{ROOT_HALF}: --host is for root")
    variables = [f"{key}={value}" for key, value in all_at_once(bait).items()]
    machine = Machine()
    into = [shutil.which(machine.enter[0]) or "", *machine.enter[1:-1], f"--wd={bait.folder}"]
    try:
        for words in (["doctor"], ["apply"], ["prove"], ["undo"]):
            code, out, err = ends([*into, "/usr/bin/env", "-i", *variables, command, "--host", *words], {}, Path("/"))
            assert code == 0, out + err
        assert "netlab" not in machine.type("ls -A /run")
    finally:
        machine.end()
    assert not bait.mark.exists()


@pytest.mark.skipif(OLD, reason=STANDING_IN)
def test_a_whole_lab_in_a_hostile_environment(command: Path, bait: Bait, calm: dict[str, str]) -> None:
    hostile = {**all_at_once(bait), "XDG_STATE_HOME": calm["XDG_STATE_HOME"]}
    seen: Environments = {}

    def events(*words: str) -> list[dict[str, Any]]:
        said = watched([command, *words, "--json"], hostile, bait.folder, seen)
        return [json.loads(line) for line in said.splitlines()]

    try:
        applied = events("apply")
        assert [each for each in applied if each["event"] == "proof" and not each["ok"]] == []
        tries = 0
        while not seen.keys() >= LASTING and (tries := tries + 1) < 20:
            watched([command, "prove"], hostile, bait.folder, seen)
        undone = events("undo")
        assert [each[-1]["event"] for each in (applied, undone) if each[-1]["ok"]] == ["ended", "ended"]
    finally:
        ends([command, "sandbox", "end"], calm, Path("/"))
    assert not bait.mark.exists()
    assert seen.keys() >= LASTING
    assert seen.pop("sleep") == [{MARK: f"{calm['XDG_STATE_HOME']}/netlab/default"}]
    for program, environments in seen.items():
        for found in environments:
            assert found.keys() - ADDED_BY_SH == {"PATH", "LC_ALL"}, program
            assert (found["PATH"], found["LC_ALL"]) == (PATH, "C"), program


def watched(argv: list[str | Path], environment: dict[str, str], folder: Path, seen: Environments) -> str:
    """What a command prints. The environments of what it started are added to ``seen``."""
    sandbox = f"{environment['XDG_STATE_HOME']}/netlab/default"
    pipes: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with (
        subprocess.Popen(argv, env=environment, cwd=folder, text=True, **pipes) as process,
        Watch(process.pid, sandbox, seen).watching(),
    ):
        out, err = process.communicate(timeout=60)
    assert process.returncode == 0, out + err
    return str(out)

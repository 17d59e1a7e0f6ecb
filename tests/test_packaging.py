"""The distribution: what a wheel, an sdist and an editable install hold, and what the requirements may say."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

import netlab
from tests.distribution import OFFLINE, TOP, build_wheel, install, make_environment, run

PROJECT = tomllib.loads((TOP / "pyproject.toml").read_text(encoding="utf-8"))["project"]

DIST_INFO = f"netlab_bridge-{netlab.__version__}.dist-info"
DATA = f"netlab_bridge-{netlab.__version__}.data"


def contents(wheel: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def files_of(folder: str) -> set[str]:
    found = (path for path in (TOP / folder).rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return {path.relative_to(TOP / folder).as_posix() for path in found}


# --- what is built ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_wheel(tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sdist")
    run(sys.executable, "-m", "hatchling", "build", "--target", "sdist", "--directory", folder, cwd=TOP)
    (built,) = folder.iterdir()
    return built


def test_a_wheel_holds_netlab_and_nothing_else(wheel: Path) -> None:
    assert wheel.name == f"netlab_bridge-{netlab.__version__}-py3-none-any.whl"
    assert {name.split("/")[0] for name in contents(wheel)} == {"netlab", DIST_INFO, DATA}
    assert {name for name in contents(wheel) if name.startswith(DATA)} == {f"{DATA}/scripts/netlab"}


@pytest.mark.parametrize("folder", ["steps", "template"])
def test_a_wheel_holds_the_course_and_the_template(wheel: Path, folder: str) -> None:
    inside = f"netlab/_{folder}/"
    held = {name.removeprefix(inside) for name in contents(wheel) if name.startswith(inside)}
    assert held == files_of(folder)
    assert {"__init__.py", "gateway/zh.md" if folder == "steps" else "address/zh.md"} <= held


def test_a_wheel_from_the_sdist_is_the_same(wheel: Path, sdist: Path, tmp_path: Path) -> None:
    run(sys.executable, "-m", "pip", "wheel", *OFFLINE, "--wheel-dir", tmp_path, sdist, cwd=tmp_path)
    assert contents(tmp_path / wheel.name) == contents(wheel)


# --- what is installed -----------------------------------------------------------------------------------------------


@pytest.fixture
def environment(tmp_path: Path) -> Path:
    return make_environment(tmp_path / "an environment")


def test_an_installed_wheel(environment: Path, wheel: Path) -> None:
    assert install(environment, wheel) == {"netlab", DIST_INFO}
    works(environment)
    with pytest.raises(AssertionError, match="No module named 'steps'"):
        run(environment / "bin/python", "-I", "-c", "import steps", cwd=environment)


def test_an_editable_install(environment: Path) -> None:
    assert install(environment, "--editable", TOP) == {"_netlab_bridge.pth", DIST_INFO}
    works(environment)
    where = run(environment / "bin/python", "-I", "-c", "import netlab; print(netlab.__file__)", cwd=environment)
    assert where.strip() == str(TOP / "netlab/__init__.py")


def works(environment: Path) -> None:
    """The command and the module both start, away from the checkout, and find the course."""
    for command in ((environment / "bin/netlab",), (environment / "bin/python", "-I", "-m", "netlab")):
        assert netlab.__version__ in run(*command, "--version", cwd=environment)
        assert "nat" in run(*command, "steps", cwd=environment).split()
        assert "地址伪装" in run(*command, "explain", "nat", "--lang", "zh", cwd=environment)
    made = environment / "made"
    run(environment / "bin/netlab", "course", "new", made, cwd=environment)
    assert {path.name for path in (made / "address").iterdir()} == {"__init__.py", "step.py", "en.md", "zh.md"}


# --- the command -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def command(tmp_path_factory: pytest.TempPathFactory, wheel: Path) -> Path:
    environment = make_environment(tmp_path_factory.mktemp("command") / "an environment")
    install(environment, wheel)
    return environment / "bin/netlab"


def test_the_command_is_the_script_of_the_checkout(command: Path, environment: Path) -> None:
    """pip writes no launcher of its own, which would not isolate Python, and changes nothing in this one."""
    install(environment, "--editable", TOP)
    for each in (command, environment / "bin/netlab"):
        assert each.read_bytes() == (TOP / "scripts/netlab").read_bytes()
        assert os.access(each, os.X_OK)


def beside(folder: Path, python: str | None) -> Path:
    """The command in a folder of its own, with a script that stands for the Python beside it."""
    command = folder / "netlab"
    for path, text in ((command, (TOP / "scripts/netlab").read_text()), (folder / "python", python)):
        if text is not None:
            path.write_text(text)
            path.chmod(0o755)
    return command


def test_arguments_and_exit_codes_are_handed_over(tmp_path: Path) -> None:
    command = beside(tmp_path, "#!/bin/sh\nprintf '[%s]' \"$@\"; exit 77\n")
    words = ["exec", "a b", "", "*", "-- $HOME"]
    done = subprocess.run([command, *words], capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stdout) == (77, "[-I][-m][netlab][exec][a b][][*][-- $HOME]")


@pytest.mark.parametrize("target", ["{command}", "../{command.parent.parent.name}/bin/netlab", "first"])
def test_the_command_may_be_linked_to(command: Path, target: str, tmp_path: Path) -> None:
    """As pipx and uv do; also by a chain of links, from a folder with a Python of its own, and through PATH."""
    folder = command.parents[2] / tmp_path.name
    folder.mkdir()
    (folder / "first").symlink_to(command)
    (folder / "netlab").symlink_to(target.format(command=command))
    (folder / "python").symlink_to("/bin/false")
    assert netlab.__version__ in run(folder / "netlab", "--version", cwd=Path("/"))
    found = subprocess.run(
        ["netlab", "--version"], env={"PATH": str(folder)}, capture_output=True, text=True, check=True
    )
    assert netlab.__version__ in found.stdout


def test_without_a_python_beside_it_the_command_says_what_to_do(tmp_path: Path) -> None:
    """As pip leaves it with --user, or --target."""
    done = subprocess.run(
        [beside(tmp_path, None), "--version"], capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.returncode, done.stdout) == (5, "")
    for word in (str(tmp_path), "pipx", "uv tool", "venv", "netlab-bridge"):
        assert word in done.stderr


def test_the_shell_completes_the_command(command: Path, tmp_path: Path) -> None:
    environ = {"HOME": str(tmp_path), "PATH": f"{command.parent}:/usr/bin:/bin", "SHELL": "/bin/bash"}

    def bash(script: str) -> str:
        argv = ["/bin/bash", "-c", script]
        done = subprocess.run(argv, env=environ, capture_output=True, text=True, check=True, timeout=60)
        return done.stdout

    bash("netlab --install-completion; :")  # bash finds out that it is bash, and `:` keeps it there
    typed = "COMP_WORDS=(netlab apply --until na) COMP_CWORD=3; _netlab_completion netlab; echo ${COMPREPLY[*]}"
    assert bash(f". ~/.bashrc; {typed}") == "namespaces nat\n"


# --- what is required ------------------------------------------------------------------------------------------------

PIN = re.compile(r"(?P<name>[a-z0-9-]+)==(?P<version>[^ ;]+)(?P<marker> ; [^\\]+?)?(?: --hash=sha256:[0-9a-f]{64})+")


def pins(name: str) -> Iterator[tuple[str, str, str]]:
    """The name, version and marker of every requirement of a compiled file; each has to be pinned and hashed."""
    text = (TOP / "requirements" / name).read_text(encoding="utf-8")
    text = re.sub(r"^ *#.*\n", "", text, flags=re.MULTILINE)
    for line in re.sub(r" *\\\n *", " ", text).splitlines():
        match = PIN.fullmatch(line.strip())
        assert match, f"{name}: {line!r} is not pinned with hashes"
        yield match["name"], match["version"], (match["marker"] or "").strip()


def wanted(name: str) -> set[str]:
    """The requirements of a .in file, without its comments and options."""
    lines = (TOP / "requirements" / name).read_text(encoding="utf-8").splitlines()
    return {line for raw in lines if (line := raw.partition("#")[0].strip()) and not line.startswith("-")}


@pytest.mark.parametrize("name", ["run", "build", "dev"])
def test_every_requirement_is_pinned_with_hashes(name: str) -> None:
    pinned = {pin for pin, _, _ in pins(f"{name}.txt")}
    assert {re.split(r"[<>=~!; ]", line)[0] for line in wanted(f"{name}.in")} <= pinned


def test_the_checks_run_with_what_is_shipped() -> None:
    assert set(pins("run.txt")) <= set(pins("dev.txt"))


def test_the_guest_builds_netlab_with_what_the_checks_build_it_with() -> None:
    assert wanted("build.in") == set(
        tomllib.loads((TOP / "pyproject.toml").read_text("utf-8"))["build-system"]["requires"]
    )
    assert set(pins("build.txt")) <= set(pins("dev.txt"))


def test_the_package_asks_for_what_is_pinned() -> None:
    assert set(PROJECT["dependencies"]) == wanted("run.in")


# Where packages come from is each machine's own affair. In pieces, or this file would name them.
REGISTRIES = (
    "py" + "pi.org",
    "python" + "hosted.org",
    "debian" + ".org",
    "archive." + "ubuntu.com",
    "fedora" + "project.org",
    "centos" + ".org",
    "npm" + "js.org",
    " --index" + "-url",
    " --extra-index" + "-url",
    " --trusted" + "-host",
)

# What the CentOS 7 guest fetches has no other place to come from: one file names it, and the environment overrides it.
SOURCES = "scripts/vagrant/sources.env"
ONLY_IN_SOURCES = ("centos" + ".org", "astral-sh" + "/uv")

UNTRACKED = re.compile(r"\.git|\.?venv.*|\..*_cache|\.hypothesis|\.vagrant|__pycache__|dist|htmlcov")


def tracked(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if not UNTRACKED.fullmatch(path.name) and not path.is_symlink():
            yield from tracked(path) if path.is_dir() else (path,)


def test_no_file_names_a_registry() -> None:
    named = [
        f"{path.relative_to(TOP)}: {registry}"
        for path in tracked(TOP)
        for registry in {*REGISTRIES, *ONLY_IN_SOURCES}
        if registry.encode() in path.read_bytes().lower()
    ]
    assert sorted(named) == sorted(f"{SOURCES}: {each}" for each in ONLY_IN_SOURCES)

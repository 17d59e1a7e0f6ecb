"""The shell scripts: what they take to be missing, what they say, and that they hand over untouched."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from netlab.machine import Machine, install

TOP = Path(__file__).resolve().parent.parent


def bash(script: str, *, top: Path = TOP, **environ: str) -> subprocess.CompletedProcess[str]:
    """Runs ``script`` after common.sh, in an environment of its own."""
    return subprocess.run(
        ["/bin/bash", "-c", f"self={top}/scripts/lab; . {top}/scripts/common.sh\n{script}"],
        env={"HOME": str(top), **environ},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.mark.parametrize("name", ["scripts/lab", "scripts/test", ".ci/run", "tests/oldtools/run"])
def test_a_script_can_be_executed(name: str) -> None:
    assert os.access(TOP / name, os.X_OK)


def test_ci_runs_the_test_script_and_nothing_else() -> None:
    lines = (TOP / ".ci/run").read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if line and not line.startswith("#")] == [
        "set -eu",
        'cd "$(dirname "$0")/.."',
        "exec ./scripts/test",
    ]


# --- packages --------------------------------------------------------------------------------------------------------


def table() -> Iterator[tuple[str, str, str]]:
    text = "".join((TOP / "scripts" / name).read_text(encoding="utf-8") for name in ("common.sh", "test"))
    for block in re.findall(r"PROGRAMS='\n(.*?)'", text, flags=re.DOTALL):
        for line in block.splitlines():
            program, debian, redhat = line.split()
            yield program, debian, redhat


@pytest.mark.parametrize(("program", "debian", "redhat"), list(table()))
def test_packages_are_called_as_netlab_calls_them(program: str, debian: str, redhat: str, tmp_path: Path) -> None:
    if program in ("setpriv", "shellcheck", "tmux", "ruby", "vagrant"):
        return  # netlab itself has no use for these
    (tmp_path / "etc").mkdir()
    for identity, package in (("debian", debian), ("fedora", redhat)):
        (tmp_path / "etc/os-release").write_text(f"ID={identity}\n", encoding="utf-8")
        assert install(Machine(root=tmp_path, uid=0), [program]).split()[3:] == [package]


def test_what_is_missing_is_named_by_this_distribution_and_once() -> None:
    rows = r"$'\nsh no no\nnosuch-1 for-debian for-redhat\nnosuch-2 for-debian for-redhat'"
    assert bash(f"has() {{ [[ $1 == sh || $1 == apt-get ]]; }}; lacking {rows}").stdout == "for-debian\n"
    assert bash(f"has() {{ [[ $1 == sh || $1 == dnf ]]; }}; lacking {rows}").stdout == "for-redhat\n"


def test_only_the_systems_folders_count(tmp_path: Path) -> None:
    (tmp_path / "nosuch").write_text("#!/bin/sh\n", encoding="utf-8")
    (tmp_path / "nosuch").chmod(0o755)
    assert bash("has sh && ! has nosuch && echo so", PATH=f"{tmp_path}:/usr/bin:/bin").stdout == "so\n"


@pytest.mark.parametrize(
    ("machine", "said"),
    [
        ("manager() { return 1; }", "missing here: tcpdump (needed). Found no apt-get, dnf or yum"),
        ("manager() { echo dnf; }; install_by_dnf() { return 1; }; has() { :; }", "dnf could not install tcpdump"),
        (
            "manager() { echo dnf; }; install_by_dnf() { return 1; }; has() { return 1; }",
            "there is no sudo. As root, run:\nnetlab:     dnf install -y tcpdump" if os.geteuid() else "dnf could not",
        ),
    ],
)
def test_it_says_what_stands_in_the_way(machine: str, said: str) -> None:
    done = bash(f"{machine}\nobtain needed tcpdump || echo failed")
    assert done.stdout == "failed\n"
    assert said in done.stderr


def test_it_says_what_it_installs_before_it_does() -> None:
    machine = 'manager() { echo dnf; }; install_by_dnf() { echo "dnf: $*"; }; has() { :; }'
    done = bash(f"{machine}\nobtain needed tcpdump curl")
    assert done.stdout == ""
    assert re.fullmatch(r"netlab: installing tcpdump curl(?: through sudo)?: needed\ndnf: tcpdump curl\n", done.stderr)


# --- the environment -------------------------------------------------------------------------------------------------


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout whose environment is ready, with a netlab that shows what it was given."""
    top = tmp_path / "check out"
    for folder in ("scripts", "requirements"):
        shutil.copytree(TOP / folder, top / folder)
    (top / "netlab").mkdir()
    (top / "netlab/__main__.py").write_text("import sys\nprint(sys.argv[1:], sys.stdin.read())\n", encoding="utf-8")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", top / ".venv"], check=True, timeout=60)
    (site,) = top.glob(".venv/lib/python3*/site-packages")
    (site / "netlab-checkout.pth").write_text("../../../..\n", encoding="utf-8")
    made = bash('requirements=requirements/run.txt; place .venv; stamp >"$venv/stamp"; fresh', top=quoted(top))
    assert made.returncode == 0, made.stderr
    return top


def quoted(path: Path) -> Path:
    return Path(str(path).replace(" ", "\\ "))


def lab(checkout: Path, *argv: str, stdin: str = "") -> tuple[str, str]:
    done = subprocess.run(
        [checkout / "scripts/lab", *argv],
        env={"HOME": str(checkout), "PYTHONPATH": "/nowhere", "CDPATH": "/", "BASH_ENV": "/nowhere", "PATH": "."},
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return done.stdout, done.stderr


def test_lab_hands_over_arguments_and_input_and_says_nothing(checkout: Path) -> None:
    assert lab(checkout, "exec", "a b", "", "*", stdin="typed") == ("['exec', 'a b', '', '*'] typed\n", "")


def test_lab_may_be_linked_to_and_the_checkout_moved(checkout: Path, tmp_path: Path) -> None:
    moved = checkout.rename(tmp_path / "elsewhere")
    (tmp_path / "scripts").mkdir()
    (tmp_path / "scripts/lab").symlink_to(moved / "scripts/lab")
    assert lab(tmp_path, "x") == ("['x'] \n", "")


@pytest.mark.parametrize(
    "change", ["echo >>requirements/run.txt", "rm .venv/stamp", ": >.venv/stamp", "rm .venv/bin/python*"]
)
def test_an_environment_made_of_something_else_or_half_is_made_again(checkout: Path, change: str) -> None:
    subprocess.run(["/bin/sh", "-c", change], cwd=checkout, check=True, timeout=60)
    done = bash("requirements=requirements/run.txt; place .venv; fresh || echo again", top=quoted(checkout))
    assert done.stdout == "again\n"


# --- as root, and in somebody's environment --------------------------------------------------------------------------

AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="the root half: a folder is given away, which takes root")

FOLDERS = {
    "root's": ("true", True),
    "not there yet": ("rmdir cache", True),
    "in a sticky folder": ("chmod 1777 .", True),
    "a link to root's": ("mv cache real; ln -s real cache", True),
    "somebody's": ("chown 20001 cache", False),
    "its group's to write": ("chmod 775 cache", False),
    "anybody's, though sticky": ("chmod 1777 cache", False),
    "not there yet, in a sticky folder": ("rmdir cache; chmod 1777 .", False),
    "in somebody's": ("chown 20001 .", False),
    "in anybody's": ("chmod 777 .", False),
    "a link to somebody's": ("mkdir mine; chown 20001 mine; rmdir cache; ln -s mine cache", False),
}


@AS_ROOT
@pytest.mark.parametrize(("change", "fine"), FOLDERS.values(), ids=FOLDERS)
def test_root_makes_and_runs_an_environment_only_where_nobody_else_can_write(
    tmp_path: Path, change: str, fine: bool
) -> None:
    (tmp_path / "cache").mkdir()
    tmp_path.chmod(0o755)
    subprocess.run(["/bin/sh", "-euc", change], cwd=tmp_path, check=True, timeout=60)
    # A checkout that cannot be written to, as on a read-only file system.
    done = bash("top=/proc/self; requirements=$0; fresh() { false; }; place .venv; echo $venv",
                XDG_CACHE_HOME=f"{tmp_path}/cache")  # fmt: skip
    assert (done.returncode, bool(done.stdout)) == ((0, True) if fine else (4, False))
    assert ("XDG_CACHE_HOME" in done.stderr) is not fine
    # Where links lead is looked at once: nobody can turn one in between.
    assert not fine or done.stdout.startswith(f"{(tmp_path / 'cache').resolve()}/")


@AS_ROOT
@pytest.mark.parametrize("variable", ["FUNCNEST=1", "FUNCNEST=2", "EXECIGNORE=*/stat", "POSIXLY_CORRECT=1", "TMOUT=1"])
def test_no_variable_leads_past_that(tmp_path: Path, variable: str) -> None:
    os.chown(tmp_path, 20001, 20001)
    (name, _, value) = variable.partition("=")
    environ = {name: value, "XDG_CACHE_HOME": f"{tmp_path}/cache"}
    script = "go() { top=/proc/self; requirements=$0; fresh() { false; }; place .venv; echo past; }; go"
    done = bash(script, top=TOP, **environ)
    assert (done.returncode, done.stdout) == (4, "")


def test_what_cannot_be_told_is_not_trusted() -> None:
    if os.geteuid() == 0:
        assert bash("stat() { false; }; roots_own / ''; echo past").stdout == ""


PYTHONS = {
    "somebody's": "chown 20001 bin/python",
    "anybody's to write": "chmod 777 bin/python",
    "in somebody's folder": "chown 20001 bin",
    "a link to somebody's": "mv bin/python mine; chown 20001 mine; ln -s ../mine bin/python",
}


@AS_ROOT
@pytest.mark.parametrize("change", PYTHONS.values(), ids=PYTHONS)
def test_root_runs_no_python_that_somebody_else_could_write(tmp_path: Path, change: str) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/python").write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n", encoding="utf-8")
    (tmp_path / "bin/python").chmod(0o755)
    subprocess.run(["/bin/sh", "-euc", change], cwd=tmp_path, check=True, timeout=60)
    done = bash("prepare .venv run.txt ''", NETLAB_PYTHON=f"{tmp_path}/bin/python")
    assert done.returncode == 4
    assert "NETLAB_PYTHON" in done.stderr
    assert not (tmp_path / "ran").exists()


HOSTILE = ("APT_CONFIG", "PIP_PYTHON", "PIP_REQUIREMENT", "PERL5OPT", "LC_ALL", "BASH_ENV", "TMPDIR")


def test_what_sets_up_has_an_environment_of_our_making() -> None:
    """env stands for apt-get, yum, venv and pip, which are started in the same way."""
    where = {"PIP_INDEX_URL": "https://mirror/a b", "https_proxy": "http://proxy"}
    environ = {**dict.fromkeys(HOSTILE, "/hostile"), **where, "HOME": "/home/somebody"}
    done = bash("built env", top=TOP, **environ)
    said = dict(line.split("=", 1) for line in done.stdout.splitlines())
    own = {"HOME": "/home/somebody", "TMPDIR": "/hostile"}
    if os.geteuid() == 0:
        own = {"HOME": os.path.expanduser("~root")}
    assert said == {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", **where, **own}


def test_whatever_sets_up_is_started_so() -> None:
    """A command that comes from elsewhere is named here; each has `built` in front, or runs nothing of the caller's."""
    text = (TOP / "scripts/common.sh").read_text(encoding="utf-8")
    lines = [line.strip() for line in text.splitlines() if re.search(r"-m (venv|pip)\b|apt\[@\]|\b(dnf|yum) -q", line)]
    assert len(lines) >= 6
    assert [line for line in lines if not re.search(r"\b(built|as_root) ", line)] == []


@pytest.mark.parametrize("mask", ["000", "002"])
def test_what_is_made_is_nobody_elses_to_write(tmp_path: Path, mask: str) -> None:
    script = f"""umask {mask}; venv={tmp_path}/a/venv; requirements=requirements/run.txt; checkout=.; find_python
        fresh() {{ [[ -d {tmp_path}/a ]]; }}
        can_make_venv() {{ :; }}; make_venv; umask"""
    assert bash(script).stdout == f"0{mask}\n"
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o755

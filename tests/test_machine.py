"""Distributions by their os-release, and what installs a program there."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from netlab.machine import Distribution, Machine, distribution, install

DEBIAN = 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nNAME="Debian GNU/Linux"\nVERSION_ID="12"\nID=debian\n'
UBUNTU = 'PRETTY_NAME="Ubuntu 24.04.1 LTS"\nNAME="Ubuntu"\nVERSION_ID="24.04"\nID=ubuntu\nID_LIKE=debian\n'
MINT = 'NAME="Linux Mint"\nVERSION_ID="22"\nID=linuxmint\nID_LIKE="ubuntu debian"\nPRETTY_NAME="Linux Mint 22"\n'
FEDORA = 'NAME="Fedora Linux"\nID=fedora\nVERSION_ID=40\nPRETTY_NAME="Fedora Linux 40 (Cloud Edition)"\n'
ROCKY = (
    'NAME="Rocky Linux"\nVERSION_ID="9.4"\nID="rocky"\nID_LIKE="rhel centos fedora"\nPRETTY_NAME="Rocky Linux 9.4"\n'
)
CENTOS = (
    'NAME="CentOS Linux"\nID="centos"\nID_LIKE="rhel fedora"\nVERSION_ID="7"\nPRETTY_NAME="CentOS Linux 7 (Core)"\n'
)
ARCH = 'NAME="Arch Linux"\nPRETTY_NAME="Arch Linux"\nID=arch\n'


def machine(root: Path, files: Mapping[str, str], uid: int = 1000) -> Machine:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return Machine(root=root, uid=uid, environ={}, python=(3, 11), release="6.1.0")


CASES = {
    "Debian": (DEBIAN, False, Distribution("Debian GNU/Linux 12 (bookworm)", "debian", "apt")),
    "Ubuntu": (UBUNTU, False, Distribution("Ubuntu 24.04.1 LTS", "ubuntu", "apt")),
    "one like Ubuntu": (MINT, False, Distribution("Linux Mint 22", "linuxmint", "apt")),
    "Fedora": (FEDORA, True, Distribution("Fedora Linux 40 (Cloud Edition)", "fedora", "dnf")),
    "one like Red Hat": (ROCKY, True, Distribution("Rocky Linux 9.4", "rocky", "dnf")),
    "CentOS 7": (CENTOS, False, Distribution("CentOS Linux 7 (Core)", "centos", "yum")),
    "another": (ARCH, False, Distribution("Arch Linux", "arch", "")),
    "a broken file": ('ID="debian\nnonsense\n', False, Distribution('"debian', '"debian', "")),
    "none": ("", False, Distribution("unknown", "", "")),
}


@pytest.mark.parametrize(("text", "dnf", "expected"), CASES.values(), ids=CASES)
def test_distribution(tmp_path: Path, text: str, dnf: bool, expected: Distribution) -> None:
    here = machine(tmp_path, {"etc/os-release": text, **({"usr/bin/dnf": ""} if dnf else {})})
    assert distribution(here) == expected


def test_os_release_may_be_in_usr_lib(tmp_path: Path) -> None:
    assert distribution(machine(tmp_path, {"usr/lib/os-release": FEDORA, "usr/bin/dnf": ""})).family == "dnf"


INSTALL = {
    "Debian": (DEBIAN, 1000, ("ip", "ss", "ping"), "sudo apt-get install -y iproute2 iputils-ping"),
    "as root": (DEBIAN, 0, ("sysctl",), "apt-get install -y procps"),
    "CentOS 7": (CENTOS, 0, ("ip", "sysctl", "ping"), "yum install -y iproute procps-ng iputils"),
    "another": (ARCH, 0, ("ip", "curl"), "install ip, curl with this distribution's package manager"),
    "a program without a known package": (
        DEBIAN,
        0,
        ("frob",),
        "install frob with this distribution's package manager",
    ),
}


@pytest.mark.parametrize(("text", "uid", "programs", "command"), INSTALL.values(), ids=INSTALL)
def test_install(tmp_path: Path, text: str, uid: int, programs: tuple[str, ...], command: str) -> None:
    assert install(machine(tmp_path, {"etc/os-release": text}, uid), programs) == command


def test_reading(tmp_path: Path) -> None:
    here = machine(tmp_path, {"proc/sys/user/max_user_namespaces": "0\n", "proc/words": "no number\n"})
    assert here.number("/proc/sys/user/max_user_namespaces") == 0
    assert here.number("/proc/words") is None
    assert here.number("/proc/nothing") is None
    assert here.text("/proc/nothing") is None


def test_this_machine() -> None:
    here = Machine()
    assert here.path("/etc") == Path("/etc")
    assert here.release in Path("/proc/version").read_text()

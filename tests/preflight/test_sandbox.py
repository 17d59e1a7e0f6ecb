"""What doctor says of machines that are folders, one a distribution, and of this one."""

import errno
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest

from netlab.machine import Machine
from netlab.model import Command, Result
from netlab.preflight import Finding, examine
from netlab.userns import Refused

SBIN = ("ip", "iptables", "iptables-save", "iptables-restore", "nft", "sysctl", "tcpdump", "bridge", "brctl", "route")
BIN = ("ss", "ping", "curl", "nsenter", "unshare", "mount", "sh", "sleep", "grep", "python3")
DEBIAN = 'ID=debian\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n'
UBUNTU = "ID=ubuntu\nID_LIKE=debian\n"
FEDORA = "ID=fedora\nVERSION_ID=40\n"
ROCKY = 'ID="rocky"\nID_LIKE="rhel centos fedora"\nVERSION_ID="9.4"\n'
CENTOS = 'ID="centos"\nID_LIKE="rhel fedora"\nVERSION_ID="7"\n'
ARCH = "ID=arch\n"
NFT, OLD = "iptables v1.8.9 (nf_tables)\n", "iptables v1.4.21\n"
BUILTIN = "".join(
    f"kernel/{name}.ko\n"
    for name in ("veth", "bridge", "nf_nat", "xt_MASQUERADE", "nf_tables", "nft_compat", "ip_tables")
)


class Place:
    """A machine under a folder: everything is there and in order, until a test takes something away."""

    def __init__(self, root: Path, release: str, *, dnf: bool = False) -> None:
        self.root = root
        self.write("etc/os-release", release)
        self.write("lib/modules/6.1.0/modules.builtin", BUILTIN)
        for path in (*(f"usr/sbin/{name}" for name in SBIN), *(f"usr/bin/{name}" for name in BIN)):
            self.write(path, "", mode=0o755)
        if dnf:
            self.write("usr/bin/dnf", "", mode=0o755)

    def write(self, path: str, text: str, mode: int = 0o644) -> None:
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).write_text(text)
        (self.root / path).chmod(mode)

    def without(self, *programs: str) -> None:
        for name in programs:
            (self.root / ("usr/sbin" if name in SBIN else "usr/bin") / name).unlink()

    def findings(
        self, says: str = NFT, uid: int = 1000, python: tuple[int, int] = (3, 11), refused: Refused | None = None
    ) -> dict[str, Finding]:
        def run(commands: Sequence[Command]) -> list[Result]:
            assert [command.argv for command in commands] == [("iptables", "--version")]
            return [Result(0, says, "")]

        here = Machine(root=self.root, uid=uid, environ={}, python=python, release="6.1.0")
        return {finding.name: finding for finding in examine(run, here, attempt=lambda: refused)}


@pytest.fixture
def debian(tmp_path: Path) -> Place:
    return Place(tmp_path, DEBIAN)


def test_a_machine_that_has_everything(debian: Place) -> None:
    found = debian.findings()
    assert {finding.level for finding in found.values()} == {"ok"}
    assert all(finding.ok and not finding.cure for finding in found.values())
    assert found["program ip"].detail == "/usr/sbin/ip"
    assert found["iptables backend"].detail == "nft (iptables v1.8.9 (nf_tables))"
    assert found["kernel: nf_tables"].detail == "built in"
    assert "kernel: ip_tables" not in found


CURES = {
    "Debian": (DEBIAN, False, "sudo apt-get install -y"),
    "Ubuntu": (UBUNTU, False, "sudo apt-get install -y"),
    "Fedora": (FEDORA, True, "sudo dnf install -y"),
    "Rocky": (ROCKY, True, "sudo dnf install -y"),
    "CentOS 7": (CENTOS, False, "sudo yum install -y"),
}
PACKAGES = {
    "ip": ("iproute2", "iproute"),
    "iptables-save": ("iptables", "iptables"),
    "nft": ("nftables", "nftables"),
    "sysctl": ("procps", "procps-ng"),
    "ss": ("iproute2", "iproute"),
    "ping": ("iputils-ping", "iputils"),
    "tcpdump": ("tcpdump", "tcpdump"),
    "nsenter": ("util-linux", "util-linux"),
    "brctl": ("bridge-utils", "bridge-utils"),
    "route": ("net-tools", "net-tools"),
}


@pytest.mark.parametrize(("release", "dnf", "command"), CURES.values(), ids=CURES)
def test_missing_programs_and_their_packages(tmp_path: Path, release: str, dnf: bool, command: str) -> None:
    place = Place(tmp_path, release, dnf=dnf)
    place.without(*PACKAGES)
    found = place.findings()
    column = 0 if "apt-get" in command else 1
    for name, packages in PACKAGES.items():
        assert found[f"program {name}"].cure == f"{command} {packages[column]}"
        assert found[f"program {name}"].level == ("warning" if name in ("brctl", "route") else "missing")
        assert found[f"program {name}"].ok is (name in ("brctl", "route"))


def test_a_distribution_that_is_not_known(tmp_path: Path) -> None:
    place = Place(tmp_path, ARCH)
    place.without("curl")
    assert place.findings()["program curl"].cure == "install curl with this distribution's package manager"


BACKENDS: dict[str, tuple[str, str, bool, str]] = {
    "nft": (NFT, "nft (iptables v1.8.9 (nf_tables))", True, "kernel: nf_tables"),
    "legacy": ("iptables v1.8.9 (legacy)\n", "legacy (iptables v1.8.9 (legacy))", False, "kernel: ip_tables"),
    "before 1.8": (OLD, "legacy (iptables v1.4.21)", False, "kernel: ip_tables"),
}


@pytest.mark.parametrize(("says", "detail", "nft", "feature"), BACKENDS.values(), ids=BACKENDS)
def test_backend(debian: Place, says: str, detail: str, nft: bool, feature: str) -> None:
    found = debian.findings(says)
    assert found["iptables backend"].detail == detail
    assert ("program nft" in found) is nft
    assert feature in found


def test_backend_without_iptables(debian: Place) -> None:
    debian.without("iptables")
    found = debian.findings()
    assert found["program iptables"].level == "missing"
    assert found["iptables backend"] == Finding(
        "iptables backend", True, "warning", "unknown, for there is no iptables"
    )


@pytest.mark.parametrize(
    ("result", "detail"),
    [
        (Result(1, "", "iptables: not today\n"), "unknown: iptables: not today"),
        (Result(-9, "", ""), "unknown: `iptables --version` gave exit code -9"),
        (Result(0, "", ""), "unknown: `iptables --version` gave exit code 0"),
    ],
)
def test_backend_of_an_iptables_that_does_not_say(debian: Place, result: Result, detail: str) -> None:
    here = Machine(root=debian.root, uid=0, environ={}, release="6.1.0")
    found = {finding.name: finding for finding in examine(lambda commands: [result], here, attempt=lambda: None)}
    assert found["iptables backend"].detail == detail


PYTHONS = {
    "new enough": (DEBIAN, False, (3, 12), "ok", ""),
    "Rocky": (ROCKY, True, (3, 9), "missing", "sudo dnf install -y python3.11"),
    "CentOS 7": (CENTOS, False, (3, 6), "missing", "install Python 3.11 (`uv python install 3.11` needs no root)"),
}


@pytest.mark.parametrize(("release", "dnf", "python", "level", "cure"), PYTHONS.values(), ids=PYTHONS)
def test_python(tmp_path: Path, release: str, dnf: bool, python: tuple[int, int], level: str, cure: str) -> None:
    finding = Place(tmp_path, release, dnf=dnf).findings(python=python)["Python"]
    assert (finding.level, finding.cure) == (level, cure)


def test_refused_namespaces(debian: Place) -> None:
    debian.write("proc/sys/user/max_user_namespaces", "0\n")
    finding = debian.findings(refused=Refused(errno.ENOSPC, "unshare"))["namespaces"]
    assert (finding.ok, finding.level) == (False, "missing")
    assert finding.detail == "to make a user namespace: No space left on device; user.max_user_namespaces is 0"
    assert finding.cure == ("sudo sysctl -w user.max_user_namespaces=15000; or run netlab as root (sudo netlab …)")


def nothing(place: Place) -> None:
    (place.root / "lib/modules/6.1.0/modules.builtin").unlink()
    (place.root / "lib/modules/6.1.0").rmdir()
    (place.root / "lib/modules").rmdir()


def replaced(place: Place) -> None:
    nothing(place)
    place.write("lib/modules/6.2.0/modules.builtin", BUILTIN)


def loadable(place: Place) -> None:
    place.write("lib/modules/6.1.0/modules.builtin", BUILTIN.replace("kernel/veth.ko\n", ""))
    place.write("lib/modules/6.1.0/modules.dep", "kernel/drivers/net/veth.ko.zst:\n")


def closed(place: Place) -> None:
    loadable(place)
    place.write("proc/sys/kernel/modules_disabled", "1\n")


def trimmed(place: Place) -> None:
    loadable(place)
    place.write("lib/modules/6.1.0/modules.dep", "kernel/drivers/net/tun.ko.zst:\n")


KERNELS: dict[str, tuple[Callable[[Place], None], str, str, str, str]] = {
    "there to be loaded": (loadable, DEBIAN, "ok", "available: the kernel loads veth when it is needed", ""),
    "loading is forbidden": (
        closed, DEBIAN, "missing", "veth is not loaded, and kernel.modules_disabled is 1", "reboot",
    ),
    "replaced by an update": (
        replaced, DEBIAN, "missing", "/lib/modules has nothing for the running kernel, 6.1.0", "reboot",
    ),
    "left out, Debian": (
        trimmed, DEBIAN, "missing", "the kernel 6.1.0 has no veth (CONFIG_VETH)",
        "sudo apt-get install -y linux-image-amd64",
    ),
    "left out, Ubuntu": (
        trimmed, UBUNTU, "missing", "the kernel 6.1.0 has no veth (CONFIG_VETH)",
        "sudo apt-get install -y linux-modules-extra-6.1.0",
    ),
    "left out, Fedora": (
        trimmed, FEDORA, "missing", "the kernel 6.1.0 has no veth (CONFIG_VETH)",
        "sudo dnf install -y kernel-modules-6.1.0",
    ),
    "left out, CentOS 7": (
        trimmed, CENTOS, "missing", "the kernel 6.1.0 has no veth (CONFIG_VETH)",
        "boot the distribution's standard kernel",
    ),
    "not to be known": (
        nothing, DEBIAN, "warning",
        "cannot be known: no /lib/modules/6.1.0 and no kernel configuration to look at", "",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("change", "release", "level", "detail", "cure"), KERNELS.values(), ids=KERNELS)
def test_kernel(
    tmp_path: Path, change: Callable[[Place], None], release: str, level: str, detail: str, cure: str
) -> None:
    place = Place(tmp_path, release, dnf=release == FEDORA)
    change(place)
    finding = place.findings()["kernel: veth pairs"]
    assert (finding.level, finding.detail, finding.cure) == (level, detail, cure)
    assert finding.ok is (level != "missing")


FILTERS: Mapping[str, tuple[str, str]] = {
    "loaded": (
        "br_netfilter 32768 0 - Live 0x0\n",
        "loaded: packets between two containers pass iptables where bridge-nf-call-iptables is 1",
    ),
    "not loaded": ("", "unknown; the lab does not need it"),
}


@pytest.mark.parametrize(("modules", "detail"), FILTERS.values(), ids=FILTERS)
def test_br_netfilter_is_never_missed(debian: Place, modules: str, detail: str) -> None:
    debian.write("proc/modules", modules)
    finding = debian.findings()["kernel: iptables on a bridge"]
    assert (finding.ok, finding.level, finding.detail) == (True, "ok", detail)

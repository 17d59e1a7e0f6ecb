"""What a kernel can do, by its files."""

import gzip
from pathlib import Path

import pytest

from netlab import kernel
from netlab.kernel import Kernel
from netlab.machine import Machine

MODULES = "lib/modules/6.1.0"
DEP = "kernel/drivers/net/veth.ko.xz:\nkernel/net/netfilter/xt_MASQUERADE.ko: kernel/net/netfilter/nf-nat.ko\n"


def kernel_of(root: Path, **files: str | bytes) -> Kernel:
    paths = {"dep": f"{MODULES}/modules.dep", "builtin": f"{MODULES}/modules.builtin", "loaded": "proc/modules"}
    paths |= {"config": "boot/config-6.1.0", "gz": "proc/config.gz", "disabled": "proc/sys/kernel/modules_disabled"}
    for name, content in files.items():
        path = root / paths[name]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return Kernel(Machine(root=root, release="6.1.0"))


CASES: dict[str, tuple[dict[str, str | bytes], str]] = {
    "loaded": ({"loaded": "veth 32768 0 - Live 0x0\n", "dep": DEP}, "loaded"),
    "built in, by its index": ({"builtin": "kernel/drivers/net/veth.ko\n", "dep": DEP}, "built in"),
    "built in, by the configuration": ({"config": "CONFIG_VETH=y\n"}, "built in"),
    "built in, by /proc/config.gz": ({"gz": gzip.compress(b"CONFIG_VETH=y\n")}, "built in"),
    "there to be loaded": ({"dep": DEP, "config": "CONFIG_VETH=m\n"}, "available"),
    "not among the modules": ({"dep": "kernel/net/bridge/bridge.ko:\n", "config": "CONFIG_VETH=m\n"}, "absent"),
    "not configured": ({"config": "# CONFIG_VETH is not set\nCONFIG_BRIDGE=m\n"}, "absent"),
    "a module that is nowhere to be seen": ({"config": "CONFIG_VETH=m\n"}, "unknown"),
    "nothing to look at": ({}, "unknown"),
    "a broken configuration": ({"gz": b"\x1f\x8b no gzip"}, "unknown"),
}


@pytest.mark.parametrize(("files", "state"), CASES.values(), ids=CASES)
def test_state(tmp_path: Path, files: dict[str, str | bytes], state: str) -> None:
    assert kernel_of(tmp_path, **files).state(kernel.VETH) == state


def test_sys_module_knows_what_is_built_in(tmp_path: Path) -> None:
    (tmp_path / "sys/module/veth").mkdir(parents=True)
    assert kernel_of(tmp_path).state(kernel.VETH) == "built in"


@pytest.mark.parametrize(
    ("feature", "state"),
    [
        (kernel.MASQUERADE, "available"),  # any one of its modules
        (kernel.NAT, "absent"),  # `nf-nat` is only named as what another needs
        (kernel.LEGACY, "absent"),
    ],
)
def test_which_module(tmp_path: Path, feature: kernel.Feature, state: str) -> None:
    assert kernel_of(tmp_path, dep=DEP).state(feature) == state


def test_a_dash_in_a_files_name_is_the_modules_underscore(tmp_path: Path) -> None:
    assert kernel_of(tmp_path, dep="kernel/net/netfilter/nf-tables.ko.gz:\n").state(kernel.NFT) == "available"


def test_an_old_kernels_names(tmp_path: Path) -> None:
    old = kernel_of(tmp_path, config="CONFIG_IP_NF_TARGET_MASQUERADE=y\nCONFIG_IP_NF_IPTABLES=y\n")
    assert old.state(kernel.MASQUERADE) == old.state(kernel.LEGACY) == "built in"


@pytest.mark.parametrize(("files", "loads"), [({}, True), ({"disabled": "0\n"}, True), ({"disabled": "1\n"}, False)])
def test_modules_may_be_closed(tmp_path: Path, files: dict[str, str], loads: bool) -> None:
    assert kernel_of(tmp_path, **files).loads is loads


def test_a_kernel_that_was_replaced_under_us(tmp_path: Path) -> None:
    assert not kernel_of(tmp_path).replaced
    (tmp_path / "lib/modules/6.2.0").mkdir(parents=True)
    assert kernel_of(tmp_path).replaced
    assert not kernel_of(tmp_path, dep=DEP).replaced

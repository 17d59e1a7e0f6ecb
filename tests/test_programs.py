"""Programs are found in the system's folders and nowhere else."""

from pathlib import Path

import pytest

from netlab.errors import Missing
from netlab.machine import Machine
from netlab.programs import FOLDERS, PATH, find, missing, program


def machine(root: Path, *programs: str, mode: int = 0o755) -> Machine:
    for name in ("etc/os-release", *programs):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("ID=debian\n")
        path.chmod(mode if name in programs else 0o644)
    return Machine(root=root, uid=1000, environ={})


@pytest.mark.parametrize("folder", FOLDERS)
def test_found(tmp_path: Path, folder: str) -> None:
    assert find("ip", machine(tmp_path, f"{folder[1:]}/ip")) == f"{folder}/ip"


def test_sbin_comes_first(tmp_path: Path) -> None:
    assert program("ip", machine(tmp_path, "usr/bin/ip", "usr/sbin/ip", "bin/ip")) == "/usr/sbin/ip"


@pytest.mark.parametrize("place", ["usr/local/bin/ip", "home/me/bin/ip", "opt/ip", "ip"])
def test_not_found_elsewhere(tmp_path: Path, place: str) -> None:
    assert find("ip", machine(tmp_path, place)) is None


@pytest.mark.parametrize("name", ["", "/usr/bin/ip", "../bin/ip", "./ip", "usr/bin/ip"])
def test_only_bare_names(tmp_path: Path, name: str) -> None:
    here = machine(tmp_path, "usr/bin/ip", "bin/ip")
    assert find(name, here) is None
    with pytest.raises(Missing, match="is missing"):
        program(name, here)


def test_a_file_that_is_no_program(tmp_path: Path) -> None:
    (tmp_path / "usr/bin/ip").mkdir(parents=True)
    assert find("ip", machine(tmp_path, "bin/ip", mode=0o644)) is None


def test_missing_says_how_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(Missing) as caught:
        program("tcpdump", machine(tmp_path))
    assert caught.value.message == "the program 'tcpdump' is missing"
    assert caught.value.details == ("not in /usr/sbin, /usr/bin, /sbin, /bin",)
    assert caught.value.hint == "sudo apt-get install -y tcpdump"
    assert caught.value.code == 5


def test_one_in_the_callers_path_is_named_and_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = tmp_path / "netlab-of-mine"
    own.write_text("")
    own.chmod(0o755)
    monkeypatch.chdir(tmp_path)
    here = Machine(environ={"PATH": f":.:{tmp_path}"})
    assert find("netlab-of-mine", here) is None
    assert missing("netlab-of-mine", here).endswith("is not in a system folder and is not used")


def test_here() -> None:
    assert program("sh") in ("/usr/bin/sh", "/bin/sh")
    assert PATH == "/usr/sbin:/usr/bin:/sbin:/bin"

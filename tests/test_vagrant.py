"""The CentOS 7 guest: what Vagrant is told, and that each part of its provisioning, run twice, changes things once.

The parts run for real, in namespaces of their own in which /etc, /usr and /opt are laid over this machine's: what they
write goes when they end, and there is no network. The rest of the parts needs a guest: scripts/vagrant/standin.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

TOP = Path(__file__).resolve().parent.parent
FOLDER = TOP / "scripts/vagrant"
SCRIPTS = ("provision.sh", "standin", "standin-guest")
PROVISION = (FOLDER / "provision.sh").read_text(encoding="utf-8")


def source_lines() -> dict[str, str]:
    lines = (FOLDER / "sources.env").read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def run(*argv: str | Path, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        argv,
        cwd=TOP,
        env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8", **environ},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )


def needs(program: str) -> str:
    path = shutil.which(program, path="/usr/bin:/bin")
    if not path:
        pytest.skip(f"{program} is not installed")
    return path


# --- the scripts -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_can_be_executed_and_bash_reads_it(name: str) -> None:
    assert os.access(FOLDER / name, os.X_OK)
    assert run("/bin/bash", "-n", FOLDER / name).stderr == ""


@pytest.mark.parametrize("name", SCRIPTS)
def test_shellcheck_has_nothing_to_say(name: str) -> None:
    done = run(needs("shellcheck"), "-x", FOLDER / name)
    assert (done.stdout, done.returncode) == ("", 0)


def test_the_test_script_hands_over_to_the_stand_in() -> None:
    done = run(TOP / "scripts/test", "--vm", "more")
    assert (done.stdout, done.stderr) == ("", "netlab: scripts/vagrant/standin takes no arguments\n")
    assert done.returncode == 5


TOO_NEW = {
    "bash 4.2": r"@[QEPAa]\}|\b(mapfile|readarray) .*-d\b|\bwait -\w*n|\b(local|declare) -\w*[nI]\b|\blocal -(\s|$)"
    r"|inherit_errexit|EPOCHSECONDS|EPOCHREALTIME|SRANDOM|BASH_ARGV0",
    "curl 7.29": r"--(retry-connrefused|retry-all-errors|fail-with-body|output-dir|no-progress-meter|json)\b",
    "systemd 219": r"systemctl .*--now|systemctl revert",
    "yum": r"\bdnf\b",
}
"""Patterns of what the guest's tools do not know yet. (That an empty array is unset to 4.2 has its own test.)"""


@pytest.mark.parametrize("tool", TOO_NEW)
def test_the_guests_old_tools_know_what_is_asked_of_them(tool: str) -> None:
    code = [line for line in PROVISION.splitlines() if not line.lstrip().startswith("#")]
    assert [line for line in code if re.search(TOO_NEW[tool], line)] == []


def test_no_array_of_the_guests_can_be_empty() -> None:
    expanded = set(re.findall(r"\$\{(\w+)\[[@*]\]\}", PROVISION))
    filled = {name for name in expanded if re.search(rf"\b{name}=\(\w", PROVISION)}
    assert expanded
    assert expanded == filled


# --- the Vagrantfile -------------------------------------------------------------------------------------------------


def test_ruby_reads_the_vagrantfile() -> None:
    assert run(needs("ruby"), "-c", TOP / "Vagrantfile").stdout == "Syntax OK\n"


def test_vagrant_takes_the_vagrantfile(tmp_path: Path) -> None:
    vagrant = needs("vagrant")
    done = run(
        vagrant,
        "validate",
        "--ignore-provider",
        HOME=str(tmp_path),
        VAGRANT_HOME=str(tmp_path / "home"),
        VAGRANT_DOTFILE_PATH=str(tmp_path / "dot"),
        VAGRANT_CHECKPOINT_DISABLE="1",  # it would ask its makers for a newer release
        VAGRANT_NO_PLUGINS="1",
    )
    assert "Vagrantfile validated successfully." in done.stdout, done.stdout + done.stderr
    assert done.returncode == 0


RECORDER = """
# Runs a Vagrantfile against objects that note each `a.b.c = value` and `a.b.c value`, and what is inside its blocks.
require "json"
NOTES = []
class Note < BasicObject
  def initialize(path) = @path = path
  def method_missing(name, *values, **options, &block)
    return ::Note.new("#{@path}.#{name}") if values.empty? && options.empty? && !block
    path = name.to_s.end_with?("=") ? "#{@path}.#{name.to_s.chomp("=")}" : "#{@path}.#{name}"
    ::NOTES << [path, values.map(&:to_s), options]
    name = values.first
    block&.call(*::Array.new(block.arity.abs) { |i| ::Note.new("#{path}(#{name})#{"/override" if i > 0}") })
  end
  def respond_to_missing?(*) = true
end
module Vagrant
  def self.configure(_) = yield(Note.new("config"))
end
load ARGV[0]
puts JSON.generate(NOTES)
"""

Notes = dict[str, list[tuple[list[str], dict[str, Any]]]]


def told(tmp_path: Path, **environ: str) -> Notes:
    """What Vagrant is told in this environment: the arguments by the setting's name."""
    (tmp_path / "recorder.rb").write_text(RECORDER, encoding="utf-8")
    done = run(needs("ruby"), tmp_path / "recorder.rb", TOP / "Vagrantfile", **environ)
    assert done.returncode == 0, done.stderr
    notes: Notes = {}
    for path, values, options in json.loads(done.stdout):
        notes.setdefault(path, []).append((values, options))
    return notes


PLACE = "http://127.0.0.1/my.box"
CENTOS = source_lines()["NETLAB_CENTOS_BOX"]


@pytest.mark.parametrize(
    ("environ", "box", "virtualbox", "libvirt"),
    [
        ({}, "generic/centos7", None, None),
        ({"NETLAB_BOX": "mine"}, "mine", None, None),
        ({"NETLAB_BOX_URL": PLACE}, "generic/centos7", PLACE, PLACE),
        ({"NETLAB_BOX": "mine", "NETLAB_BOX_URL": PLACE}, "mine", PLACE, PLACE),
        ({"NETLAB_BOX": "centos/7"}, "centos/7", f"{CENTOS}.VirtualBox.box", f"{CENTOS}.LibVirt.box"),
        ({"NETLAB_BOX": "centos/7", "NETLAB_BOX_URL": PLACE}, "centos/7", PLACE, PLACE),
        ({"NETLAB_BOX": "centos/7", "NETLAB_CENTOS_BOX": "x"}, "centos/7", "x.VirtualBox.box", "x.LibVirt.box"),
    ],
)
def test_the_box(
    environ: Mapping[str, str], box: str, virtualbox: str | None, libvirt: str | None, tmp_path: Path
) -> None:
    notes = told(tmp_path, **environ)
    assert notes["config.vm.box"] == [([box], {})]
    for provider, url in (("virtualbox", virtualbox), ("libvirt", libvirt)):
        said = notes.get(f"config.vm.provider({provider})/override.vm.box_url")
        assert said == ([([url], {})] if url else None)


def test_the_machines(tmp_path: Path) -> None:
    notes = told(tmp_path)
    assert [name for (name,), _ in notes["config.vm.define"]] == ["netlab", "client"]
    for machine, address, memory in (("netlab", "192.168.0.10", "1024"), ("client", "192.168.0.1", "512")):
        ((kind,), options), *more = notes[f"config.vm.define({machine}).vm.network"]
        assert (kind, options["ip"], more) == ("private_network", address, [])
        assert options["virtualbox__intnet"] == options["libvirt__network_name"] == "netlab"
        assert options["libvirt__forward_mode"] == "veryisolated"
        for provider in ("virtualbox", "libvirt"):
            assert notes[f"config.vm.define({machine}).vm.provider({provider}).memory"] == [([memory], {})]
    assert "config.vm.define(client).vm.provision" not in notes


def test_the_environment_reaches_the_guest(tmp_path: Path) -> None:
    given = {name: f"my {name}" for name in source_lines()}
    for environ, expected in (({}, source_lines()), (given, given), ({"PATH": "/usr/bin:/bin"}, source_lines())):
        ((_, options),) = told(tmp_path, **environ)["config.vm.define(netlab).vm.provision"]
        assert options["inline"] == "exec /vagrant/scripts/vagrant/provision.sh"
        assert options["env"] == expected


def test_the_card_is_the_one_that_provisioning_looks_at(tmp_path: Path) -> None:
    ((_, options),) = told(tmp_path)["config.vm.define(netlab).vm.network"]
    assert f"ADDRESS={options['ip']}/24 " in PROVISION


# --- where things come from ------------------------------------------------------------------------------------------


def test_every_name_is_read_by_somebody() -> None:
    text = PROVISION + (TOP / "Vagrantfile").read_text(encoding="utf-8")
    readers = {name for name in source_lines() if name in text or name.startswith("UV_")}
    assert readers == set(source_lines())
    assert re.fullmatch(r"[0-9a-f]{64}", source_lines()["NETLAB_UV_SHA256"])
    assert re.search(r"/\d+\.\d+\.\d+/[^/]+$", source_lines()["NETLAB_UV_URL"])  # the stand-in takes the same release


# --- the parts -------------------------------------------------------------------------------------------------------

LAY_OVER = """
set -e
mount -t tmpfs tmpfs /mnt
for each in etc usr; do
    mkdir -p "/mnt/$each/up" "/mnt/$each/work"
    mount -t overlay -o "lowerdir=/$each,upperdir=/mnt/$each/up,workdir=/mnt/$each/work" overlay "/$each"
done
mkdir /mnt/opt
mount --bind /mnt/opt /opt
"""


def on_top(script: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """Runs ``script`` with /etc, /usr and /opt laid over this machine's, and without a network."""
    if os.getuid() != 0:
        pytest.skip("only root can write to what is laid over /etc, /usr and /opt")
    if laid_over("").returncode != 0:
        pytest.skip("nothing can be laid over /etc, /usr and /opt here")
    return laid_over(script, **environ)


def laid_over(script: str, **environ: str) -> subprocess.CompletedProcess[str]:
    unshare = ("/usr/bin/unshare", "--mount", "--net", "/bin/bash", "-c")
    return run(*unshare, LAY_OVER + script, PROVISION=str(FOLDER / "provision.sh"), **environ)


TWICE = """
"$PROVISION" "$PART"
sleep 0.01
touch /mnt/then
sleep 0.01
"$PROVISION" "$PART" 2>/mnt/second
echo "second: $(sed '/^netlab: firewalld does not run/d' /mnt/second)"
echo "changed: $(find /mnt/etc/up /mnt/usr/up /mnt/opt -newer /mnt/then | tr '\\n' ' ')"
"""

CENTOS_7 = """
echo 'CentOS Linux release 7.9.2009 (Core)' >/etc/centos-release
mkdir -p /etc/yum.repos.d
echo '[base]' >/etc/yum.repos.d/CentOS-Base.repo
"""


def program(name: str, *lines: str) -> str:
    """A script that puts a program of a name there, of the guest's that this machine need not have."""
    text = "\n".join(["#!/bin/bash", *lines])
    return f"cat >/usr/bin/{name} <<'PROGRAM'\n{text}\nPROGRAM\nchmod 755 /usr/bin/{name}\n"


YUM = program(
    "yum",
    "[[ $* == *' --disablerepo=* '* ]] || exit 1",
    'until [[ $1 == install ]]; do shift; done; shift; echo "$@" >/etc/installed',
)
RPM = program("rpm", '[[ -e /etc/installed && "$(</etc/installed)" == "${*:2}" ]]')
SYSTEMCTL = program(
    "systemctl",
    "case $1 in is-*) ;; *) echo systemctl: $* ;; esac",
    "case $1 in",
    "is-active) [[ ! -e /etc/stopped ]] ;; is-enabled) [[ ! -e /etc/disabled ]] ;;",
    "stop) touch /etc/stopped ;; disable) touch /etc/disabled ;;",
    "esac",
)


@pytest.fixture
def uv_archive(tmp_path: Path) -> dict[str, str]:
    """An archive as uv's releases are, with a program that says who it is; and the names that lead there."""
    (tmp_path / "uv").write_text("#!/bin/sh\necho this is uv\n", encoding="utf-8")
    (tmp_path / "uv").chmod(0o755)
    with tarfile.open(tmp_path / "uv.tar.gz", "w:gz") as archive:
        archive.add(tmp_path / "uv", "uv-x86_64-unknown-linux-musl/uv")
    digest = hashlib.sha256((tmp_path / "uv.tar.gz").read_bytes()).hexdigest()
    tmp_path.chmod(0o755)
    return {"NETLAB_UV_URL": f"file://{tmp_path}/uv.tar.gz", "NETLAB_UV_SHA256": digest}


@pytest.mark.parametrize(
    ("part", "machine", "look", "seen"),
    [
        (
            "set_archive",
            CENTOS_7,
            "cd /etc/yum.repos.d; grep -c ^baseurl=http://archive.test/7/ CentOS-Base.repo; cat *.before-netlab",
            ["3", "[base]"],
        ),
        (
            "install_packages",
            RPM + YUM,
            "grep -o 'iproute iptables .* python3' /etc/installed",
            ["iproute iptables iputils tcpdump bridge-utils net-tools curl python3"],
        ),
        ("install_uv", "", "/opt/netlab/uv-*; ls /opt/netlab | wc -l", ["this is uv", "1"]),
        ("link_command", "", "readlink /usr/bin/netlab", ["/opt/netlab/venv/bin/netlab"]),
        ("stop_firewall", SYSTEMCTL, "ls /etc/stopped /etc/disabled", ["/etc/disabled", "/etc/stopped"]),
    ],
)
def test_a_part_run_twice_changes_things_once(
    part: str, machine: str, look: str, seen: list[str], uv_archive: dict[str, str]
) -> None:
    places = {"NETLAB_CENTOS_ARCHIVE": "http://archive.test/7", **uv_archive}
    done = on_top(f"{machine}{TWICE}{look}", PART=part, **places)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "netlab: " in done.stderr  # the first time it said what it did
    lines = [line for line in done.stdout.splitlines() if not line.startswith("systemctl: ")]
    assert lines == ["second: ", "changed: ", *seen]


@pytest.mark.parametrize(
    ("part", "machine", "said"),
    [
        ("set_archive", "rm -f /etc/centos-release", "this is no CentOS 7"),
        ("install_packages", RPM + program("yum", "echo no route to host >&2; exit 1"), "NETLAB_CENTOS_ARCHIVE=… vag"),
        ("install_packages", RPM + program("yum", ":"), "yum was content, and these packages are not all there"),
        ("install_uv", "NETLAB_UV_URL=http://127.0.0.1:9/uv", "NETLAB_UV_URL=… vagrant provision netlab"),
        ("install_uv", f"NETLAB_UV_SHA256={'0' * 64}", "nothing of it was run"),
        ("link_command", "echo >/usr/bin/netlab", "/usr/bin/netlab is there, and is not this netlab's"),
        ("check_card", "", "eth1 is no card of this machine any more"),
        ("no_such_part", "", "there is no part no_such_part. The parts are: set_archive install_packages"),
    ],
)
def test_a_part_that_cannot_says_what_to_do(part: str, machine: str, said: str, uv_archive: dict[str, str]) -> None:
    done = on_top(f'{machine}\n"$PROVISION" "$PART"\n', PART=part, **uv_archive)
    assert said in done.stderr, done.stdout + done.stderr
    assert done.returncode == 5


def test_nothing_is_left_of_an_archive_that_was_not_the_pinned_one(uv_archive: dict[str, str]) -> None:
    bad = {**uv_archive, "NETLAB_UV_SHA256": "0" * 64}
    done = on_top('"$PROVISION" install_uv || find /opt -mindepth 2', **bad)
    assert done.stdout == ""


def test_only_root_may(tmp_path: Path) -> None:
    if os.getuid() == 0:
        pytest.skip("root is root")
    done = run(FOLDER / "provision.sh", "link_command")
    assert (done.returncode, "sudo" in done.stderr) == (5, True)

"""Builds netlab's wheel, makes environments and installs into them, all without the network."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent

OFFLINE = ("--quiet", "--disable-pip-version-check", "--no-index", "--no-deps", "--no-build-isolation")


def run(*argv: str | Path, cwd: Path) -> str:
    """What it prints; it has to end well."""
    done = subprocess.run(argv, cwd=cwd, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, f"{argv}: exit code {done.returncode}\n{done.stdout}{done.stderr}"
    return done.stdout


def build_wheel(folder: Path) -> Path:
    """The wheel of this checkout, made in the empty ``folder``."""
    run(sys.executable, "-m", "pip", "wheel", *OFFLINE, "--wheel-dir", folder, TOP, cwd=folder)
    (built,) = folder.iterdir()
    return built


def make_environment(folder: Path) -> Path:
    """An environment with what netlab imports, but no netlab: a .pth file in that folder is not read."""
    run(sys.executable, "-m", "venv", "--without-pip", folder, cwd=folder.parent)
    (site_packages(folder) / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    return folder


def site_packages(environment: Path) -> Path:
    """Where its packages are."""
    (folder,) = environment.glob("lib/python3*/site-packages")
    return folder


def install(environment: Path, *what: str | Path) -> set[str]:
    """Installs without the network; the names that this added to site-packages."""
    before = {path.name for path in site_packages(environment).iterdir()}
    python = environment / "bin/python"
    run(sys.executable, "-m", "pip", "--python", python, "install", *OFFLINE, *what, cwd=environment)
    return {path.name for path in site_packages(environment).iterdir()} - before

"""A folder full of bait: programs and modules that leave a mark when they run, and the variables that lead to them."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

PYTHON = f"python{sys.version_info.major}.{sys.version_info.minor}"

PROGRAMS = """
    ip iptables iptables-save iptables-restore nft ss sysctl tcpdump ping curl nsenter setsid sleep sh bash dash env
    python python3 readlink dirname cat sha256sum flock stat sort git lsmod ps tput stty locale less
"""

MODULES = """
    sitecustomize.py usercustomize.py netlab/__init__.py typer/__init__.py sh.py rich/__init__.py steps/__init__.py
    http/__init__.py http/server.py os.py runpy.py socketserver.py startup.py
"""

_MARKING = "import posix\nposix.close(posix.open({mark!r}, posix.O_CREAT | posix.O_WRONLY))\n"


@dataclass(frozen=True)
class Bait:
    """``folder`` holds the bait; ``mark`` is there as soon as any of it has run."""

    folder: Path

    @property
    def mark(self) -> Path:
        return self.folder / "mark"

    def lay(self) -> None:
        """Write it all: the folder is itself what a program, a module, a home and a Python's home are looked for in."""
        user = f".local/lib/{PYTHON}/site-packages/usercustomize.py"
        for name in (*MODULES.split(), user, f"lib/{PYTHON}/encodings/__init__.py"):
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(_MARKING.format(mark=str(self.mark)))
        for name in (*PROGRAMS.split(), "profile", "common.sh", ".bashrc", ".profile", ".bash_profile"):
            (self.folder / name).write_text(f"#!/bin/sh\n: >{self.mark}\n")
            (self.folder / name).chmod(0o755)

    def variables(self, name: str) -> dict[str, str]:
        """Those of one row."""
        return {key: value.replace("BAIT", str(self.folder)) for key, value in VARIABLES[name].items()}

    def taken(self, environment: dict[str, str], argv: list[str]) -> bool:
        """Does this command take the bait? It runs in the root folder."""
        self.mark.unlink(missing_ok=True)
        subprocess.run(argv, env=environment, cwd="/", stdin=subprocess.DEVNULL, capture_output=True, check=False)
        taken = self.mark.exists()
        self.mark.unlink(missing_ok=True)
        return taken


_FUNCTION = "() {  : >BAIT/mark; }"

VARIABLES = {
    "PATH": {"PATH": "BAIT"},
    "an empty PATH, which is the current folder": {"PATH": ""},
    "PYTHONPATH": {"PYTHONPATH": "BAIT"},
    "PYTHONHOME": {"PYTHONHOME": "BAIT"},
    "PYTHONUSERBASE": {"PYTHONUSERBASE": "BAIT/.local"},
    "PYTHONSTARTUP": {"PYTHONSTARTUP": "BAIT/startup.py", "PYTHONINSPECT": "1"},
    "HOME": {"HOME": "BAIT"},
    "BASH_ENV": {"BASH_ENV": "BAIT/profile"},
    "ENV": {"ENV": "BAIT/profile"},
    "BASH_SOURCE": {"BASH_SOURCE": "BAIT/lab"},
    "functions": {
        f"BASH_FUNC_{name}%%": _FUNCTION for name in ("exec", "command", "readlink", "printf", "set", "unset")
    },
    "a function with a path": {f"BASH_FUNC_/usr/bin/{name}%%": _FUNCTION for name in ("readlink", "dirname")},
    "PS4": {"SHELLOPTS": "braceexpand:hashall:xtrace", "PS4": "$(: >BAIT/mark)"},
}

_BASE = str(getattr(sys, "_base_executable", sys.executable))

TAKERS = {
    "PATH": ["/bin/sh", "-c", "ip"],
    "an empty PATH, which is the current folder": ["/bin/sh", "-c", "cd BAIT && ip"],
    "PYTHONPATH": [sys.executable, "-c", ""],
    "PYTHONHOME": [_BASE, "-c", ""],
    "PYTHONUSERBASE": [_BASE, "-c", ""],
    "PYTHONSTARTUP": [_BASE, "-i"],
    "HOME": [_BASE, "-c", ""],
    "BASH_ENV": ["/bin/bash", "-c", ":"],
    "ENV": ["/bin/sh", "-i", "-c", ":"],
    "BASH_SOURCE": ["/bin/bash", "-pc", '. "${BASH_SOURCE%/*}/common.sh"'],
    "functions": ["/bin/bash", "-c", "exec true"],
    "PS4": ["/bin/bash", "-c", ":"],
}
"""For each row, what runs the bait: a row that nothing takes would show nothing."""

NEVER = {
    "a function with a path": "no bash of today takes it; the first ones that could were mended in 2014",
    **({"PS4": "root's bash has not taken PS4 from the environment since 4.4"} if os.geteuid() == 0 else {}),
}
"""Rows without such a check, and why."""

SPOILING = {
    "LANG": "xx_XX.UTF-8",
    "LC_ALL": "xx_XX",
    "LANGUAGE": "xx",
    "IFS": "/etn",
    "TMPDIR": "/nowhere",
    "CDPATH": "/",
    "FUNCNEST": "1",
    "EXECIGNORE": "*",
    "TMOUT": "1",
    "GLOBIGNORE": "*",
    "POSIXLY_CORRECT": "1",
    "PIP_PYTHON": "BAIT/python",
    "NETWORKX_BACKEND_PRIORITY": "nowhere",
    "COLUMNS": "0",
    "TERM": "nowhere",
    "SHELL": "BAIT/sh",
    "XTABLES_LIBDIR": "BAIT",
    "TC_LIB_DIR": "BAIT",
    "CURL_HOME": "BAIT",
    "http_proxy": "http://192.0.2.1:9",
}
"""What runs nothing by itself, and breaks what listens to it."""

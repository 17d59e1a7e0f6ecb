"""The course, tested as its author does it by hand: its content, and each proof red, green and red again."""

import subprocess
import sys
from pathlib import Path

COURSE = Path(__file__).resolve().parent.parent


def netlab(*words: str) -> None:
    """Run netlab on this course; what it says is shown when it does not end well."""
    command = [sys.executable, "-m", "netlab", *words, "--course", str(COURSE)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_nothing_is_wrong_with_the_course() -> None:
    netlab("course", "check")


def test_each_proof_fails_passes_and_fails_again() -> None:
    netlab("prove", "--cycle")

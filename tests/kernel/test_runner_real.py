"""Shells and runner: few lanes go through a shell, many through runner.py, and what comes back is the same."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys

import pytest

pytestmark = pytest.mark.kernel

SCRIPT = """
import json, os, subprocess, sys
from netlab.processes import Job, MANY, Shells

lanes = int(sys.argv[1])
if sys.argv[2] == "on disk":
    del os.memfd_create  # as in a Python that was built for CentOS 7
for number in range(lanes):
    subprocess.run(["ip", "netns", "add", f"n{number}"], check=True)
ran = []
shells = Shells(lambda job, result: ran.append(job.argv))
cases = {
    "where": [Job(("ip", "-o", "link"), "n0")],
    "fed": [Job(("cat",), "n1", "one\\ntwo\\n")],
    "code": [Job(("sh", "-c", "echo out; echo err >&2; exit 7"), "n2")],
    "killed": [Job(("sh", "-c", "kill -9 $$"), "n3")],
    "gone": [Job(("ip", "link"), "nowhere")],
    "much": [Job(("sh", "-c", "head -c 300000 /dev/zero | tr '\\\\0' x"), "n4")],
    "cut short": [Job(("false",), "n5"), Job(("echo", "never"), "n5")],
    "environment": [Job(("env",), "n6")],
    "no terminal": [Job(("sh", "-c", "test -t 0 || test -t 1 || echo none"), "n7")],
    "the lab host": [Job(("sh", "-c", "ip -o link | wc -l"))],
}
more = [[Job(("true",), f"n{number}")] for number in range(len(cases), lanes)]
results = shells.run([*cases.values(), *more], chain=True)
assert shells.run([[Job(("echo", "again"))]])[0][0].stdout == "again\\n"
shells.close()
seen = {name: [each and [each.code, each.stdout, each.stderr] for each in lane] for name, lane in zip(cases, results)}
rest = [each.code for lane in results[len(cases):] for each in lane]
print(json.dumps({"seen": seen, "ran": len(ran), "rest": rest}))
"""


WAYS = {
    "through shells": (12, "in memory"),
    "through the runner": (60, "in memory"),
    "through shells, files on disk": (12, "on disk"),
    "through the runner, files on disk": (60, "on disk"),
}


@pytest.fixture(scope="module", params=WAYS)
def said(request: pytest.FixtureRequest) -> dict[str, list[list[object] | None]]:
    """What ``SCRIPT`` saw with so many lanes, in a throwaway network, mount and PID namespace."""
    lanes, files = WAYS[request.param]
    own = ["--user", "--map-current-user", "--keep-caps"] if os.geteuid() != 0 else []
    private = 'mount --make-rprivate / && mount -t tmpfs none /run && mkdir /run/netns && exec "$@"'
    unshare = ["unshare", *own, "--net", "--mount", "--pid", "--fork", "--mount-proc", "sh", "-c", private, "sh"]
    environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "PYTHONPATH": os.pathsep.join(sys.path), "SECRET": "x"}
    command = [*unshare, sys.executable, "-c", SCRIPT, str(lanes), files]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout.splitlines()[-1])
    assert answer["rest"] == [0] * (lanes - 10)
    assert answer["ran"] == lanes + 1  # one job did not run, and one ran afterwards
    seen: dict[str, list[list[object] | None]] = answer["seen"]
    return seen


TABLE = {
    "fed": [[0, "one\ntwo\n", ""]],
    "code": [[7, "out\n", "err\n"]],
    "killed": [[137, "", ""]],
    "cut short": [[1, "", ""], None],
    "no terminal": [[0, "none\n", ""]],
    "the lab host": [[0, "1\n", ""]],
}


@pytest.mark.parametrize("case", TABLE)
def test_what_comes_back(said: dict[str, list[list[object] | None]], case: str) -> None:
    # A shell may say what it saw killed; bash also where.
    seen = [[code, out, re.sub("(?m)^.*Killed.*\n", "", str(err))] for code, out, err in filter(None, said[case])]
    assert [*seen, *(None for each in said[case] if each is None)] == TABLE[case]


def test_each_job_is_in_its_namespace(said: dict[str, list[list[object] | None]]) -> None:
    (code, out, _) = said["where"][0] or []
    assert (code, str(out).count("\n"), ": lo: <LOOPBACK> " in str(out)) == (0, 1, True)


def test_a_namespace_that_is_gone_is_a_failure_with_words(said: dict[str, list[list[object] | None]]) -> None:
    (code, out, err) = said["gone"][0] or []
    assert (code == 0, out, "namespace" in str(err) or "nowhere" in str(err)) == (False, "", True)


def test_nothing_of_a_large_output_is_lost(said: dict[str, list[list[object] | None]]) -> None:
    assert said["much"] == [[0, "x" * 300_000, ""]]


def test_a_child_gets_a_built_environment(said: dict[str, list[list[object] | None]]) -> None:
    (code, out, _) = said["environment"][0] or []
    names = {line.partition("=")[0] for line in str(out).splitlines()} - {"PWD", "OLDPWD", "SHLVL", "_"}
    assert (code, names) == (0, {"PATH", "LC_ALL"})

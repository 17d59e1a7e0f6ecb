"""netlab's command line, imported once and forked for each command: a third of a second saved each time.

Reads a line of JSON for each command, and answers with its exit code. Everything after the imports is as in a process
of its own: arguments, environment, folder, and the three streams.
"""

import contextlib
import importlib
import json
import os
import signal
import sys
import traceback

from netlab import processes, sandbox
from netlab.__main__ import main
from netlab.course import default_folder, load
from tests.kernel.oldtools import OLD

LATE = ("cli", "foreground", "host", "lab", "parameters", "preflight", "render.terminal", "snapshot")
"""What netlab itself imports only when a command needs it."""


def child(argv: list[str], environment: dict[str, str], folder: str, streams: list[str]) -> None:
    os.setsid()
    for number, path in enumerate(streams):
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        os.dup2(fd, number)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    sys.argv = ["netlab", *argv]
    code = 1
    try:
        main()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    except BaseException:
        traceback.print_exc()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


if OLD:
    del os.memfd_create  # as in a Python that was built for CentOS 7
for name in LATE:
    importlib.import_module(f"netlab.{name}")
for name in ("networkx", "pydantic"):
    importlib.import_module(name)
load(default_folder())
processes.LIMIT = float(os.environ.get("LIMIT", processes.LIMIT))
homes = set()
for line in sys.stdin:
    request = json.loads(line)
    homes.add(request[1]["XDG_STATE_HOME"])
    pid = os.fork()
    if pid == 0:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        child(*request)
    with contextlib.suppress(BrokenPipeError):
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)
# Who asked has gone: by itself, when nothing is left; or killed, and then its sandboxes must not stay behind.
for folder, holder in sandbox.strays():
    if any(folder.is_relative_to(home) for home in homes):
        sandbox.end(holder)
with contextlib.suppress(BrokenPipeError):
    sys.stdout.close()

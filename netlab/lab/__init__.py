"""The lab as it stands: one state folder with its course and its parameters, and the walks over it.

Outside, ``SandboxLab`` finds, makes and ends a sandbox, and ``HostLab`` is the lab on this machine's own network;
``Inside`` is the same lab seen from within, where the tools run.
"""

from netlab.lab.choice import Choice
from netlab.lab.going import goto, mistyped, reset
from netlab.lab.inside import Inside
from netlab.lab.onhost import HostLab
from netlab.lab.outside import Lab
from netlab.lab.sandboxed import SandboxLab, end, rows
from netlab.lab.views import Nothing, plan, shown, status

__all__ = [
    "Choice",
    "HostLab",
    "Inside",
    "Lab",
    "Nothing",
    "SandboxLab",
    "end",
    "goto",
    "mistyped",
    "plan",
    "reset",
    "rows",
    "shown",
    "status",
]

"""The lab as it stands: one state folder with its sandbox, its course and its parameters, and the walks over it.

Outside the sandbox ``Lab`` finds, makes and ends it; ``Inside`` is the same lab seen from within, where the tools run.
"""

from netlab.lab.choice import Choice
from netlab.lab.inside import Inside
from netlab.lab.outside import Lab, end_stray, rows
from netlab.lab.views import Nothing, plan, status

__all__ = ["Choice", "Inside", "Lab", "Nothing", "end_stray", "plan", "rows", "status"]

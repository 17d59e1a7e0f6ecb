"""What the machine has, lacks and has in the way, before anything is asked of it: `netlab doctor`.

Everything is read from a `Machine`, from facts and from commands that only look; the one thing that can only be tried
(user namespaces) is tried in a child.
"""

from netlab.preflight.finding import Finding
from netlab.preflight.host import examine_host, host_queries
from netlab.preflight.sandbox import examine

__all__ = ["Finding", "examine", "examine_host", "host_queries"]

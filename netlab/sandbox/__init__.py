"""The disposable lab host: namespaces of our own, held by one sleeping process, made, entered, and ended.

Nothing in it needs root: with a user namespace we have every right inside, and none outside. Root needs none and makes
none. The holder is PID 1 in there: when it goes, everything inside goes with it.
"""

from netlab.sandbox.ended import end, others, strays, words
from netlab.sandbox.entered import become, enter, foreground
from netlab.sandbox.holder import MARK, Holder, inside
from netlab.sandbox.made import start

__all__ = ["MARK", "Holder", "become", "end", "enter", "foreground", "inside", "others", "start", "strays", "words"]

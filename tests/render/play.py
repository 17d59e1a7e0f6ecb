"""Performs the scripted walk on this terminal, as `netlab learn` performs the real one: LANGUAGE [STEP…]."""

from __future__ import annotations

import sys

from netlab import signals
from netlab.errors import Interrupted
from netlab.render import Screen
from tests.render import scripted


def main() -> None:
    signals.catch()
    language, *steps = sys.argv[1:]
    try:
        screen = Screen(json=False, quiet=False, verbose=False)
        screen.perform(scripted.hands_on() if steps == ["hands"] else scripted.walk(steps, language), language)
    except Interrupted as error:
        print(f"interrupted {error.code}")
        sys.exit(error.code)
    print("over")


if __name__ == "__main__":
    main()

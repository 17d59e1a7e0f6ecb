"""The `netlab` command, and `python -m netlab`."""

import sys
from typing import NoReturn

from netlab import signals
from netlab.errors import Interrupted


def main() -> NoReturn:
    """Run the command line."""
    try:
        signals.catch()
        # Imported when Ctrl-C is in our hands already: it takes a fifth of a second, and people have second thoughts.
        from netlab import cli
    except Interrupted as error:
        sys.stderr.write(f"netlab: {error}\n")
        sys.exit(error.code)
    cli.main()


if __name__ == "__main__":
    main()

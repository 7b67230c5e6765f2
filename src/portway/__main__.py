"""The ``portway`` program."""

from __future__ import annotations

import sys


def main() -> None:
    """Entry point of the console script."""
    if sys.argv[1:3] == ["token", "get"]:
        from portway.cli import credentials

        if credentials.print_kept(sys.argv[3:]):
            return
    from portway.bootstrap.commands import program

    program()


if __name__ == "__main__":
    main()

"""The ``portway`` program."""

from __future__ import annotations


def main() -> None:
    """Entry point of the console script."""
    from portway.bootstrap.commands import program

    program()


if __name__ == "__main__":
    main()

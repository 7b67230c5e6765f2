"""``portway keys``: the keys that encrypt Secrets. They are files of this machine, so these commands need no API."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated

import typer

from portway.bootstrap import locking, settings
from portway.cli import output

if TYPE_CHECKING:
    from portway.bootstrap.keyrings import FileKeyring

program = typer.Typer(help="Keys that encrypt Secrets in the store.", no_args_is_help=True)


@program.command("list")
def list_keys() -> None:
    """Show the keys, the one in use first. Their values are not shown."""
    entries = _keyring().entries
    rows = [
        [entry.id, "prepared" if entry.prepared else "reads only", entry.created, entry.settled or "-"]
        for entry in entries
    ]
    rows[0][1] = "in use"
    output.print_table(["KEY", "STATE", "CREATED", "ALL SECRETS UNDER IT SINCE"], rows)


@program.command()
def prepare() -> None:
    """Make the key of the next rotation, to be copied to all machines that share a store before it is used."""
    keyring = _keyring()
    entry = keyring.prepare()
    output.console.print(
        f"Key {entry.id} is ready. Copy {keyring.file} to the other machines, then `portway keys rotate` on each.",
        soft_wrap=True,
    )


@program.command()
def rotate() -> None:
    """Encrypt with a new key from now on. A running Portway encrypts what it has anew, and goes on meanwhile."""
    entry = _keyring().rotate()
    state = (
        "Portway encrypts all Secrets anew now"
        if locking.running(_settings().home)
        else "`portway up` will do the rest"
    )
    output.console.print(f"Secrets are encrypted with key {entry.id} from now on; {state}.")


@program.command()
def forget(
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Remove the keys that are not in use any more. Older backups and history cannot be read without them."""
    keyring = _keyring()
    if len(keyring.entries) == 1:
        output.console.print("There is only the key in use.")
        return
    if not yes:
        typer.confirm("Backups and history from before the last rotation become unreadable. Go on?", abort=True)
    gone = keyring.forget()
    output.console.print(f"Removed {', '.join(entry.id for entry in gone)}.")


def _keyring() -> FileKeyring:
    from portway.bootstrap import keyrings  # heavy: other commands start without it

    return keyrings.open_keyring(_settings().home)


def _settings() -> settings.Settings:
    return settings.read(os.environ)

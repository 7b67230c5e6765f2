"""What kubectl's exec plugin prints. Loads little, as kubectl waits for it each time it is called."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path

from portway.cli import logins
from portway.cli.errors import CommandError
from portway.cli.logins import Login
from portway.client import plugins
from portway.kit import clocks


def print_kept(arguments: Sequence[str]) -> bool:
    """``portway token get`` with these arguments, if that is all there is to do: the log-in is kept and lasts."""
    if len(arguments) != 2 or arguments[0] != "--login":
        return False
    try:
        login = logins.kept(Path(arguments[1]))
    except CommandError:  # told by the command itself
        return False
    if login is not None:
        print_login(login)
    return login is not None


def print_login(login: Login) -> None:
    """As client.authentication.k8s.io/ExecCredential."""
    asked = json.loads(os.environ.get(plugins.INFO) or "{}")
    print(
        json.dumps(
            {
                "apiVersion": asked.get("apiVersion") or plugins.VERSION,
                "kind": "ExecCredential",
                "status": {"token": login.id_token, "expirationTimestamp": clocks.rfc3339(login.ends)},
            }
        )
    )

"""Store, API and housekeeping of a Portway, without drivers and portal: ``api_process.py HOME PORT STORE_URL``."""

from __future__ import annotations

import asyncio
import datetime
import sys
from pathlib import Path

from portway.bootstrap import certificates, listening, serving, settings
from portway.bootstrap.listening import Server


async def main(home: str, port: str, store_url: str) -> None:
    read = settings.read({"PORTWAY_HOME": home, "PORTWAY_PORT": port, "PORTWAY_STORE_URL": store_url})
    context = certificates.server_context(Path(home) / "pki", datetime.datetime.now(datetime.UTC))
    async with serving.open_api(read) as api:
        print("ready", flush=True)
        await Server(api.server, listening.bind(settings.HOST, int(port)), context).serve()


asyncio.run(main(*sys.argv[1:]))

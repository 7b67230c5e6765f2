"""Makes the pictures of README and docs from a real demo: `.venv/bin/python tools/pictures.py` (needs Chromium)."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import httpx
from playwright.sync_api import Browser, Page, sync_playwright
from rich.console import Console
from rich.text import Text

ROOT = Path(__file__).resolve().parent.parent
IMAGES = ROOT / "docs" / "images"
CHROMIUM = "/usr/bin/chromium"
FLAGS = [
    "--no-sandbox",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PAGES = {
    "home": ("/", ("light",)),
    "catalog": ("/catalog", ("light",)),
    "component": ("/catalog/root:acme:payments/component/default/orders", ("light", "dark")),
    "request": ("/request/postgres", ("light",)),
}
"""Name → page and the colour schemes it is taken in."""
PORT = 8719


def main() -> int:
    IMAGES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="portway-pictures-") as folder:
        home = Path(folder) / ".portway"
        environment = {
            **os.environ,
            "PORTWAY_HOME": str(home),
            "PORTWAY_PORT": str(PORT),
            "FORCE_COLOR": "1",
            "COLUMNS": "112",
        }
        command = [sys.executable, "-m", "portway"]
        try:
            said = subprocess.run(
                [*command, "demo", "--detach"], env=environment, capture_output=True, text=True, check=True
            ).stdout
            _terminal(said.replace(str(home), ".portway"))
            with sync_playwright() as driver:
                browser = driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
                for scheme in ("light", "dark"):
                    _portal(browser, home, scheme)
                browser.close()
        finally:
            subprocess.run([*command, "down", "--workloads"], env=environment, capture_output=True, check=False)
    return 0


def _terminal(said: str) -> None:
    """What `make demo` prints, as a picture."""
    said = re.sub(r"(?m)^[^\n]*[\u2800-\u28ff][^\n]*\n(\s*\n)?", "", said)  # frames of the spinner
    said = re.sub(r"token=[A-Za-z0-9_-]+", "token=…", said)
    console = Console(record=True, width=112, file=open(os.devnull, "w"), force_terminal=True)  # noqa: SIM115
    console.print(Text.from_ansi("$ make demo\n" + said))
    svg = console.export_svg(title="make demo")
    (IMAGES / "terminal.svg").write_text(re.sub(r"@font-face \{.*?\}", "", svg, flags=re.DOTALL))


def _portal(browser: Browser, home: Path, scheme: str) -> None:
    token = (home / "tokens" / "ada").read_text().strip()
    address = f"http://127.0.0.1:{PORT}/session/links"
    link = httpx.post(address, headers={"Authorization": f"Bearer {token}"}).json()["url"]
    context = browser.new_context(viewport={"width": 1280, "height": 800}, color_scheme=scheme)  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(link)
    page.wait_for_load_state("networkidle")
    base = "/".join(page.url.split("/")[:3])
    for name, (path, schemes) in PAGES.items():
        if scheme in schemes:
            _shoot(page, base + path, f"{name}-{scheme}")
    context.close()


def _shoot(page: Page, url: str, name: str) -> None:
    page.goto(url)
    page.wait_for_timeout(700)  # live parts settle
    page.screenshot(path=str(IMAGES / f"{name}.png"))


if __name__ == "__main__":
    raise SystemExit(main())

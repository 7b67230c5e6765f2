"""Build hook: puts the portal's third-party files into wheels and editable installs."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class AssetsHook(BuildHookInterface):  # type: ignore[type-arg]
    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        root = Path(self.root)
        path = root / "tools" / "build_assets.py"
        spec = importlib.util.spec_from_file_location("build_assets", path)
        if spec is None or spec.loader is None:
            raise RuntimeError(f"{path} cannot be loaded")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        if module.build(root):
            self.app.display_info("Portal front-end files built.")
        if version == "standard":  # an editable install finds them beside src
            for folder in ("examples", "docs"):
                build_data["force_include"][str(root / folder)] = f"portway/bundled/{folder}"

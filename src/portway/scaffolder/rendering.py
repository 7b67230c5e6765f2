"""A folder of template files with values filled in (``fetch:template``), by Backstage's rules.

Paths are rendered too; a file whose rendered path is empty, starts with / or contains // is left out; binary files are
copied as they are; the mode is kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from portway.drivers.services import SourceFile
from portway.scaffolder import expressions
from portway.scaffolder.folders import matches

_LOOKED_AT = 8192
"""Bytes of a file in which a zero byte makes it binary."""


@dataclass(frozen=True, slots=True)
class Options:
    """Inputs of ``fetch:template`` besides url, targetPath and values."""

    without_templating: tuple[str, ...] = ()
    """Globs of files whose content is copied; their paths are rendered."""
    only_extension: str = ""
    """When set, only files that end with it are rendered, and lose it."""
    cookiecutter: bool = False
    trim_blocks: bool = False
    lstrip_blocks: bool = False


@dataclass(frozen=True, slots=True)
class Rendering:
    values: Mapping[str, Any]
    options: Options = field(default_factory=Options)

    def tree(self, files: Mapping[str, SourceFile]) -> dict[str, SourceFile]:
        """Raises ``expressions.ExpressionError`` that names the file."""
        made: dict[str, SourceFile] = {}
        for path, file in sorted(files.items()):
            try:
                target = self._text(path)
                if not target or target.startswith("/") or "//" in target or target.endswith("/"):
                    continue
                name, content = self._content(path, target, file)
            except expressions.ExpressionError as error:
                raise expressions.ExpressionError(f"{path}: {error}") from error
            made[name] = SourceFile(content, file.executable)
        return made

    def _content(self, path: str, target: str, file: SourceFile) -> tuple[str, bytes]:
        extension = self.options.only_extension
        if extension:
            if not target.endswith(extension):
                return target, file.content
            return target.removesuffix(extension), self._rendered(file.content)
        if any(matches(path, glob) for glob in self.options.without_templating):
            return target, file.content
        return target, self._rendered(file.content)

    def _rendered(self, content: bytes) -> bytes:
        if b"\0" in content[:_LOOKED_AT]:
            return content
        try:
            text = content.decode()
        except UnicodeDecodeError:
            return content
        return self._text(text).encode()

    def _text(self, text: str) -> str:
        options = self.options
        if options.cookiecutter:
            using = expressions.environment(variable_start="{{")
            return expressions.render(text, {"cookiecutter": self.values, "values": self.values}, using)
        if options.trim_blocks or options.lstrip_blocks:
            using = expressions.environment(trim_blocks=options.trim_blocks, lstrip_blocks=options.lstrip_blocks)
            return expressions.render(text, {"values": self.values}, using)
        return expressions.render(text, {"values": self.values})

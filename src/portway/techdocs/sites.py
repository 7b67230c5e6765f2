"""A documentation site from a folder of files: pages, navigation (mkdocs.yml, else the folder), links, search."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote

import ryaml

from portway.techdocs import markdown

_INDEX = ("index.md", "README.md", "readme.md")
_CONFIGURATIONS = ("mkdocs.yml", "mkdocs.yaml")
_DEEPEST = 6


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the navigation; a heading when it has no path."""

    title: str
    path: str
    """Of the file below the docs folder."""
    children: tuple[Entry, ...] = ()


@dataclass(frozen=True, slots=True)
class Page:
    title: str
    path: str
    html: str


@dataclass(frozen=True, slots=True)
class Hit:
    title: str
    path: str
    excerpt: str
    """Text around the first match."""


@dataclass(frozen=True, slots=True)
class DocsSite:
    title: str
    files: Mapping[str, bytes]
    """All files below the docs folder, by relative path."""
    nav: tuple[Entry, ...]

    def first(self) -> str:
        """Path of the page to begin with; empty when there is none."""
        for name in _INDEX:
            if name in self.files:
                return name
        return next((path for path in sorted(self.files) if path.endswith(".md")), "")

    def page(self, path: str, address: Callable[[str], str]) -> Page | None:
        """``address`` turns the path of a file of this site into one that a browser can follow."""
        content = self.files.get(path)
        if content is None or not path.endswith(".md"):
            return None
        text = _without_front_matter(content.decode("utf-8", "replace"))

        def link(target: str) -> str:
            place, mark, fragment = unquote(target).partition("#")
            found = _resolve(self.files, path, place)
            return address(found) + mark + quote(fragment) if found else ""

        return Page(markdown.title_of(text) or _titled(path), path, markdown.render(text, link))

    def search(self, text: str, limit: int = 20) -> list[Hit]:
        """Pages that hold every word; those with it in the title first."""
        words = text.lower().split()
        hits = []
        for path in sorted(self.files) if words else ():
            if not path.endswith(".md"):
                continue
            source = _without_front_matter(self.files[path].decode("utf-8", "replace"))
            title, body = markdown.title_of(source) or _titled(path), markdown.plain(source)
            if all(word in f"{title} {body}".lower() for word in words):
                hits.append((words[0] not in title.lower(), Hit(title, path, _excerpt(body, words[0]))))
        return [hit for _, hit in sorted(hits, key=lambda pair: pair[0])][:limit]


def read(files: Mapping[str, bytes], title: str) -> DocsSite | None:
    """From a repository's files: mkdocs.yml names the folder (else ``docs/``) and the order. None without any page."""
    configuration = _configuration(files)
    folder = str(configuration.get("docs_dir") or "docs").strip("/")
    own = {path[len(folder) + 1 :]: data for path, data in files.items() if path.startswith(f"{folder}/")}
    if not any(path.endswith(".md") for path in own):
        own = {path: data for path, data in files.items() if path in _INDEX}
    if not own:
        return None
    return from_folder(own, str(configuration.get("site_name") or title), configuration.get("nav"))


def from_folder(files: Mapping[str, bytes], title: str, nav: Any = None) -> DocsSite:
    entries = tuple(_entries(nav, files)) if isinstance(nav, list) else ()
    return DocsSite(title, files, entries or _folder_nav(files))


def _configuration(files: Mapping[str, bytes]) -> dict[str, Any]:
    for name in _CONFIGURATIONS:
        if name in files:
            try:
                read = ryaml.loads(files[name].decode("utf-8", "replace"))  # type: ignore[attr-defined]  # stub
            except ValueError:  # such as !!python tags of plugins: the folder's own order will do
                continue
            return read if isinstance(read, dict) else {}
    return {}


def _entries(nav: list[Any], files: Mapping[str, bytes], depth: int = 0) -> list[Entry]:
    found: list[Entry] = []
    for item in nav if depth < _DEEPEST else ():
        if isinstance(item, str) and item in files:
            found.append(Entry(_title(files, item), item))
        elif isinstance(item, dict):
            for title, value in item.items():
                if isinstance(value, str) and value in files:
                    found.append(Entry(str(title), value))
                elif isinstance(value, list) and (children := tuple(_entries(value, files, depth + 1))):
                    found.append(Entry(str(title), "", children))
    return found


def _folder_nav(files: Mapping[str, bytes], folder: str = "", depth: int = 0) -> tuple[Entry, ...]:
    pages = [path for path in files if path.endswith(".md") and posixpath.dirname(path) == folder]
    pages.sort(key=lambda path: (posixpath.basename(path) not in _INDEX, path))
    prefix = f"{folder}/" if folder else ""
    below = {
        path[len(prefix) :].partition("/")[0]
        for path in files
        if path.startswith(prefix) and "/" in path[len(prefix) :]
    }
    entries = [Entry(_title(files, path), path) for path in pages]
    for name in sorted(below) if depth < _DEEPEST else ():
        if children := _folder_nav(files, prefix + name, depth + 1):
            entries.append(Entry(_titled(name), "", children))
    return tuple(entries)


def _resolve(files: Mapping[str, bytes], page: str, target: str) -> str:
    """The file that a relative link means; empty when there is none."""
    if not target:
        return page
    base = "" if target.startswith("/") else posixpath.dirname(page)
    place = posixpath.normpath(posixpath.join(base, target.lstrip("/")))
    for candidate in (place, f"{place}.md", f"{place}/index.md", f"{place}/README.md"):
        if candidate.removeprefix("./") in files:
            return candidate.removeprefix("./")
    return ""


def _title(files: Mapping[str, bytes], path: str) -> str:
    return markdown.title_of(files[path].decode("utf-8", "replace")) or _titled(path)


def _titled(path: str) -> str:
    name = posixpath.basename(path).removesuffix(".md").replace("-", " ").replace("_", " ")
    return name[:1].upper() + name[1:]


def _without_front_matter(text: str) -> str:
    if text.startswith("---\n") and (end := text.find("\n---\n", 4)) > 0:
        return text[end + 5 :]
    return text


def _excerpt(body: str, word: str) -> str:
    at = max(body.lower().find(word) - 60, 0)
    return ("… " if at else "") + body[at : at + 180].strip() + (" …" if at + 180 < len(body) else "")

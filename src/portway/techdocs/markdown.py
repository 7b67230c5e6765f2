"""Markdown to safe HTML: CommonMark with tables, anchors, admonitions, highlighted code; then sanitised.

Safe means: whatever the text is, the result holds no script, style, event handler, form or address other than
http, https, mailto and relative ones.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from html import escape
from urllib.parse import urlsplit

import nh3
from markdown_it import MarkdownIt
from markdown_it.token import Token
from mdit_py_plugins.admon import admon_plugin
from mdit_py_plugins.anchors import anchors_plugin
from mdit_py_plugins.tasklists import tasklists_plugin
from pygments import highlight as pygmentize
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name
from pygments.util import ClassNotFound

Link = Callable[[str], str]
"""From a relative address in a document to one that a browser can follow; empty drops it."""

_TAGS = nh3.ALLOWED_TAGS | {"input", "details", "summary", "figure", "figcaption", "kbd", "mark"}
_ATTRIBUTES = {
    "*": {"class", "id", "title"},
    "a": {"href", "title"},
    "img": {"src", "alt", "title", "width", "height"},
    "th": {"align", "scope", "colspan", "rowspan"},
    "td": {"align", "colspan", "rowspan"},
    "input": {"type", "checked", "disabled"},
    "ol": {"start"},
    "details": {"open"},
}
_LARGEST_CODE = 100_000
"""Characters; longer code is shown without colours."""


def render(text: str, link: Link | None = None) -> str:
    """Safe HTML. Relative links and image addresses go through ``link``."""
    tokens = _parser().parse(text)
    if link:
        _relink(tokens, link)
    html = _parser().renderer.render(tokens, _parser().options, {})
    return nh3.clean(
        html,
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        url_schemes={"http", "https", "mailto"},
        link_rel="noopener noreferrer",
        attribute_filter=_filtered,
    )


def title_of(text: str) -> str:
    """The first heading, as plain text."""
    found = re.search(r"^\s{0,3}#\s+(.+?)\s*#*\s*$", text, re.MULTILINE)
    return re.sub(r"[*_`]|\[([^\]]*)\]\([^)]*\)", r"\1", found[1]) if found else ""


def plain(text: str) -> str:
    """What a search looks into."""
    words = nh3.clean(_parser().render(text), tags=set(), clean_content_tags={"script", "style"})
    return re.sub(r"\s+", " ", words).strip()


@cache
def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": True, "linkify": False, "highlight": _coloured})
    parser.enable(["table", "strikethrough"])
    return (
        parser.use(anchors_plugin, max_level=4, permalink=True, permalinkSymbol="#", permalinkSpace=False)
        .use(admon_plugin)
        .use(tasklists_plugin)
    )


def _coloured(code: str, language: str, attributes: str) -> str:  # noqa: ARG001  the library's signature
    try:
        lexer = get_lexer_by_name(language) if language and len(code) < _LARGEST_CODE else None
    except ClassNotFound:
        lexer = None
    inner = pygmentize(code, lexer, HtmlFormatter(nowrap=True)) if lexer else escape(code)
    return f'<pre class="hl"><code>{inner}</code></pre>'


def _relink(tokens: list[Token], link: Link) -> None:
    for token in tokens:
        name = {"link_open": "href", "image": "src"}.get(token.type)
        if name:
            address = str(token.attrGet(name) or "")
            if (
                address
                and not address.startswith("#")
                and not urlsplit(address).scheme
                and not address.startswith("//")
            ):
                token.attrSet(name, link(address))
        if token.children:
            _relink(token.children, link)


_IDENTIFIER = re.compile(r"^[\w\-.:]+$")


def _filtered(tag: str, name: str, value: str) -> str | None:
    """Ids that could shadow the page's own are kept out; inputs are check boxes of task lists only."""
    if name == "id" and (not _IDENTIFIER.match(value) or value.startswith("pw-") or value in ("content", "notices")):
        return None
    if name == "class":
        kept = [word for word in value.split() if not word.startswith(("pw-", "btn", "card", "modal"))]
        return " ".join(kept) or None
    if tag == "input" and name == "type":
        return "checkbox"
    return value

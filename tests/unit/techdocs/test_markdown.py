from __future__ import annotations

import pytest

from portway.techdocs import markdown, sites

HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](data:text/html;base64,PHNjcmlwdD4=)",
    "[x](vbscript:msgbox)",
    "![x](javascript:alert(1))",
    "<a href='java&#115;cript:alert(1)'>x</a>",
    "<svg><script>alert(1)</script></svg>",
    "<math><mtext><style><img src onerror=alert(1)></style></mtext></math>",
    "<iframe src='https://evil.example'></iframe>",
    "<form action=/logout method=post><button>x</button></form>",
    "<div style='position:fixed;inset:0'>x</div>",
    "<base href='https://evil.example/'>",
    "<meta http-equiv=refresh content='0;url=https://evil.example'>",
    "<div hx-get=/x hx-trigger=load data-copy=x>x</div>",
    "```html\n<script>alert(1)</script>\n```",
    "`<script>`",
    "<a href='x' class='pw-palette' id='content'>x</a>",
    '!!! note "<script>alert(1)</script>"\n    x',
]


@pytest.mark.parametrize("text", HOSTILE)
def test_whatever_the_text_the_result_is_safe(text: str) -> None:
    html = markdown.render(text).lower()
    for bad in (
        "<script",
        "onerror=",
        'href="javascript',
        'href="data',
        'href="vbscript',
        "<iframe",
        "<form",
        "style=",
        "<base",
        "<meta",
    ):
        assert bad not in html.replace("&lt;script", "")
    for bad in ("hx-get", "data-copy", 'class="pw-', 'id="content"', "<svg", "<style"):
        assert bad not in html


def test_it_renders_what_documentation_is_made_of() -> None:
    table, note, code = "| a | b |\n|---|---|\n| 1 | 2 |", "!!! warning\n    Mind", "```python\ndef f(): pass\n```"
    text = "\n\n".join(("# Head line", table, note, code, "- [x] done", "~~old~~"))
    html = markdown.render(text)
    for part in (
        '<h1 id="head-line">',
        "<table>",
        'class="admonition warning"',
        '<span class="k">def</span>',
        'type="checkbox"',
        "<s>old</s>",
    ):
        assert part in html


FILES = {
    "mkdocs.yml": b"site_name: Orders\nnav: [{Home: index.md}, {Guides: [guides/run.md, {Missing: nope.md}]}]\n",
    "docs/index.md": b"# Orders\n\n[run](guides/run.md#fast) [gone](nope.md) ![p](img/a.png) [out](https://x.example)",
    "docs/guides/run.md": b"---\ntitle: x\n---\n# Running it\n\nStart the engine. [back](../index.md)",
    "docs/img/a.png": b"png",
}


def test_a_site_takes_its_order_from_mkdocs_and_resolves_links() -> None:
    site = sites.read(FILES, "orders")
    assert site is not None
    assert site.nav == (
        sites.Entry("Home", "index.md"),
        sites.Entry("Guides", "", (sites.Entry("Running it", "guides/run.md"),)),
    )
    page = site.page("index.md", lambda path: f"/d/{path}")
    assert page is not None
    for part in ('href="/d/guides/run.md#fast"', 'src="/d/img/a.png"', 'href="https://x.example"'):
        assert part in page.html
    assert "nope.md" not in page.html
    assert site.page("../mkdocs.yml", str) is None


def test_search_finds_pages_that_hold_every_word() -> None:
    site = sites.read(FILES, "orders")
    assert site is not None
    assert [hit.path for hit in site.search("engine start")] == ["guides/run.md"]
    assert site.search("engine stop") == []


def test_without_mkdocs_the_folder_gives_the_order() -> None:
    site = sites.read({"docs/b.md": b"# B", "docs/index.md": b"# I", "docs/x/a.md": b"# A"}, "t")
    assert site is not None
    assert site.nav == (
        sites.Entry("I", "index.md"),
        sites.Entry("B", "b.md"),
        sites.Entry("X", "", (sites.Entry("A", "x/a.md"),)),
    )


def test_a_readme_is_better_than_nothing() -> None:
    site = sites.read({"README.md": b"# R", "src/x.py": b""}, "t")
    assert site is not None
    assert site.first() == "README.md"
    assert sites.read({"src/x.py": b""}, "t") is None

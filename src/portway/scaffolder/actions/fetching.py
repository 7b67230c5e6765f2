"""Where ``url`` inputs lead: relative ones beside the template, others to git."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping

from portway.drivers.services import SourceFile, SourceMissing
from portway.scaffolder.contract import ActionContext, ActionFailed


async def tree(url: str, context: ActionContext) -> Mapping[str, SourceFile]:
    if "://" in url:
        source, folder = url, ""
    else:
        source, beside = location(context.location)
        folder = posixpath.normpath(posixpath.join(posixpath.dirname(beside), url))
        if folder.startswith("..") or folder.startswith("/"):
            raise ActionFailed(f"url {url} leads out of the template's repository")
    try:
        found = await context.services.sources.tree(source, "" if folder == "." else folder, context.workspace)
    except SourceMissing as error:
        raise ActionFailed(f"url {url}: {error}") from error
    if not found:
        raise ActionFailed(f"url {url}: there are no files in it")
    return found


def location(text: str) -> tuple[str, str]:
    """``url:<git URL>@<ref>//<path>`` → (``<git URL>@<ref>``, path)."""
    scheme, _, rest = text.partition(":")
    source, _, path = rest.rpartition("//")
    if scheme != "url" or not source or source.endswith(":"):
        raise ActionFailed(
            f"the template does not say where it is from (annotation backstage.io/managed-by-location is {text!r}), "
            "so relative URLs lead nowhere"
        )
    return source, path

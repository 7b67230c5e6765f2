"""Documentation from Markdown: safe HTML, navigation from mkdocs.yml or folders, search. Files are given to it."""

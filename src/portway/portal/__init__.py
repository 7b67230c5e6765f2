"""The web portal: pages, fragments and static files. Everything is done as the logged-in user, through ``client``.

One module per page in ``pages``; ``forms`` turns JSON Schemas into HTML forms and back.
"""

"""A page that needs nothing else: one style for all, no scripts, nothing fetched."""

from __future__ import annotations

from html import escape
from importlib.resources import files

from comity.casework.wording import printable

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"


def document(title: str, body: str) -> str:
    """A page around a body, both of HTML; it may fetch and run nothing."""
    style = files("comity.console").joinpath("static/comity.css").read_text(encoding="utf-8")
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="referrer" content="no-referrer">\n<meta name="robots" content="noindex">\n'
        f"<title>{title}</title>\n<style>\n{style}</style>\n</head>\n"
        f"<body>\n<main>\n{body}</main>\n</body>\n</html>\n"
    )


def in_html(value: str) -> str:
    """As text, with nothing that a reader could not see."""
    return escape(printable(value))

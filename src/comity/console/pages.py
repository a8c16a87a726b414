"""Pages from templates. Every text that is put into one is shown as text, with nothing that a reader could not see."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from importlib.resources import files
from typing import Final
from zoneinfo import ZoneInfo

from jinja2 import Environment, PackageLoader, StrictUndefined
from litestar import MediaType, Response
from markupsafe import Markup, escape

from comity.casework.languages import ENGLISH
from comity.casework.spoken import dated, day
from comity.casework.visible import visible
from comity.casework.why import reasons
from comity.casework.wording import counted

_POLICY: Final = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self';"
    " form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
SAFE: Final[Mapping[str, str]] = {
    "Content-Security-Policy": _POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
"""What every page is sent with."""
PRIVATE: Final[Mapping[str, str]] = {**SAFE, "Cache-Control": "no-store", "X-Robots-Tag": "noindex"}
"""What a page about a person is sent with."""


class Pages:
    """The templates. Made once. What is to be sent back as it was goes through the filter `unchanged`."""

    def __init__(self, zone: ZoneInfo) -> None:
        self._templates = Environment(
            loader=PackageLoader("comity.console"),
            autoescape=True,
            undefined=StrictUndefined,
            finalize=_shown,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.filters |= {
            "dated": lambda at: dated(at, zone),
            "day": lambda at: day(at, zone),
            "reasons": lambda measured: reasons(measured, {}, zone, ENGLISH),
        }
        self._templates.filters |= {"unchanged": escape}
        self._templates.globals["counted"] = counted
        self._templates.globals["asset"] = {name: f"/static/{name}?{_digest(name)}" for name in ASSETS}

    def page(
        self,
        template: str,
        values: Mapping[str, object],
        *,
        status: int = 200,
        headers: Mapping[str, str] = SAFE,
    ) -> Response[str]:
        """The template's page, filled in."""
        content = self._templates.get_template(f"{template}.html").render(values)
        return Response(content, status_code=status, headers=dict(headers), media_type=MediaType.HTML)


_SCRIPT: Final = "text/javascript; charset=utf-8"
ASSETS: Final[Mapping[str, str]] = {
    "comity.css": "text/css; charset=utf-8",
    "icon.svg": "image/svg+xml",
    "htmx.min.js": _SCRIPT,
    "keys.js": _SCRIPT,
}
"""The files that pages load, with their media types."""


def asset(name: str) -> bytes:
    return files("comity.console").joinpath("static", name).read_bytes()


def _digest(name: str) -> str:
    return sha256(asset(name)).hexdigest()[:12]


def _shown(value: object) -> object:
    """Text that is not yet HTML, with control, format and bidi characters as escapes."""
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value

"""Answers that need not be sent twice (`ETag`), and lists that go on where they stopped (`Link: ...; rel="next"`)."""

from __future__ import annotations

from hashlib import sha256
from http import HTTPStatus
from typing import Annotated, Final, TypeVar
from urllib.parse import urlencode

import msgspec
from litestar import Response
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import HeaderParameter, QueryParameter

from comity.api.problems import AnyRequest, ProblemError

ContentT = TypeVar("ContentT")
NotModified = Annotated[
    str | None, HeaderParameter(name="If-None-Match", description="The `ETag` of what is known: 304 if that is new.")
]
Limit = Annotated[int, QueryParameter(ge=1, le=1_000, description="How many at most.")]
LIMIT: Final = 100
UNCHANGED: Final = {
    304: ResponseSpec(data_container=None, description="What is known is new.", generate_examples=False)
}
_ENCODER: Final = msgspec.json.Encoder()


class UnchangedError(Exception):
    """What is asked for is known already: 304, and nothing more."""

    def __init__(self, headers: dict[str, str]) -> None:
        super().__init__("nothing has changed")
        self.headers = headers


def unchanged(_: AnyRequest, error: UnchangedError) -> Response[None]:
    return Response(None, status_code=HTTPStatus.NOT_MODIFIED, headers=error.headers)


def conditional(
    content: ContentT, known: str | None, *, tag: str | None = None, cache: str = "no-cache", next_: str | None = None
) -> Response[ContentT]:
    """The content under its tag (a hash of it, if left out). Raises `UnchangedError` where `known` names it."""
    tag = tag or f'"{sha256(_ENCODER.encode(content)).hexdigest()[:32]}"'
    headers = {"ETag": tag, "Cache-Control": cache}
    if next_ is not None:
        headers["Link"] = f'<{next_}>; rel="next"'
    if known is not None and tag in [each.strip().removeprefix("W/") for each in known.split(",")]:
        raise UnchangedError(headers)
    return Response(content, headers=headers)


def version_tag(version: int) -> str:
    return f'"{version}"'


def version_in(header: str) -> int:
    """The version of a case that `If-Match` names. Raises `ProblemError`."""
    written = header.strip().strip('"')
    if not written.isascii() or not written.isdigit() or len(written) > 9:
        detail = f'`If-Match` is {header[:80]!r}, not the version of a case such as `"3"`.'
        raise ProblemError(HTTPStatus.BAD_REQUEST, detail)
    return int(written)


def next_page(path: str, after: str, limit: int) -> str:
    return f"{path}?{urlencode({'after': after, 'limit': limit})}"

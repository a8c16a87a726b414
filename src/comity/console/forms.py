"""Forms as browsers send them: read with limits, and refused where another site sent them."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import Final, TypeVar

from litestar import Request
from litestar.datastructures import State, UploadFile
from litestar.exceptions import ClientException, PermissionDeniedException

AnyRequest = Request[object, object, State]
UserT = TypeVar("UserT")
AuthT = TypeVar("AuthT")
_OWN: Final = ("same-origin", "none")


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """What was filled in; of a field given several times the last."""

    fields: dict[str, str]
    files: tuple[tuple[str, bytes], ...] = ()

    def text(self, name: str) -> str:
        """With the line ends that the record has; empty if it was not filled in."""
        return self.fields.get(name, "").replace("\r\n", "\n")


async def read_form(request: Request[UserT, AuthT, State], *, most: int) -> Form:
    """`most`: bytes that are read of each file. Raises `HTTPException`."""
    demand_own(request)
    try:
        sent = await request.form()
    except (UnicodeDecodeError, LookupError) as error:
        raise ClientException("The form cannot be read: its text is not UTF-8.") from error
    fields, files = dict[str, str](), list[tuple[str, bytes]]()
    for name, value in sent.multi_items():
        if isinstance(value, UploadFile):
            content = await value.read(most)
            if value.filename and content:
                files.append((_clean(value.filename), content))
        elif isinstance(value, str):
            fields[name] = _clean(value)
    return Form(fields=fields, files=tuple(files))


def demand_own(request: Request[UserT, AuthT, State]) -> None:
    """Raises `PermissionDeniedException` for a form on somebody else's page: browsers say where it stood."""
    if request.headers.get("sec-fetch-site", "none") not in _OWN:
        raise PermissionDeniedException("This form was sent from another site.", status_code=HTTPStatus.FORBIDDEN)


def _clean(text: str) -> str:
    """Text that can be kept: half of a surrogate pair cannot."""
    return text.encode("utf-8", "replace").decode()

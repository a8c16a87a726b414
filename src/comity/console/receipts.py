"""The receipt of a notice: whoever has its number reads what was decided, and can appeal against it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from http import HTTPStatus
from zoneinfo import ZoneInfo

from litestar import Response, get, post
from litestar.exceptions import NotFoundException
from litestar.params import FromPath
from litestar.response import Redirect
from litestar.status_codes import HTTP_303_SEE_OTHER
from litestar.types import ControllerRouterHandler

from comity.casework.appeal import LONGEST_TEXT
from comity.casework.facts import AppealOutcome
from comity.casework.refused import RefusedError
from comity.casework.wording import dated
from comity.console.forms import AnyRequest, read_form
from comity.console.pages import PRIVATE
from comity.console.public import Public, page
from comity.flow import reports
from comity.model.ids import NoticeId

_OUTCOMES = {
    AppealOutcome.UPHELD: "The decision stands.",
    AppealOutcome.VARIED: "The decision was changed.",
    AppealOutcome.REVERSED: "You were right: the case is decided anew.",
    AppealOutcome.OMITTED: "It was closed without a decision.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What its page says. `reason`: of a dismissal."""

    id: NoticeId
    decided: str
    confirmed: bool
    reason: str
    has_appealed: bool
    outcome: str
    outcome_reason: str


def receipt_routes(of: Public) -> list[ControllerRouterHandler]:
    @get("/notices/{notice:str}")
    async def receipt(notice: FromPath[str]) -> Response[str]:
        """What became of a notice, for whoever has its number; numbers that nobody got are told apart by nobody."""
        return await _told(of, _number(notice), ())

    @post("/notices/{notice:str}/appeal")
    async def object_to(request: AnyRequest, notice: FromPath[str]) -> Response[str] | Redirect:
        """Its sender appeals against what was decided."""
        id_, text = _number(notice), (await read_form(request, most=0)).text("text")
        try:
            await of.asks.act(lambda running: reports.object_to(running, id_, text, of.clock.now()))
        except RefusedError as error:
            return await _told(of, id_, (f"This was refused: {error}.",))
        return Redirect(f"/notices/{notice}", status_code=HTTP_303_SEE_OTHER, headers=PRIVATE)

    return [receipt, object_to]


def _number(written: str) -> NoticeId:
    """Raises `NotFoundException` for what no receipt has."""
    if re.fullmatch("[0-9a-f]{32}", written) is None:
        raise NotFoundException(status_code=HTTPStatus.NOT_FOUND)
    return NoticeId(written)


async def _told(of: Public, notice: NoticeId, problems: tuple[str, ...]) -> Response[str]:
    one = await of.asks.read(lambda running: reports.heard(running, notice))
    values = {"told": _receipt(one, of.zone), "problems": problems, "most": LONGEST_TEXT}
    status = HTTPStatus.UNPROCESSABLE_ENTITY if problems else HTTPStatus.OK
    return await page(of, "receipt", "notice", values, status=status, headers=PRIVATE)


def _receipt(one: reports.Heard, zone: ZoneInfo) -> Receipt:
    return Receipt(
        id=one.id,
        decided=dated(one.told.at, zone) if one.told else "",
        confirmed=one.told is not None and one.told.confirmed,
        reason=one.reason,
        has_appealed=one.appealed,
        outcome=_OUTCOMES[one.outcome.outcome] if one.outcome else "",
        outcome_reason=one.outcome.why if one.outcome else "",
    )

"""The receipt of a notice: whoever has its number reads what was decided, and can appeal against it."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus

from litestar import Response, get, post
from litestar.exceptions import NotFoundException
from litestar.params import FromPath
from litestar.response import Redirect
from litestar.status_codes import HTTP_303_SEE_OTHER
from litestar.types import ControllerRouterHandler

from comity.casework.appeal import LONGEST_TEXT
from comity.casework.cases import Case
from comity.casework.facts import AppealOutcome
from comity.casework.record import Record
from comity.casework.recorded import Appeal
from comity.casework.refused import RefusedError
from comity.casework.wording import dated
from comity.console.forms import AnyRequest, read_form
from comity.console.pages import PRIVATE
from comity.console.public import Public, page
from comity.flow import appeal
from comity.flow.message import Proceedings
from comity.model.ids import DecisionId, NoticeId

_OUTCOMES = {
    AppealOutcome.UPHELD: "The decision stands.",
    AppealOutcome.VARIED: "The decision was changed.",
    AppealOutcome.REVERSED: "You were right: the case is decided anew.",
    AppealOutcome.OMITTED: "It was closed without a decision.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What the sender of a notice is told. `reason`: of a dismissal."""

    id: NoticeId
    received: str
    decided: str
    confirmed: bool
    reason: str
    decision: DecisionId | None
    has_appealed: bool
    outcome: str
    outcome_reason: str


def receipt_routes(of: Public) -> list[ControllerRouterHandler]:
    @get("/notices/{notice:str}")
    async def receipt(notice: FromPath[str]) -> Response[str]:
        """What became of a notice, for whoever has its number."""
        return await _told(of, NoticeId(notice), ())

    @post("/notices/{notice:str}/appeal")
    async def object_to(request: AnyRequest, notice: FromPath[str]) -> Response[str] | Redirect:
        """Its sender appeals against what was decided."""
        told = await of.asks.read(lambda running: _found(running, NoticeId(notice), of))
        text = (await read_form(request, most=0)).text("text")
        if told.decision is None:
            return await _told(of, told.id, ("Nothing was decided yet.",))
        given = appeal.Complaint(decision=told.decision, text=text, notice=told.id)
        try:
            await of.asks.act(lambda running: appeal.file(running, given, of.clock.now()))
        except RefusedError as error:
            return await _told(of, told.id, (f"This was refused: {error}.",))
        return Redirect(f"/notices/{notice}", status_code=HTTP_303_SEE_OTHER, headers=PRIVATE)

    return [receipt, object_to]


async def _told(of: Public, notice: NoticeId, problems: tuple[str, ...]) -> Response[str]:
    told = await of.asks.read(lambda running: _found(running, notice, of))
    values = {"told": told, "problems": problems, "most": LONGEST_TEXT}
    status = HTTPStatus.UNPROCESSABLE_ENTITY if problems else HTTPStatus.OK
    return await page(of, "receipt", "notice", values, status=status, headers=PRIVATE)


def _found(running: Proceedings, notice: NoticeId, of: Public) -> Receipt:
    """Raises `NotFoundException`, also for one that was erased."""
    account = running.store.account_of(notice)
    record = running.record(account) if account else None
    for case in record.cases if record else ():
        if record is not None and notice in [each.notice for each in case.notices]:
            return _receipt(record, case, notice, of)
    raise NotFoundException(status_code=HTTPStatus.NOT_FOUND)


def _receipt(record: Record, case: Case, notice: NoticeId, of: Public) -> Receipt:
    """INVARIANT 19, the other way round: of the account its notifier learns no more than what was decided."""
    received = next(each.at for each in case.notices if each.notice == notice)
    told = next((each for each in case.informed if each.notice == notice), None)
    dismissal = record.dismissal(told.decision) if told else None
    appealed = _appeal(record, notice)
    outcome = appealed.outcome if appealed else None
    return Receipt(
        id=notice,
        received=dated(received, of.zone),
        decided=dated(told.at, of.zone) if told else "",
        confirmed=told is not None and told.confirmed,
        reason=dismissal.dismissed.why if dismissal else "",
        decision=told.decision if told else None,
        has_appealed=appealed is not None,
        outcome=_OUTCOMES[outcome.outcome] if outcome else "",
        outcome_reason=outcome.why if outcome else "",
    )


def _appeal(record: Record, notice: NoticeId) -> Appeal | None:
    return next((each for each in reversed(record.appeals) if each.filed.notice == notice), None)

"""`comity quality` and `comity sample`: what second reviews, samples and appeals say of the decisions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from comity.app.acting import acting
from comity.app.archives import each_batch
from comity.app.errors import Exit
from comity.app.settings import Settings
from comity.app.terminal import as_json as print_json
from comity.app.terminal import out
from comity.app.wiring import SystemClock, reading
from comity.casework.quality import Quality
from comity.casework.wording import counted
from comity.flow import quality as flow
from comity.model.message import Message


def quality(settings: Settings, *, draw: int, as_json: bool) -> Exit:
    """Draws second reviews first, if asked to."""
    drawn: tuple[str, ...] = ()
    if draw:
        with acting(settings) as proceedings:
            drawn = flow.draw(proceedings, draw, SystemClock().now())
    with reading(settings) as store:
        found = flow.measured(store).quality
    if as_json:
        print_json({"quality": found, "drawn": drawn})
        return Exit.FINE
    for line in _lines(found):
        out.print(line, markup=False)
    if draw:
        opened = counted(len(drawn), "decision was put", "decisions were put")
        out.print(f"{opened} before a second reviewer: see `comity cases`.", markup=False)
    return Exit.FINE


def sample(
    settings: Settings,
    archives: Sequence[str],
    mapping: Sequence[str],
    *,
    count: int,
    source: str | None,
    rejects: Path,
    as_json: bool,
) -> Exit:
    """Exit code 1 if records were rejected."""
    possible = 0
    with acting(settings) as proceedings:
        sampling = flow.Sampling(proceedings, count)

        def work(messages: Sequence[Message]) -> str:
            nonlocal possible
            possible += sampling.show(messages)
            return f"{possible:,} without a finding"

        read = each_batch("sampling", archives, mapping, source, rejects, work)
        drawn = sampling.ask(SystemClock().now())
    if as_json:
        left = {"unlike": sampling.unlike, "altered": sampling.altered, "not_compared": sampling.believed}
        print_json({"messages": read.messages, "without_finding": possible, **left, "drawn": drawn})
        return read.exit_code
    asked = counted(len(drawn), "message was put", "messages were put")
    out.print(f"{asked} before a reviewer, of {possible:,} in which nothing was found: see `comity cases`.")
    if sampling.unlike:
        many = counted(sampling.unlike, "message is", "messages are")
        out.print(f"{many} left out: the record has them from another author, or from another time.", markup=False)
    if sampling.altered:
        many = counted(sampling.altered, "message is", "messages are")
        out.print(f"{many} left out: the text is not the one that was judged.", markup=False)
    if sampling.believed:
        many = counted(sampling.believed, "text was", "texts were")
        out.print(f"{many} not compared: the record keeps of a text only what rules count copies by.", markup=False)
    return read.exit_code


def _lines(found: Quality) -> Iterator[str]:
    yield f"Second reviews: {found.agreed} of {found.second_reviews} said the same as the first."
    yield f"Appeals by accounts: {found.reversed} of {found.appealed} that were decided reversed the decision."
    missed = ", ".join(f"{clause} {count}" for clause, count in found.missed.items()) or "none"
    yield f"Samples read in which nothing was found: {found.sampled}. Breaches among them: {missed}."
    for clause, each in found.rules.items():
        yield f"  {clause}: people confirmed {each.confirmed} of {each.looked_at} findings of its rule"
    if not found.rules:
        yield "No finding of a rule was put before a person yet (`decide=review`)."

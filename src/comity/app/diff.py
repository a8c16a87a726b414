"""`comity diff`: what changed between two versions, and whether each rule became stricter, proved."""

from __future__ import annotations

from pathlib import Path

from comity.app.archives import demand_apart
from comity.app.check import checked_agreement
from comity.app.diff_drawing import lines
from comity.app.diff_json import as_built
from comity.app.diff_page import page
from comity.app.errors import Exit, StopError
from comity.app.settings import Settings
from comity.app.terminal import as_json as print_json
from comity.app.terminal import err, progress, say
from comity.app.wiring import reading
from comity.flow.agreement import Versions
from comity.flow.diff import Difference, difference
from comity.model.agreement import Agreement

_DIGEST = "sha256:"


def diff(old: str, new: str, settings: Settings, *, as_json: bool, html: Path | None) -> Exit:
    """Exit code 0 whatever differs; `StopError` if a version has errors."""
    if html is not None:
        demand_apart(html, (old, new))
    versions = [_version(name, settings) for name in (old, new)]
    found = _difference(*versions)
    if html is not None:
        html.write_text(page(found, old, new), encoding="utf-8", newline="\n")
    if as_json:
        print_json(as_built(found, old, new))
    else:
        for line in lines(found, old, new):
            say(line)
    if html is not None and not as_json:
        err.print(f"Written to {html}; it opens in any browser.", markup=False)
    return Exit.FINE


def _difference(old: Agreement, new: Agreement) -> Difference:
    with progress("proving", len(new.clauses)) as bar:
        return difference(old, new, done=lambda count: bar.update(bar.task_ids[0], completed=count))


def _version(name: str, settings: Settings) -> Agreement:
    """The agreement in a file, or the published version whose digest begins so."""
    if not name.startswith(_DIGEST):
        return checked_agreement(Path(name))
    with reading(settings) as store:
        found = [version for version in store.versions() if version.digest.startswith(name)]
    if len({version.digest for version in found}) != 1:
        many = "several versions begin" if found else "no published version begins"
        help_ = "Name a file, or more of the digest that `comity publish` printed."
        raise StopError(f"{many} with {name}", help=help_, code=Exit.USAGE)
    latest = Versions(found).latest()
    assert latest is not None
    return latest.agreement

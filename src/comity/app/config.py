"""`comity config`: every setting, its value, where that comes from and what it does."""

from __future__ import annotations

from comity.app.errors import Exit
from comity.app.settings import MEANINGS, Settings, variable_of
from comity.app.terminal import as_json as print_json
from comity.app.terminal import out
from comity.casework.wording import printable


def show_settings(settings: Settings, *, as_json: bool) -> Exit:
    if as_json:
        print_json({name: {"value": each.value, "source": each.source} for name, each in settings.each.items()})
        return Exit.FINE
    for name, each in settings.each.items():
        value = printable(each.value) or ("(made once)" if name == "ledger.origin" else "(none)")
        out.print(f"{name} = {value}  (from {printable(each.source)}; {variable_of(name)} overrides it)", markup=False)
        out.print(f"    {MEANINGS[name]}", markup=False)
    return Exit.FINE

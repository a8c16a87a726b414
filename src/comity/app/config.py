"""`comity config`: every setting, its value, where that comes from and what it does."""

from __future__ import annotations

from rich.table import Table

from comity.app.errors import Exit
from comity.app.settings import MEANINGS, Settings, variable_of
from comity.app.terminal import as_json as print_json
from comity.app.terminal import out


def show_settings(settings: Settings, *, as_json: bool) -> Exit:
    if as_json:
        print_json({name: {"value": each.value, "source": each.source} for name, each in settings.each.items()})
        return Exit.FINE
    table = Table("setting", "value", "from", "what it does", "variable", box=None, pad_edge=False)
    for name, each in settings.each.items():
        table.add_row(name, each.value or "(made once)", each.source, MEANINGS[name], variable_of(name))
    out.print(table)
    return Exit.FINE

"""The source of a plan: all rules of a version as one module of Python, kept for people to read.

    breached(m, counts)       the answer for a message: a bit for each breached clause
    breached_all(ms, counts)  the same for many messages; `breached_columns(ms, columns)` where counts are columns
    hits_of(m)                which searches may find something in a message, as bits; `hits_of_all(ms)` in many
    at_once(m, counts, h)     the answer where the bits `h` and a quick look at the message give it, else UNSURE
    judge(f)                  all rules, asked of a reading of the message

Clauses are asked in groups by what must have been found; those whose searches found nothing are skipped together.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import reduce
from operator import or_
from typing import Final, NamedTuple

from comity.engine.compile import FIELDS, SURE, Compiler, Search
from comity.engine.links import WWW
from comity.engine.loosest import alike, loosest
from comity.engine.needs import COSTLY, DIRECT, OF_LINKS, SIGNS, Guard, costly, guard_of, local, need_of
from comity.engine.windows import windows
from comity.model.clause import Clause, Rule
from comity.model.ids import Channel

_ENTRIES: Final = """

def breached(m, counts):
    hits = hits_of(m)
    bits = at_once(m, counts, hits)
    return judge(Judging(m, counts, hits)) if bits == UNSURE else bits


def breached_all(ms, counts):
    return [settled(m, of, hits) for m, of, hits in zip(ms, counts, hits_of_all(ms))]


def settled(m, counts, hits):
    bits = at_once(m, counts, hits)
    return judge(Judging(m, counts, hits)) if bits == UNSURE else bits
"""
UNSURE: Final = -1
"""What `at_once` says when all rules have to be asked."""

_NEEDS: Final = 8  # so many needs are tested together first

Rules = Sequence[tuple[Clause, Rule]]


def generate(rules: Rules) -> tuple[str, Compiler]:
    """The module's source, and the compiler that knows what it refers to. Bit n stands for rule n."""
    compiler = _compiler(rules)
    judging = _judging(rules, compiler)
    at_once = _at_once(rules, compiler)
    columns = _columns(rules, compiler)
    constants = [f"{name} = {source}" for source, name in compiler.constants.items()]
    sieves = [line for field in _fields(compiler) for line in _sieve(field, compiler)]
    parts = [f"    @feature\n    def {name}(f):\n        return {code}\n" for name, code in compiler.parts.values()]
    said = [
        f"    @feature\n    def said_in_{field}(f):\n        return sieve_of_{field}.groups_in(f.{field})\n"
        for field in compiler.groups
    ]
    every = sum(compiler.bits.values())
    head = ["", "", "class Judging(Reading):", "    lexicons = entries", f"    every_hit = {every}", ""]
    lines = [*constants, *sieves, *head, *said, *parts, *_hits(compiler), *at_once, *judging, *columns, _ENTRIES]
    return "\n".join(lines), compiler


def fields_needed(rules: Rules) -> list[frozenset[str]]:
    """For each rule the fields in which something must be found before it can hold; none for one that may anyway."""
    compiler = _compiler(rules)
    needs = [need_of(rule.expression, compiler) for _, rule in rules]
    return [frozenset(search.field for search, bit in compiler.bits.items() if bit & need) for need in needs]


def _compiler(rules: Rules) -> Compiler:
    """A compiler that knows what is worth sharing, from a first pass over all rules."""
    first = Compiler()
    for clause, rule in rules:
        first.code(rule.expression, clause.id)
    often = frozenset(plain for plain, count in first.seen.items() if count > 1)
    return Compiler(shared=often, constants=first.constants, groups=first.groups, bits=first.bits)


def _by_channels(rules: Rules) -> dict[frozenset[Channel], list[int]]:
    numbers: dict[frozenset[Channel], list[int]] = {}
    for number, (clause, _) in enumerate(rules):
        numbers.setdefault(clause.channels, []).append(number)
    return numbers


def _judging(rules: Rules, compiler: Compiler) -> list[str]:
    lines = ["", "", "def judge(f):", "    hits = f.hits", "    breached = 0"]
    for channels, numbers in _by_channels(rules).items():
        lines.append(f"    if f.channel in {_channels(channels, compiler)}:")
        by_need = _by_need(numbers, rules, compiler)
        asked = {
            need: [line for group in alike(some, rules) for line in _exactly(group, rules, compiler)]
            for need, some in by_need.items()
        }
        lines += _indented(asked.pop(0, []), 2)
        lines += _indented(_guarded(asked), 2)
    return [*lines, "    return breached"]


def _by_need(numbers: Iterable[int], rules: Rules, compiler: Compiler) -> dict[int, list[int]]:
    by_need: dict[int, list[int]] = {}
    for number in numbers:
        by_need.setdefault(need_of(rules[number][1].expression, compiler), []).append(number)
    return by_need


def _exactly(group: list[int], rules: Rules, compiler: Compiler) -> list[str]:
    """Rules that are alike, behind the loosest of them."""
    lines: list[str] = []
    for number in group:
        clause, rule = rules[number]
        lines += [f"if {compiler.code(rule.expression, clause.id).text}:", f"    {_answer(number, clause)}"]
    if len(group) == 1:
        return lines
    first, _ = rules[group[0]]
    code = compiler.code(loosest(rules[number][1].expression for number in group), first.id).text
    return [f"if {code}:", *_indented(lines, 1)]


def _answer(number: int, clause: Clause) -> str:
    return f"breached |= {1 << number}  # {clause.id}"


def _guarded(by_need: dict[int, list[str]]) -> list[str]:
    """Each group of clauses behind its need, and groups of groups behind theirs."""
    needs = sorted(by_need)
    blocks = [(need, [f"if hits & {need}:", *_indented(by_need[need], 1)]) for need in needs]
    while len(blocks) > _NEEDS:
        blocks = [_together(blocks[start : start + _NEEDS]) for start in range(0, len(blocks), _NEEDS)]
    return [line for _, block in blocks for line in block]


def _together(blocks: list[tuple[int, list[str]]]) -> tuple[int, list[str]]:
    if len(blocks) == 1:
        return blocks[0]
    need = reduce(or_, (each for each, _ in blocks))
    return need, [f"if hits & {need}:", *_indented([line for _, block in blocks for line in block], 1)]


class _Group(NamedTuple):
    """The guards of rules that are alike, each with its rule's number; and one that holds wherever a rule does."""

    loosest: Guard
    guarded: Sequence[tuple[Guard, int]]

    def any_of(self, guards: Iterable[Guard]) -> str:
        """Code that holds wherever one of these guards and its rule do; "" for none."""
        codes = dict.fromkeys(guard.code or "True" for guard in guards)
        together = " or ".join(codes)
        return f"({self.loosest.code} and ({together}))" if self.is_worth_asking(len(codes)) else together

    def is_worth_asking(self, tests: int) -> bool:
        """Whether the loosest saves some of so many tests."""
        return tests > 1 and bool(self.loosest.code)


def _groups(numbers: Iterable[int], rules: Rules, direct: Compiler, compiler: Compiler) -> list[_Group]:
    found: list[_Group] = []
    for group in alike(numbers, rules):
        asked = [rules[number] for number in group]
        guards = [guard_of(rule.expression, clause.id, direct, compiler) for clause, rule in asked]
        of_all = loosest(rule.expression for _, rule in asked)
        first, _ = asked[0]
        found.append(_Group(guard_of(of_all, first.id, direct, compiler), list(zip(guards, group, strict=True))))
    return sorted(found, key=lambda each: each.loosest.price)


def _at_once(rules: Rules, compiler: Compiler) -> list[str]:
    in_place = Compiler(variables=_in_place(compiler), counts="counts[{}]", constants=compiler.constants)
    in_locals = replace(in_place, variables=DIRECT | {name: local(name) for name in COSTLY})
    lines = ["", "", f"UNSURE = {UNSURE}", "", "", "def at_once(m, counts, hits):", "    breached = 0"]
    for channels, numbers in _by_channels(rules).items():
        lines.append(f"    if m.channel in {_channels(channels, compiler)}:")
        by_need = _by_need(numbers, rules, compiler)
        needless = _asked(_groups(by_need.pop(0, []), rules, in_place, compiler), rules)
        tests: dict[int, list[str]] = {}
        for need, some in by_need.items():
            found = _groups(some, rules, in_locals, compiler)
            tests[need] = [*_locals(found, compiler), *_asked(found, rules)]
        lines += _indented([*_guarded(tests), *needless, "pass"], 2)
    return [*lines, "    return breached"]


def _asked(found: Sequence[_Group], rules: Rules) -> list[str]:
    """Guards, and what is answered where they are sure."""
    unsure = [each.any_of(guard for guard, _ in each.guarded if not guard.sure) for each in found]
    codes = dict.fromkeys(filter(None, unsure))
    lines = [f"if {' or '.join(codes)}:", "    return UNSURE"] if codes else []
    for each in found:
        sure = [(guard, number) for guard, number in each.guarded if guard.sure]
        answers = [line for guard, number in sure for line in _answered(guard, number, rules)]
        is_behind = each.is_worth_asking(len(sure))
        lines += [f"if {each.loosest.code}:", *_indented(answers, 1)] if is_behind else answers
    return lines


def _answered(guard: Guard, number: int, rules: Rules) -> list[str]:
    clause, _ = rules[number]
    lines = [f"if {guard.sure}:", f"    {_answer(number, clause)}"]
    return lines if guard.is_exact else [*lines, f"elif {guard.code}:", "    return UNSURE"]


def _columns(rules: Rules, compiler: Compiler) -> list[str]:
    """Judging by columns of counts: where no search found anything, only rules without a need are looked at."""
    direct = Compiler(variables=_in_place(compiler), counts="of_{}", count_price=0.2, constants=compiler.constants)
    needless = [number for number, (_, rule) in enumerate(rules) if not need_of(rule.expression, compiler)]
    unsure, answers = dict[str, None](), list[str]()
    for each in _groups(needless, rules, direct, compiler):
        unsure[each.any_of(guard for guard, _ in each.guarded if not guard.is_exact)] = None
        exact = [(guard, *rules[number], 1 << number) for guard, number in each.guarded if guard.is_exact]
        bits = " | ".join(
            f"({bit} if {guard.code} and m.channel in {_channels(clause.channels, compiler)} else 0)"
            for guard, clause, _, bit in exact
        )
        answers.append(f"(({bits}) if {each.loosest.code} else 0)" if each.is_worth_asking(len(exact)) else bits)
    asked = [window for clause, rule in rules for window in windows(rule.expression, clause.id)]
    names = list(dict.fromkeys(map(compiler.window, asked)))
    counts = ", ".join(f"{name}: of_{name}" for name in names)
    return [
        *("", "", "def breached_columns(ms, columns):", "    return ["),
        f"        settled(m, {{{counts}}}, hits) if {' or '.join(['hits', *filter(None, unsure)])}",
        f"        else {' | '.join(filter(None, answers)) or 0}",
        f"        for {', '.join(('m', 'hits', *(f'of_{name}' for name in names)))}",
        f"        in zip({', '.join(('ms', 'hits_of_all(ms)', *(f'columns[{name}]' for name in names)))})",
        "    ]",
    ]


def _in_place(compiler: Compiler) -> dict[str, str]:
    return DIRECT | {name: costly(name, compiler) for name in COSTLY}


def _locals(found: Sequence[_Group], compiler: Compiler) -> list[str]:
    guards = [guard for each in found for guard in (each.loosest, *(guard for guard, _ in each.guarded))]
    reads = dict.fromkeys(name for guard in guards for name in sorted(guard.reads))
    return [f"{local(name)} = {costly(name, compiler)}" for name in reads]


def _channels(channels: frozenset[Channel], compiler: Compiler) -> str:
    return compiler.constant(f"frozenset({sorted(channels)!r})")


def _fields(compiler: Compiler) -> list[str]:
    sieved = {search.field for search in compiler.bits}
    return [field for field in FIELDS if field in sieved]


def _sieve(field: str, compiler: Compiler) -> Iterator[str]:
    bits = {(search.kind, search.what): bit for search, bit in compiler.bits.items() if search.field == field}
    signs: dict[str, int] = {}
    for (kind, what), bit in bits.items():
        for text in SIGNS[what] if kind == "sign" else ():
            is_sure = what in OF_LINKS and text == WWW
            signs[text] = signs.get(text, 0) | bit | (bit << SURE if is_sure else 0)
    yield f"sieve_of_{field} = Sieve("
    yield "    Wanted("
    yield f"        patterns={ {what: bit for (kind, what), bit in bits.items() if kind == 'pattern'}!r},"
    yield f"        signs={signs!r},"
    phrases = (f"({what}, {bits['phrases', what]})" for what in compiler.groups.get(field, {}))
    yield f"        phrases=[{', '.join(phrases)}],"
    domains = (f"(lexicons[{what!r}], {bit})" for (kind, what), bit in bits.items() if kind == "domains")
    yield f"        domains=[{', '.join(domains)}],"
    if field in compiler.least_shares:
        yield f"        capitals=({compiler.least_shares[field]!r}, {bits['capitals', '']}),"
    yield "    )"
    yield ")"


def _hits(compiler: Compiler) -> list[str]:
    values = {field: f"m.{field}" if field != "unquoted" else "unquoted_of(m)" for field in _fields(compiler)}
    one = " | ".join(f"sieve_of_{field}.one({value})" for field, value in values.items())
    texts = {field: f"pieces([{value} for m in ms])" for field, value in values.items()}
    texts |= {"text": "joined_texts(ms)"} if "text" in texts else {}
    many = [f"sieve_of_{field}.all_of({value})" for field, value in texts.items()]
    adding = [f"    hits = [a | b for a, b in zip(hits, {each})]" for each in many[1:]]
    lists = {search.what if search.kind == "sign" else "domains": 0 for search in compiler.bits if _is_of_list(search)}
    if "domains" in lists:
        lists["links"] = 0
    of_lists = sum(bit for search, bit in compiler.bits.items() if _is_of_list(search))
    given = " or ".join(f"m.{name} is not None" for name in lists)
    return [
        *("", "", "def hits_of(m):", f"    hits = {one or '0'}"),
        *([f"    if {given}:", f"        hits |= {of_lists}"] if lists else []),
        "    return hits",
        *("", "", "def hits_of_all(ms):", f"    hits = {many[0] if many else '[0] * len(ms)'}", *adding),
        *([f"    hits = [bits | {of_lists} if {given} else bits for m, bits in zip(ms, hits)]"] if lists else []),
        "    return hits",
    ]


def _is_of_list(search: Search) -> bool:
    """Whether it stands for a list that a message may bring along itself."""
    return search.kind in ("sign", "domains")


def _indented(lines: list[str], levels: int) -> list[str]:
    return [f"{'    ' * levels}{line}" for line in lines]

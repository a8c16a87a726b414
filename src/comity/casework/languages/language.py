"""The fixed sentences of a statement: what each is called, and which a language has to have.

A new language is one file beside this one and a line in `LANGUAGES`; a sentence that it lacks is a type error.
Names in braces are filled in.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from comity.model.clause import Kind
from comity.model.duration import Unit

OneAndMany = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Language:
    """One language's sentences. Durations are filled in bare (`7 days`), so no sentence may ask for another case."""

    code: str
    months: tuple[str, ...]
    first_day: str
    dated: str
    day: str
    units: Mapping[Unit, OneAndMany]
    each: Mapping[Unit, str]
    messages: OneAndMany
    points: OneAndMany
    and_: str
    or_: str
    to: str
    quoted: str
    decimal_point: str
    thousands: str
    percent: str
    yes: str
    no: str
    nothing: str

    mail_link: str
    mail_changed: str

    title: str
    preview: str
    title_now: str
    title_decided: str
    title_messages: OneAndMany
    title_clauses: OneAndMany
    title_why: str
    title_points: str
    title_disagree: str
    title_since: str

    now_reversed: str
    now_replaced: str
    now_changed: str

    about: str
    no_measure: str
    on_record: str
    go_on: str
    kinds: Mapping[Kind, str]
    removed: OneAndMany
    marked: OneAndMany
    removed_later: OneAndMany
    marked_later: OneAndMany
    stays_removed: OneAndMany
    stays_marked: OneAndMany
    put_back: OneAndMany
    mail_stays: str
    limited: str
    on_channels: str
    everywhere: str
    everywhere_else: str
    only_in: OneAndMany
    countries: Mapping[str, str]
    condition: str
    conditions: Mapping[str, str]
    condition_names: Mapping[str, str]
    found_by_rule: str
    found_by_person: str
    decided_by_rule: str
    decided_by_person: str
    milder: str
    from_authority: str
    from_flagger: str
    from_user: str
    on_own: str
    replay: str

    delay: str
    until: str
    range: str
    for_: str
    until_conditions: OneAndMany
    at_least: str
    at_latest: str
    no_end: str

    sent: str
    source: str
    subject: str
    cut: str

    accepted: str
    accepted_by_going_on: str
    translated: str
    in_force: str

    breaches: str
    breaches_because: str
    your_message: str
    your_message_named: str
    late: str
    reviewer_adds: str
    text_says: str
    subject_says: str
    at_characters: str
    matched: str
    read_as: str
    links_to: str
    fits: str
    on_list: str
    feature_is: str
    feature_compared: str
    orders: Mapping[str, str]
    features: Mapping[str, str]
    unknown_age: str

    added: str
    added_on: str
    never_forgotten: str
    forgotten: str
    forgotten_clean: str
    not_before_end: str
    next_step: str
    next_nothing: str
    next_kinds: Mapping[Kind, str]
    next_channels: str
    next_same: str
    next_all: str
    next_term: str
    next_delay: str

    whichever_is_later: str
    appeal_for: str
    appeal_until: str
    write_to: str
    elsewhere: str

    appeal_waits: str
    appeal_holds: str
    appeal_holds_now: str
    appeal_pause: str
    put_off: str
    delivered: str
    met: str
    corrected: str
    reason: str
    lifted: str
    undone: str
    recomputed: str
    joined: str
    joined_removed: str
    joined_removed_later: str
    joined_marked: str
    outcome: str
    upheld: str
    varied: str
    reversed: str
    omitted: str
    from_then: str
    from_then_nothing: str
    measures: Mapping[Kind, str]
    settled_start: str
    settled_end: str
    settled_both: str
    settled_open: str

"""What the person's page says besides the statement itself: what each sentence is called. Braces are filled in."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """One language's sentences. A new language is one file beside this one; what it lacks is a type error."""

    code: str
    skip: str
    about_service: str

    standing: str
    open_on: str
    other_statement: str
    is_yours: str
    refused_private: str

    read: str
    read_why: str
    read_done: str

    appeal: str
    appeal_why: str
    appeal_hint: str
    appeal_by: str
    appeal_by_hint: str
    appeal_files: str
    appeal_files_hint: str
    appeal_send: str
    appeal_filed: str
    appeal_closed: str
    your_appeal: str
    offer_waits: str
    offer_sent: str
    offered: str
    offered_why: str
    offered_take: str

    keep: str
    keep_proof: str
    keep_proof_why: str
    keep_account: str
    keep_account_why: str

    problem: str
    no_text: str
    long_text: str
    long_name: str
    many_files: str
    large_file: str
    not_done: str

    nowhere: str
    nowhere_why: str

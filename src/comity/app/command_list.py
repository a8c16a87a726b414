"""The list of commands that `comity --help` shows: in sections, in the order in which people meet them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from typer.core import TyperGroup

if TYPE_CHECKING:
    from typer._click import Context, HelpFormatter

SECTIONS: Final = {
    "Begin": {
        "demo": "the main job on real mails, from judging to the ledger",
        "init": "write a starter agreement and its settings",
        "check": "prove an agreement's rules, run its examples",
        "config": "every setting, and where its value comes from",
    },
    "Try an agreement before anybody is judged by it": {
        "explain": "why a message breaches a clause, or does not",
        "judge": "find breaches in archives; nothing is recorded",
        "backtest": "what a draft would have done to past messages",
        "diff": "what changed, and whether it became stricter",
        "simulate": "play a whole community through it",
    },
    "Judge by it": {
        "publish": "put a version in force",
        "accept": "an account accepts a version",
        "run": "judge an archive, take the measures, state reasons",
        "serve": "all of it over HTTP, with the console and the pages",
        "gate": "hold what was decided, beside a server",
        "token": "what programs bring to `comity serve`",
        "webhook": "where `comity serve` sends what happened",
        "handle": "what a channel calls an account",
        "contact": "the e-mail address of an account",
        "mail": "statements by e-mail: what waits, what was given up",
    },
    "Decide": {
        "user": "people who sign in to the console, and their roles",
        "cases": "what waits for a person",
        "case": "read a case, claim it, decide it",
        "bulk": "decide all that one rule put before people",
        "notice": "somebody reports a message",
        "quality": "do reviewers agree, and what do rules miss?",
        "sample": "have people read what no rule found",
    },
    "What people are told, and what they say to it": {
        "statement": "a statement of reasons, as its account reads it",
        "link": "the link to it, for the account alone",
        "delivered": "a statement has reached its account",
        "standing": "what an account may do, and until when not",
        "appeal": "appeal against a decision",
        "outcome": "decide an appeal",
        "correct": "correct a statement; the old text stays",
        "lift": "end a measure early",
        "attest": "a condition is met on which a measure ends",
        "undo": "reverse all that a bad rule decided",
        "put-off": "let appeals wait when there are too many",
        "removals": "messages that a source has still to take down",
    },
    "Publish": {
        "report": "a period counted, as the EU's DSA asks for it",
    },
    "Keep and erase": {
        "forget": "what is due each day: old texts go",
        "hold": "keep an account's data for a court",
        "export": "an account's data, for the account",
        "erase": "erase an account's data; the proofs stay",
        "backup": "copy the record while it is used",
        "restore": "make a record from a backup",
    },
    "Prove it": {
        "verify": "check a whole ledger, yours or somebody's",
        "prove": "one file that proves what was decided",
        "verify-statement": "check such a file, offline",
        "cosign": "have witnesses vouch for your ledger",
        "witness": "vouch for the ledgers of others",
        "keys": "the keys that sign your ledger",
    },
}


class Sections(TyperGroup):
    """Shows the commands in sections."""

    def format_commands(self, ctx: Context, formatter: HelpFormatter) -> None:
        widest = max(map(len, self.commands))
        for title, commands in SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl([(name.ljust(widest), told) for name, told in commands.items()])

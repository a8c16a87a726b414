"""The tables of the embedded store. Everything that is about a person is sealed with that person's key.

What stands in the clear: random ids and numbers, times, kinds of facts, what the ledger publishes anyway, and keyed
hashes. An erased row keeps its place and loses the rest.
"""

from __future__ import annotations

from typing import Final

FORMAT: Final = 4
"""`versions`, `entries` and `checkpoint` are as in format 1; `FEED` is new in 3, `ids.entry` in 4."""
FEED: Final = """\
create table plans (
  row integer primary key, subject integer, channel text, body blob, unique (subject, channel)
) strict;
create table changes (
  seq integer primary key, row integer not null,
  at integer not null default (cast(unixepoch('subsec') * 1000000 as integer))
) strict;
create index changes_by_row on changes (row);
create table feed (id integer primary key check (id = 1), epoch text not null, is_settled integer not null) strict;
create table totals (channel text primary key, count integer not null, digest blob not null) strict, without rowid;
"""
SCHEMA: Final = f"""
create table store (
  id integer primary key check (id = 1), keys blob not null,
  enrolled integer not null, erasures integer not null, cleaned integer not null
) strict;
create table subjects (subject integer primary key, account blob not null) strict;
create table messages (
  seq integer primary key, key blob not null unique, subject integer, sent integer, private blob, body blob
) strict;
create index messages_by_subject on messages (subject) where subject is not null;
create index messages_by_time on messages (sent) where sent is not null;
create index messages_kept on messages (seq) where body is not null;
create table facts (seq integer primary key, subject integer, kind text, at integer, body blob) strict;
create index facts_by_subject on facts (subject) where subject is not null;
create index facts_by_kind on facts (kind, at) where kind is not null;
create table ids (id text primary key, subject integer, entry integer) strict, without rowid;
create index ids_by_subject on ids (subject) where subject is not null;
create table waiting (seq integer primary key, id text not null unique, subject integer not null) strict;
create table handles (seq integer primary key, handle blob not null, subject integer not null, unique (handle, subject))
strict;
create table restricted (subject integer primary key) strict;
create table if not exists versions (
  seq integer primary key, digest text not null, name text not null, effective integer not null, files blob not null
) strict;
create table if not exists entries (seq integer primary key, body blob not null) strict;
{FEED}create table openings (seq integer primary key, entry text not null, subject integer not null, body blob not null)
strict;
create index openings_by_entry on openings (entry);
create index openings_by_subject on openings (subject);
create table attachments (
  seq integer primary key, subject integer not null, name blob not null, body blob not null, unique (subject, name)
) strict;
create table erased (statement text primary key) strict, without rowid;
create table terminated (account blob primary key) strict, without rowid;
create table if not exists checkpoint (id integer primary key check (id = 1), body blob not null) strict;
create table head (id integer primary key check (id = 1), body blob not null) strict;
create table reached (id integer primary key check (id = 1), at integer not null) strict;
create table snapshot (
  id integer primary key check (id = 1), messages integer not null, position integer not null, body blob not null
) strict;
"""
ERASURE: Final = (
    "insert into changes (row) select row from plans where subject = ? order by row",
    "update plans set subject = null, channel = null, body = null where subject = ?",
    "update messages set subject = null, sent = null, private = null, body = null where subject = ?",
    "update facts set subject = null, kind = null, at = null, body = null where subject = ?",
    "update ids set subject = null where subject = ?",
    "delete from waiting where subject = ?",
    "delete from handles where subject = ?",
    "delete from restricted where subject = ?",
    "delete from openings where subject = ?",
    "delete from attachments where subject = ?",
    "delete from subjects where subject = ?",
)
"""What leaves of a subject only the places that its rows had."""

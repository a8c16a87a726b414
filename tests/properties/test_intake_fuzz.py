"""No bytes make a reader raise: they become messages, rejects or a problem with a mend."""

from __future__ import annotations

import bz2
import contextlib
import gzip
import io
import lzma
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from comity.intake.archives import read_archives
from comity.intake.mail import message_from_mail
from comity.intake.problems import RecordError
from comity.intake.reject_file import reject_line
from comity.model.markup import seen

GOOD = b'{"id":"1","author":"a","channel":"posts","sent":0,"text":"hello","meta":{"a":"b"}}\n'
SEEDS = {
    ".jsonl": GOOD * 3,
    ".csv": b'id,author,channel,sent,text\n1,a,posts,0,"x ""y"", z"\n2,b,posts,0,\n',
    ".mbox": b"From a@b Sat Jan 31 12:00:00 2026\nFrom: a@b\nDate: Sat, 31 Jan 2026 12:00:00 +0000\n\nx\n\n" * 2,
    ".eml": b"From: =?utf-8?q?a?= <a@b>\nDate: Sat, 31 Jan 2026 12:00:00 +0000\nTo: c@d\n"
    b"Content-Type: multipart/alternative; boundary=x\n\n--x\n\nplain\n--x\nContent-Type: text/html; charset=utf-8\n"
    b"Content-Transfer-Encoding: base64\n\nPGEgaHJlZj0iaHR0cDovL2EuYiI+eDwvYT4=\n--x--\n",
    ".json.gz": gzip.compress(GOOD),
    ".json.bz2": bz2.compress(GOOD),
    ".json.xz": lzma.compress(GOOD),
    ".json.zst": bytes(pa.compress(GOOD, codec="zstd", asbytes=True)),
    "": GOOD,
}


def parquet() -> bytes:
    columns = {"id": ["1", "2"], "author": ["a", "b"], "channel": ["posts"] * 2, "sent": [0, 1], "text": ["x", "y"]}
    written = io.BytesIO()
    pq.write_table(pa.table(columns | {"links": [["a"], None], "meta": [{"k": "v"}, None]}), written)
    return written.getvalue()


SEEDS[".parquet"] = parquet()
pieces = st.binary(max_size=8) | st.sampled_from(
    [
        b'"',
        b"\n",
        b"\r",
        b",",
        b"{",
        b"}",
        b"[",
        b"\\ud800",
        b"\xff",
        b"\0",
        b"From ",
        b"=?utf-8?b?",
        b"<!--",
        b"--x",
        b":",
    ]
)
edits = st.lists(st.tuples(st.floats(0, 1), st.integers(0, 12), pieces), max_size=6)


def edited(seed: bytes, changes: list[tuple[float, int, bytes]]) -> bytes:
    """The seed with pieces put in the place of some of its bytes."""
    for place, length, piece in changes:
        at = int(place * len(seed))
        seed = seed[:at] + piece + seed[at + length :]
    return seed


def read(file: Path) -> None:
    for batch in read_archives([str(file)]):
        for message in batch.messages:
            assert message.sent.tzinfo is not None
            "\n".join([message.id, message.author, message.text, message.subject, *message.meta.values()]).encode()
        for reject in batch.rejects:
            assert reject.reason
            assert reject.mend
            reject_line(reject)
        if batch.problem:
            assert batch.problem.what
            assert batch.problem.mend


@pytest.mark.parametrize("suffix", SEEDS)
@given(edits)
def test_an_archive_with_bytes_changed_never_raises(
    suffix: str, tmp_path_factory: pytest.TempPathFactory, changes: list[tuple[float, int, bytes]]
) -> None:
    file = tmp_path_factory.getbasetemp() / f"archive{suffix}"
    file.write_bytes(edited(SEEDS[suffix], changes))
    read(file)


@pytest.mark.parametrize("suffix", SEEDS)
@given(st.binary(max_size=200))
def test_any_bytes_never_raise(suffix: str, tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    file = tmp_path_factory.getbasetemp() / f"archive{suffix}"
    file.write_bytes(content)
    read(file)


heads = st.sampled_from(
    [b"From", b"To", b"Date", b"Subject", b"Message-ID", b"Received", b"Content-Type", b"Content-Disposition",
     b"Content-Transfer-Encoding", b"Authentication-Results", b"Reply-To", b"Content-Language", b"List-Id"]
)  # fmt: skip
PIECES = (
    b"a@b", b"<", b">", b"(", b")", b'"', b";", b"=?utf-8?q?", b"?=", b"boundary=x", b"multipart/mixed", b"base64",
    b"charset*0*=", b"text/html", b"message/rfc822", b"filename*1*=''%ff", b"31 Jan 2026 12:00", b" +9999",
    b"dkim=pass", b"x-uuencode",
)  # fmt: skip
values = st.lists(st.binary(max_size=6) | st.sampled_from(PIECES), max_size=6).map(b"".join)


@given(st.lists(st.tuples(heads, values), max_size=8), st.lists(values, max_size=4))
def test_no_headers_and_parts_make_a_mail_raise(lines: list[tuple[bytes, bytes]], parts: list[bytes]) -> None:
    head = b"".join(name + b": " + value + b"\n" for name, value in lines)
    content = b"From: a@b\nDate: 31 Jan 2026 12:00\n" + head + b"\n" + b"\n--x\n".join(parts)
    with contextlib.suppress(RecordError):
        message_from_mail(content)


@given(
    st.lists(
        st.sampled_from(
            ["<", ">", "!--", "-->", "a", " href=", '"', "'", "script", "/", "&#", "9", ";", "x", " ", "\n"]
        )
    )
)
def test_no_markup_raises(markup: list[str]) -> None:
    shown = seen("".join(markup))
    assert "\n\n" not in shown.text

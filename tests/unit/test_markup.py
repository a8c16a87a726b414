"""HTML as its reader sees it, in time linear in the markup."""

from __future__ import annotations

import time

import pytest

from comity.model.markup import seen


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("a <b>b</b> c", "a b c"),
        ("fr<i></i>ee", "free"),
        ("fr<!-- x -->ee", "free"),
        ("<p>a</p><p>b</p>", "a\nb"),
        ("a<br>b<BR/>c", "a\nb\nc"),
        ("<table><tr><td>a<td>b<tr><td>c</table>", "a b\nc"),
        ("  a \n\t b  ", "a b"),
        ("&lt;b&gt; &amp; &eacute; &#233; &#xe9;", "<b> & é é é"),
        ("&#xD800; &#" + "9" * 5000 + ";", "\ufffd \ufffd"),
        ("1 < 2 && 3 > 2", "1 < 2 && 3 > 2"),
        ("<script>var a = '<p>x</p>';</script>a<STYLE>b</style >c<title>t</title>", "ac"),
        ("<!DOCTYPE html><?xml x?></>a", "a"),
        ("<!-->a<!--->b<!-- x --!>c", "abc"),
        ("a<!-- no end", "a"),
        ("a<b no end", "a"),
        ("a<script>no end", "a"),
        ('a<b title="x>y">c', "ac"),
        ("a<b title=it's>c", "ac"),
        ("a<b don't>c", "ac"),
        ('a<b x="never closed>c', "a"),
        ("a<1>b<é>c", "a<1>b<é>c"),
        ("", ""),
        ("\0", "\0"),
    ],
)
def test_what_a_reader_sees(markup: str, text: str) -> None:
    assert seen(markup).text == text


@pytest.mark.parametrize(
    ("markup", "links"),
    [
        ('<a href="http://a.example/?a=1&amp;b=2">x</a>', ("http://a.example/?a=1&b=2",)),
        ("<a class=x HREF = 'http://a.example'>x</a>", ("http://a.example",)),
        ("<A href=http://a.example/x>x</A><area href=//b.example>", ("http://a.example/x", "//b.example")),
        ('<a data-href="http://no.example" href="http://a.example">', ("http://a.example",)),
        ('<a title="href=http://no.example">x</a>', ()),
        ("<a href=''>x</a><a href>x</a><a>x</a>", ()),
        ('<img href="http://a.example">', ()),
    ],
)
def test_where_links_lead(markup: str, links: tuple[str, ...]) -> None:
    assert seen(markup).links == links


HOSTILE = [
    "<!--",
    "<![CDATA[",
    "<a ",
    '<a x="',
    "<a x='\"",
    "<",
    "</",
    "<!",
    "<?",
    "&",
    "&#",
    "<script>",
    "<a href=",
    "<a =",
    "< ",
]


@pytest.mark.parametrize("piece", HOSTILE)
@pytest.mark.parametrize("end", ["", '">', "-->"])
def test_half_a_megabyte_of_unclosed_markup_takes_no_longer_than_another(piece: str, end: str) -> None:
    start = time.perf_counter()
    seen(piece * (500_000 // len(piece)) + end)
    assert time.perf_counter() - start < 5

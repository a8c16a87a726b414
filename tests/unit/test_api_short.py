"""The short way to a standing: it is taken when the question is plain, and answers as the long way does."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from urllib.parse import quote_plus, urlencode

import msgspec
import pytest
from api_parts import SECRETS, KnownTokens, bearer, serving
from hypothesis import example, given, settings
from hypothesis import strategies as st
from litestar.testing import TestClient
from test_flow_record import World, agreement

from comity.api.short import short
from comity.model.access import Role

LONG_WAY = "&more=1"
TOKENS = (*SECRETS.values(), "comity_mail", "unknown")


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """Of a service where `ann` is suspended from `posts`."""
    world = World(agreement("| 1 | suspend | posts | 2 days |"), "live")
    assert world.say("spam").statement is not None
    with serving(world, tmp_path_factory.mktemp("served")) as client:
        yield client


def written(account: str, channel: str) -> str:
    return urlencode({"account": account, "channel": channel}, quote_via=quote_plus, errors="surrogatepass")


queries = st.builds(written, st.just("ann") | st.text(max_size=40), st.sampled_from(["posts", "mail"]) | st.text())
raw = st.text(alphabet="acount=hel&%+;4fd", max_size=60)


@settings(deadline=None, max_examples=50)
@given(queries | raw, st.sampled_from(TOKENS))
@example("account=ann&channel=posts", SECRETS[Role.GATE])
@example("account=ann&channel=posts", "comity_mail")
@example("account=ann&channel=mail", "comity_mail")
@example("channel=posts&account=ann", SECRETS[Role.GATE])
@example("account=ann&account=&channel=posts", SECRETS[Role.GATE])
@example(written("a" * 1024, "posts"), SECRETS[Role.GATE])
@example(written("a" * 1025, "posts"), SECRETS[Role.GATE])
def test_the_short_way_answers_as_the_long_way_does(client: TestClient, query: str, secret: str) -> None:
    first, second = (client.get(f"/v1/standing?{asked}", headers=bearer(secret)) for asked in (query, query + LONG_WAY))
    assert first.status_code == second.status_code
    if first.status_code == 200:
        assert (first.headers, first.content) == (second.headers, second.content)
    else:
        assert first.json()["title"] == second.json()["title"]


class Told(msgspec.Struct):
    account: str
    channel: str


@pytest.mark.parametrize(
    ("query", "token", "is_short"),
    [
        ("account=ann&channel=posts", "comity_source", True),
        ("account=%40ann%3Aexample.org&channel=a+b", "comity_source", True),
        (f"account={'a' * 1024}&channel=posts", "comity_source", True),
        (f"account={'a' * 1025}&channel=posts", "comity_source", False),
        ("account=ann&channel=mail", "comity_mail", True),
        ("account=ann&channel=posts", "comity_mail", False),
        ("account=ann&channel=posts", "", False),
        ("channel=posts&account=ann", "comity_source", False),
        ("account=ann&channel=posts&more=1", "comity_source", False),
        ("account=&channel=posts", "comity_source", False),
        ("account=ann", "comity_source", False),
        ("account=änn&channel=posts", "comity_source", False),
        ("", "comity_source", False),
    ],
)
def test_only_a_plain_question_with_a_token_that_may_ask_it_goes_the_short_way(
    query: str, token: str, is_short: bool
) -> None:
    ways, sent = list[str](), list[dict]()

    async def route(scope, receive, send) -> None:
        ways.append("long")

    async def answer(account, channel) -> Told:
        ways.append("short")
        return Told(account, channel)

    async def send(message) -> None:
        sent.append(message)

    known = KnownTokens(World(agreement("| 1 | warn | | |"), "live").clock).known
    scope = {"query_string": query.encode(), "auth": known.get(token)}
    asyncio.run(short(answer)(app=route)(scope, None, send))
    assert ways == (["short"] if is_short else ["long"])
    assert [message["type"] for message in sent] == (["http.response.start", "http.response.body"] if is_short else [])

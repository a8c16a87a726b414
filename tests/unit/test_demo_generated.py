"""The made-up archive: the same for a seed, in order, with labels that the agreement can be measured by."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import comity.app
from comity.agreement import load
from comity.app.demo_generated import generate
from comity.flow.judge import Judging


def test_the_same_seed_gives_the_same_mails_and_another_seed_others() -> None:
    assert list(generate(7, 50)) == list(generate(7, 50))
    assert list(generate(7, 50)) != list(generate(8, 50))


def test_a_longer_archive_keeps_its_ids_times_and_labels() -> None:
    def known(count: int) -> list[object]:
        return [(message.id, message.sent, message.label) for message in generate(7, count)][:50]

    assert known(50) == known(500)


def test_mails_come_in_the_order_of_their_times_with_ids_of_their_own() -> None:
    messages = list(generate(1, 300))
    assert [message.sent for message in messages] == sorted(message.sent for message in messages)
    assert len({message.id for message in messages}) == 300


def test_both_labels_occur_and_some_accounts_send_more_than_one_mail() -> None:
    messages = list(generate(1, 1000))
    labels = Counter(message.label for message in messages)
    assert labels["ham"] > labels["spam"] > 200
    spammers = Counter(message.author for message in messages if message.label == "spam")
    assert spammers.most_common(1)[0][1] > 2


def test_no_mail_is_left_with_a_gap_in_it() -> None:
    assert all("{" not in message.text + message.subject for message in generate(3, 500))


def test_the_mail_agreement_finds_most_of_the_spam_and_accuses_hardly_anybody_else() -> None:
    folder = Path(comity.app.__file__).parent / "gallery" / "mail"
    agreement = load("agreement.md", (folder / "agreement.md").read_bytes(), lambda name: (folder / name).read_bytes())
    assert agreement.agreement is not None
    judging = Judging(agreement.agreement)
    found = Counter((message.label, bool(tuple(judging.judge(message)))) for message in generate(1, 1000))
    assert found["spam", True] > 3 * found["spam", False]
    assert 0 < found["ham", True] < 0.05 * found["ham", False]

"""The person's page in English."""

from __future__ import annotations

from typing import Final

from comity.console.words.words import Words

ENGLISH: Final = Words(
    code="en",
    skip="Skip to the text",
    about_service="About this service",
    standing="What you may do now",
    open_on="You may send on {channels} as usual.",
    other_statement="This comes from another statement: {id}.",
    is_yours="Whoever has this link can read this page and appeal for you. "
    "Give it to nobody but a person who speaks for you.",
    refused_private="Many people may see this link, so this page shows no message and no name. "
    "The account has a link of its own, with everything on it.",
    read="I have read this",
    read_why="The measure can end once you say that you have read this.",
    read_done="Thank you. You have said that you have read this.",
    appeal="Appeal on this page",
    appeal_why="Why is this decision wrong?",
    appeal_hint="Say it in your own words. You can write up to {most} characters.",
    appeal_by="Your name, if you write for somebody else",
    appeal_by_hint="Leave this empty if the account is yours.",
    appeal_files="Files that show it",
    appeal_files_hint="You need not add any. You can add up to {count} files of up to {size} MB each.",
    appeal_send="Send the appeal",
    appeal_filed="We have your appeal. A person who took no part in this decision will read it. "
    "You will find the answer on this page.",
    appeal_closed="The time to appeal is over. It ended on {at}.",
    your_appeal="Your appeal of {at}",
    offer_waits="Your appeal will wait until the account says on its own page that it is theirs, "
    "or until a reviewer takes it up. If you have the account's own link, appeal there.",
    offer_sent="We have your appeal. It waits until the account says that it is theirs, or a reviewer takes it up.",
    offered="Did you write this?",
    offered_why="Somebody with the public link wrote this on {at}. It counts as your appeal only if you say so. "
    "You can also write your own below. Then this one does not count.",
    offered_take="Yes, this is my appeal",
    keep="Keep a copy",
    keep_proof="The statement, with its proof",
    keep_proof_why="A file for you. With it you can show anybody what was decided, even when this page is gone.",
    keep_account="All that is kept about your account",
    keep_account_why="A file that programs can read.",
    problem="This was not sent",
    no_text="Please write why the decision is wrong.",
    long_text="Your text has {count} characters. Please cut it to {most} or fewer.",
    long_name="The name has {count} characters. Please cut it to {most} or fewer.",
    many_files="You chose {count} files. Please send {most} or fewer.",
    large_file="The file {name} is too large. Please send files of up to {size} MB each.",
    not_done="We could not do this: {why}.",
    nowhere="This link leads nowhere",
    nowhere_why="Perhaps a part of it is missing, or a new link has taken its place, or what it showed was erased.",
)

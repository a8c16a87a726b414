"""The person's page in German."""

from __future__ import annotations

from typing import Final

from comity.console.words.words import Words

GERMAN: Final = Words(
    code="de",
    skip="Zum Text springen",
    about_service="Über diesen Dienst",
    standing="Was Sie jetzt dürfen",
    open_on="Auf {channels} dürfen Sie wie gewohnt senden.",
    other_statement="Das folgt aus einer anderen Entscheidung: {id}.",
    is_yours="Wer diesen Link hat, kann diese Seite lesen und für Sie Beschwerde einlegen. "
    "Geben Sie ihn nur einer Person, die für Sie spricht.",
    refused_private="Diesen Link sehen vielleicht viele. Darum zeigt diese Seite keine Nachricht und keinen Namen. "
    "Das Konto hat einen eigenen Link, unter dem alles steht.",
    read="Ich habe das gelesen",
    read_why="Die Maßnahme kann enden, sobald Sie sagen, dass Sie das gelesen haben.",
    read_done="Danke. Sie haben gesagt, dass Sie das gelesen haben.",
    appeal="Beschwerde auf dieser Seite",
    appeal_why="Warum ist diese Entscheidung falsch?",
    appeal_hint="Sagen Sie es mit Ihren Worten. Sie können bis zu {most} Zeichen schreiben.",
    appeal_by="Ihr Name, wenn Sie für jemand anderen schreiben",
    appeal_by_hint="Lassen Sie das leer, wenn das Konto Ihnen gehört.",
    appeal_files="Dateien, die das zeigen",
    appeal_files_hint="Sie müssen keine anfügen. Möglich sind bis zu {count} Dateien mit je bis zu {size} MB.",
    appeal_send="Beschwerde senden",
    appeal_filed="Ihre Beschwerde ist da. Eine Person, die an der Entscheidung nicht beteiligt war, wird sie lesen. "
    "Die Antwort finden Sie auf dieser Seite.",
    appeal_closed="Die Zeit für eine Beschwerde ist vorbei. Sie endete am {at}.",
    your_appeal="Ihre Beschwerde vom {at}",
    offer_waits="Ihre Beschwerde wartet, bis das Konto auf seiner eigenen Seite sagt, dass sie von ihm ist, "
    "oder bis jemand sie zur Prüfung annimmt. Wenn Sie den eigenen Link des Kontos haben, "
    "legen Sie die Beschwerde dort ein.",
    offer_sent="Ihre Beschwerde ist da. Sie wartet, bis das Konto sagt, dass sie von ihm ist, "
    "oder bis jemand sie zur Prüfung annimmt.",
    offered="Haben Sie das geschrieben?",
    offered_why="Jemand mit dem öffentlichen Link hat das am {at} geschrieben. Es gilt nur dann als Ihre Beschwerde, "
    "wenn Sie das sagen. Sie können unten auch eine eigene schreiben. Dann gilt diese nicht.",
    offered_take="Ja, das ist meine Beschwerde",
    keep="Eine Kopie behalten",
    keep_proof="Die Begründung mit ihrem Nachweis",
    keep_proof_why="Eine Datei für Sie. Damit können Sie allen zeigen, was entschieden wurde, "
    "auch wenn es diese Seite nicht mehr gibt.",
    keep_account="Alles, was über Ihr Konto gespeichert ist",
    keep_account_why="Eine Datei, die Programme lesen können.",
    problem="Das wurde nicht gesendet",
    no_text="Bitte schreiben Sie, warum die Entscheidung falsch ist.",
    long_text="Ihr Text hat {count} Zeichen. Bitte kürzen Sie ihn auf höchstens {most}.",
    long_name="Der Name hat {count} Zeichen. Bitte kürzen Sie ihn auf höchstens {most}.",
    many_files="Sie haben {count} Dateien gewählt. Bitte senden Sie höchstens {most}.",
    large_file="Die Datei {name} ist zu groß. Bitte senden Sie Dateien mit je höchstens {size} MB.",
    not_done="Das ging nicht: {why}.",
    nowhere="Dieser Link führt nirgendwohin",
    nowhere_why="Vielleicht fehlt ein Teil, oder es gibt einen neuen Link, oder was er zeigte, wurde gelöscht.",
)

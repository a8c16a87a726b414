"""Where messages come in: archives (Parquet, JSON Lines, CSV, mbox, folders of mails) and streams."""

from comity.intake.archives import NO_MAPPING, Batch, read_archives
from comity.intake.columns import parse_mapping
from comity.intake.mail import message_from_mail
from comity.intake.problems import ArchiveError, Place, RecordError, Reject
from comity.intake.reject_file import RejectFile, reject_line

__all__ = [
    "NO_MAPPING",
    "ArchiveError",
    "Batch",
    "Place",
    "RecordError",
    "Reject",
    "RejectFile",
    "message_from_mail",
    "parse_mapping",
    "read_archives",
    "reject_line",
]

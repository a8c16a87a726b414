"""Where messages come in: archives (Parquet, JSON Lines, CSV, mbox, folders of mails) and streams.

Its files are imported one by one: a command that reads no archive does not wait for what reads them.
"""

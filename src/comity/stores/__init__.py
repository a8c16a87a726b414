"""The ports made of something: memory, SQLite, and the folder that the log is published to."""

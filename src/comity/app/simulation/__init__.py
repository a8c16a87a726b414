"""A whole community, played through the record: who writes what, who reports, decides and appeals."""

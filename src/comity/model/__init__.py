"""The nouns: what the rest of Comity speaks of. Pure values, no behaviour beyond their own meaning."""

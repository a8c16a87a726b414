"""The order of steps and nothing else: what happens to a message, and how a version comes into force."""

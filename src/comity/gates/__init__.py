"""Where decisions take effect: the replica of standings and one file a gate. Not built yet."""

"""Where decisions take effect: what stands in a channel asks a local replica, which follows the centre's feed.

A gate makes a `Replica` (replica.py), loads it from its `Disk` (disk.py), runs a `Follower` (following.py) in its event
loop, and asks `Replica.check(channel, handle, at)` before it lets anything pass.
"""

"""The public log: entries, Merkle tree, tiles, checkpoints, proofs, and their verification. Pure."""

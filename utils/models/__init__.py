"""Checkpoints that the package makes itself, in stock architectures, without a download."""

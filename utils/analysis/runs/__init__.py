"""Reading what an evaluation run left on disk."""

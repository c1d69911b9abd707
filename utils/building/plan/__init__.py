"""Which items are chosen: duplicates, leakage, selection, the plan that every part follows."""

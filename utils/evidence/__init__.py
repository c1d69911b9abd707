"""Which phantoms still show their answer: a template observer, and the level at which it can no longer tell."""

"""The benchmark's files as a `datasets.Dataset`: where they lie, what a row means, what an image cell may hold."""

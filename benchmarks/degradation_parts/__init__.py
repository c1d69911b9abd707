"""Parts of `benchmarks/degradations.py`: other people's routes, the measuring, the table."""

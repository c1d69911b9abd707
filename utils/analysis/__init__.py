"""From the records of one or several runs to figures with intervals, as tables and one JSON file."""

"""Sheets that carry the items out to any person or system, and the answers back in."""

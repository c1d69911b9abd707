"""From replies to numbers: the letter of a reply, confidence, one record per item, a level's summary."""

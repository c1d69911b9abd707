"""What is written once all parts are made: manifest, card, review table, upload."""

"""The finish of a build, once all parts are made: manifest, card, review table, upload."""

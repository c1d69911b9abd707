"""The operators, one artefact per file."""

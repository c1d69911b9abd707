"""The operators, one artefact a file."""

"""Degradations of medical images."""

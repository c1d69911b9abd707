"""Phantoms: images of seven modalities whose truth is known by construction, and questions about them."""

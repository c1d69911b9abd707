"""One module per modality: what its phantoms show, how they are drawn, what can be asked of them."""

"""People beside the models: one local page that asks them, how far they agree, where an image stops being of use."""

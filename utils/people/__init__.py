"""People beside the models: what readers answered, how far they agree, and where an image stops being of use."""

"""Where images lie on the axis of a degradation, told from clean images of the same kind."""

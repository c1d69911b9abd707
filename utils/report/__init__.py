"""From an analysis to what people look at: frames, figures, tables and the terminal."""

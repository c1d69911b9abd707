"""lmms-eval tasks of MedQ-Deg: YAML, Jinja and the thin hooks that tie them to `medqdeg.utils`."""

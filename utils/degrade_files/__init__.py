"""Files and folders degraded in one go, with a manifest: what the command line does, for other programs to call."""

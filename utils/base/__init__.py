"""What every room needs and none knows: errors, whole files, processes, versions."""

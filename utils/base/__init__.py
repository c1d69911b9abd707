"""What every other package here uses: errors, atomic files, processes, versions."""

"""The map stage: images degraded, judged by the gate and written, part by part."""

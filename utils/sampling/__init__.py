"""The wrapper model: any lmms-eval integration, sampled faithfully, resumably, and with a record of what was done.

`wrapper` is the model that lmms-eval loads, `sampler` asks the trials and keeps them, and each guarantee has a module
of its own: `neutral` (the model's own distribution), `fidelity` (the images arrive as they are), `store` and `keys` (no
answer is asked twice), `exact` (letters' probabilities instead of votes), `progress`, `report` (all in the results).
docs/sampling.md says how to use it and what it does not guarantee.
"""

"""The MedQ-Deg task files of EleutherAI's lm-eval; what they do lies in `medqdeg.tasks`.

They cannot lie beside those of lmms-eval: it indexes every YAML file below the folder it is given, and both harnesses
use the same names of tasks with different keys.
"""

"""Degradations of medical images: 18 operators at the two severities of the MedQ-Deg paper, matched to its published
images, and at any between and beyond them.

>>> import numpy as np
>>> from medqdeg.degradations import degrade, list_degradations
>>> image = np.arange(64 * 64, dtype=np.uint8).reshape(64, 64)
>>> degrade(image, "gaussian_blur", 1, seed=0).shape
(64, 64)
>>> len(list_degradations())
18
"""

from .api import UnchangedImageError, degrade, degrade_with_record, reproduce
from .arguments import PhysicalDose, largest_severity, physical_dose
from .registry import Degradation, get, known_names, list_degradations
from .severity import Quantity, SeverityTable, load_severities
from .vocabulary import LEVELS, MODALITIES, Severity, read_severity

__all__ = [
    "LEVELS",
    "MODALITIES",
    "Degradation",
    "PhysicalDose",
    "Quantity",
    "Severity",
    "SeverityTable",
    "UnchangedImageError",
    "degrade",
    "degrade_with_record",
    "get",
    "known_names",
    "largest_severity",
    "list_degradations",
    "load_severities",
    "physical_dose",
    "read_severity",
    "reproduce",
]

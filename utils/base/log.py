"""The logger: lmms-eval's own (loguru) where it is installed, so that our lines look like its lines."""

from __future__ import annotations

import logging
import sys
from typing import Any


def _logger() -> Any:
    try:
        from loguru import logger
    except ImportError:
        return logging.getLogger("medqdeg")
    return logger


logger = _logger()


def only_warnings() -> None:
    """Keep what lmms-eval remarks about its own files off the terminal; warnings still come."""
    if not isinstance(logger, logging.Logger):
        logger.remove()
        logger.add(sys.stderr, level="WARNING")

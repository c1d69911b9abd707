"""lmms-eval in this process: a scripted model, and a cache that does not touch the user's."""

from __future__ import annotations

from ..lmms_eval_fixtures import *  # noqa: F403 - fixtures

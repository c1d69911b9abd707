"""A small vision-language model that reads the phantoms, in a stock architecture, shipped with its weights.

LLaVA (a Swin vision tower, a Llama language model) of some three million parameters, trained from nothing on clean
phantoms only, of other seeds than any suite's. lmms-eval's `llava_hf` loads it like any other checkpoint. It knows the
phantoms' questions and nothing else: it is there to show the instrument at work, not to be compared with real models.
"""

from __future__ import annotations

from pathlib import Path

CHECKPOINT = Path(__file__).resolve().parent / "medqdeg-reference"
"""Folder of the shipped checkpoint, for `--model_args pretrained=`."""

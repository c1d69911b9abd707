"""The functions that the task files name. They only connect: what they know lies in `medqdeg.utils`.

lmms-eval loses the whole run and still exits with status 0 when a hook raises, so scoring never raises, and what
must stop a run before the first model call leaves as `SystemExit` with one line.
"""

from __future__ import annotations

import dataclasses
import functools
import os
import sys
import traceback
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..utils.base.command_record import public_command
from ..utils.base.errors import InputError, one_line
from ..utils.base.log import logger
from ..utils.base.versions import versions
from ..utils.dataset.identity import data_set_identity
from ..utils.dataset.image_cells import decode_cell
from ..utils.dataset.loading import BY_TEXT, load_level, load_series, without_decoding
from ..utils.dataset.subset import requested_share, take_subset
from ..utils.dataset.taxonomy import GONE
from ..utils.evidence.cache import load_judged_suite
from ..utils.phantoms.cache import load_default_series, load_default_suite
from ..utils.sampling.report import current_report
from ..utils.scoring import level_summary
from ..utils.scoring.aggregations import NotInTable, across_levels, gap_score, mean_score
from ..utils.scoring.agreement import item_gap
from ..utils.scoring.elicitation import ABSTAIN, FLAG, VERBALIZED, VOTES
from ..utils.scoring.flag_share import flag_share, silent_share
from ..utils.scoring.records import ItemRecord, cluster_of, failed_record, score_item
from .prompts import prompt, template_text

if TYPE_CHECKING:
    import datasets
    import PIL.Image

PHANTOM_SPLITS = {"phantom": False, "phantom_small": True}
"""Splits of the task files that are phantoms -> whether the small suite is enough."""

JUDGED_SPLITS = {"phantom_judged": False, "phantom_small_judged": True}
"""Likewise of the phantoms whose evidence was judged, with the level "gone"."""

CURVE = "CURVE"
"""Stands for a level in the name of a split: all severities of a series."""

__all__ = [
    "across_levels",
    "compare_levels",
    "doc_to_text",
    "doc_to_text_abstain",
    "doc_to_text_flag",
    "doc_to_text_verbalized",
    "doc_to_visual",
    "gap_score",
    "load_items",
    "mean_score",
    "process_docs",
    "process_results",
    "process_results_abstain",
    "process_results_flag",
    "process_results_verbalized",
    "summarise_abstain_level",
    "summarise_flag_level",
    "summarise_level",
]


def process_docs(stub: datasets.Dataset) -> datasets.Dataset:
    """Replace the one-line stub, whose split is named after what is wanted ("test_l2"), by the items."""
    split, _, level = str(stub.split).rpartition("_")
    return load_items(split, level if level == GONE else level.upper())


def load_items(split: str, level: str) -> datasets.Dataset:
    """Return the items of one level, or of a series, or leave with one line that says why there are none.

    Undecoded, so that `doc_to_visual` decodes an item's images once for all its trials.
    """
    try:
        if level == CURVE:
            return without_decoding(load_default_series() if split in PHANTOM_SPLITS else load_series(split))
        items = _load_level(split, level)
        share = requested_share()
        if share is not None:
            items = take_subset(items, level, share, functools.partial(_load_level, split))
        return without_decoding(items)
    except InputError as error:
        raise SystemExit(f"medqdeg: {one_line(error)}") from None
    except Exception as error:
        traceback.print_exc()
        reason = f"{type(error).__name__}: {one_line(error)}"
        raise SystemExit(f"medqdeg: the items could not be loaded ({reason})") from None


def _load_level(split: str, level: str) -> datasets.Dataset:
    if split in JUDGED_SPLITS:
        return load_judged_suite(level, small_only=JUDGED_SPLITS[split])
    if split in PHANTOM_SPLITS:
        return load_default_suite(level, small_only=PHANTOM_SPLITS[split])
    return load_level(split, level)


def doc_to_visual(doc: Mapping[str, Any]) -> list[PIL.Image.Image]:
    """Return the item's images as 8-bit RGB."""
    return [decode_cell(image) for image in doc["images"]]


def doc_to_text(doc: Mapping[str, Any]) -> str:
    """Return the prompt: question, options by letter, instruction."""
    return prompt(doc)


def doc_to_text_verbalized(doc: Mapping[str, Any]) -> str:
    """Return the prompt that also asks for a percentage."""
    return prompt(doc, VERBALIZED)


def doc_to_text_flag(doc: Mapping[str, Any]) -> str:
    """Return the prompt that also asks whether the image is sufficient."""
    return prompt(doc, FLAG)


def doc_to_text_abstain(doc: Mapping[str, Any]) -> str:
    """Return the prompt that offers N where the image does not allow an answer."""
    return prompt(doc, ABSTAIN)


def process_results(doc: Mapping[str, Any], replies: Sequence[str]) -> dict[str, Any]:
    """Score the T replies to one item: a value for each metric, with its cluster, and the item's record."""
    return _process(doc, replies, VOTES)


def process_results_verbalized(doc: Mapping[str, Any], replies: Sequence[str]) -> dict[str, Any]:
    """Score replies as `process_results` does, where each states a letter and a confidence."""
    return _process(doc, replies, VERBALIZED)


def process_results_flag(doc: Mapping[str, Any], replies: Sequence[str]) -> dict[str, Any]:
    """Score replies as `process_results` does, where each also says whether the image is sufficient."""
    return _process(doc, replies, FLAG)


def process_results_abstain(doc: Mapping[str, Any], replies: Sequence[str]) -> dict[str, Any]:
    """Score replies as `process_results` does, where N says that the image does not allow an answer."""
    return _process(doc, replies, ABSTAIN)


def _process(doc: Mapping[str, Any], replies: Sequence[str], elicitation: str) -> dict[str, Any]:
    try:
        record = score_item(doc, replies, elicitation)
    except Exception as error:  # one bad item must not cost the run
        record = failed_record(doc, error, elicitation)
    of_item = {"cluster_id": cluster_of(record)}
    if "weight" in record:
        of_item["weight"] = record["weight"]
    values = {name: record[name] for name in level_summary.SCORES}  # type: ignore[literal-required]
    gap = item_gap(record)
    if elicitation in (FLAG, ABSTAIN):
        values |= {"flag_rate": flag_share(record), "flag_unread_rate": silent_share(record)}
    return {
        **{name: of_item if value is None else {"score": value, **of_item} for name, value in values.items()},
        # No "score": the gap is a ratio of sums, and a mean's standard error would not be its own.
        "agreement_gap": of_item if gap is None else {"gap": dataclasses.asdict(gap), **of_item},
        "readable_share": of_item if gap is None else {"score": gap.readable, **of_item},
        "medqdeg": record,
    }


def summarise_level(records: Sequence[ItemRecord]) -> NotInTable:
    """Return one level's scores, overall and for every node, with conditions, prompt, versions, sampling and origin.

    `sampling` is what the wrapper model did (`medqdeg.utils.sampling.report`), None for a model without it; `origin` is
    the command, without secrets, and the data set.
    """
    return _summarise(records, records[0]["elicitation"] if records else VOTES)


def summarise_flag_level(records: Sequence[ItemRecord]) -> NotInTable:
    """Return what `summarise_level` returns, of a task that also asks whether the image is sufficient."""
    return _summarise(records, FLAG)


def summarise_abstain_level(records: Sequence[ItemRecord]) -> NotInTable:
    """Return what `summarise_level` returns, of a task that offers N."""
    return _summarise(records, ABSTAIN)


def _summarise(records: Sequence[ItemRecord], elicitation: str) -> NotInTable:
    summary = {
        **level_summary.level_summary(records),
        "prompt": template_text(elicitation),
        "versions": versions(),
        "sampling": current_report(),
        "origin": _origin(records),
    }
    for label, scores in summary.get("severities", {}).items():
        if scores["accuracy"] is not None:
            spoken = {"accuracy": "accuracy", "agreement_gap": "gap", "confidence": "confidence"}
            parts = [f"{said} {scores[name]:.4f}" for name, said in spoken.items() if scores[name] is not None]
            if scores["calibration_shift"] is not None:
                parts.append(f"shift {scores['calibration_shift']:+.4f}")
            logger.info(f"medqdeg {label}: {', '.join(parts)} ({scores['n']} items)")
    for warning in summary["conditions"]["warnings"]:
        logger.warning(f"medqdeg {summary['level']}: {one_line(warning)}")
    if BY_TEXT in summary["conditions"]["source_question_rule"]:
        logger.info(
            f"medqdeg {summary['level']}: no column names the clean item behind a degraded one, so source questions "
            "(the clusters) are told apart by source, question and options"
        )
    return NotInTable(summary)


def _origin(records: Sequence[ItemRecord]) -> dict[str, Any] | None:
    """Return the command and the data set; None, with a line, where they cannot be had: no reason to lose a run."""
    try:
        from ..utils.phantoms.suite import SOURCE

        program = "python -m lmms_eval" if "lmms_eval" in sys.modules else "lm_eval" if "lm_eval" in sys.modules else ""
        phantoms = bool(records) and records[0]["source"] == SOURCE
        data = {"name": SOURCE, "revision": f"medqdeg {versions()['medqdeg']}"} if phantoms else data_set_identity()
        return {"command": public_command(sys.argv[1:], os.environ, program), "data": data}
    except Exception as error:
        logger.warning(f"medqdeg: command and data set are not recorded ({type(error).__name__}: {one_line(error)})")
        return None


def compare_levels(summaries: Sequence[Mapping[str, Any]], sizes: Sequence[int], weight_by_size: bool) -> NotInTable:
    """Return accuracy drop, shift change and the paper's Dunning-Kruger rule from L0 to L1 and L2, for every node."""
    comparison = level_summary.compare_levels(summaries)
    for step, change in comparison["overall"].items():
        if change["dunning_kruger"] is not None:
            gap = "" if change["gap_change"] is None else f"agreement gap {change['gap_change']:+.4f}, "
            logger.info(
                f"medqdeg {step.replace('_', ' ')}: accuracy drop {change['accuracy_drop']:.4f}, {gap}shift change "
                f"{change['shift_change']:+.4f}, the paper's Dunning-Kruger rule: "
                f"{'yes' if change['dunning_kruger'] else 'no'}; whether overconfidence grows says `medqdeg analyze`"
            )
    return NotInTable(comparison)

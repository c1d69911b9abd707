"""Passages of the card about the items: shared images, contradictory keys, modalities recognised by words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from scipy.stats import binomtest

from ..layout import MANIFEST, SKIPPED
from ..sources.medxpertqa import AUDIT


def shared_images(shared: Mapping[str, int]) -> str:
    """Return how many images serve several questions, in words; `shared` comes from `clusters.account_of`."""
    if not shared["shared_images"]:
        return f"None: no image serves two of the {shared['items']:,} planned clean items."
    return (
        f"{shared['shared_images']:,} images serve {shared['items_with_shared_images']:,} of the {shared['items']:,} "
        "planned clean items. Items that are connected by shared images (the same pixels) make one cluster: there are "
        f"{shared['clusters']:,}, the largest of {shared['largest_cluster']:,} items. A cluster lies in one split, so "
        "dev and test share no image, and standard errors resample clusters (column `cluster_id`)."
    )


def contradictions(found: Mapping[str, Any]) -> str:
    """Return how many items contradict another and what became of them, in words."""
    what = "items have the same question as another about the same image, and another answer"
    if not found["items"]:
        return f"None: no {what}."
    done = "They are in the set, as was asked for" if found["kept"] else f"They are left out (`{SKIPPED}` names each)"
    return f"{found['items']:,} {what}. {done}. `{MANIFEST}` has the pairs, under `duplicates`."


def modality_audit(items: int) -> str:
    """Return, in words, how many items have their modality from words, and how often that was wrong in a review."""
    judged, wrong, partly = (AUDIT[key] for key in ("judged", "clearly wrong", "partly wrong"))
    low, high = binomtest(wrong, judged).proportion_ci()
    return (
        f"The modality of {items:,} planned clean items is told by a sentence of the question about what is shown, "
        f"since no column of the source names it. Of {judged} such items, judged by their text, {wrong} was clearly "
        f"wrong ({wrong / judged:.1%}, 95% interval {low:.1%} to {high:.1%}) and {partly} were partly wrong "
        f"({partly / judged:.1%})."
    )

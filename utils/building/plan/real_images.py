"""Items whose images were already bad when they were taken: each beside its clean partner, where it has one."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence

from ...base.errors import InputError
from ..item import BAD_IMAGE, Skipped, SourceItem
from ..waiting import Waiting
from ..writing import item_id

NO_PARTNER = "its clean partner is not in the set"


def with_partners(real: Sequence[SourceItem], chosen: Sequence[Waiting]) -> tuple[list[Waiting], list[Skipped]]:
    """Return the items as they wait to be written, and those that name a clean item which the set does not have.

    An item with a clean partner belongs to the partner's source question and cluster. Those without are clusters of
    their own, one for all that share an image file.
    """
    partners = {(each.item.source, each.item.source_id): each for each in chosen}
    waiting: list[Waiting] = []
    skipped = []
    first_with: dict[str, str] = {}
    for item in real:
        own = item_id(item)
        if item.clean_of is not None:
            partner = partners.get((item.source, item.clean_of))
            if partner is None:
                skipped.append(Skipped(item.source, item.source_id, NO_PARTNER, item.clean_of))
            else:
                waiting.append(Waiting(item, (), (), partner.cluster_id, item_id(partner.item)))
            continue
        try:
            hashes = [hashlib.sha256(image.read()).hexdigest() for image in item.images]
        except (OSError, InputError) as error:
            skipped.append(Skipped(item.source, item.source_id, BAD_IMAGE, str(error)))
            continue
        cluster = next((first_with[each] for each in hashes if each in first_with), own)
        for each in hashes:
            first_with.setdefault(each, cluster)
        waiting.append(Waiting(item, (), (), cluster, own))
    return waiting, skipped


def dev_with_partners(dev: Collection[int], chosen: Sequence[Waiting], real: Sequence[Waiting]) -> set[int]:
    """Return the places of the dev split with the real items behind the chosen ones: each where its partner is."""
    partners = {item_id(chosen[place].item) for place in dev}
    return {*dev, *(len(chosen) + place for place, each in enumerate(real) if each.clean_id in partners)}

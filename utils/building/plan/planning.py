"""From the sources to a plan: which items, with which degradations, in which part; their clean images set aside.

Everything up to here needs to see all items at once and is done once, by one process; everything after it
(`parts`) is done part by part. In memory are the texts and hashes of all items, about 4 kB each, and a few images.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from ...base.errors import InputError, one_line
from ...base.versions import versions
from ...dataset.built import features
from ..item import SAME_ID, Skipped, SourceItem
from ..layout import SKIPPED, SPLITS, WorkFolder, digest, read_json, write_json, write_whole
from ..make.gate import Limits
from ..sources.medxpertqa import BY_WORDS
from ..sources.source_stamps import FileHashes, content_stamps, described, without_folders
from ..waiting import Waiting, write_waiting
from ..writing import item_id
from .clusters import account_of, cluster_names, connected, dev_items
from .contradictions import conflicts_in, without_contradictions
from .duplicates import canonical_order
from .front import Progress, Sources, leakage, merge
from .real_images import dev_with_partners, with_partners
from .selection import Chosen, Mix, select
from .skips import EMPTY_SOURCE, most_common_reasons, skipped_counts, skipped_table

FORMAT = 2
"""Of the work folder; raised when an older one can no longer be continued."""

PART_ITEMS = 64
"""Clean items in a part unless one says otherwise."""

_DEV = SPLITS[1]
_LIBRARIES = ("scipy", "opencv-python-headless", "pyarrow", "scikit-image", "scikit-learn")
_OF_THE_MODELS = frozenset({"torch", "transformers", "lmms-eval"})
"""Another version of these changes no byte, and should not keep a build from being continued."""


@dataclass(frozen=True)
class BuildRequest:
    """What a build is asked for.

    Attributes:
        sources: as given on the command line, such as "gmai=VAL.tsv".
        seed: decides which items, which degradations, and every draw.
        mix: what the set is made of.
        severities: a severity table of one's own as `load_severities` takes it, None for the paper's.
        series: severities at which each pair is made as well, beside L1 and L2, as far as its degradation goes.
        dev_share: share of the clean items in the dev split; None is `DEV_SHARE` from `DEV_FROM` items on, else 0.
        part_items: clean items in a part.
        keep_contradictions: whether items stay in that have the same question and image but other answers.
        limits: of the quality gate.
    """

    sources: tuple[str, ...]
    seed: int | str = 0
    mix: Mix = field(default_factory=Mix)
    severities: Mapping[str, Any] | None = None
    series: tuple[float, ...] = ()
    dev_share: float | None = None
    part_items: int = PART_ITEMS
    keep_contradictions: bool = False
    limits: Limits = field(default_factory=Limits)

    def as_dict(self) -> dict[str, Any]:
        """Return the request as JSON; the order of the sources does not matter."""
        return {
            "sources": sorted(self.sources),
            "seed": self.seed,
            "mix": self.mix.as_dict(),
            "severities": self.severities,
            **({"series": sorted(self.series)} if self.series else {}),
            "dev_share": self.dev_share,
            "part_items": self.part_items,
            "keep_contradictions": self.keep_contradictions,
            "limits": self.limits.as_dict(),
        }


DEV_SHARE, DEV_FROM = 0.05, 500
"""Share of the dev split where none is asked for, and from how many clean items on: of few, none can be spared."""


def _dev_share(request: BuildRequest, items: int) -> float:
    if request.dev_share is not None:
        return request.dev_share
    return DEV_SHARE if items >= DEV_FROM else 0.0


def _languages(request: BuildRequest, sources: Sources) -> list[str]:
    return sorted({sources.language(text) for text in request.sources})


@cache
def library_versions() -> dict[str, str]:
    """Return the versions that the bytes of a build depend on."""
    return {name: number for name, number in versions(*_LIBRARIES).items() if name not in _OF_THE_MODELS}


def plan_key(request: BuildRequest, contents: Mapping[str, Sequence[str | None]]) -> str:
    """Return what names a build: the request, what its sources hold, and the versions of the libraries.

    Args:
        request: what is wanted.
        contents: of `source_stamps.content_stamps`.
    """
    return digest(
        {"format": FORMAT, "request": request.as_dict(), "contents": contents, "versions": library_versions()}
    )


def make_plan(request: BuildRequest, out: Path, sources: Sources, workers: int, progress: Progress) -> dict[str, Any]:
    """Make the plan of a build, or return the one that is there.

    Args:
        request: what is wanted.
        out: the folder.
        sources: where items come from.
        workers: threads that look at images.
        progress: called as things go on.

    Returns:
        `key`, `request`, `versions`, `parts` (each with `name`, `items`, `pairs`), `problems` (how many rows of the
        sources were skipped that should not have been) and `contradictory` (items left out for their keys).

    Raises:
        InputError: the folder holds another build, a source cannot be read at all, or no item is left; `skipped.csv`
            then says why.
    """
    work = WorkFolder(out)
    hashes = FileHashes(work.hashes, lambda done: progress("hashing the sources", done, None))
    key = plan_key(request, content_stamps(request.sources, hashes))
    earlier = read_json(work.plan)
    if earlier and earlier["key"] == key:
        hashes.save()
        return earlier
    if earlier:
        what = _difference(earlier, request) or f"sources that have changed since ({hashes.difference() or 'a file'})"
        raise InputError(f"{out} holds a build of {what}: choose another folder, or remove this one")

    inputs = described(request.sources, sources.paths, hashes)
    hashes.save()
    items, skipped = _collect(request, sources, progress)
    items, twice = _without_repeated_ids(items)
    skipped += twice
    real, items = [item for item in items if item.level is not None], [item for item in items if item.level is None]
    read = Counter(item.source for item in (*items, *real))
    merged = merge(items, progress, workers=workers)
    skipped += merged.skipped
    pool, contradictory = without_contradictions(merged.items, merged.report, keep=request.keep_contradictions)
    skipped += contradictory
    if not pool:
        write_whole(out / SKIPPED, skipped_table(skipped))
        raise InputError(
            f"no item of the sources can be used: {most_common_reasons(skipped)}; {out / SKIPPED} lists every row"
        )

    selection = select(pool, request.mix, request.seed)
    chosen = [each.item for each in selection.chosen]
    pictures = [merged.pictures[item.source, item.source_id] for item in chosen]
    clusters = connected(pictures)
    dev = dev_items(chosen, clusters, _dev_share(request, len(chosen)), request.seed)
    waiting = _waiting(selection.chosen, clusters)
    bad, without_partner = with_partners(real, waiting)
    skipped += without_partner
    dev = dev_with_partners(dev, waiting, bad)
    waiting += bad
    parts = list(_set_aside(waiting, dev, request.part_items, work, progress))
    if (changed := hashes.changed_since_hashed()) is not None:
        raise InputError(f"{changed} changed while it was read: run the same command again")
    columns = features(real=bool(bad))
    write_whole(work.schema, columns.arrow_schema.serialize().to_pybytes())
    write_whole(work.skipped, skipped_table(skipped))
    write_json(
        work.root / "account.json",
        {
            "inputs": inputs,
            "read": dict(sorted(read.items())),
            "after_merging": dict(sorted(Counter(item.source for item in pool).items())),
            "duplicates": merged.report,
            "skipped": skipped_counts(skipped),
            "selection": selection.deviation,
            "leakage": {**leakage(chosen), "shared_images": account_of(pictures, clusters)},
            "contradictions": {
                "items": len({name for each in conflicts_in(merged.report) for name in each}),
                "kept": request.keep_contradictions,
            },
            **({"languages": languages} if (languages := _languages(request, sources)) != ["en"] else {}),
            "modality_by_words": sum(item.extra.get("modality_from") == BY_WORDS for item in chosen),
        },
    )
    plan = {
        "format": FORMAT,
        "key": key,
        "request": request.as_dict(),
        "sources": [without_folders(text) for text in sorted(request.sources)],
        "versions": library_versions(),
        "parts": parts,
        "problems": sum(not row.harmless for row in skipped),
        "contradictory": len(contradictory),
    }
    write_json(work.plan, plan)
    return read_json(work.plan)  # as every later call has it, the order of the keys too


def _collect(request: BuildRequest, sources: Sources, progress: Progress) -> tuple[list[SourceItem], list[Skipped]]:
    items: list[SourceItem] = []
    skipped: list[Skipped] = []
    for text in sorted(request.sources):
        found = 0
        for row in sources.open(text):
            if isinstance(row, Skipped):
                skipped.append(row)
                continue
            found += 1
            if (problem := _unusable_text(row)) is not None:
                skipped.append(Skipped(row.source, row.source_id, "text that is not Unicode", problem))
            else:
                items.append(row)
            if len(items) % 1000 == 0:
                progress("reading the sources", len(items), None)
        if not found:
            skipped.append(Skipped(text.partition("=")[0], without_folders(text), EMPTY_SOURCE))
    return sorted(items, key=_order), skipped


def _order(item: SourceItem) -> tuple[Any, ...]:
    """Where an item stands, whatever the order in which the sources gave it."""
    return canonical_order(item), item.question, item.options, item.answer, item.modality, item.skill


def _unusable_text(item: SourceItem) -> str | None:
    try:
        texts = (item.source, item.source_id, item.question, *item.options, item.licence or "")
        "".join((*texts, *item.extra, *item.extra.values())).encode()
    except UnicodeEncodeError as error:
        return one_line(error)
    return None


def _without_repeated_ids(items: Sequence[SourceItem]) -> tuple[list[SourceItem], list[Skipped]]:
    kept: list[SourceItem] = []
    skipped = []
    for item in items:
        if kept and (kept[-1].source, kept[-1].source_id) == (item.source, item.source_id):
            skipped.append(Skipped(item.source, item.source_id, SAME_ID))
        else:
            kept.append(item)
    return kept, skipped


def _waiting(chosen: Sequence[Chosen], clusters: Sequence[int]) -> list[Waiting]:
    names = cluster_names([item_id(each.item) for each in chosen], clusters)
    return [Waiting(each.item, each.names, each.spares, name) for each, name in zip(chosen, names, strict=True)]


def _set_aside(
    chosen: Sequence[Waiting], dev: Collection[int], part_items: int, work: WorkFolder, progress: Progress
) -> Iterator[dict[str, Any]]:
    """Write the clean items of every part to a file of its own."""
    done = 0
    for split in SPLITS:
        members = [each for place, each in enumerate(chosen) if (place in dev) == (split == _DEV)]
        of = -(-len(members) // part_items)
        for number in range(of):
            group = members[number * part_items : (number + 1) * part_items]
            name = f"{split}-{number:05d}-of-{of:05d}"
            write_waiting(work.clean(name), group)
            done += len(group)
            progress("setting the chosen images aside", done, len(chosen))
            yield {"name": name, "items": len(group), "pairs": sum(len(each.names) for each in group)}


def _difference(earlier: Mapping[str, Any], request: BuildRequest) -> str | None:
    """Name what two builds differ in; None where it is what their sources hold."""
    if earlier["format"] != FORMAT:
        return "another version of medqdeg"
    now = request.as_dict()
    for key in {**now, **earlier["request"]}:
        if earlier["request"].get(key) != now.get(key):
            return f"other {key.replace('_', ' ')}"
    if earlier["versions"] != library_versions():
        return "other library versions"
    return None

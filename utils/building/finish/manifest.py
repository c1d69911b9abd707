"""The manifest of a finished build, one JSON object made from the plan, its account and the parts' reports."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ...base.file_hashes import file_sha256
from ...dataset import taxonomy
from ...dataset.built import series_labels
from ..make.gate import EXCLUDE
from ..make.make_parts import AXES

FORMAT = 2


def summarise(
    plan: Mapping[str, Any],
    account: Mapping[str, Any],
    reports: Sequence[Mapping[str, Any]],
    decided: Iterable[tuple[str, str]] = (),
) -> dict[str, Any]:
    """Return the manifest of a build, without the hashes of the files that are written after the parts.

    Nothing in it depends on when, where or by how many processes the set was made.

    Args:
        plan: as `planning.make_plan` returns it.
        account: what the plan says about the sources (`account.json` of the work folder).
        reports: of all parts, in order.
        decided: (item_id, degradation) of the pairs that a person decided on.
    """
    pairs = [pair for report in reports for pair in report["pairs"]]
    counts = {
        level: {axis: _added(report["counts"][level][axis] for report in reports) for axis in AXES}
        for level in taxonomy.LEVELS
    }
    request = {key: value for key, value in plan["request"].items() if key not in ("sources", "limits")}
    return {
        "format": FORMAT,
        "versions": plan["versions"],
        "sources": plan["sources"],
        "request": request,
        "items": {level: sum(counts[level]["source"].values()) for level in taxonomy.LEVELS},
        **_series(request, reports),
        **({"real": real} if (real := _added(report.get("real", {}) for report in reports)) else {}),
        "counts": counts,
        "inputs": account["inputs"],
        "read": account["read"],
        "after_merging": account["after_merging"],
        "skipped": account["skipped"],
        "duplicates": account["duplicates"],
        "selection": _selection(account["selection"], counts),
        "leakage": account["leakage"],
        "contradictions": account["contradictions"],
        "modality_by_words": account["modality_by_words"],
        **({"languages": account["languages"]} if "languages" in account else {}),
        "gate": _gate(plan["request"]["limits"], pairs, decided),
        "failed": [each for report in reports for each in report["failed"]],
        "left_without_pairs": [each for report in reports for each in report["dropped"]],
        "files": {name: dict(file) for report in reports for name, file in report["files"].items()},
    }


def _series(request: Mapping[str, Any], reports: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, int]]:
    """Return `series`: label -> items; nothing for a set of the published levels alone."""
    labels = series_labels(request.get("series", ()))
    items = {label: sum(sum(report["counts"][label]["source"].values()) for report in reports) for label in labels}
    return {"series": items} if items else {}


def with_files(manifest: Mapping[str, Any], out: Path, names: Iterable[str]) -> dict[str, Any]:
    """Return the manifest with the sizes and hashes of further files of the folder."""
    further = {name: {"bytes": (out / name).stat().st_size, "sha256": file_sha256(out / name)} for name in names}
    return {**manifest, "files": {**manifest["files"], **further}}


def _selection(
    planned: Mapping[str, Mapping[str, Mapping[str, int]]], counts: Mapping[str, Mapping[str, Mapping[str, int]]]
) -> dict[str, dict[str, dict[str, int]]]:
    """Return axis -> name -> `wanted` by the mix, `planned` before the gate, `got` in the set.

    Pairs and degradations are counted once for L1 and L2.
    """
    clean, degraded = counts[taxonomy.CLEAN], counts[taxonomy.LEVELS[1]]
    got = {
        "size": {"clean items": sum(clean["source"].values()), "pairs": sum(degraded["source"].values())},
        "skill": clean["skill"],
        "modality": clean["modality"],
        "degradation": degraded["degradation"],
    }
    return {
        axis: {
            name: {"wanted": both["wanted"], "planned": both["got"], "got": got[axis].get(name, 0)}
            for name, both in names.items()
        }
        for axis, names in planned.items()
    }


def _gate(
    limits: Mapping[str, float], pairs: Sequence[Mapping[str, Any]], decided: Iterable[tuple[str, str]]
) -> dict[str, Any]:
    tried = {(pair["item_id"], pair["degradation"]) for pair in pairs}
    by_name: dict[str, Counter[str]] = {name: Counter() for name in taxonomy.DEGRADATIONS}
    for pair in pairs:
        counter = by_name[pair["degradation"]]
        counter["pairs"] += 1
        counter["excluded"] += pair["decision"] == EXCLUDE
        if pair["reason"]:
            counter[pair["reason"].partition(" (")[0]] += 1
        counter["replacements"] += bool(pair["replaces"]) and pair["decision"] != EXCLUDE
        counter["decided by a person"] += pair["decision"] != pair["gate"]
    return {
        "limits": dict(limits),
        "pairs": len(pairs),
        "excluded": sum(pair["decision"] == EXCLUDE for pair in pairs),
        "replacements": sum(counter["replacements"] for counter in by_name.values()),
        "decisions_without_pair": [list(pair) for pair in sorted(decided) if pair not in tried],
        "decided_by_a_person": sum(pair["decision"] != pair["gate"] for pair in pairs),
        "by_degradation": {name: dict(sorted(counter.items())) for name, counter in by_name.items() if counter},
    }


def _added(counters: Iterable[Mapping[str, int]]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for counter in counters:
        total.update(counter)
    return dict(sorted(total.items()))

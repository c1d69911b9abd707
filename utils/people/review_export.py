"""A review as files: the table that `medqdeg build --review` takes, every vote, and how far the readers agree."""

from __future__ import annotations

import csv
import io
import itertools
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..base.atomic_files import write_atomically
from ..base.csv_cells import safe_cell
from ..base.errors import InputError
from .agreement import MISSING, pairwise_kappa
from .decisions import Votes, reviews, votes_of
from .desks import BLIND, VERDICT
from .plans import MAIN, REPEAT, ROLES, SENTINEL
from .reader_checks import SURE_DRIFT, drift, intra_reader, misses_sentinels, sentinel_hits
from .readings import Reading
from .review_agreement import review_agreement
from .verdicts import KEEP, VERDICTS

TABLE, VOTES, SUMMARY = "review.csv", "votes.csv", "agreement.txt"
_COLUMNS = ("item_id", "degradation", "decision", "out", "readers", "verdicts", "adjudicator", "notes")
_VOTE_COLUMNS = (
    *("reader", "position", "role", "item_id", "degradation", "answerable", "verdict", "affected", "note"),
    *("seconds", "sentinel"),
)
_KEYS = {verdict: key for key, verdict in VERDICTS.items()}


def export_review(paths: Sequence[Path], out: Path, seed: int = 0) -> list[str]:
    """Write `review.csv`, `votes.csv` and `agreement.txt`.

    Args:
        paths: the readers' stores, an adjudicator's among them.
        out: folder, made if need be.
        seed: of the bootstrap.

    Returns:
        What is to be told: the lines of `agreement.txt`.

    Raises:
        InputError: a store that was changed, different plans, no answer, or the disk says no.
    """
    ordinary, adjudication = reviews(paths)
    votes = votes_of(ordinary, adjudication)
    if not votes:
        raise InputError("nothing was answered yet")
    lines = summary(ordinary, adjudication, votes, seed)
    rows = [_row(one) for one in votes if one.decision is not None]
    try:
        out.mkdir(parents=True, exist_ok=True)
        write_atomically(out / VOTES, table(_VOTE_COLUMNS, _vote_rows([*ordinary, *adjudication])))
        write_atomically(out / SUMMARY, "".join(f"{line}\n" for line in lines).encode())
        write_atomically(out / TABLE, table(_COLUMNS, rows))
    except OSError as error:
        raise InputError(f"{out}: cannot be written ({error.strerror or error})") from None
    return lines


def summary(
    ordinary: Sequence[Reading], adjudication: Sequence[Reading], votes: Sequence[Votes], seed: int
) -> list[str]:
    """Return decisions, agreement and what is known of each reader, as lines."""
    decided = Counter(one.decision for one in votes)
    readers = sorted({one.reader for one in ordinary})
    lines = [
        f"{len(votes)} pairs, {len(readers)} readers ({', '.join(readers)}): {decided['keep']} kept, "
        f"{decided['exclude']} out, {decided[None]} tied",
    ]
    if decided[None]:
        lines.append("tied pairs are not in the table: let another reader decide them (--adjudicate)")
    by_readers = Counter(len(one.given) for one in votes)
    if fewer := sum(count for number, count in by_readers.items() if number < len(readers)):
        lines.append(f"{fewer} pairs were not read by everyone: their decisions rest on fewer votes")
    if len(readers) > 1:
        codes = np.full((len(votes), len(readers)), -1)
        for row, one in enumerate(votes):
            for column, reader in enumerate(readers):
                if reader in one.given:
                    codes[row, column] = _KEYS[one.given[reader]["verdict"]]
        _, clusters = np.unique([one.item_id for one in votes], return_inverse=True)
        rng = np.random.default_rng(seed)
        lines += ["", *review_agreement(codes, rng=rng, clusters=clusters.reshape(-1)).lines()]
        if len(readers) > 2:
            lines += ["", _two_by_two(codes, readers)]
    lines += ["", "Readers:", *(f"  {line}" for one in ordinary for line in _of_reader(one))]
    heads = dict.fromkeys((one.path.name, one.head) for one in (*ordinary, *adjudication))
    return [*lines, "", *(f"{name}: head {head}" for name, head in heads)]


def _two_by_two(codes: NDArray[np.int64], readers: Sequence[str]) -> str:
    """Return the kappa of each two readers, in one line: two who stand out may have read together."""
    kappa = pairwise_kappa(np.where(codes == MISSING, MISSING, codes != KEEP).astype(np.int64), 2)
    said = [
        f"{readers[first]} and {readers[second]} {kappa[first, second]:.2f}"
        for first, second in itertools.combinations(range(len(readers)), 2)
        if not np.isnan(kappa[first, second])
    ]
    return f"Keep or out, two by two (kappa): {', '.join(said) or 'undefined'}"


def _of_reader(reading: Reading) -> list[str]:
    out = np.array([body["verdict"] != VERDICTS[KEEP] for _, body in reading.answered(VERDICT, SENTINEL)], dtype=bool)
    first = {trial.position: _KEYS[body["verdict"]] for trial, body in reading.answered(VERDICT, MAIN)}
    again = [
        (first[trial.repeat_of], _KEYS[body["verdict"]])
        for trial, body in reading.answered(VERDICT, REPEAT)
        if trial.repeat_of in first
    ]
    pairs = np.array(again, dtype=int).reshape(-1, 2)
    hits = sentinel_hits(out)
    seconds = [body["seconds"] for _, body in reading.answered(VERDICT, MAIN) if body["seconds"] is not None]
    pace = f"; median {np.median(seconds):.1f} s for a verdict" if seconds else ""
    same = intra_reader(*pairs.T)
    lines = [f"{reading.reader}: {len(first)} pairs; sentinels refused {hits}; the same verdict again {same}{pace}"]
    if misses_sentinels(hits):
        lines.append(f"{reading.reader} kept pairs that were made to fail: look at these verdicts before using them")
    said = [(trial.position, body["verdict"] != VERDICTS[KEEP]) for trial, body in reading.answered(VERDICT, MAIN)]
    moved = drift(np.array([out for _, out in said], dtype=bool), np.array([place for place, _ in said], dtype=int))
    if moved.p < SURE_DRIFT:
        lines.append(
            f"{reading.reader} changed on the way, though the order is random: out in {moved.first} of the first half, "
            f"in {moved.second} of the second"
        )
    if reading.display is False:
        lines.append(f"{reading.reader} failed a display check: repeat the evaluation without this reader")
    return lines


def _row(one: Votes) -> dict[str, Any]:
    counts = Counter(body["verdict"] for body in one.given.values())
    return {
        "item_id": one.item_id,
        "degradation": one.degradation,
        "decision": one.decision,
        "out": one.out,
        "readers": len(one.given),
        "verdicts": "; ".join(f"{verdict}: {count}" for verdict, count in counts.most_common()),
        "adjudicator": one.adjudicator["verdict"] if one.adjudicator else "",
        "notes": " | ".join(body["note"] for body in one.given.values() if body["note"]),
    }


def _vote_rows(readings: Sequence[Reading]) -> Iterable[dict[str, Any]]:
    for reading in readings:
        blind = {trial.position: body["answerable"] for trial, body in reading.answered(BLIND, *ROLES)}
        for trial, body in reading.answered(VERDICT, *ROLES):
            yield {
                "reader": reading.reader,
                "position": trial.position,
                "role": trial.role,
                "item_id": trial.item_id,
                "degradation": trial.degradation,
                "answerable": blind.get(trial.position, ""),
                "sentinel": trial.detail,
                **{name: body[name] for name in ("verdict", "affected", "note", "seconds")},
            }


def table(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> bytes:
    """Return rows as CSV, without cells that a spreadsheet would run."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: safe_cell(value) for name, value in row.items()} for row in rows)
    return text.getvalue().encode("utf-8", errors="surrogateescape")

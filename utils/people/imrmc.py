"""A reader study as the long CSV that iMRMC reads, so that its analysis can be held beside ours.

iMRMC (https://github.com/DIDSR/iMRMC) analyses areas under ROC curves; its wiki, "MRMC analysis of binary data", tells
how to give it right and wrong: every case is "diseased" and its score is 1 where the reader is right and 0 where not;
a few invented cases without disease score .5 for everybody. The area is then the share right. The function
`uStat11.conditionalD` of its R package takes the rows of real cases as they are.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from ..analysis.runs.run import Run
from ..base.errors import InputError

FIELDS = ("readerID", "caseID", "modalityID", "score")
TRUTH = "truth"
"""Reader and modality of the rows that state whether a case is diseased."""

INVENTED = 5
"""Cases without disease, named "without disease 1" and so on."""


def imrmc_csv(runs: Sequence[Run]) -> str:
    """Return the CSV: one row per reader, source question and level; iMRMC calls them reader, case and modality.

    For the Java program put its study description and a line "BEGIN DATA:" in the place of the first line.

    Args:
        runs: one per reader. Items without a score are left out.

    Raises:
        InputError: a reader has several items of one source question at one level, or an item has more than one trial;
            one line that names it.
    """
    scores: dict[tuple[str, str, str], int] = {}
    for run in runs:
        for record in run.records:
            if record["accuracy"] is None:
                continue
            place = (run.name, str(record["source_question_id"]), str(record["level"]))
            if place in scores:
                raise InputError(f"{run.name}: several items of {place[1]} at {place[2]}, of which iMRMC takes one")
            if record["trials"] != 1:
                raise InputError(f"{run.name}: {record['item_id']} has {record['trials']} trials, iMRMC takes one")
            scores[place] = int(record["accuracy"])
    cases = sorted({case for _, case, _ in scores})
    invented = [f"without disease {number}" for number in range(1, INVENTED + 1)]
    sides = sorted({(reader, level) for reader, _, level in scores})
    rows: list[tuple[object, ...]] = [
        *((TRUTH, case, TRUTH, 1) for case in cases),
        *((TRUTH, case, TRUTH, 0) for case in invented),
        *((reader, case, level, scores[reader, case, level]) for reader, case, level in sorted(scores)),
        *((reader, case, level, 0.5) for reader, level in sides for case in invented),
    ]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(FIELDS)
    writer.writerows(rows)
    return text.getvalue()

"""Which falls are cliffs? The reference model on phantoms over ten severities, every degradation.

    nice python benchmarks/cliff_study.py make FOLDER [--questions 30]    # phantoms at all severities
    nice python benchmarks/cliff_study.py ask FOLDER                      # exact probabilities, through lmms-eval
    nice python benchmarks/cliff_study.py write FOLDER [--docs docs]      # analysis, cliff.md and its figure

Degradations of a single modality are made there, the others in MRI and X-ray, at 0.1, 0.25, 0.5, 0.75, 1, 1.5, 2, 2.5
and 3, as far as the type goes. `ask` counts forward passes. T = 10 is ten votes drawn from each item's exact
probabilities, which is what a sampler at temperature 1 draws from; what is no letter is unread.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

SEVERITIES = (0.1, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 2.5, 3.0)
GENERAL = ("MRI", "X-ray")
SEED = 17
PLANNED = 350
TRIALS = 10
DATE, DATE_OF_VOTES = "20261128_120000", "20261128_130000"
MODEL = "medqdeg-reference"
PAGE = Path(__file__).with_name("cliff_page.txt")
"""The page, with the numbers of a run left out."""


def make(folder: Path, questions: int) -> None:
    """Write the phantoms, and how long it took."""
    from medqdeg.degradations import get, list_degradations, read_severity
    from medqdeg.utils.phantoms.planning import plan_suite
    from medqdeg.utils.phantoms.suite import write_suite

    applies: dict[str, list[str]] = {}
    for name in list_degradations():
        modalities = get(name).modalities
        for modality in modalities if len(modalities) == 1 else GENERAL:
            applies.setdefault(modality, []).append(name)
    had: Counter[str] = Counter()
    items = []
    for item in plan_suite(PLANNED, SEED, "balanced"):
        had[item.modality] += 1
        if item.modality in applies and had[item.modality] <= questions:
            items.append(replace(item, degradations=tuple(applies[item.modality])))
    data = folder / "data"
    data.mkdir(parents=True)
    series = [read_severity(severity, series=True) for severity in SEVERITIES]
    processor = time.process_time()
    write_suite(data, {"test": items, "dev": items[:7]}, SEED, severities=series)
    cost = {"processor": time.process_time() - processor, "images": len(list(data.glob("images/*/*.png")))}
    (folder / "make.json").write_text(json.dumps(cost))
    print(cost)


def ask(folder: Path) -> None:
    """Ask the reference model for exact probabilities, and write what the harness would."""
    os.environ["MEDQDEG_DATA"] = str(folder / "data")
    import torch
    from lmms_eval.evaluator import simple_evaluate
    from lmms_eval.models import get_model
    from lmms_eval.tasks import TaskManager

    from medqdeg.tasks import TASKS_FOLDER
    from medqdeg.utils.models.reference_model import CHECKPOINT

    torch.set_num_threads(1)
    arguments = f"inner=llava_hf,mode=exact,min_letter_mass=0,pretrained={CHECKPOINT}"
    lm = get_model("medqdeg").create_from_arg_string(f"{arguments},device=cpu,device_map=cpu")
    passes = 0

    def count(*_: object) -> None:
        nonlocal passes
        passes += 1

    lm.model.register_forward_pre_hook(count)
    processor = time.process_time()
    manager = TaskManager(include_path=str(TASKS_FOLDER), include_defaults=False)
    results = simple_evaluate(
        model=lm, tasks=["medqdeg_curve"], task_manager=manager, bootstrap_iters=0, log_samples=True
    )
    records = [sample["medqdeg"] for sample in results["samples"]["medqdeg_curve"]]
    cost = {"processor": time.process_time() - processor, "passes": passes, "items": len(records)}
    write_run(folder, DATE, records)
    (folder / "ask.json").write_text(json.dumps(cost))
    print(cost)


def write_run(folder: Path, date: str, records: list[dict[str, Any]]) -> None:
    """Write records as a harness does."""
    own = folder / "results" / MODEL
    own.mkdir(parents=True, exist_ok=True)
    lines = (json.dumps({"medqdeg": record}) + "\n" for record in records)
    (own / f"{date}_samples_medqdeg_curve.jsonl").write_text("".join(lines))
    content = {"results": {"medqdeg_curve": {}}, "config": {"model": "medqdeg"}, "model_name": MODEL, "date": date}
    (own / f"{date}_results.json").write_text(json.dumps(content))


def voted(record: Mapping[str, Any], rng: np.random.Generator) -> dict[str, Any]:
    """Return the record of ten votes drawn from a record's probabilities."""
    from medqdeg.utils.scoring.records import score_item

    letters = list(record["options"])
    mass = record["letter_mass"]
    shares = np.array([*(mass * np.array(record["probabilities"])), 1 - mass])
    drawn = rng.choice([*letters, "?"], TRIALS, p=shares / shares.sum())
    document = {**record, "letters": letters, "options": [f"option {letter}" for letter in letters]}
    return dict(score_item(document, [str(reply) for reply in drawn]))


def write(folder: Path, docs: Path) -> None:
    """Analyse both runs and write the page and its figure."""
    import pandas as pd

    from medqdeg.utils.analysis.analyse import analyse
    from medqdeg.utils.analysis.runs.reading import read_runs
    from medqdeg.utils.report.content import SCOPE, report_frames
    from medqdeg.utils.report.curve_lines import place_text, ratio_text

    samples = (folder / "results" / MODEL / f"{DATE}_samples_medqdeg_curve.jsonl").read_text().splitlines()
    exact = sorted((json.loads(line)["medqdeg"] for line in samples), key=lambda record: record["item_id"])
    rng = np.random.default_rng(SEED)
    write_run(folder, DATE_OF_VOTES, [voted(record, rng) for record in exact])
    processor = time.process_time()
    analysis = analyse(read_runs([folder / "results"]), scope=SCOPE)
    seconds = time.process_time() - processor
    curves, points = analysis.tables["curves"], analysis.tables["curve_points"]
    names = {run.conditions["elicitation"]: run.name for run in analysis.collection.runs}
    of = {kind: curves[curves["run"] == name].set_index(["degradation", "modality"]) for kind, name in names.items()}
    accuracy = points[(points["run"] == names["exact"]) & (points["figure"] == "accuracy")]
    accuracy = accuracy.pivot_table(index=["degradation", "modality"], columns="severity", values="estimate")
    rows, counts = [], {"exact": Counter[str](), "votes": Counter[str]()}
    three: Counter[str] = Counter()
    for key, row in of["exact"].iterrows():
        votes = of["votes"].loc[key]
        at = accuracy.loc[key]
        later_more = bool(at[1.0] - at[2.0] > at[0.0] - at[1.0]) if 2.0 in at.dropna() else None
        three["all"] += bool(later_more)
        three["flat"] += bool(later_more) and pd.isna(row["s50"]) and not pd.isna(row["ratio_low"])
        for kind, found in (("exact", row), ("votes", votes)):
            counts[kind][found["cliff"]] += 1
        trusted = "–" if pd.isna(row["trusted_up_to"]) else f"{row['trusted_up_to']:g}"
        cells = [
            *(*key, f"{at[0.0]:.2f}", f"{at[1.0]:.2f}", f"{at[2.0]:.2f}", place_text(row, "s50"), ratio_text(row)),
            *(ratio_text(row, "ratio_physical"), f"**{row['cliff']}**" if row["cliff"] == "yes" else row["cliff"]),
            *(place_text(votes, "s50"), votes["cliff"], "larger" if later_more else "not larger", trusted),
        ]
        rows.append(
            "| " + " | ".join(str(cell).replace("-", "–") if cell == "-" else str(cell) for cell in cells) + " |"
        )
    reasons = Counter(of["exact"].loc[of["exact"]["cliff"] == "not decided", "cliff_reason"])
    draw(report_frames(analysis), names["exact"], docs / "cliff_curves.png")
    making, asking = (json.loads((folder / f"{step}.json").read_text()) for step in ("make", "ask"))
    text = page(of["exact"], rows, counts, three, reasons, making, asking, seconds)
    (docs / "cliff.md").write_text(text)


def draw(frames: Mapping[str, Any], model: str, path: Path) -> None:
    """Draw every curve of the exact run in one figure."""
    import matplotlib as mpl
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    from medqdeg.utils.report.curve_figures import curve_panel
    from medqdeg.utils.report.figure_parts import percent
    from medqdeg.utils.report.figure_style import RC, spoken

    summary = frames["curves"][frames["curves"]["model"] == model]
    points = frames["curve_points"][frames["curve_points"]["model"] == model]
    with mpl.rc_context({**RC, "figure.dpi": 110}):
        rows = -(-len(summary) // 5)
        figure = Figure(figsize=(11, 2.3 * rows), layout="constrained")
        panels = figure.subplots(rows, 5, sharey=True, squeeze=False)
        for axes in panels.flat[len(summary) :]:
            axes.set_visible(False)
        for axes, row in zip(panels.flat, summary.to_dict("records"), strict=False):
            here = (points["degradation"] == row["degradation"]) & (points["modality"] == row["modality"])
            curve_panel(axes, row, points[here], title=f"{spoken(row['degradation'])}, {row['modality']}")
        for axes in panels[:, 0]:
            percent(axes, "y")
        FigureCanvasAgg(figure)
        figure.savefig(path, metadata={"Software": None})


def page(
    curves: Any,
    rows: list[str],
    counts: Mapping[str, Counter[str]],
    three: Counter[str],
    reasons: Counter[str],
    making: Mapping[str, float],
    asking: Mapping[str, float],
    seconds: float,
) -> str:
    """Return the page; every number comes from the run."""
    cliffs, slopes = (
        [f"{name.replace('_', ' ')} ({modality})" for name, modality in curves.index[curves["cliff"] == word]]
        for word in ("yes", "no")
    )
    values = {
        **{"number": len(curves), "questions": int(curves["clusters"].max()), "rows": "\n".join(rows)},
        **{
            f"{of}_{kind}": counts[kind][word]
            for kind in counts
            for of, word in (("cliffs", "yes"), ("slopes", "no"), ("open", "not decided"))
        },
        **{"three_all": three["all"], "three_flat": three["flat"], "cliffs": ", ".join(cliffs) or "none"},
        "flat": int((curves["s50"].isna() & curves["ratio_low"].notna()).sum()),
        "least": f"{curves['s50'].min():.2f}",
        **{"slopes": ", ".join(slopes) or "none", "seconds": seconds},
        "why": "; ".join(f"{reason} ({count})" for reason, count in reasons.most_common()) or "none",
        "passes_per_item": (len(SEVERITIES) + 1) * asking["passes"] / asking["items"],
        **{"passes": asking["passes"], "items": asking["items"]},
        "per_item": 1000 * asking["processor"] / asking["items"],
        **{"images": making["images"], "images_per_second": making["images"] / making["processor"]},
    }
    return PAGE.read_text().format(**values)


def main() -> None:
    """Run one of the three steps."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("step", choices=("make", "ask", "write"))
    parser.add_argument("folder", type=Path)
    parser.add_argument("--questions", type=int, default=30, help="per modality")
    parser.add_argument("--docs", type=Path, default=Path("docs"))
    asked = parser.parse_args()
    if asked.step == "make":
        make(asked.folder, asked.questions)
    elif asked.step == "ask":
        ask(asked.folder)
    else:
        write(asked.folder, asked.docs)


if __name__ == "__main__":
    main()

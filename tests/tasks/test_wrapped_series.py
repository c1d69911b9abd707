"""A wrapped task along a series of severities: its items, their images, and the curves of the analysis."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from medqdeg.degradations import degrade, largest_severity
from medqdeg.utils.analysis.analyse import analyse
from medqdeg.utils.analysis.runs.reading import read_runs
from medqdeg.utils.base.errors import InputError
from medqdeg.utils.command_line.wrap import _series
from medqdeg.utils.report.content import SCOPE
from medqdeg.utils.wrapping.hooks import RECORD

from .test_wrapping import ITEMS, Pupil, evaluate, local_tasks, picture, wrap  # noqa: F401

TYPES = ("gaussian_noise", "adjust_brightness")


def test_records_images_and_curves(local_tasks: Path, tmp_path: Path) -> None:  # noqa: F811
    levels = ("L0", *_series("0.5,1,3"))
    end = max(largest_severity(name) for name in TYPES)
    beyond = min(largest_severity(name) for name in TYPES)
    group, *names = wrap("choices", local_tasks, tmp_path / "files", levels=levels, degradations=TYPES, trials=3)
    assert names == [f"local_choices_medqdeg_{end}" for end in ("l0", "s0_50", "s1_00", "s3_00")]
    model = Pupil(chat=True, sampling=True)
    results = evaluate([group], [local_tasks, tmp_path / "files"], model)
    run = tmp_path / "results" / "some__model"
    run.mkdir(parents=True)
    for name, level in zip(names, levels, strict=True):
        records = [sample[RECORD] for sample in results["samples"][name]]
        assert {record["level"] for record in records} == {level}
        assert {record.get("severity") for record in records} == {None if level == "L0" else float(level[1:])}
        assert [record["error"] for record in records] == [None] * len(records)
        if level != "L0":
            reach = [record for record in records if largest_severity(record["degradation"]) >= float(level[1:])]
            assert len(reach) == len(records)
        lines = [json.dumps({"doc_id": place, RECORD: record}) for place, record in enumerate(records)]
        (run / f"20261128_000000_samples_{name}.jsonl").write_text("".join(line + "\n" for line in lines))
    count = {level: len(results["samples"][name]) for name, level in zip(names, levels, strict=True)}
    assert count["L0"] == count["S0.50"] == ITEMS
    assert (count["S3.00"] == ITEMS) == (beyond >= 3)
    assert end >= 3
    sample = results["samples"][names[1]][2]
    item = sample[RECORD]
    seed = f"local_choices:{item['item_id']}:0"
    as_stored = io.BytesIO()
    picture(2).save(as_stored, "PNG")
    expected = degrade(PIL.Image.open(as_stored).convert("RGB"), item["degradation"], "S0.50", seed=seed)
    assert model.seen[names[1], sample["doc_id"]] == [np.asarray(expected).tobytes()]
    (found,) = read_runs([tmp_path / "results"]).runs
    assert found.family == "local_choices_medqdeg"
    assert {record["severity"] for record in found.series} == {0.5, 1.0, 3.0}
    analysis = analyse(read_runs([tmp_path / "results"]), 100, scope=SCOPE)
    assert found.name in analysis.series
    points = analysis.tables["curve_points"]
    assert {0.0, 0.5, 1.0} <= set(points["severity"])


def test_severities_that_are_none_or_out_of_reach(local_tasks: Path, tmp_path: Path) -> None:  # noqa: F811
    assert _series(None) == ()
    assert _series("1.5, 0.5") == ("S0.50", "S1.50")
    for text in ("0,1", "x", ","):
        with pytest.raises(InputError, match="--severities"):
            _series(text)
    with pytest.raises(InputError, match="the degradations end at"):
        wrap("choices", local_tasks, tmp_path / "out", levels=("L0", "S9.00"), degradations=TYPES)
    assert not (tmp_path / "out").exists()

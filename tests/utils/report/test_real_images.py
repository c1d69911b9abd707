"""Real images beside simulated ones on the page: what the analysis found, and nothing where there is nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from medqdeg.utils.analysis.analyse import Analysis, analyse
from medqdeg.utils.analysis.runs.reading import read_runs
from medqdeg.utils.report.content import SCOPE, report_frames
from medqdeg.utils.report.page import write_page
from medqdeg.utils.report.printed_tables import printed

from ..run_files import scored_levels, write_run


def _run(folder: Path, number: int, *, real: bool = True) -> None:
    levels: dict[str, list[dict[str, Any]]] = scored_levels(40, seed=number)
    for level in ("L1", "L2") if real else ():
        for place, record in enumerate(levels[level]):
            if place % 4 == 0:
                record["degradation_origin"] = "real"
    write_run(folder, levels, model=f"m{number}")


def _analysed(folder: Path, runs: int, *, real: bool = True) -> Analysis:
    for number in range(runs):
        _run(folder / "in", number, real=real)
    return analyse(read_runs([folder / "in"]), 100, scope=SCOPE)


def test_three_runs_have_a_sentence_and_two_tables(tmp_path: Path) -> None:
    analysis = _analysed(tmp_path, 3)
    frames = report_frames(analysis)
    text = write_page(analysis, frames, tmp_path).read_text()
    (row,) = analysis.tables["real_ranks"].query("figure == 'accuracy' and statistic == 'kendall_tau_b'").itertuples()
    tau = f"{row.estimate:.2f} [{row.low:.2f}, {row.high:.2f}]".replace("-", "−")
    assert (
        f"{row.n_real} real and {row.n_simulated} simulated items order 3 runs with a Kendall&#39;s tau-b of {tau}"
        in text
    )
    assert 'data-csv="real_images"' in text
    assert 'data-csv="real_ranks"' in text
    found = analysis.tables["real_degradations"].query("run == 'm1' and kind == 'real' and figure == 'accuracy'")
    table = printed("real_images", frames["real_images"])
    shown = next(line for line in table.rows if line[:3] == ("m1", "real", "accuracy"))
    assert shown[3].startswith(f"{100 * found['estimate'].iloc[0]:.1f} [")
    assert (
        printed("real_ranks", frames["real_ranks"]).rows[0][2] == f"{row.estimate:.2f} [{row.low:.2f}, {row.high:.2f}]"
    )


def test_two_runs_have_the_reason_and_no_ranks(tmp_path: Path) -> None:
    analysis = _analysed(tmp_path, 2)
    text = write_page(analysis, report_frames(analysis), tmp_path).read_text()
    assert "No ranks: 2 runs with the same real items; ranks need 3." in text
    assert 'data-csv="real_images"' in text
    assert 'data-csv="real_ranks"' not in text


def test_one_run_or_none_with_real_images_has_no_section(tmp_path: Path) -> None:
    for name, runs, real in (("one", 1, True), ("none", 2, False)):
        (tmp_path / name).mkdir()
        analysis = _analysed(tmp_path / name, runs, real=real)
        text = write_page(analysis, report_frames(analysis), tmp_path / name).read_text()
        assert 'id="real"' not in text
        assert "Real images" not in text

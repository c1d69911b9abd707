"""The bar: what it counts, and that what is reused does not make it look fast."""

from __future__ import annotations

import pytest

from medqdeg.utils.sampling.progress import Progress, without_bars


def test_the_bar_tells_done_reused_failed_and_time_left(capsys: pytest.CaptureFixture[str]) -> None:
    progress = Progress(100, shown=True)
    progress.reuse(40)
    for _ in range(5):
        progress.answer()
    progress.fail()
    bar = progress._bar.format_dict
    assert (bar["n"], bar["initial"], bar["total"]) == (46, 40, 100), "the speed is that of the six trials asked"
    bar["elapsed"] = 12.0
    assert "[00:12<01:48," in progress._bar.format_meter(**bar), "54 trials left at two seconds each"
    progress.close()
    shown = capsys.readouterr().err
    assert "46/100" in shown
    assert "failed=1" in shown
    assert "reused=40" in shown


def test_trials_that_are_asked_again_are_taken_back() -> None:
    progress = Progress(10, shown=False)
    progress.fail()
    progress.fail()
    progress.retry(2)
    progress.answer()
    assert progress.failed == 0
    progress.close()


def test_the_inner_model_s_bars_are_silent_within_and_theirs_again_after(capsys: pytest.CaptureFixture[str]) -> None:
    names: dict[str, object] = {}
    exec(
        "from tqdm import tqdm\ndef generate():\n    list(tqdm(range(3), desc='inner', disable=False))\n",
        names,
    )
    generate = names["generate"]
    with without_bars(generate):  # type: ignore[arg-type]
        generate()  # type: ignore[operator]
    assert capsys.readouterr().err == ""
    generate()  # type: ignore[operator]
    assert "inner" in capsys.readouterr().err

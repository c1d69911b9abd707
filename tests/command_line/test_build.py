"""`medqdeg build` and `medqdeg push`: options, what is printed, exit statuses."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from medqdeg.utils.base.errors import InputError
from medqdeg.utils.command_line import app
from medqdeg.utils.command_line import build as command

from ..utils.building.phantom_source import front


@pytest.fixture(autouse=True)
def phantoms_as_a_source(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    if "real_sources" in request.fixturenames:
        return
    module = sys.modules[command.__module__]
    monkeypatch.setattr(module, "sources_of_the_command", front)


@pytest.fixture
def real_sources() -> None:
    """The test reads sources as a user does."""


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [*map(str, arguments)], catch_exceptions=False)


def test_builds_and_says_what(tmp_path: Path) -> None:
    out = tmp_path / "set"
    result = run("build", "--source", "phantoms=6", "--out", out, "--workers", 1, "--part-items", 3)
    assert result.exit_code == 0, result.output
    manifest = json.loads((out / "manifest.json").read_text())
    images = len((out / "images.jsonl").read_text().splitlines())
    said = f"{sum(manifest['items'].values())} items ({images} images) in 2 of 2 parts (2 made now)"
    assert said in result.output
    assert "fewer clean items than the mix wants: 6 of 4,306" in result.output
    again = run("build", "--source", "phantoms=6", "--out", out, "--workers", 1, "--part-items", 3)
    assert "(0 made now)" in again.output
    assert not list(out.glob("*.tsv"))


def test_bad_rows_are_named_and_the_exit_status_is_1(tmp_path: Path) -> None:
    out = tmp_path / "set"
    arguments = ("build", "--source", "phantoms=4", "--source", "bad=1", "--out", out, "--workers", 1)
    for _ in range(2):  # a call that finds all done says it again
        result = run(*arguments)
        assert result.exit_code == 1
        assert "medqdeg: ward, line 7: no answer (the row has no answer)" in result.output
        assert "medqdeg: ward, broken: image cannot be read (b.png:" in result.output
        assert "line 8" not in result.output
        assert (out / "manifest.json").is_file()


def test_shards(tmp_path: Path) -> None:
    arguments = ("build", "--source", "phantoms=4", "--out", tmp_path / "set", "--part-items", 2, "--workers", 1)
    first = run(*arguments, "--shard", "1/2")
    assert first.exit_code == 0
    assert "parts are missing yet" in first.output
    assert "missing" not in run(*arguments, "--shard", "2/2").output
    assert (tmp_path / "set/manifest.json").is_file()


def test_ones_own_severities_and_mix(tmp_path: Path) -> None:
    (tmp_path / "mix.yaml").write_text("clean_items: all\npairs_per_item: 1\ndegradations: [exposure]\n")
    (tmp_path / "table.yaml").write_text(
        "exposure:\n  default:\n"
        "    L1: {direction: under, under_gamma: 2, under_offset: 0, over_gamma: 0.5, over_offset: 0}\n"
        "    L2: {direction: under, under_gamma: 3, under_offset: 0, over_gamma: 0.3, over_offset: 0}\n"
    )
    out = tmp_path / "set"
    result = run(
        *("build", "--source", "phantoms=4", "--out", out, "--workers", 1),
        *("--mix", tmp_path / "mix.yaml", "--severities", tmp_path / "table.yaml"),
    )
    assert result.exit_code == 0, result.output
    lines = [json.loads(line) for line in (out / "images.jsonl").read_text().splitlines()]
    records = [line["record"] for line in lines if "parameters" in line["record"]]
    assert {record["name"] for record in records} == {"exposure"}
    gammas = {(record["severity"], record["parameters"]["gamma"]) for record in records}
    assert gammas <= {("L1", 2), ("L2", 3)}
    assert gammas


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--out", "x"], "no source"),
        (["--source", "phantoms=2"], "nothing to write to"),
        (["--source", "phantoms=2", "--out", "x", "--shard", "3/2"], "--shard 3/2"),
        (["--source", "phantoms=2", "--out", "x", "--engine", "magic"], "--engine magic"),
        (["--source", "phantoms=2", "--out", "x", "--mix", "absent.yaml"], "absent.yaml: cannot be read"),
        (["--source", "phantoms=2", "--out", "x", "--severities", "absent.yaml"], "absent.yaml: cannot be read"),
    ],
)
def test_wrong_options_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=message):
        run("build", *arguments)
    assert not list(tmp_path.iterdir())


def test_push_dry_run_and_refusal(tmp_path: Path) -> None:
    out = tmp_path / "set"
    assert run("build", "--source", "phantoms=4", "--out", out, "--workers", 1).exit_code == 0
    with pytest.raises(InputError, match="ward"):
        run("push", out, "--repo", "someone/set", "--dry-run")
    permitted = ("--i-have-permission-to-redistribute", "ward")
    result = run("push", out, "--repo", "someone/set", "--dry-run", *permitted)
    assert "would push" in result.output
    assert "someone/set (private)" in result.output
    assert ".work" not in result.output
    assert "(public)" in run("push", out, "--repo", "someone/set", "--dry-run", "--public", *permitted).output


MAP = """\
source: ward
id: case
question: asked
options: [first, second]
answer: right
images: file
modality: kind
skill: {value: Disease Diagnosis}
licence: {value: CC-BY-4.0}
"""


@pytest.mark.usefixtures("real_sources")
def test_ones_own_items_and_a_published_layout_with_all_that_can_be_wrong(tmp_path: Path) -> None:
    pytest.importorskip("sklearn", reason="scikit-learn is not installed")
    from ..utils.building.layouts import phantom_items, write_gmai
    from ..utils.building.phantom_source import png

    ward = tmp_path / "ward"
    ward.mkdir()
    for number in range(4):
        (ward / f"{number}.png").write_bytes(png(number, 0, 64))
    (ward / "same.png").write_bytes(png(0, 0, 64))
    (ward / "empty.png").write_bytes(b"")
    (ward / "cut.png").write_bytes(png(5, 0, 64)[:700])
    rows = [f"{number},Which finding?,a cyst,a polyp,A,{number}.png,CT" for number in range(4)]
    rows += [
        "same,Which finding?,a cyst,a polyp,A,same.png,CT",
        "empty,Which finding?,a cyst,a polyp,A,empty.png,CT",
        "cut,Which finding?,a cyst,a polyp,A,cut.png,CT",
        "away,Which finding?,a cyst,a polyp,A,../../secret.png,CT",
        "open,Which finding?,a cyst,a polyp,,0.png,CT",
        "3,Which finding?,a cyst,a polyp,B,2.png,CT",
        "eye,Which finding?,a cyst,a polyp,B,2.png,Fundus Photography",
    ]
    (ward / "items.csv").write_text("case,asked,first,second,right,file,kind\n" + "\n".join(rows) + "\n")
    (ward / "map.yaml").write_text(MAP)
    gmai = write_gmai(tmp_path / "gmai", phantom_items(7, 0, "GMAI-MMBench"))
    out = tmp_path / "set"
    result = run(
        *("build", "--source", f"own={ward / 'items.csv'}:{ward / 'map.yaml'}", "--source", f"gmai={gmai}"),
        *("--out", out, "--workers", 1),
    )
    assert result.exit_code == 1, result.output
    manifest = json.loads((out / "manifest.json").read_text())
    assert manifest["counts"]["L0"]["source"]["ward"] == 4
    assert manifest["counts"]["L0"]["source"]["GMAI-MMBench"] > 0
    merges = manifest["duplicates"]["merges"]
    assert [(each["kept"], each["dropped"]) for each in merges] == [(["ward", "0"], ["ward", "same"])]
    assert sum(manifest["skipped"]["ward"].values()) == 6
    for name in ("empty", "cut", "secret.png", "no answer", "id occurs twice"):
        assert name in result.output
    assert str(tmp_path) not in (out / "manifest.json").read_text()
    assert manifest["leakage"]["letter_balance"]
    entry, *named = manifest["inputs"]
    assert named == [
        {
            "source": "own=items.csv:map.yaml",
            "name": path.name,
            "bytes": path.stat().st_size,
            "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        }
        for path in (ward / "items.csv", ward / "map.yaml")
    ]
    assert (entry["source"], entry["name"]) == ("gmai=gmai", "gmai")
    files = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in gmai.glob("*.tsv")}
    assert entry["files"] == len(files) == 1
    (sha256,) = files.values()
    assert entry["sha256"] == hashlib.sha256(f"{sha256} {next(iter(files))}\n".encode()).hexdigest()
    card = (out / "README.md").read_text()
    assert "## What the text gives away" in card
    for each in manifest["leakage"]["letter_balance"]:
        assert f"| {each['k']} | {' / '.join(map(str, each['counts']))} |" in card

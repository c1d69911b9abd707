"""The rooms of the house and the arrows between them, read from the code's own imports.

    python .ci/rooms.py                          the arrows, one room per line
    python .ci/rooms.py --svg docs/rooms.svg     the picture of docs/architecture.md

A room is a folder of `utils`, or one of the other folders at the top. An arrow is an import, or a string that names a
module of ours (a program for another process, a `!function` of a task file): those no import check sees.
"""

from __future__ import annotations

import argparse
import ast
import html
import itertools
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = {"degradations": "degradations", "utils": "utils", "medqdeg_tasks": "tasks"}
DOOR, GROUND = "front_door", "base"
_NAMED = re.compile(r"\bmedqdeg\.(?:utils|tasks|degradations)(?:\.\w+)*")


def arrows() -> dict[str, Counter[str]]:
    """Return room -> room that it uses -> how often it names it."""
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*.py")):
            own = _room(_name(path))
            for named in _named_by(path):
                if (used := _room(named)) not in (own, ""):
                    found[own][used] += 1
        for path in sorted((ROOT / folder).rglob("*.yaml")):
            for function in re.findall(r"!function (medqdeg\.[\w.]+)", path.read_text(encoding="utf-8")):
                if (used := _room(function)) != (own := _room(_name(path))):
                    found[own][used] += 1
    return {room: found[room] for room in sorted(found)}


def _name(path: Path) -> str:
    first, *rest = path.relative_to(ROOT).with_suffix("").parts
    parts = ["medqdeg", FOLDERS[first], *rest]
    if parts[1:3] == ["utils", DOOR]:
        parts = ["medqdeg", *parts[3:]]
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _room(name: str) -> str:
    parts = name.split(".")[1:]
    if not parts or parts == ["__main__"]:
        return DOOR
    if parts[0] == "utils":
        return parts[1] if len(parts) > 1 else ""
    return parts[0]


def _named_by(path: Path) -> Iterator[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    prose = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    here = _name(path).split(".")
    package = here if path.name == "__init__.py" else here[:-1]
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            base = [*package[: len(package) - node.level + 1]] if node.level else []
            base += node.module.split(".") if node.module else []
            if base[:1] == ["medqdeg"]:
                yield from (".".join([*base, alias.name] if len(base) < 3 else base) for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.split(".")[0] == "medqdeg")
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in prose:
            yield from _NAMED.findall(node.value)


def floors(found: Mapping[str, Mapping[str, int]]) -> dict[str, int]:
    """Return room -> floor: 0 uses nothing, every other stands just above the highest that it uses."""
    names = sorted({*found, *(used for room in found.values() for used in room)})
    floor = dict.fromkeys(names, 0)
    for _ in names:
        for room in names:
            floor[room] = max((floor[used] + 1 for used in found.get(room, ())), default=0)
            if floor[room] > len(names):
                raise SystemExit(f"{room} uses itself through others")
    return floor


_PURPOSE = {
    "analysis": "records to intervals",
    "base": "errors, whole files, processes, the Hub, versions: used by all but degradations",
    "answer_sheets": "items out, answers in",
    "building": "sources to a data set",
    "command_line": "the command medqdeg",
    "dataset": "taxonomy, rows, loading",
    "degradations": "18 operators, severities",
    "degrade_files": "folders of images, degraded",
    "front_door": "import medqdeg",
    "evidence": "what phantoms still show",
    "grading": "where images lie on an axis",
    "images": "any image file, decoded",
    "models": "checkpoints of our own",
    "people": "readers beside the models",
    "phantoms": "images of known truth",
    "report": "figures, tables, pages",
    "sampling": "the model is asked",
    "scoring": "replies to confidence",
    "tasks": "hooks and YAML",
    "wrapping": "other people's tasks",
}
_WIDTH, _BOX, _HIGH, _STEP, _GAP = 1100, 190, 52, 112, 22
_TRACK = 14
"""Width of the place that an arrow takes where it passes a row of rooms."""


def svg(found: Mapping[str, Mapping[str, int]]) -> str:
    """Return the picture: one box per room, above those that it uses; without the arrows that others imply.

    The rooms of one row use none of each other. `base` is a bar at the foot, and the arrows to it are left out.
    """
    uses = {room: sorted(set(used) - {GROUND}) for room, used in found.items() if room != GROUND}
    floor = floors({room: dict.fromkeys(used, 1) for room, used in uses.items()})
    floor.pop(GROUND, None)
    routes = [_route(room, used, floor) for room in sorted(uses) for used in _not_implied(room, uses)]
    rows = _ordered(floor, routes)
    x = _placed(rows, routes)
    top = max(rows)
    height = 30 + (top + 1) * _STEP + 60
    width = max(x[room] for room in floor) + max(_BOX / 2, _TRACK) + 30
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height}" font-family="sans-serif" '
        'font-size="15">',
        '<rect width="100%" height="100%" fill="#ffffff"/>',
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" orient="auto">'
        '<path d="M0 0 8 4 0 8z" fill="#44566c"/></marker></defs>',
    ]
    for route in routes:
        points = []
        for row, node in enumerate(route, top - floor[route[0]]):
            y = 24 + row * _STEP
            points += [(x[node], y), (x[node], y + _HIGH)]
        points = points[1:-1]  # from the foot of the one box to the head of the other
        points[-1] = (points[-1][0], points[-1][1] - 3)
        lines.append(
            f'<path d="{_curve(points)}" fill="none" stroke="#44566c" stroke-width="1.6" marker-end="url(#tip)">'
            f"<title>{route[0]} uses {route[-1]}</title></path>"
        )
    for room, row in sorted(floor.items()):
        lines += _box(room, x[room] - _BOX / 2, 24 + (top - row) * _STEP, _BOX)
    lines += _box(GROUND, 20, 24 + (top + 1) * _STEP - 26, width - 40)
    return "\n".join([*lines, "</svg>", ""])


def _not_implied(room: str, uses: Mapping[str, list[str]]) -> list[str]:
    """Return the rooms that a room uses, without those that it also reaches through another."""

    def reached(start: str) -> set[str]:
        return {start}.union(*(reached(used) for used in uses.get(start, ())))

    return [used for used in uses[room] if not any(used in reached(other) - {other} for other in uses[room])]


def _route(room: str, used: str, floor: Mapping[str, int]) -> tuple[str, ...]:
    """Return where an arrow runs: from its room through one track per row that it passes to the room that is used."""
    return (room, *(f"{room}>{used}>{row}" for row in range(floor[room] - 1, floor[used], -1)), used)


def _ordered(floor: Mapping[str, int], routes: list[tuple[str, ...]]) -> dict[int, list[str]]:
    """Return row -> rooms and tracks from left to right, such that few arrows cross."""
    rows: dict[int, list[str]] = defaultdict(list)
    for room in sorted(floor):
        rows[floor[room]].append(room)
    for route in routes:
        for place, track in enumerate(route[1:-1], 1):
            rows[floor[route[0]] - place].append(track)
    above, below = _neighbours(routes)

    def crossings() -> int:
        at = {node: place for row in rows.values() for place, node in enumerate(row)}
        count = 0
        for row in rows.values():
            ends = [(at[node], at[end]) for node in row for end in below[node]]
            count += sum((a - c) * (b - d) < 0 for n, (a, b) in enumerate(ends) for c, d in ends[:n])
        return count

    best, fewest = {row: list(nodes) for row, nodes in rows.items()}, crossings()
    for turn in range(60):
        near = below if turn % 2 else above
        for row in sorted(rows, reverse=not turn % 2):
            at = {node: place / len(other) for other in rows.values() for place, node in enumerate(other)}
            middle = {
                node: sum(at[n] for n in near[node]) / len(near[node]) if near[node] else at[node] for node in rows[row]
            }
            rows[row].sort(key=lambda node: (middle[node], node))
            if (count := crossings()) < fewest:
                best, fewest = {row: list(nodes) for row, nodes in rows.items()}, count
    return best


def _neighbours(routes: list[tuple[str, ...]]) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    above: dict[str, list[str]] = defaultdict(list)
    below: dict[str, list[str]] = defaultdict(list)
    for route in routes:
        for node, following in itertools.pairwise(route):
            below[node].append(following)
            above[following].append(node)
    return above, below


def _placed(rows: Mapping[int, list[str]], routes: list[tuple[str, ...]]) -> dict[str, float]:
    """Return the middle of each room and track: near those that it is joined to, and clear of its neighbours."""
    above, below = _neighbours(routes)

    def half(node: str) -> float:
        return (_TRACK if ">" in node else _BOX + _GAP) / 2

    x: dict[str, float] = {}
    for nodes in rows.values():
        for place, node in enumerate(nodes):
            x[node] = _WIDTH * (place + 0.5) / len(nodes)
    for _ in range(200):
        for nodes in rows.values():
            for node in nodes:
                near = [x[other] for other in (*above[node], *below[node])]
                x[node] += 0.5 * ((sum(near) / len(near) if near else x[node]) - x[node])
            _spread(nodes, x, half)
    left = min(at - half(node) for node, at in x.items())
    return {node: at - left + 20 for node, at in x.items()}


def _spread(nodes: list[str], x: dict[str, float], half: Callable[[str], float]) -> None:
    """Move what overlaps apart, in order, within the picture."""
    for _ in range(20):
        for left, right in itertools.pairwise(nodes):
            overlap = half(left) + half(right) - (x[right] - x[left])
            if overlap > 0:
                x[left] -= overlap / 2
                x[right] += overlap / 2
    edge = 10.0
    for node in nodes:
        x[node] = max(x[node], edge + half(node))
        edge = x[node] + half(node)
    edge = _WIDTH - 10.0
    for node in reversed(nodes):
        x[node] = min(x[node], edge - half(node))
        edge = x[node] - half(node)


def _curve(points: list[tuple[float, float]]) -> str:
    parts = [f"M{points[0][0]:.0f} {points[0][1]:.0f}"]
    for (x1, y1), (x2, y2) in itertools.pairwise(points):
        bend = (y2 - y1) * 0.5
        parts.append(f"C{x1:.0f} {y1 + bend:.0f} {x2:.0f} {y2 - bend:.0f} {x2:.0f} {y2:.0f}")
    return "".join(parts)


def _box(room: str, x: float, y: float, width: float) -> list[str]:
    fill = {"degradations": "#f3d9dc", "tasks": "#ddd6f0", DOOR: "#d8ecd8"}.get(room, "#dce7f3")
    middle = x + width / 2
    return [
        f'<rect x="{x:.0f}" y="{y:.0f}" width="{width:.0f}" height="{_HIGH}" rx="6" fill="{fill}" stroke="#8a9bb0"/>',
        f'<text x="{middle:.0f}" y="{y + 22:.0f}" text-anchor="middle" font-weight="bold">{room}</text>',
        f'<text x="{middle:.0f}" y="{y + 41:.0f}" text-anchor="middle" font-size="12.5" fill="#33404d">'
        f"{html.escape(_PURPOSE.get(room, ''))}</text>",
    ]


def main() -> None:
    """Print the arrows or write the picture."""
    parser = argparse.ArgumentParser(description="The rooms of the house and the arrows between them.")
    parser.add_argument("--svg", type=Path, help="write the picture here")
    given = parser.parse_args()
    found = arrows()
    if given.svg:
        given.svg.write_text(svg(found), encoding="utf-8")
    else:
        for room, uses in found.items():
            print(f"{room}: {', '.join(sorted(uses))}")


if __name__ == "__main__":
    main()

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
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
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


def svg(found: Mapping[str, Mapping[str, int]]) -> str:
    """Return the picture: one box per room, one row per floor, one line per arrow; arrows to `base` are left out."""
    floor = floors(found)
    rows: dict[int, list[str]] = defaultdict(list)
    for room, level in floor.items():
        rows[level].append(room)
    width, height, gap = 1120, 118, 34
    place: dict[str, tuple[float, float, float]] = {}
    for level, rooms in rows.items():
        share = (width - 40) / len(rooms)
        box = min(share - gap, 230)
        for number, room in enumerate(_in_order(rooms, found)):
            place[room] = (20 + share * (number + 0.5) - box / 2, 30 + (max(rows) - level) * height, box)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {60 + (max(rows) + 1) * height - 40}" '
        'font-family="sans-serif" font-size="15">',
        '<rect width="100%" height="100%" fill="#ffffff"/>',
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        '<path d="M0 0 8 4 0 8z" fill="#5b6b7b"/></marker></defs>',
    ]
    for room, uses in found.items():
        for used, times in sorted(uses.items()):
            if used == GROUND:
                continue
            (x1, y1, w1), (x2, y2, w2) = place[room], place[used]
            start, end = (x1 + w1 / 2, y1 + 58), (x2 + w2 / 2, y2 - 2)
            bend = (end[1] - start[1]) * 0.45
            lines.append(
                f'<path d="M{start[0]:.0f} {start[1]:.0f}C{start[0]:.0f} {start[1] + bend:.0f} {end[0]:.0f} '
                f'{end[1] - bend:.0f} {end[0]:.0f} {end[1]:.0f}" fill="none" stroke="#5b6b7b" '
                f'stroke-width="{min(4.0, 0.8 + times / 10):.1f}" stroke-opacity="0.55" marker-end="url(#tip)">'
                f"<title>{room} uses {used}, {times} times</title></path>"
            )
    for room, (x, y, box) in place.items():
        fill = {"degradations": "#f3d9dc", "tasks": "#ddd6f0", DOOR: "#d8ecd8"}.get(room, "#dce7f3")
        lines.append(f'<rect x="{x:.0f}" y="{y:.0f}" width="{box:.0f}" height="56" rx="6" fill="{fill}"/>')
        lines.append(
            f'<text x="{x + box / 2:.0f}" y="{y + 25:.0f}" text-anchor="middle" font-weight="bold">{room}</text>'
        )
        lines.append(
            f'<text x="{x + box / 2:.0f}" y="{y + 45:.0f}" text-anchor="middle" font-size="12" fill="#44505c">'
            f"{html.escape(_size(room))}</text>"
        )
    return "\n".join([*lines, "</svg>", ""])


def _in_order(rooms: list[str], found: Mapping[str, Mapping[str, int]]) -> list[str]:
    """Return a floor's rooms, those that are used most in the middle."""
    by_use = sorted(rooms, key=lambda room: (sum(uses.get(room, 0) for uses in found.values()), room))
    return [*by_use[::2], *reversed(by_use[1::2])]


def _size(room: str) -> str:
    folder = {DOOR: "utils/front_door", "tasks": "medqdeg_tasks", "degradations": "degradations"}.get(room)
    paths = list((ROOT / (folder or f"utils/{room}")).rglob("*.py"))
    return f"{len(paths)} modules"


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

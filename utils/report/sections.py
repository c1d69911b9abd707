"""The sections of the report's page, in their order: the one place to add one.

The first is the headline figure, above the provenance; the others follow below.

A section has words, then a figure, then tables. A figure is drawn by a script of `templates`, which puts a function
into `report.sections` under the section's id; a table is a frame of `frame_kinds.FRAMES` by name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import pandas as pd

from ..analysis.statistics.bootstrap import SMALL
from .frame_kinds import MATCHED_MEANING
from .real_images import ranks_sentence


@dataclass(frozen=True)
class PageFacts:
    """What decides which sections there are and what they say.

    Attributes:
        frames: of `content.report_frames`.
        runs: how many.
        published: whether published models stand beside them.
        other_items: why they do not compare with the published models, in a sentence; empty where they do.
    """

    frames: Mapping[str, pd.DataFrame]
    runs: int
    published: bool
    other_items: str

    def has(self, frame: str) -> bool:
        """Whether a frame has rows."""
        return frame in self.frames and not self.frames[frame].empty


@dataclass(frozen=True)
class Section:
    """One section of the page.

    Attributes:
        id: of its element, and of the function that draws it.
        menu: its name in the navigation.
        title: its heading.
        note: what to know when reading it, given the page's facts.
        script: file in `templates` that draws its figure; None for a section of tables only.
        tables: frames shown as tables below the note.
        when: whether the page has it; a section whose tables are all empty is left out in any case.
    """

    id: str
    menu: str
    title: str
    note: Callable[[PageFacts], str]
    script: str | None = None
    tables: tuple[str, ...] = ()
    when: Callable[[PageFacts], bool] = lambda facts: True


_OPEN = (
    f"n: items. Open dots: fewer than {SMALL} source questions; the smallest: no interval, or one wider than the axis."
)
_OPEN_CURVES = f"Open dots: fewer than {SMALL} source questions."
_CUT = "◂ ▸: the interval goes on beyond the axis; with a number: the value itself lies there."
_OVERLAP = "Neighbours whose intervals overlap are not told apart."


def _says(text: str) -> Callable[[PageFacts], str]:
    return lambda facts: text


SECTIONS: tuple[Section, ...] = (
    Section(
        "severity",
        "Severity",
        "Accuracy and confidence by severity",
        _says(
            "One panel per model. Where confidence stays up while accuracy falls, the model does not know that it "
            "knows less. Bands and bars are 95% intervals; the dotted line is the accuracy of a guesser."
        ),
        "severity.js",
    ),
    Section(
        "readers",
        "Readers",
        "People beside the models",
        _says("How readers do on the same items, the interval of their mean, and what separates models from them."),
        "readers.js",
        tables=("readers",),
        when=lambda facts: facts.has("readers"),
    ),
    Section("headline", "Headline", "Every run at every level", _says(""), tables=("headline",)),
    Section(
        "verdict",
        "Verdict",
        "Verdict and operating point",
        _says("Does overconfidence hold or grow, and what may the model answer by itself?"),
        tables=("verdicts", "operating_points"),
    ),
    Section(
        "flags",
        "Flags",
        "Does the model say that the image does not allow an answer?",
        _says("Where the evidence is gone it should, where it is there it should not."),
        tables=("flags",),
    ),
    Section(
        "dumbbell",
        "Levels",
        "Accuracy, confidence and shift by level",
        lambda facts: (
            "From clean (L0) to strongest (L2), sorted by the shift at L2; runs without a rank come last, with a ‡."
            + (
                " Published models are values read off the paper's figure 5 (about ±0.2 points), without intervals. "
                + facts.other_items
                if facts.published
                else ""
            )
        ),
        "dumbbell.js",
        when=lambda facts: facts.runs > 1 or facts.published,
    ),
    Section(
        "modality",
        "Modality",
        "By modality",
        _says(
            "Dots on one common scale, with intervals. A radar would hide the intervals, and its area depends on the "
            f"order of the spokes. {_OVERLAP} {_OPEN} {_CUT}"
        ),
        "nodes.js",
    ),
    Section(
        "degradation",
        "Degradation",
        "What each degradation costs",
        _says(
            f"Matched change from L0, in points: {MATCHED_MEANING}. {_OVERLAP} Grey and last: no interval, so no "
            f"place in the order. n: items; *: fewer than {SMALL} source questions. {_CUT}"
        ),
        "degradation.js",
    ),
    Section(
        "series",
        "Curves",
        "Severity as an axis",
        _says(
            "Accuracy and confidence at any severity, with 95% bands. Dashed: s50, where half of the accuracy above "
            "chance is lost; shaded: its interval. Above each panel stands the physical parameter. Severities do not "
            f"compare between degradations. {_OPEN_CURVES}"
        ),
        "series.js",
        tables=("curves",),
        when=lambda facts: facts.has("curves"),
    ),
    Section(
        "hierarchy",
        "Skills",
        "By capability, task and skill",
        _says(
            f"Open a capability to see its tasks, a task to see its skills. {_OVERLAP} {_OPEN} "
            f"*: fewer than {SMALL}. {_CUT}"
        ),
        "nodes.js",
    ),
    Section(
        "typical",
        "Typical?",
        "Is MedQ-Deg's drop typical?",
        _says("The same model on other tasks, wrapped in the same protocol: what changes from clean images."),
        "typical.js",
        tables=("typical_drop",),
        when=lambda facts: facts.has("typical_drop"),
    ),
    Section(
        "real",
        "Real images",
        "Real images beside simulated ones",
        lambda facts: ranks_sentence(facts.frames),
        tables=("real_images", "real_ranks"),
    ),
    Section(
        "scatter",
        "Confidence",
        "Confidence against accuracy",
        lambda facts: (
            "On the diagonal confidence equals accuracy, the paper's measure. Confidence is no probability, though: "
            "even an honest guesser with the same trials and options (cross) lies off it. Lines go from L0 to L2. "
            "Between models, the Dunning-Kruger effect is a slope to the lower right, which the shift shares with "
            "accuracy by construction, so look at confidence alone: does it fall with accuracy? "
            f"{facts.other_items}"
        ),
        "scatter.js",
    ),
    Section(
        "reliability",
        "Reliability",
        "Reliability",
        _says(
            "Items grouped by the share of votes for the most frequent letter, neighbouring shares put together until "
            "they hold ten source questions; the share of them that are right should equal it. Larger dots hold more "
            f"items. Open dots: fewer than {SMALL} source questions; lines join the others only. Levels stand "
            "side by side."
        ),
        "curves.js",
    ),
    Section(
        "risk",
        "Risk",
        "Risk and coverage",
        _says(
            "The error rate if the model answers only the items it is most confident of. A model that knows what it "
            "knows rises from the lower left; one that does not is flat, but so are items with the same share of "
            "votes, which no threshold tells apart."
        ),
        "curves.js",
    ),
    Section(
        "ranks",
        "Ranks",
        "Ranks from L0 to L2",
        lambda facts: (
            "By accuracy; 1 is best. Only models on the same items whose answers can be read have a rank."
            + (f" Grey lines are the published models. {facts.other_items}" if facts.published else "")
        ),
        "ranks.js",
        when=lambda facts: facts.has("rank_change") and len(facts.frames["rank_change"]) > 1,
    ),
    Section(
        "against",
        "Against",
        "What changed since the version before",
        _says("The same items, asked of both versions alike: what moved, and which items flipped."),
        tables=("against", "flipped"),
    ),
    Section(
        "findings",
        "Findings",
        "What the paper found, what the runs show",
        lambda facts: (
            "Six claims of the MedQ-Deg paper (arXiv:2603.07769) as numbers: what the runs say"
            + (", and what the paper's own tables say." if facts.published else ".")
        ),
        tables=("findings", "published_groups"),
    ),
    Section(
        "tables",
        "Tables",
        "Tables",
        _says("As in the MedQ-Deg paper (arXiv:2603.07769), whose tables the numbers name, and every comparison."),
        tables=(
            *("table_6", "table_2", "table_3", "figure_5", "dunning_kruger", "paired", "refused_pairs"),
            *("dunning_kruger_between", "other_results"),
        ),
    ),
)


def page_sections(facts: PageFacts) -> list[Section]:
    """Return the sections that a page has."""
    return [
        section
        for section in SECTIONS
        if section.when(facts) and (section.script or any(facts.has(name) for name in section.tables))
    ]


def page_scripts(sections: list[Section]) -> tuple[str, ...]:
    """Return the scripts of a page with these sections, in the order in which they run."""
    own = dict.fromkeys(f"templates/{section.script}" for section in sections if section.script)
    return ("vendor/d3.min.js", "vendor/plot.min.js", "templates/tables.js", "templates/figures.js", *own, COPY, START)


COPY = "templates/copy.js"
START = "templates/start.js"
"""Draws what the other scripts have put into `report.sections`."""

"""The benchmark's vocabulary: levels, modalities, degradations, capabilities, and every other name for them.

Names and tiers follow MedQ-Deg (arXiv:2603.07769), table 4 for the capability tree; levels, modalities and
degradations (table 5) are those of `medqdeg.degradations`. The three source benchmarks label their questions in their
own ways; the tables here are the only place that knows about them. Look-ups ignore case, spaces, hyphens,
underscores and full stops, and raise `InputError` with the known names when nothing matches.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ...degradations import LEVELS as LEVELS  # from here to the other rooms
from ...degradations import MODALITIES, Degradation, get, known_names, list_degradations
from ...degradations.vocabulary import MODALITY_ALIASES, check_severity, read_severity
from ..base.errors import InputError
from ..base.suggestions import did_you_mean

CLEAN = LEVELS[0]

GONE = "gone"
"""The level of phantoms whose evidence is gone (`medqdeg.utils.evidence`); how severe it is differs between items."""

UNLABELLED = "unlabelled"
"""Stands for a label that an item lacks or that nobody knows; such items are counted, never dropped."""

DEGRADATIONS: Mapping[str, Degradation] = {name: get(name) for name in list_degradations()}
"""The 18 degradations in the paper's order; the library that makes them knows their category and modalities."""

DEGRADATION_CATEGORIES: tuple[str, ...] = tuple(dict.fromkeys(entry.category for entry in DEGRADATIONS.values()))

# OmniMedVQA's spellings, as a finished set may carry them; when a set is built, `building.sources.checks` decides which
# microscopy is histopathology.
_SOURCE_MODALITIES: Mapping[str, str] = {
    "CT(Computed Tomography)": "CT",
    "MR (Mag-netic Resonance Imaging)": "MRI",
    "Microscopy Images": "Histopathology",
}

CAPABILITY_TREE: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "Medical Perception": {
        "Anatomical Recognition": (
            "Skeletal System",
            "Cardiovascular",
            "Abdominal Structures",
            "Respiratory System",
            "Gastrointestinal Tract",
            "Neurovascular",
            "General Structures",
            "Muscle Recognition",
            "Cell and Microbes",
        ),
        "Clinical Understanding": (
            "Disease Diagnosis",
            "Severity Grading",
            "Basic Science Understanding",
            "Lesion Grading",
            "Attribute Recognition",
            "Treatment-Understanding",
        ),
        "Imaging Perception": (
            "Counting",
            "Surgical Workflow Recognition",
            "Image Quality Grading",
            "Surgical Instrument Recognition",
        ),
    },
    "Clinical Reasoning": {
        "Basic Science Reasoning": (
            "General Science Reasoning",
            "Pathophysiological Reasoning",
            "Clinical Correlation",
        ),
        "Diagnosis Reasoning": (
            "General Diagnosis Reasoning",
            "Laboratory/Imaging Interpretation",
            "Clinical Presentation Analysis",
            "Disease Mechanism Recognition",
        ),
        "Treatment Reasoning": (
            "Treatment Reasoning",
            "Pharmacological Treatment",
            "Initial/Emergency Management",
            "Surgical Treatment Selection",
        ),
    },
}
"""High-level capability -> mid-level task -> fine-grained skills."""

CAPABILITIES: tuple[str, ...] = tuple(CAPABILITY_TREE)
TASKS: tuple[str, ...] = tuple(task for tasks in CAPABILITY_TREE.values() for task in tasks)
SKILLS: tuple[str, ...] = tuple(
    skill for tasks in CAPABILITY_TREE.values() for skills in tasks.values() for skill in skills
)

_TASK_OF_SKILL = {
    skill: task for tasks in CAPABILITY_TREE.values() for task, skills in tasks.items() for skill in skills
}
_CAPABILITY_OF_TASK = {task: capability for capability, tasks in CAPABILITY_TREE.items() for task in tasks}

SOURCES: Mapping[str, tuple[str, ...]] = {
    "GMAI-MMBench": ("GMAIMMbench", "GMAI MMBench", "OpenGVLab/GMAI-MMBench", "gmai"),
    "OmniMedVQA": ("Omni Med VQA", "foreverbeliever/OmniMedVQA"),
    "MedXpertQA": ("MedXpertQA-MM", "MedXpertQA_MM", "TsinghuaC3I/MedXpertQA"),
}
"""The three source benchmarks and the ways in which files name them; any other source keeps its own name."""


@dataclass(frozen=True)
class SkillMapping:
    """How one label of a source benchmark reads in the capability tree.

    Attributes:
        source: a key of `SOURCES`.
        label: the source's own label; MedXpertQA's is "medical task / question type".
        skill: the fine-grained skill, or None where the tree has no place for the label.
        fixed_by: "paper" where the tree carries the label's own name, "ours" where we had to choose.
    """

    source: str
    label: str
    skill: str | None
    fixed_by: str


SKILL_MAPPINGS: tuple[SkillMapping, ...] = (
    SkillMapping("GMAI-MMBench", "Attribute Recognition", "Attribute Recognition", "paper"),
    SkillMapping("GMAI-MMBench", "Blood Vessels Recognition", "Cardiovascular", "ours"),
    SkillMapping("GMAI-MMBench", "Bone", "Skeletal System", "ours"),
    SkillMapping("GMAI-MMBench", "Cell Recognition", "Cell and Microbes", "ours"),
    SkillMapping("GMAI-MMBench", "Counting", "Counting", "paper"),
    SkillMapping("GMAI-MMBench", "Disease Diagnosis", "Disease Diagnosis", "paper"),
    SkillMapping("GMAI-MMBench", "Image Quality Grading", "Image Quality Grading", "paper"),
    SkillMapping("GMAI-MMBench", "Microorganism Recognition", "Cell and Microbes", "ours"),
    SkillMapping("GMAI-MMBench", "Muscle", "Muscle Recognition", "ours"),
    SkillMapping("GMAI-MMBench", "Nervous Tissue", "Neurovascular", "ours"),
    SkillMapping("GMAI-MMBench", "Organ Recognition - Abdomen", "Abdominal Structures", "ours"),
    SkillMapping("GMAI-MMBench", "Organ Recognition - Head and Neck", "General Structures", "ours"),
    SkillMapping("GMAI-MMBench", "Organ Recognition - Pelvic", "General Structures", "ours"),
    SkillMapping("GMAI-MMBench", "Organ Recognition - Thorax", "General Structures", "ours"),
    SkillMapping("GMAI-MMBench", "Severity Grading", "Severity Grading", "paper"),
    SkillMapping("GMAI-MMBench", "Surgeon Action Recognition", "Surgical Workflow Recognition", "ours"),
    SkillMapping("GMAI-MMBench", "Surgical Instrument Recognition", "Surgical Instrument Recognition", "paper"),
    SkillMapping("GMAI-MMBench", "Surgical Workflow Recognition", "Surgical Workflow Recognition", "paper"),
    SkillMapping("OmniMedVQA", "Disease Diagnosis", "Disease Diagnosis", "paper"),
    SkillMapping("OmniMedVQA", "Anatomy Identification", "General Structures", "ours"),
    SkillMapping("OmniMedVQA", "Modality Recognition", None, "ours"),
    SkillMapping("OmniMedVQA", "Other Biological Attributes", "Attribute Recognition", "ours"),
    SkillMapping("OmniMedVQA", "Lesion Grading", "Lesion Grading", "paper"),
    SkillMapping("MedXpertQA", "Diagnosis / Reasoning", "General Diagnosis Reasoning", "ours"),
    SkillMapping("MedXpertQA", "Diagnosis / Understanding", "Disease Diagnosis", "ours"),
    SkillMapping("MedXpertQA", "Treatment / Reasoning", "Treatment Reasoning", "paper"),
    SkillMapping("MedXpertQA", "Treatment / Understanding", "Treatment-Understanding", "paper"),
    SkillMapping("MedXpertQA", "Basic Science / Reasoning", "General Science Reasoning", "ours"),
    SkillMapping("MedXpertQA", "Basic Science / Understanding", "Basic Science Understanding", "paper"),
    SkillMapping("MedXpertQA", "Basic Medicine / Reasoning", "General Science Reasoning", "ours"),
    SkillMapping("MedXpertQA", "Basic Medicine / Understanding", "Basic Science Understanding", "ours"),
)
"""Source labels to skills. The authors' own remapping is not published; `fixed_by` says what rests on the paper.

Labels that ask for an organ, and MedXpertQA's, stand for several skills: `building.sources.skills` reads the item too.
"""


@functools.lru_cache(maxsize=4096)
def _fold(text: str) -> str:
    return "".join(character for character in text.casefold() if character not in " -_./\t")


def _index(names: Iterable[str], aliases: Mapping[str, str]) -> dict[str, str]:
    index = {_fold(alias): name for alias, name in aliases.items()}
    index.update({_fold(name): name for name in names})
    return index


_MODALITY_INDEX = _index(MODALITIES, {**MODALITY_ALIASES, **_SOURCE_MODALITIES})
# The authors' files put "_artifact" behind many of the names, in no regular way.
_DEGRADATION_INDEX = _index(DEGRADATIONS, known_names() | {f"{name}_artifact": name for name in DEGRADATIONS})
_SKILL_INDEX = _index(SKILLS, {})
_SOURCE_INDEX = _index(SOURCES, {alias: name for name, aliases in SOURCES.items() for alias in aliases})
_MAPPED_SKILLS = {(entry.source, _fold(entry.label)): entry.skill for entry in SKILL_MAPPINGS}


def _lookup(text: str, index: Mapping[str, str], kind: str, known: Iterable[str]) -> str:
    key = _fold(str(text))
    if key in index:
        return index[key]
    raise InputError(f"unknown {kind} {text!r}: {did_you_mean(key, index, cutoff=0.75)}known are {', '.join(known)}")


def level(text: str | int | float) -> str:
    """Return the level ("L0", "L1", "L2") that `text` names: "L1", "l1", 1, "1", 1.0 and "1.0" are the same.

    Raises:
        InputError: for anything else.
    """
    try:
        return check_severity(text)
    except ValueError as error:
        raise InputError(str(error)) from None


def severity_label(text: str | int | float) -> str:
    """Return the level that `text` names, "gone", or the label of a severity of a series ("S1.50") with its S.

    Raises:
        InputError: for anything else.
    """
    if str(text).strip().lower() == GONE:
        return GONE
    if not str(text).strip().upper().startswith("S"):
        return level(text)
    try:
        return read_severity(str(text)).label
    except ValueError as error:
        raise InputError(str(error)) from None


def severity_of(label: str) -> float:
    """Return the severity that a level or the label of a series stands for: 1.0 for "L1", 1.5 for "S1.50".

    NaN for "gone", where each item has its own.
    """
    return math.nan if label == GONE else read_severity(label).value


def modality(text: str) -> str:
    """Return the benchmark's name of a modality. Raises `InputError` for an unknown one."""
    return _lookup(text, _MODALITY_INDEX, "modality", MODALITIES)


def degradation(text: str) -> str:
    """Return the paper's name of a degradation, given that name or the authors' file name for it.

    Raises:
        InputError: for an unknown one.
    """
    return _lookup(text, _DEGRADATION_INDEX, "degradation", DEGRADATIONS)


def degradation_category(name: str) -> str:
    """Return the category (one of five) of a degradation in the paper's name."""
    return DEGRADATIONS[degradation(name)].category


def degradations_for(modality_name: str) -> tuple[str, ...]:
    """Return the degradations that a modality allows: the general ones and its own (table 5)."""
    wanted = modality(modality_name)
    return tuple(list_degradations(wanted))


def skill(text: str) -> str:
    """Return the fine-grained skill of that name. Raises `InputError` for an unknown one."""
    return _lookup(text, _SKILL_INDEX, "skill", SKILLS)


def task_of(skill_name: str) -> str:
    """Return the mid-level task above a skill; `UNLABELLED` stays `UNLABELLED`."""
    return UNLABELLED if skill_name == UNLABELLED else _TASK_OF_SKILL[skill(skill_name)]


def capability_of(skill_name: str) -> str:
    """Return the high-level capability above a skill; `UNLABELLED` stays `UNLABELLED`."""
    return UNLABELLED if skill_name == UNLABELLED else _CAPABILITY_OF_TASK[task_of(skill_name)]


def source(text: str) -> str:
    """Return the canonical name of a source benchmark; an unknown source keeps the name that it came with."""
    return _SOURCE_INDEX.get(_fold(text), text.strip())


def skill_from_label(source_name: str, label: str) -> str:
    """Return the skill that a source benchmark's label stands for, or `UNLABELLED`.

    A label that is itself the name of a skill wins; otherwise `SKILL_MAPPINGS` decides, within the given source or,
    where the source is not one of the three, in any source that has the label.
    """
    folded = _fold(label)
    if folded in _SKILL_INDEX:
        return _SKILL_INDEX[folded]
    own = source(source_name)
    candidates = (own,) if own in SOURCES else tuple(SOURCES)
    for candidate in candidates:
        if mapped := _MAPPED_SKILLS.get((candidate, folded)):
            return mapped
    return UNLABELLED

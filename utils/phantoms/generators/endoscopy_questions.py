"""What is asked of the endoscopy phantoms. Treatments follow rules that the stems state."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ..question import Question, Scene


def _by(key: str, table: Mapping[object, str]) -> Callable[[Scene], str | None]:
    """Answer by one value of the scene; None for values outside the table."""
    return lambda scene: table.get(scene[key])


_SEGMENTS = {"oesophagus": "Oesophagus", "stomach": "Stomach", "duodenum": "Duodenum", "colon": "Colon"}
_INSTRUMENTS = {
    "snare": "Polypectomy snare",
    "forceps": "Biopsy forceps",
    "needle": "Injection needle",
    "balloon": "Dilation balloon",
}
_PHASES = {
    (False, False): "Inspection",
    (False, True): "Localisation of a bleeding",
    (True, False): "Elective intervention",
    (True, True): "Control of a bleeding",
}
_RESIDUE = {
    "little": "Good: hardly any mucosa is hidden",
    "some": "Fair: about a quarter of the mucosa is hidden",
    "much": "Poor: more than half of the mucosa is hidden",
}
_PARIS = {
    "pedunculated": "0-Ip, pedunculated",
    "sessile": "0-Is, sessile",
    "flat": "0-IIa, flat and slightly raised",
    "excavated": "0-III, excavated",
}
_TREATMENTS = {
    "pedunculated": "Hot snare resection",
    "sessile": "Cold snare resection",
    "flat": "Endoscopic mucosal resection",
    "excavated": "Referral for surgery",
}
_CLEANSING = "Repetition after cleansing"
_DRUGS = {
    "plaques": "Fluconazole",
    "erosions": "Pantoprazole",
    "melanosis": "Macrogol instead of senna",
    "normal": "No change of drugs",
}
_DIAGNOSES = {
    ("oesophagus", "plaques"): "Candida oesophagitis",
    ("oesophagus", "erosions"): "Reflux oesophagitis",
    ("stomach", "erosions"): "Erosive gastritis",
    ("duodenum", "erosions"): "Erosive duodenitis",
    ("colon", "erosions"): "Erosive colitis",
    ("colon", "melanosis"): "Melanosis coli",
}
_EMERGENCY = {
    "spurting": "Adrenaline injection and a clip",
    "oozing": "Thermal coagulation",
    "clot": "Irrigation and removal of the clot",
    "none": "No endoscopic haemostasis",
}
_NUMBERS = ("None", "One", "Two", "Three", "Four")


def _active(scene: Scene) -> bool:
    return scene["bleeding"] in ("oozing", "spurting")


def _polyps(scene: Scene) -> str | None:
    if scene["lesions"] and scene["shape"] not in ("pedunculated", "sessile"):
        return None
    return _NUMBERS[scene["lesions"]]


def _treatment(scene: Scene) -> str | None:
    if not scene["lesions"]:
        return None
    return _CLEANSING if scene["residue"] == "much" else _TREATMENTS[scene["shape"]]


QUESTIONS: tuple[Question, ...] = (
    Question(
        "endoscopy_segment",
        "Gastrointestinal Tract",
        "Judged by its folds and by the shape of its lumen, which segment of the gut is shown?",
        tuple(_SEGMENTS.values()),
        4,
        _by("segment", _SEGMENTS),
    ),
    Question(
        "endoscopy_instrument",
        "Surgical Instrument Recognition",
        "Which instrument comes from the working channel?",
        tuple(_INSTRUMENTS.values()),
        4,
        _by("instrument", _INSTRUMENTS),
    ),
    Question(
        "endoscopy_phase",
        "Surgical Workflow Recognition",
        "Without an instrument in view the phase is inspection, or localisation of a bleeding if fresh blood flows. "
        "With an instrument it is control of a bleeding if fresh blood flows, and otherwise an elective intervention. "
        "Which phase is shown?",
        tuple(_PHASES.values()),
        4,
        lambda scene: _PHASES[scene["instrument"] != "none", _active(scene)],
    ),
    Question(
        "endoscopy_polyp_count",
        "Counting",
        "How many polyps rise into the lumen in this picture?",
        _NUMBERS,
        5,
        _polyps,
    ),
    Question(
        "endoscopy_residue",
        "Image Quality Grading",
        "How well can the mucosa be judged behind turbid, brownish residue?",
        tuple(_RESIDUE.values()),
        3,
        _by("residue", _RESIDUE),
    ),
    Question(
        "endoscopy_lesion_treatment",
        "Treatment Reasoning",
        "Pedunculated lesions are resected with a hot snare, sessile ones with a cold snare, flat ones by endoscopic "
        "mucosal resection; excavated ones go to surgery. If residue hides more than half of the mucosa, the "
        "examination is first repeated after cleansing. What follows here?",
        (*_TREATMENTS.values(), _CLEANSING),
        4,
        _treatment,
    ),
    Question(
        "endoscopy_drug",
        "Pharmacological Treatment",
        "White plaques are treated with fluconazole and red erosions with pantoprazole; with a dark brown mucosa senna "
        "is replaced by macrogol. Which decision fits the mucosa of this patient?",
        tuple(_DRUGS.values()),
        3,
        _by("mucosa", _DRUGS),
    ),
    Question(
        "endoscopy_paris",
        "Lesion Grading",
        "To which type of the Paris classification do the lesions in this picture belong?",
        tuple(_PARIS.values()),
        4,
        lambda scene: _PARIS[scene["shape"]] if scene["lesions"] else None,
    ),
    Question(
        "endoscopy_mucosa_diagnosis",
        "General Diagnosis Reasoning",
        "Which diagnosis do the segment of the gut and the state of its mucosa support together?",
        tuple(_DIAGNOSES.values()),
        4,
        lambda scene: _DIAGNOSES.get((scene["segment"], scene["mucosa"])),
    ),
    Question(
        "endoscopy_haemostasis",
        "Initial/Emergency Management",
        "A patient vomited blood. Spurting blood is stopped by adrenaline and a clip, oozing blood by coagulation, and "
        "an adherent clot is irrigated and removed; without any of these no haemostasis is needed. What is done here?",
        tuple(_EMERGENCY.values()),
        4,
        _by("bleeding", _EMERGENCY),
    ),
    Question(
        "endoscopy_urgency",
        "Initial/Emergency Management",
        "Fresh blood that flows is stopped at once; an old clot or a clean mucosa is reviewed on the next day. What "
        "follows in this patient?",
        ("Haemostasis at once", "Review on the next day"),
        2,
        lambda scene: "Haemostasis at once" if _active(scene) else "Review on the next day",
    ),
)

"""Questions about the X-ray phantoms."""

from __future__ import annotations

from collections.abc import Callable

from ..question import Question, Scene

_SIDE = "With the image upright, the patient's right is on its left. "


def _complete(answer: Callable[[Scene], str | None]) -> Callable[[Scene], str | None]:
    """A film that cuts off a part of the chest is only asked about its coverage."""
    return lambda scene: answer(scene) if scene["coverage"] == "complete" else None


_LUNG = {
    "clear": "No pleural or alveolar disease",
    "pneumothorax": "Pneumothorax with a visible lung edge",
    "effusion": "Pleural effusion with a meniscus",
    "consolidation": "Alveolar consolidation of one zone",
}

_FRACTURE = {
    "right clavicle": "The right clavicle",
    "left clavicle": "The left clavicle",
    "right ribs": "The ribs on the right",
    "left ribs": "The ribs on the left",
}

_RATIO = {"normal": "Below 0.50", "enlarged": "Between 0.50 and 0.60", "very large": "Above 0.60"}

_COVERAGE = {
    "complete": "The whole chest is covered",
    "apices": "The lung apices are cut off",
    "bases": "The lung bases are cut off",
    "right": "The right lateral chest is cut off",
    "left": "The left lateral chest is cut off",
}

_TUBE = {
    "high": "Too high: advance the tube",
    "good": "Well placed: leave the tube",
    "deep": "Too deep: withdraw the tube",
}


def _nodules(scene: Scene) -> str | None:
    # The ends of broken ribs may pass for nodules.
    if scene["fracture"].endswith("ribs"):
        return None
    return (None, "One", "Two", "Three", "Four", "Five")[scene["nodules"]]


def _mediastinum(scene: Scene) -> str:
    if not scene["shift"]:
        return "In the midline"
    return "Displaced to the patient's " + {"right": "left", "left": "right"}[scene["lung_side"]]


def _presentation(scene: Scene) -> str | None:
    signs = {"pneumothorax": "Hyperresonant percussion on the", "effusion": "Dull percussion on the"}
    return f"{signs[scene['lung']]} {scene['lung_side']}" if scene["lung"] in signs else None


def _pneumothorax(scene: Scene) -> str | None:
    if scene["lung"] == "effusion":
        return None
    if scene["lung"] != "pneumothorax":
        return "No treatment of the pleura"
    if scene["shift"]:
        return "Immediate needle decompression"
    return "Intercostal chest drain" if scene["lung_size"] == "large" else "Observation and a repeat film"


def _heart(scene: Scene) -> str | None:
    # Fluid and dense lung hide the heart's border.
    return _RATIO[scene["heart"]] if scene["lung"] in ("clear", "pneumothorax") and not scene["shift"] else None


def _pneumonia(scene: Scene) -> str | None:
    if scene["lung"] != "consolidation":
        return None
    return f"{scene['lung_side'].capitalize()} {scene['lung_zone']} zone pneumonia"


QUESTIONS: tuple[Question, ...] = (
    Question(
        name="xray_lung_finding",
        skill="Respiratory System",
        stem="This is a frontal chest radiograph. Round nodules, bones and devices set aside, what do the lungs and "
        "the pleura show?",
        answers=tuple(_LUNG.values()),
        k=4,
        answer=_complete(lambda scene: _LUNG[scene["lung"]]),
    ),
    Question(
        name="xray_mediastinum",
        skill="Respiratory System",
        stem=_SIDE + "Judge the trachea and the heart against the spine. Where does the mediastinum lie?",
        answers=("In the midline", "Displaced to the patient's right", "Displaced to the patient's left"),
        k=3,
        answer=_complete(_mediastinum),
    ),
    Question(
        name="xray_fracture",
        skill="Skeletal System",
        stem=_SIDE + "After a fall this chest radiograph shows displaced fractures at one place. What is broken?",
        answers=tuple(_FRACTURE.values()),
        k=4,
        answer=_complete(lambda scene: _FRACTURE.get(scene["fracture"])),
    ),
    Question(
        name="xray_cardiothoracic_ratio",
        skill="Cardiovascular",
        stem="The cardiothoracic ratio is the greatest width of the heart divided by the greatest inner width of the "
        "thorax. What is it on this radiograph?",
        answers=tuple(_RATIO.values()),
        k=3,
        answer=_complete(_heart),
    ),
    Question(
        name="xray_nodule_count",
        skill="Counting",
        stem="How many round nodules do the two lungs contain together on this chest radiograph?",
        answers=("One", "Two", "Three", "Four", "Five"),
        k=5,
        answer=_complete(_nodules),
    ),
    Question(
        name="xray_percussion",
        skill="Clinical Presentation Analysis",
        stem=_SIDE + "Air in the pleural space makes percussion of that side hyperresonant, fluid makes it dull. "
        "Which finding at the bedside fits this radiograph?",
        answers=(
            "Hyperresonant percussion on the right",
            "Hyperresonant percussion on the left",
            "Dull percussion on the right",
            "Dull percussion on the left",
        ),
        k=4,
        answer=_complete(_presentation),
    ),
    Question(
        name="xray_pneumothorax_management",
        skill="Initial/Emergency Management",
        stem="Protocol for pneumothorax: with the mediastinum displaced to the other side, immediate needle "
        "decompression; without displacement, a chest drain if the lung is collapsed to less than half of its height "
        "and observation if only a rim of air surrounds it. What does the protocol ask for here?",
        answers=(
            "Immediate needle decompression",
            "Intercostal chest drain",
            "Observation and a repeat film",
            "No treatment of the pleura",
        ),
        k=4,
        answer=_complete(_pneumothorax),
    ),
    Question(
        name="xray_coverage",
        skill="Image Quality Grading",
        stem=_SIDE + "A frontal chest film must show both lungs from the apices to the costophrenic angles and both "
        "lateral chest walls. How is the coverage of this film to be graded?",
        answers=tuple(_COVERAGE.values()),
        k=5,
        answer=lambda scene: _COVERAGE[scene["coverage"]],
        spared=("object_rotation", "object_movement"),
    ),
    Question(
        name="xray_pneumonia_zone",
        skill="Disease Diagnosis",
        stem=_SIDE + "A patient with fever and cough has this chest radiograph. What is the diagnosis?",
        answers=(
            "Right upper zone pneumonia",
            "Right lower zone pneumonia",
            "Left upper zone pneumonia",
            "Left lower zone pneumonia",
        ),
        k=4,
        answer=_complete(_pneumonia),
    ),
    Question(
        name="xray_tracheal_tube",
        skill="Treatment-Understanding",
        stem="The tip of a tracheal tube belongs between the clavicles and the carina: above the clavicles it lies too "
        "high, in a main bronchus too deep. What is to be done with the tube on this film?",
        answers=tuple(_TUBE.values()),
        k=3,
        answer=_complete(lambda scene: _TUBE.get(scene["tube"])),
    ),
    Question(
        name="xray_pacemaker",
        skill="Treatment-Understanding",
        stem=_SIDE + "The generator of this patient's pacemaker is due for replacement. On which side must the pocket "
        "be opened?",
        answers=("On the right", "On the left"),
        k=2,
        answer=_complete(lambda scene: None if scene["pacemaker"] == "none" else f"On the {scene['pacemaker']}"),
    ),
)

"""What is asked of the dermoscopy phantoms. Treatments follow rules that the stems state."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ..question import Question, Scene


def _by(key: str, table: Mapping[object, str]) -> Callable[[Scene], str | None]:
    """Answer by one value of the scene; None for scenes that lack it."""
    return lambda scene: table.get(scene.get(key))


_BORDERS = {
    "sharp": "It ends abruptly all round",
    "gradual": "It fades gradually all round",
    "mixed": "It ends abruptly on one side and fades on the other",
}
_PATTERNS = {
    "network": "A pigment network",
    "globules": "Scattered globules",
    "streaks": "Radial streaks",
    "homogeneous": "Structureless pigment",
}
_LESIONS = {
    "basal_cell": "Basal cell carcinoma",
    "keratosis": "Seborrhoeic keratosis",
    "haemangioma": "Haemangioma",
    "dermatofibroma": "Dermatofibroma",
}
_SITES = {
    "trunk": "Hair-bearing skin of the trunk",
    "sole": "Ridged skin of the sole",
    "face": "Skin of the face with open follicles",
}
_DIAMETERS = {"small": "Below 6 mm", "medium": "From 6 to 10 mm", "large": "Above 10 mm"}
_MARGINS = {"small": "A margin of 5 mm", "medium": "A margin of 10 mm", "large": "A margin of 20 mm"}
_SATELLITE_SURGERY = "A margin of 20 mm and sentinel node biopsy"
_COMPLAINTS = {
    "basal_cell": "A pearly bump with fine red lines on it",
    "keratosis": "A waxy brown spot that looks stuck on",
    "haemangioma": "A soft red swelling that can be compressed",
    "dermatofibroma": "A firm spot, pale inside, that dimples when pinched",
}
_SORE = "A sore spot that weeps, bleeds and crusts over"
_TREATMENTS = {
    "keratosis": "Cryotherapy",
    "haemangioma": "Pulsed dye laser",
    "dermatofibroma": "Observation",
}
_NUMBERS = ("None", "One", "Two", "Three", "Four", "Five")


def _suspicion(scene: Scene) -> str | None:
    if scene["view"] != "pigmented":
        return None
    signs = scene["asymmetric"] + (len(scene["colours"]) >= 3)
    return ("Common naevus", "Atypical naevus", "Melanoma")[signs]


def _surgery(scene: Scene) -> str | None:
    if scene["view"] != "pigmented":
        return None
    return _SATELLITE_SURGERY if scene["satellites"] else _MARGINS[scene["size"]]


def _treatment(scene: Scene) -> str | None:
    if scene.get("lesion") == "basal_cell":
        return "Mohs surgery" if scene["ulcerated"] else "Imiquimod cream"
    return _TREATMENTS.get(scene.get("lesion"))


def _complaint(scene: Scene) -> str | None:
    if scene["view"] != "other":
        return None
    return _SORE if scene["ulcerated"] else _COMPLAINTS[scene["lesion"]]


QUESTIONS: tuple[Question, ...] = (
    Question(
        "dermoscopy_border",
        "Attribute Recognition",
        "How does the border of this pigmented lesion end?",
        tuple(_BORDERS.values()),
        3,
        _by("border", _BORDERS),
    ),
    Question(
        "dermoscopy_pattern",
        "Attribute Recognition",
        "Which pattern do the structures of this pigmented lesion form?",
        tuple(_PATTERNS.values()),
        4,
        _by("pattern", _PATTERNS),
    ),
    Question(
        "dermoscopy_asymmetry",
        "Attribute Recognition",
        "Judge the outline of this pigmented lesion.",
        ("Regular and symmetric", "Irregular and asymmetric"),
        2,
        _by("asymmetric", {False: "Regular and symmetric", True: "Irregular and asymmetric"}),
    ),
    Question(
        "dermoscopy_lesion_diagnosis",
        "Disease Diagnosis",
        "A dermatoscopic picture of a non-melanocytic lesion is shown. Which diagnosis do its vessels, cysts, lacunae "
        "or scar support?",
        tuple(_LESIONS.values()),
        4,
        _by("lesion", _LESIONS),
    ),
    Question(
        "dermoscopy_treatment",
        "Treatment-Understanding",
        "A clinic treats basal cell carcinoma by Mohs surgery if ulcerated and with imiquimod cream if it is not, "
        "seborrhoeic keratosis by cryotherapy, haemangioma by pulsed dye laser, and observes dermatofibromas. What "
        "does this patient receive?",
        ("Mohs surgery", "Imiquimod cream", *_TREATMENTS.values()),
        4,
        _treatment,
    ),
    Question(
        "dermoscopy_surgery",
        "Surgical Treatment Selection",
        "This melanoma is to be excised. Below 6 mm in mean diameter the margin is 5 mm, from 6 to 10 mm it is 10 mm, "
        "above it is 20 mm; with dark satellites around the lesion it is 20 mm with sentinel node biopsy, whatever the "
        "diameter. The scale is in millimetres. Which excision is chosen?",
        (*_MARGINS.values(), _SATELLITE_SURGERY),
        4,
        _surgery,
    ),
    Question(
        "dermoscopy_site",
        "Clinical Correlation",
        "Judged by the skin around the lesion, from which site does this dermatoscopic picture come?",
        tuple(_SITES.values()),
        3,
        _by("site", _SITES),
    ),
    Question(
        "dermoscopy_suspicion",
        "General Diagnosis Reasoning",
        "Of two signs, an asymmetric outline and three or more colours, neither suggests a common naevus, one of them "
        "an atypical naevus, and both a melanoma. What does this lesion suggest?",
        ("Common naevus", "Atypical naevus", "Melanoma"),
        3,
        _suspicion,
    ),
    Question(
        "dermoscopy_satellite_count",
        "Counting",
        "How many dark satellites lie on the skin around the main lesion?",
        _NUMBERS[:5],
        5,
        _by("satellites", dict(enumerate(_NUMBERS[:5]))),
    ),
    Question(
        "dermoscopy_colour_count",
        "Counting",
        "Areas of light brown, dark brown, black, blue-grey, red and white count as colours, dots and lines do not. "
        "How many colours does this pigmented lesion have?",
        _NUMBERS[1:],
        4,
        lambda scene: _NUMBERS[len(scene["colours"])] if "colours" in scene else None,
    ),
    Question(
        "dermoscopy_diameter",
        "Severity Grading",
        "The scale at the lower edge is in millimetres. To which class of mean diameter does this pigmented lesion "
        "belong?",
        tuple(_DIAMETERS.values()),
        3,
        lambda scene: _DIAMETERS[scene["size"]] if scene["view"] == "pigmented" else None,
    ),
    Question(
        "dermoscopy_complaint",
        "Clinical Presentation Analysis",
        "Which complaint of the patient fits this dermatoscopic picture best?",
        (*_COMPLAINTS.values(), _SORE),
        4,
        _complaint,
    ),
)

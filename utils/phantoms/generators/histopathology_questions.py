"""What is asked of the histopathology phantoms. Treatments follow rules that the stems state."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ..question import Question, Scene


def _by(key: str, table: Mapping[object, str]) -> Callable[[Scene], str | None]:
    """Answer by one value of the scene; None for scenes that lack it or have a value outside the table."""
    return lambda scene: table.get(scene.get(key))


_INFILTRATES = {
    "neutrophil": "Neutrophils",
    "lymphocyte": "Lymphocytes",
    "eosinophil": "Eosinophils",
    "plasma": "Plasma cells",
}
_ORGANISMS = {
    "cocci": "Cocci in clusters",
    "rods": "Rod-shaped bacteria",
    "yeasts": "Budding yeasts",
    "hyphae": "Branching septate hyphae",
}
_GRADES = {
    "well": "Well differentiated",
    "moderate": "Moderately differentiated",
    "poor": "Poorly differentiated",
}
_TUMOURS = {
    "melanoma": "Melanoma",
    "squamous": "Squamous cell carcinoma",
    "signet": "Signet ring cell carcinoma",
    "small": "Small cell carcinoma",
}
_LUMENS = {
    "empty": "Secretion that drained without retention",
    "mucin": "Retention of secreted mucin",
    "necrosis": "Necrosis of cells shed by the tumour",
    "calcification": "Dystrophic deposition of calcium",
}
_STROMAS = {
    "lymphoid": "Basophilic, from the nuclei of lymphocytes",
    "collagen": "Eosinophilic, from bundles of collagen",
    "oedema": "Pale, from fluid that takes up no stain",
}
_PLEOMORPHISM = {False: "Uniform in size", True: "Markedly variable in size"}
_DRUGS = {
    "cocci": "Flucloxacillin",
    "rods": "Ciprofloxacin",
    "yeasts": "Fluconazole",
    "hyphae": "Voriconazole",
}
_NUMBERS = {0: "None", 1: "One", 2: "Two", 3: "Three", 4: "Four", 5: "Five"}


def _drug(scene: Scene) -> str | None:
    if scene["view"] != "inflammation":
        return None
    if scene["organism"] == "absent":
        return "Prednisolone" if scene["infiltrate"] == "eosinophil" else None
    return _DRUGS[scene["organism"]]


def _granuloma(scene: Scene) -> str | None:
    if not scene.get("giant_cells"):
        return None
    return "Tuberculosis" if scene["caseation"] else "Sarcoidosis"


def _response(scene: Scene) -> str | None:
    if scene["view"] != "inflammation" or scene["organism"] == "absent":
        return None
    bacteria = scene["organism"] in ("cocci", "rods")
    if scene["infiltrate"] == "neutrophil":
        return "Acute bacterial infection" if bacteria else "Acute fungal infection"
    return "Chronic bacterial infection" if bacteria else "Chronic fungal infection"


QUESTIONS: tuple[Question, ...] = (
    Question(
        "histopathology_infiltrate",
        "Cell and Microbes",
        "In this high-power field of a section stained with haematoxylin and eosin, which inflammatory cell "
        "predominates?",
        tuple(_INFILTRATES.values()),
        4,
        _by("infiltrate", _INFILTRATES),
    ),
    Question(
        "histopathology_organism",
        "Cell and Microbes",
        "The section shows inflamed tissue in which microorganisms have settled. Which form do they have?",
        tuple(_ORGANISMS.values()),
        3,
        _by("organism", _ORGANISMS),
    ),
    Question(
        "histopathology_gland_grade",
        "Lesion Grading",
        "This adenocarcinoma is graded by its glands: round single glands with one lumen each are well differentiated, "
        "irregular cribriform glands with several small lumens moderately, and solid nests without lumens poorly. "
        "How is it graded?",
        tuple(_GRADES.values()),
        3,
        _by("grade", _GRADES),
    ),
    Question(
        "histopathology_mitosis_count",
        "Counting",
        "How many mitotic figures in metaphase (dark plates in a cleared cell) does this high-power field contain?",
        tuple(_NUMBERS[n] for n in range(1, 6)),
        4,
        _by("mitoses", {n: _NUMBERS[n] for n in range(1, 6)}),
    ),
    Question(
        "histopathology_giant_cell_count",
        "Counting",
        "How many multinucleated giant cells are seen in this field of inflamed tissue?",
        tuple(_NUMBERS[n] for n in range(5)),
        5,
        _by("giant_cells", {n: _NUMBERS[n] for n in range(5)}),
    ),
    Question(
        "histopathology_lumen_mechanism",
        "Disease Mechanism Recognition",
        "Which process explains what is seen within the lumens of these neoplastic glands?",
        tuple(_LUMENS.values()),
        4,
        lambda scene: None if scene.get("grade") == "poor" else _LUMENS.get(scene.get("lumen")),
    ),
    Question(
        "histopathology_drug",
        "Pharmacological Treatment",
        "A protocol treats cocci with flucloxacillin, rods with ciprofloxacin, yeasts with fluconazole and hyphae with "
        "voriconazole; an infiltrate of eosinophils without any organism is treated with prednisolone. Which drug does "
        "the patient with this biopsy receive?",
        (*_DRUGS.values(), "Prednisolone"),
        4,
        _drug,
    ),
    Question(
        "histopathology_tumour_diagnosis",
        "Disease Diagnosis",
        "A mass was biopsied, and a high-power field of it is shown. Which diagnosis do the tumour cells and what they "
        "produce support best?",
        tuple(_TUMOURS.values()),
        4,
        _by("tumour", _TUMOURS),
    ),
    Question(
        "histopathology_granuloma_diagnosis",
        "General Diagnosis Reasoning",
        "Giant cells beside caseous necrosis (a pink, structureless area) suggest tuberculosis, giant cells without it "
        "sarcoidosis. Which diagnosis does this field suggest?",
        ("Tuberculosis", "Sarcoidosis"),
        2,
        _granuloma,
    ),
    Question(
        "histopathology_stroma_stain",
        "Basic Science Understanding",
        "Haematoxylin stains nucleic acids blue and eosin stains proteins pink. How does the stroma between the tumour "
        "glands stain in this section, and from what?",
        tuple(_STROMAS.values()),
        3,
        _by("stroma", _STROMAS),
    ),
    Question(
        "histopathology_pleomorphism",
        "Attribute Recognition",
        "How do the nuclei of this tumour compare with one another?",
        tuple(_PLEOMORPHISM.values()),
        2,
        _by("pleomorphic", _PLEOMORPHISM),
    ),
    Question(
        "histopathology_infection",
        "Disease Mechanism Recognition",
        "Neutrophils mark an acute response, any other inflammatory cell a chronic one; cocci and rods are bacteria, "
        "yeasts and hyphae fungi. Which process does this section show?",
        (
            "Acute bacterial infection",
            "Chronic bacterial infection",
            "Acute fungal infection",
            "Chronic fungal infection",
        ),
        4,
        _response,
    ),
)

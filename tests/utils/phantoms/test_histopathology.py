"""Histopathology phantoms: the stains, separated again, against what the scene says is there."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from medqdeg.utils.phantoms.generators.histopathology import GENERATOR

from .phantom_checks import check_rules, components, drawn

SKILLS = {
    "Cell and Microbes",
    "Lesion Grading",
    "Counting",
    "Disease Mechanism Recognition",
    "Pharmacological Treatment",
    "General Diagnosis Reasoning",
    "Disease Diagnosis",
    "Basic Science Understanding",
    "Attribute Recognition",
}
NUMBER_WORDS = ["None", "One", "Two", "Three", "Four", "Five"]


def _drug(s):
    organism = s.get("organism")
    if organism == "absent" and s["infiltrate"] == "eosinophil":
        return "Prednisolone"
    treated = {"Flucloxacillin": "cocci", "Ciprofloxacin": "rods", "Fluconazole": "yeasts", "Voriconazole": "hyphae"}
    return next((drug for drug, target in treated.items() if target == organism), None)


def _infection(s):
    if s["view"] != "inflammation" or s["organism"] == "absent":
        return None
    course = "Acute" if s["infiltrate"] == "neutrophil" else "Chronic"
    return f"{course} {'fungal' if s['organism'] in ('yeasts', 'hyphae') else 'bacterial'} infection"


RULES = {
    "histopathology_infiltrate": lambda s: {"plasma": "Plasma cells"}.get(
        s.get("infiltrate", ""), s["infiltrate"].capitalize() + "s" if "infiltrate" in s else None
    ),
    "histopathology_organism": lambda s: {
        "coc": "Cocci in clusters",
        "rod": "Rod-shaped bacteria",
        "yea": "Budding yeasts",
        "hyp": "Branching septate hyphae",
    }.get(s.get("organism", "")[:3]),
    "histopathology_gland_grade": lambda s: (
        {"w": "Well", "m": "Moderately", "p": "Poorly"}[s["grade"][0]] + " differentiated" if "grade" in s else None
    ),
    "histopathology_mitosis_count": lambda s: NUMBER_WORDS[s["mitoses"]] if "mitoses" in s else None,
    "histopathology_giant_cell_count": lambda s: NUMBER_WORDS[s["giant_cells"]] if "giant_cells" in s else None,
    "histopathology_lumen_mechanism": lambda s: (
        {
            "empty": "Secretion that drained without retention",
            "mucin": "Retention of secreted mucin",
            "necrosis": "Necrosis of cells shed by the tumour",
            "calcification": "Dystrophic deposition of calcium",
        }[s["lumen"]]
        if s["view"] == "glands" and s["grade"] in ("well", "moderate")
        else None
    ),
    "histopathology_drug": _drug,
    "histopathology_tumour_diagnosis": lambda s: {
        "melanoma": "Melanoma",
        "squamous": "Squamous cell carcinoma",
        "signet": "Signet ring cell carcinoma",
        "small": "Small cell carcinoma",
        None: None,
    }[s.get("tumour")],
    "histopathology_granuloma_diagnosis": lambda s: (
        None if s.get("giant_cells", 0) < 1 else ("Sarcoidosis", "Tuberculosis")[s["caseation"]]
    ),
    "histopathology_stroma_stain": lambda s: {
        "lymphoid": "Basophilic, from the nuclei of lymphocytes",
        "collagen": "Eosinophilic, from bundles of collagen",
        "oedema": "Pale, from fluid that takes up no stain",
    }.get(s.get("stroma")),
    "histopathology_pleomorphism": lambda s: (
        ("Uniform in size", "Markedly variable in size")[s["pleomorphic"]] if s["view"] == "tumour" else None
    ),
    "histopathology_infection": _infection,
}


def _stains(image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Separate haematoxylin and eosin by least squares in optical density."""
    density = -np.log(np.maximum(image, 1 / 255) / 0.975)
    amounts = density @ np.linalg.pinv(np.array([[0.5626, 0.7201, 0.4062], [0.2159, 0.8012, 0.5581]]))
    return amounts[..., 0], amounts[..., 1]


def test_every_answer_is_found_and_follows_from_the_scene() -> None:
    check_rules(GENERATOR, SKILLS, RULES)


def test_mitoses_are_counted_as_the_darkest_plates() -> None:
    for scene, image in drawn(GENERATOR, lambda s: s.get("tumour") in ("small", "signet", "squamous"), 30):
        haematoxylin, _ = _stains(image)
        assert components(haematoxylin > 2.1, 40) == scene["mitoses"]


def test_nuclei_vary_where_the_tumour_is_pleomorphic() -> None:
    spread = {True: [], False: []}
    for scene, image in drawn(GENERATOR, lambda s: s.get("tumour") == "squamous", 24):
        labels, _ = ndimage.label(ndimage.binary_opening(_stains(image)[0] > 0.5, iterations=2))
        areas = np.bincount(labels.ravel())[1:]
        areas = areas[areas > 30]
        spread[scene["pleomorphic"]].append(areas.std() / areas.mean())
    assert min(spread[True]) > 1.25 * max(spread[False])


def test_giant_cells_are_counted_as_large_pink_bodies() -> None:
    seen = 0
    for scene, image in drawn(GENERATOR, lambda s: s.get("caseation") is False and s["infiltrate"] == "lymphocyte", 20):
        haematoxylin, eosin = _stains(image)
        pink = ndimage.binary_opening((eosin > 0.58) & (haematoxylin < 0.3), np.ones((7, 7)))
        assert components(pink, 200) == scene["giant_cells"]
        seen += scene["giant_cells"]
    assert seen > 15


def test_caseation_is_a_pink_corner() -> None:
    share = {True: [], False: []}
    for scene, image in drawn(GENERATOR, lambda s: s.get("infiltrate", "eosinophil") != "eosinophil", 30):
        pink = _stains(image)[1] > 0.65
        share[scene["caseation"]].append(
            max(pink[r, c].mean() for r in (slice(14), slice(-14, None)) for c in (slice(14), slice(-14, None)))
        )
    assert min(share[True]) > 0.8
    assert max(share[False]) < 0.6


def test_organisms_are_seen() -> None:
    for scene, image in drawn(GENERATOR, lambda s: s.get("infiltrate") == "lymphocyte", 40):
        haematoxylin, eosin = _stains(image)
        dense = haematoxylin > 1.75
        clump = ndimage.binary_opening(ndimage.binary_closing(dense, iterations=2), iterations=5)
        clear = ndimage.binary_opening((haematoxylin < 0.06) & (eosin < 0.06), np.ones((3, 3)))
        found = {
            "cocci": components(clump, 300) == 3,
            "rods": components(clump, 300) == 0 and components(dense, 20, 300) >= 10,
            "yeasts": clear.sum() > 800,
        }
        for organism, there in found.items():
            assert there == (scene["organism"] == organism), (scene, organism)


@pytest.fixture(scope="module")
def well_differentiated():
    return list(drawn(GENERATOR, lambda s: s.get("grade") == "well" and s["stroma"] == "lymphoid", 24))


@pytest.mark.parametrize(
    ("lumen", "there"),
    [
        ("empty", lambda h, e: (h < 0.08) & (e < 0.08)),
        ("mucin", lambda h, e: (h > 0.2) & (h < 0.5) & (e < 0.12)),
        ("necrosis", lambda h, e: (h < 0.4) & (e > 0.8)),
        ("calcification", lambda h, e: ndimage.gaussian_filter(h, 2) > 1.3),
    ],
)
def test_lumens_hold_what_the_scene_says(lumen, there, well_differentiated) -> None:
    areas: dict[bool, list[int]] = {True: [], False: []}
    for scene, image in well_differentiated:
        mask = ndimage.binary_opening(there(*_stains(image)), np.ones((3, 3)))
        areas[scene["lumen"] == lumen].append(int(mask.sum()))
    assert min(areas[True]) > 1.8 * max(areas[False])


def test_grades_order_the_size_of_the_lumens() -> None:
    widest = {"well": [], "moderate": [], "poor": []}
    for scene, image in drawn(GENERATOR, lambda s: s.get("lumen") == "empty" and s["stroma"] != "oedema", 30):
        haematoxylin, eosin = _stains(image)
        widest[scene["grade"]].append(ndimage.distance_transform_edt((haematoxylin < 0.1) & (eosin < 0.1)).max())
    assert min(widest["well"]) > max(widest["moderate"]) + 2
    assert min(widest["moderate"]) > max(widest["poor"]) + 2


def test_the_stroma_is_blue_pink_or_pale() -> None:
    for scene, image in drawn(GENERATOR, lambda s: s.get("grade") == "well", 24):
        haematoxylin, eosin = _stains(image)
        if scene["stroma"] == "oedema":
            assert np.median(eosin) < 0.45
        if scene["lumen"] in ("empty", "necrosis"):
            blue = np.mean(ndimage.gaussian_filter(haematoxylin, 4) > 0.5)
            assert (blue > 0.6) == (scene["stroma"] == "lymphoid")

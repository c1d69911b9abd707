"""Dermoscopy phantoms: what is measured from the pixels against what the scene says is there."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from medqdeg.utils.phantoms.generators.dermoscopy import GENERATOR

from .phantom_checks import check_rules, components, drawn

SKILLS = {
    "Attribute Recognition",
    "Disease Diagnosis",
    "Treatment-Understanding",
    "Surgical Treatment Selection",
    "Clinical Correlation",
    "General Diagnosis Reasoning",
    "Counting",
    "Severity Grading",
    "Clinical Presentation Analysis",
}
NUMBER_WORDS = ["None", "One", "Two", "Three", "Four", "Five"]


def _pigmented(rule):
    return lambda s: rule(s) if s["view"] == "pigmented" else None


def _other(rule):
    return lambda s: rule(s) if s["view"] == "other" else None


def _surgery(s):
    if s["satellites"] > 0:
        return "A margin of 20 mm and sentinel node biopsy"
    return f"A margin of {5 if s['size'] == 'small' else 10 if s['size'] == 'medium' else 20} mm"


def _suspicion(s):
    many = len(set(s["colours"])) > 2
    if many and s["asymmetric"]:
        return "Melanoma"
    return "Atypical naevus" if many or s["asymmetric"] else "Common naevus"


RULES = {
    "dermoscopy_border": _pigmented(
        lambda s: {
            "s": "It ends abruptly all round",
            "g": "It fades gradually all round",
            "m": "It ends abruptly on one side and fades on the other",
        }[s["border"][0]]
    ),
    "dermoscopy_pattern": _pigmented(
        lambda s: {
            "n": "A pigment network",
            "g": "Scattered globules",
            "s": "Radial streaks",
            "h": "Structureless pigment",
        }[s["pattern"][0]]
    ),
    "dermoscopy_asymmetry": _pigmented(
        lambda s: "Irregular and asymmetric" if s["asymmetric"] else "Regular and symmetric"
    ),
    "dermoscopy_lesion_diagnosis": _other(
        lambda s: {
            "b": "Basal cell carcinoma",
            "k": "Seborrhoeic keratosis",
            "h": "Haemangioma",
            "d": "Dermatofibroma",
        }[s["lesion"][0]]
    ),
    "dermoscopy_treatment": _other(
        lambda s: {
            "bT": "Mohs surgery",
            "bF": "Imiquimod cream",
            "k": "Cryotherapy",
            "h": "Pulsed dye laser",
            "d": "Observation",
        }[s["lesion"][0] + (str(s["ulcerated"])[0] if s["lesion"][0] == "b" else "")]
    ),
    "dermoscopy_surgery": _pigmented(_surgery),
    "dermoscopy_site": lambda s: {
        "trunk": "Hair-bearing skin of the trunk",
        "sole": "Ridged skin of the sole",
        "face": "Skin of the face with open follicles",
    }[s["site"]],
    "dermoscopy_suspicion": _pigmented(_suspicion),
    "dermoscopy_satellite_count": _pigmented(lambda s: NUMBER_WORDS[s["satellites"]]),
    "dermoscopy_colour_count": _pigmented(lambda s: NUMBER_WORDS[len(set(s["colours"]))]),
    "dermoscopy_diameter": _pigmented(
        lambda s: {"s": "Below 6 mm", "m": "From 6 to 10 mm", "l": "Above 10 mm"}[s["size"][0]]
    ),
    "dermoscopy_complaint": _other(
        lambda s: (
            "A sore spot that weeps, bleeds and crusts over"
            if s["ulcerated"]
            else {
                "b": "A pearly bump with fine red lines on it",
                "k": "A waxy brown spot that looks stuck on",
                "h": "A soft red swelling that can be compressed",
                "d": "A firm spot, pale inside, that dimples when pinched",
            }[s["lesion"][0]]
        )
    ),
}


def _body(image: np.ndarray) -> np.ndarray:
    """The lesion: what differs from the skin at the picture's edge, filled, in its largest component."""
    smooth = ndimage.gaussian_filter(image[:236], (1.5, 1.5, 0))
    skin = np.median(smooth[:12].reshape(-1, 3), axis=0)
    other = np.abs(smooth - skin).max(axis=-1) > 0.2
    labels, _ = ndimage.label(ndimage.binary_opening(ndimage.binary_closing(other, iterations=2), iterations=5))
    areas = np.bincount(labels.ravel())
    areas[0] = 0
    return ndimage.binary_fill_holes(labels == areas.argmax())


def test_every_answer_is_found_and_follows_from_the_scene() -> None:
    check_rules(GENERATOR, SKILLS, RULES)


def _plain(scene) -> bool:
    return scene["view"] == "pigmented" and scene["site"] != "trunk" and "white" not in scene["colours"]


def test_the_diameter_by_the_scale() -> None:
    for scene, image in drawn(GENERATOR, lambda s: _plain(s) and s["pattern"] in ("homogeneous", "globules"), 24):
        ticks = np.flatnonzero(np.diff((image[250, :, 1] < 0.2).astype(int)) == 1)
        assert set(np.diff(ticks)) == {12}
        diameter = 2 * np.sqrt(_body(image).sum() / np.pi) / 12
        bounds = {"small": (3.5, 6), "medium": (6, 10), "large": (10, 15)}[scene["size"]]
        assert bounds[0] < diameter < bounds[1], scene


def test_satellites_are_counted() -> None:
    for scene, image in drawn(GENERATOR, lambda s: _plain(s) and s["border"] == "sharp", 30):
        dark = image[:236, :, 1] < 0.35
        around = dark & ~ndimage.binary_dilation(_body(image), iterations=7)
        assert components(ndimage.binary_opening(around, iterations=2), 50) == scene["satellites"], scene


def test_the_outline_is_lopsided_where_the_scene_says_so() -> None:
    roundness = {True: [], False: []}
    for scene, image in drawn(GENERATOR, lambda s: _plain(s) and s["pattern"] == "homogeneous", 30):
        body = _body(image)
        y, x = np.nonzero(body)
        covariance = np.cov(np.stack([x, y]))
        # An ellipse of these second moments has this area; lobes and notches leave less.
        roundness[scene["asymmetric"]].append(body.sum() / (4 * np.pi * np.sqrt(np.linalg.det(covariance))))
    assert np.median(roundness[True]) < min(roundness[False])
    assert min(roundness[False]) > 0.97


def test_the_border_s_steepness() -> None:
    steepness = {"sharp": [], "gradual": [], "mixed": []}
    for scene, image in drawn(
        GENERATOR,
        lambda s: _plain(s) and s["pattern"] == "homogeneous" and not s["asymmetric"] and len(s["colours"]) == 1,
        30,
    ):
        blue = ndimage.gaussian_filter(image[..., 2], 1.5)
        y, x = np.nonzero(_body(image))
        turns = np.linspace(0, 2 * np.pi, 48, endpoint=False)
        radii = np.arange(0.5 * np.sqrt(x.size / np.pi), 1.7 * np.sqrt(x.size / np.pi))
        rays = ndimage.map_coordinates(
            blue,
            [y.mean() + radii[None] * np.sin(turns)[:, None], x.mean() + radii[None] * np.cos(turns)[:, None]],
            order=1,
            mode="nearest",
        )
        abrupt = np.gradient(rays, axis=1).max(axis=1) > 0.055
        steepness[scene["border"]].append(abrupt.mean())
    assert max(steepness["gradual"]) < 0.1
    assert 0.2 < min(steepness["mixed"]) < max(steepness["mixed"]) < 0.6
    assert min(steepness["sharp"]) > 0.6


@pytest.fixture(scope="module")
def on_soles():
    return list(
        drawn(GENERATOR, lambda s: s.get("pattern") == "homogeneous" and s["site"] == "sole", 24),
    )


@pytest.fixture(scope="module")
def intact():
    return list(drawn(GENERATOR, lambda s: s.get("ulcerated") is False, 24))


@pytest.mark.parametrize(
    ("colour", "there"),
    [
        ("black", lambda r, g, b: (r < 0.16) & (b > 0.6 * r)),
        ("blue-grey", lambda r, g, b: (b > 1.15 * r) & (b > 0.3)),
        ("red", lambda r, g, b: (r > 2.4 * g) & (r > 0.55)),
        ("white", lambda r, g, b: (r > 0.86) & (b > 0.8)),
    ],
)
def test_the_lesion_has_the_colours_of_the_scene(colour, there, on_soles) -> None:
    areas = {True: [], False: []}
    for scene, image in on_soles:
        mask = ndimage.binary_opening(there(*np.moveaxis(image[:236], -1, 0)), iterations=2)
        areas[colour in scene["colours"]].append(mask.sum())
    assert min(areas[True]) > 60
    assert max(areas[False]) == 0


@pytest.mark.parametrize(
    ("lesion", "there"),
    [
        ("basal_cell", lambda r, g, b: (b > r) & (b < 0.6)),
        ("haemangioma", lambda r, g, b: (r > 3 * g) & (r > 0.4)),
        ("dermatofibroma", lambda r, g, b: ndimage.binary_opening((r > 0.85) & (b > 0.78), iterations=5)),
    ],
)
def test_the_structures_of_the_other_lesions(lesion, there, intact) -> None:
    areas = {True: [], False: []}
    for scene, image in intact:
        areas[scene["lesion"] == lesion].append(np.sum(there(*np.moveaxis(image[:236], -1, 0))))
    assert min(areas[True]) > 2 * max(areas[False]) + 100


def test_an_ulcer_has_a_yellow_crust() -> None:
    for scene, image in drawn(GENERATOR, lambda s: s["view"] == "other", 30):
        red, green, blue = np.moveaxis(image, -1, 0)
        crust = ndimage.binary_opening((red > 0.75) & (green > 0.6) & (blue < 0.42))
        assert (crust.sum() > 100) == scene["ulcerated"]

"""Endoscopy phantoms: what is measured from the pixels against what the scene says is there."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from medqdeg.utils.phantoms.generators.endoscopy import GENERATOR

from .phantom_checks import check_rules, components, drawn

SKILLS = {
    "Gastrointestinal Tract",
    "Surgical Instrument Recognition",
    "Surgical Workflow Recognition",
    "Counting",
    "Image Quality Grading",
    "Treatment Reasoning",
    "Pharmacological Treatment",
    "Lesion Grading",
    "General Diagnosis Reasoning",
    "Initial/Emergency Management",
}
NUMBER_WORDS = ["None", "One", "Two", "Three", "Four"]


def _phase(s):
    flowing = s["bleeding"] in {"spurting", "oozing"}
    if s["instrument"] == "none":
        return "Localisation of a bleeding" if flowing else "Inspection"
    return "Control of a bleeding" if flowing else "Elective intervention"


def _polyps(s):
    if s["lesions"] > 0 and s["shape"] in {"flat", "excavated"}:
        return None
    return NUMBER_WORDS[s["lesions"]]


def _treatment(s):
    if s["lesions"] == 0:
        return None
    if s["residue"] == "much":
        return "Repetition after cleansing"
    resections = {"pedunculated": "Hot snare", "sessile": "Cold snare", "flat": "Endoscopic mucosal"}
    return resections[s["shape"]] + " resection" if s["shape"] in resections else "Referral for surgery"


def _diagnosis(s):
    if s["mucosa"] == "erosions":
        return {
            "oesophagus": "Reflux oesophagitis",
            "stomach": "Erosive gastritis",
            "duodenum": "Erosive duodenitis",
            "colon": "Erosive colitis",
        }[s["segment"]]
    if s["mucosa"] == "plaques" and s["segment"] == "oesophagus":
        return "Candida oesophagitis"
    return "Melanosis coli" if s["mucosa"] == "melanosis" and s["segment"] == "colon" else None


RULES = {
    "endoscopy_segment": lambda s: s["segment"].capitalize(),
    "endoscopy_instrument": lambda s: {
        "s": "Polypectomy snare",
        "f": "Biopsy forceps",
        "b": "Dilation balloon",
    }.get(s["instrument"][0], "Injection needle" if s["instrument"] == "needle" else None),
    "endoscopy_phase": _phase,
    "endoscopy_polyp_count": _polyps,
    "endoscopy_residue": lambda s: {
        "l": "Good: hardly any mucosa is hidden",
        "s": "Fair: about a quarter of the mucosa is hidden",
        "m": "Poor: more than half of the mucosa is hidden",
    }[s["residue"][0]],
    "endoscopy_lesion_treatment": _treatment,
    "endoscopy_drug": lambda s: {
        "p": "Fluconazole",
        "e": "Pantoprazole",
        "m": "Macrogol instead of senna",
        "n": "No change of drugs",
    }[s["mucosa"][0]],
    "endoscopy_paris": lambda s: (
        None
        if s["lesions"] < 1
        else {
            "p": "0-Ip, pedunculated",
            "s": "0-Is, sessile",
            "f": "0-IIa, flat and slightly raised",
            "e": "0-III, excavated",
        }[s["shape"][0]]
    ),
    "endoscopy_mucosa_diagnosis": _diagnosis,
    "endoscopy_haemostasis": lambda s: {
        "s": "Adrenaline injection and a clip",
        "o": "Thermal coagulation",
        "c": "Irrigation and removal of the clot",
        "n": "No endoscopic haemostasis",
    }[s["bleeding"][0]],
    "endoscopy_urgency": lambda s: (
        "Review on the next day" if s["bleeding"] in {"none", "clot"} else "Haemostasis at once"
    ),
}


def _hue(image: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return value and the shares of green and blue in red, smoothed a little."""
    red, green, blue = np.moveaxis(ndimage.gaussian_filter(image, (0.8, 0.8, 0)), -1, 0)
    return red, green / np.maximum(red, 0.02), blue / np.maximum(red, 0.02)


def _fluid(image: np.ndarray) -> np.ndarray:
    """The turbid residue: brown-green, with far less blue than green."""
    red, green, blue = _hue(image)
    return (green > 0.7) & (blue < 0.6 * green) & (red > 0.12) & (red < 0.75)


def test_every_answer_is_found_and_follows_from_the_scene() -> None:
    check_rules(GENERATOR, SKILLS, RULES)


def test_residue_hides_its_share() -> None:
    bounds = {"little": (0.0, 0.03), "some": (0.15, 0.30), "much": (0.45, 0.72)}
    y, x = np.mgrid[:256, :256] - 127.5
    wall = (np.hypot(x, y) < 126) & (np.hypot(x, y) > 46)
    for scene, image in drawn(GENERATOR, lambda s: s["segment"] not in ("duodenum",) and s["mucosa"] == "normal", 30):
        low, high = bounds[scene["residue"]]
        share = ndimage.median_filter(_fluid(image), 5)[wall].mean()
        assert low <= share <= high, scene


def test_excavated_lesions_are_counted_by_their_pale_floors() -> None:
    for scene, image in drawn(
        GENERATOR,
        lambda s: s["shape"] == "excavated" and s["mucosa"] == "melanosis" and s["instrument"] in ("none", "snare"),
        24,
    ):
        red, green, blue = _hue(image)
        floor = ndimage.binary_opening((red > 0.8) & (green > 0.85) & (blue > 0.6) & (blue < 0.82), iterations=4)
        assert components(floor, 250, 900) == scene["lesions"], scene


def test_polyps_are_counted_by_their_red_heads() -> None:
    for scene, image in drawn(
        GENERATOR,
        lambda s: (
            s["shape"] == "pedunculated"
            and s["mucosa"] == "normal"
            and s["segment"] in ("oesophagus", "duodenum")
            and s["bleeding"] in ("none", "clot")
        ),
        24,
    ):
        red, green, _ = _hue(image)
        heads = ndimage.binary_opening((red > 0.5) & (green < 0.5), iterations=4)
        assert components(heads, 150) == scene["lesions"], scene


def test_blood_by_its_kind() -> None:
    for scene, image in drawn(GENERATOR, lambda s: s["mucosa"] in ("normal", "plaques"), 40):
        red, green, blue = (image[..., channel] for channel in range(3))
        fresh = (green < 0.13 * red) & (blue < 0.15 * red) & (red > 0.35)
        flows = fresh.sum() > 500
        assert flows == (scene["bleeding"] in ("oozing", "spurting")), scene
        if flows:
            assert fresh[-14:].any() == (scene["bleeding"] == "oozing"), scene
            assert fresh[:140].any() == (scene["bleeding"] == "spurting"), scene


def _white_tube(red: np.ndarray, green: np.ndarray, blue: np.ndarray) -> np.ndarray:
    """Neutral pixels of a body as wide as a sheath; a reflection or a wire is brighter or thinner."""
    neutral = (green > 0.93 * red) & (blue > 0.93 * red) & (blue < 1.1 * red)
    return ndimage.binary_opening(neutral & (red > 0.45) & (red < 0.92), iterations=4)


@pytest.fixture(scope="module")
def stomachs():
    return list(
        drawn(
            GENERATOR, lambda s: s["segment"] == "stomach" and s["mucosa"] == "normal" and s["residue"] == "little", 40
        )
    )


@pytest.mark.parametrize(
    ("instrument", "there"),
    [
        ("snare", lambda r, g, b: (b > 1.6 * r) & (b > 0.4)),
        ("forceps", lambda r, g, b: (r > 0.5) & (g < 0.72 * r) & (g > 0.5 * r) & (b < 0.22 * r)),
        ("balloon", lambda r, g, b: (b > 1.15 * r) & (b < 1.55 * r) & (b > 0.6)),
        ("needle", _white_tube),
    ],
)
def test_the_instrument_s_colour_is_where_it_enters(instrument, there, stomachs) -> None:
    areas = {True: [], False: []}
    for scene, image in stomachs:
        # The balloon's catheter is as white as the needle's sheath.
        if {instrument, scene["instrument"]} == {"needle", "balloon"}:
            continue
        areas[scene["instrument"] == instrument].append(there(*np.moveaxis(image[120:, 120:], -1, 0)).sum())
    assert min(areas[True]) > 1.2 * max(areas[False]) + 60, areas


def test_the_mucosa_s_state() -> None:
    for scene, image in drawn(
        GENERATOR,
        lambda s: (
            s["residue"] == "little"
            and s["lesions"] == 0
            and s["bleeding"] == "none"
            and s["instrument"] == "none"
            and s["segment"] != "stomach"
        ),
        30,
    ):
        red, green, blue = _hue(image)
        reddened = components(ndimage.binary_opening((green < 0.3) & (red > 0.25)), 20)
        whitened = components(ndimage.binary_opening((blue > 0.78) & (red > 0.8), iterations=2), 20, 400)
        found = {
            "erosions": reddened >= 12,
            "plaques": whitened >= 15,
            "melanosis": np.median(red[image[..., 0] > 0.02]) < 0.6,
        }
        for state, there in found.items():
            assert there == (scene["mucosa"] == state), (scene, state, reddened, whitened)


def test_segments_by_their_folds() -> None:
    seen = {}
    for scene, image in drawn(
        GENERATOR,
        lambda s: (
            s["residue"] == "little" and s["mucosa"] == "normal" and s["lesions"] == 0 and s["bleeding"] == "none"
        ),
        40,
    ):
        red, green, blue = image[60:190, 20:100].mean(axis=(0, 1))
        rows = ndimage.gaussian_filter(image[..., 0], 1.0)[118:138, 8:90].mean(axis=0)
        steps = np.sum((np.diff(rows)[1:] > 0) != (np.diff(rows)[:-1] > 0))
        seen.setdefault(scene["segment"], []).append((green / red, blue / green, steps))
    green, blue, steps = ({name: np.array(rows)[:, at] for name, rows in seen.items()} for at in range(3))
    assert blue["duodenum"].max() < min(blue[name].min() for name in ("oesophagus", "stomach", "colon"))
    assert green["stomach"].max() < green["colon"].min() < green["colon"].max() < green["oesophagus"].min()
    assert np.median(steps["duodenum"]) > np.median(steps["colon"])

"""MRI phantoms: every answer can be had, and the pixels say what the scene says."""

import numpy as np
import pytest
from scipy import ndimage

from medqdeg.utils.phantoms.generators.mri import GENERATOR, signal

from .phantom_checks import scenes_with

QUESTIONS = {question.name: question for question in GENERATOR.questions}


def scenes(n, seed=0, **wanted):
    """Scenes of the wanted kind with their images as float64 in 0..255."""
    found = scenes_with(GENERATOR, n, seed, **wanted)
    return [(scene, GENERATOR.draw(scene, np.random.default_rng(k)).astype(float)) for k, scene in enumerate(found)]


def test_answers_by_a_second_table():
    """The rules of the stems, written down again."""
    tumour = {
        (False, False): "Grade 1",
        (False, True): "Grade 2",
        (True, False): "Grade 3",
        (True, True): "Grade 4",
    }
    blood = {
        ("lens", True): ("Craniotomy today", "Epidural haematoma"),
        ("lens", False): ("Intensive care and repeat imaging in 6 hours", "Epidural haematoma"),
        ("crescent", True): ("Burr-hole drainage", "Subdural haematoma"),
        ("crescent", False): ("Observation and repeat imaging in 2 weeks", "Subdural haematoma"),
    }
    mechanism = {"periventricular": "Immune", "grey-white border": "Spread", "deep nuclei": "Closure"}
    width = {"moderate": "Moderately enlarged", "severe": "Severely enlarged"}
    rng = np.random.default_rng(1)
    for _ in range(500):
        scene = GENERATOR.sample_scene(rng)
        given = {name: question.answer(scene) for name, question in QUESTIONS.items()}
        expected = dict.fromkeys(given)
        expected["mri_weighting"] = {
            "T1": "T1-weighted",
            "T2": "T2-weighted",
            "FLAIR": "T2-weighted with suppressed fluid (FLAIR)",
        }[scene["weighting"]]
        side = scene["side"]
        if scene["finding"] in ("infarct", "tumour", "haematoma"):
            expected["mri_lesion_side"] = f"On the patient's {side} side"
        if scene.get("shift"):
            other = {"left": "right", "right": "left"}[side]
            expected["mri_ventricle_mechanism"] = f"A mass on the {side} pushes the midline to the {other}"
        match scene["finding"]:
            case "none":
                expected["mri_ventricle_width"] = "Normal width"
                expected["mri_ventricle_mechanism"] = "Pressure and volume are undisturbed: slender and symmetric"
                assert (
                    given["mri_marked_structure"].lower().replace("corpus callosum, ", "").startswith(scene["marked"])
                )
                expected["mri_marked_structure"] = given["mri_marked_structure"]
            case "small lesions":
                expected["mri_lesion_count"] = ["One", "Two", "Three", "Four", "Five"][len(scene["u"]) - 1]
                assert given["mri_lesion_mechanism"].startswith(mechanism[scene["place"]])
                expected["mri_lesion_mechanism"] = given["mri_lesion_mechanism"]
                if scene["place"] == "periventricular" and len(scene["u"]) >= 2:
                    expected["mri_diagnosis"] = "Multiple sclerosis"
            case "infarct":
                expected["mri_diagnosis"] = "Ischaemic infarct"
                expected["mri_infarct_territory"] = f"{side.title()} {scene['territory']} cerebral artery"
            case "tumour":
                expected["mri_diagnosis"] = "Malignant brain tumour"
                expected["mri_tumour_grade"] = tumour[scene["necrosis"], scene["oedema"]]
            case "haematoma":
                expected["mri_haematoma_treatment"], expected["mri_diagnosis"] = blood[scene["shape"], scene["shift"]]
            case "large ventricles":
                wide = scene["sulci"] == "wide"
                expected["mri_diagnosis"] = "Cerebral atrophy" if wide else "Hydrocephalus"
                expected["mri_ventricle_mechanism"] = (
                    "Shrunken brain tissue lets both the ventricles and the sulci widen"
                    if wide
                    else "Fluid under pressure widens the ventricles and closes the sulci"
                )
                expected["mri_ventricle_width"] = width[scene["ventricles"]]
        assert given == expected


def test_signal_is_nulled_and_ordered_as_in_the_clinic():
    assert signal("white", "T1") > signal("grey", "T1") > signal("fluid", "T1")
    assert signal("white", "T2") < signal("grey", "T2") < signal("fluid", "T2")
    assert signal("fluid", "FLAIR") < 0.05 * signal("grey", "FLAIR")
    # Spin echo of water with T1 = 1050, T2 = 100 at TR / TE = 4500 / 100: 0.82 * 0.98624 * 0.36788
    assert signal("grey", "T2") == pytest.approx(0.2975, abs=2e-4)


def test_weighting_shows_in_fluid_and_white_matter():
    for scene, image in scenes(24, finding="large ventricles"):
        fluid = np.median(image[98:108, 110:114])
        white = np.median(image[170:176, 124:132])
        if scene["weighting"] == "T2":
            assert fluid > white + 80
        else:
            assert fluid < white - 50
            assert (white > 150) == (scene["weighting"] == "T1")


@pytest.mark.parametrize("weighting", ["FLAIR", "T2"])
def test_components_count_the_lesions(weighting):
    """On FLAIR the lesions are the brightest of the brain; on T2 the round bright things that touch no fluid."""
    for scene, image in scenes(24, seed=2, finding="small lesions", weighting=weighting):
        y, x = np.mgrid[0:256, 0:256]
        inner = np.hypot((x - 128) / 70, (y - 129) / 90) < 1
        threshold = 175 if weighting == "FLAIR" else 185
        labels, n = ndimage.label((ndimage.gaussian_filter(image, 0.7) > threshold) & inner)
        round_ones = 0
        for index in range(1, n + 1):
            at_y, at_x = np.nonzero(labels == index)
            extent = max(np.ptp(at_y), np.ptp(at_x)) + 1
            round_ones += at_y.size > 50 and extent < 18 and at_y.size > 0.55 * extent**2
        assert round_ones == scene["count"]


@pytest.mark.parametrize("finding", ["infarct", "haematoma"])
def test_side_and_territory_show(finding):
    """Bright on FLAIR and T2, so the centroid of what is brighter than its mirror image tells the place."""
    for scene, image in scenes(24, seed=4, finding=finding, weighting="FLAIR"):
        y, x = np.nonzero((ndimage.gaussian_filter(image, 2) > 180) & (np.hypot(*(np.mgrid[0:256, 0:256] - 128)) < 98))
        assert (x.mean() > 128) == (scene["side"] == "left")
        if finding == "infarct":
            place = "anterior" if y.mean() < 85 else "posterior" if y.mean() > 165 else "middle"
            assert place == scene["territory"]


def test_tumour_parts_show():
    for scene, image in scenes(40, seed=5, finding="tumour", weighting="FLAIR"):
        x, y = round(128 + scene["u"] * 1.03), round(129 + scene["v"] * 1.03)
        assert (x > 128) == (scene["side"] == "left")
        core = image[y - 3 : y + 4, x - 3 : x + 4].mean()
        assert (core < 110) == scene["necrosis"]
        ys, xs = np.mgrid[0:256, 0:256]
        around = np.abs(np.hypot(xs - x, ys - y) - scene["radius"] - 7) < 3
        assert (np.mean(image[around] > 190) > 0.22) == scene["oedema"]


def test_shift_moves_the_third_ventricle():
    for finding in ("tumour", "haematoma"):
        for scene, image in scenes(24, seed=6, finding=finding, weighting="T2"):
            # The third ventricle is the fluid nearest to the middle at the level of the thalami.
            row = ndimage.gaussian_filter(image, 0.7)[130:138, 108:148].mean(axis=0)
            moved = int(row.argmax()) + 108 - 128
            away = -moved if scene["side"] == "left" else moved
            assert (away > 8) == scene["shift"]


def test_haematoma_shape_shows():
    for scene, image in scenes(24, seed=8, finding="haematoma", weighting="FLAIR"):
        labels, _ = ndimage.label(ndimage.gaussian_filter(image, 1) > 200)
        biggest = labels == np.bincount(labels.ravel())[1:].argmax() + 1
        height = np.ptp(np.nonzero(biggest)[0])
        assert (height > 115) == (scene["shape"] == "crescent")


def test_widths_of_ventricles_and_sulci_show():
    widths = {"none": [], "moderate": [], "severe": []}
    rims = {"wide": [], "effaced": []}
    for finding in ("none", "large ventricles"):
        for scene, image in scenes(30, seed=9, finding=finding, weighting="T2"):
            fluid = ndimage.gaussian_filter(image, 0.7) > 150
            if finding == "none" and scene["marked"] in ("caudate", "lateral ventricle"):
                continue
            labels, _ = ndimage.label(fluid[96:108])
            central = np.isin(labels, np.unique(labels[:, 108:148])[1:])
            columns = np.nonzero(central[:, 70:186].any(axis=0))[0]
            widths[scene.get("ventricles", "none")].append(np.ptp(columns) / 155)
            if finding == "large ventricles":
                y, x = np.mgrid[0:256, 0:256]
                radius = np.hypot((x - 128) / 74, (y - 129) / 94)
                rims[scene["sulci"]].append(fluid[(radius > 0.78) & (radius < 0.92)].mean())
    assert max(widths["none"]) < 0.3
    assert min(widths["moderate"]) > 0.32
    assert max(widths["moderate"]) < 0.47
    assert min(widths["severe"]) > 0.48
    assert min(rims["wide"]) > 2 * max(rims["effaced"])


def test_the_arrow_is_there_only_where_it_is_asked_for():
    for finding in ("none", "infarct"):
        for _, image in scenes(20, seed=10, finding=finding, weighting="T2"):
            labels, n = ndimage.label(image == 255)
            sizes = ndimage.sum_labels(np.ones_like(image), labels, range(1, n + 1)) if n else [0]
            assert (max(sizes) > 60) == (finding == "none")

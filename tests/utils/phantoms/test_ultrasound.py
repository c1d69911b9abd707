"""Ultrasound phantoms: every answer can be had, and the pixels say what the scene says."""

import numpy as np
import pytest
from scipy import ndimage
from scipy.signal import find_peaks

from medqdeg.utils.phantoms.generators.ultrasound import GENERATOR

from .phantom_checks import scenes_with

QUESTIONS = {question.name: question for question in GENERATOR.questions}
Y, X = np.mgrid[0:256, 0:256]


def scenes(n, seed=0, **wanted):
    """Scenes of the wanted kind with their images as float64 in 0..255."""
    found = scenes_with(GENERATOR, n, seed, **wanted)
    return [(scene, GENERATOR.draw(scene, np.random.default_rng(k)).astype(float)) for k, scene in enumerate(found)]


def dark_part(image, near, threshold):
    """The connected dark region nearest to a point that is not a speck."""
    labels, n = ndimage.label(ndimage.gaussian_filter(image, 1.5) < threshold)
    parts = [labels == index for index in range(1, n + 1) if (labels == index).sum() > 250]
    return min(parts, key=lambda part: np.hypot(*(np.mean(np.nonzero(part), axis=1) - near)))


def closed(mask, radius):
    """Morphological closing with a disc."""
    wider = ndimage.distance_transform_edt(~mask) < radius
    return ndimage.distance_transform_edt(wider) >= radius


def test_answers_by_a_second_table():
    """The rules of the stems, written down again."""
    rng = np.random.default_rng(1)
    for _ in range(600):
        scene = GENERATOR.sample_scene(rng)
        given = {name: question.answer(scene) for name, question in QUESTIONS.items()}
        expected = dict.fromkeys(given)
        match scene:
            case {"exam": "gallbladder", "content": content, "wall": wall}:
                starts = {"nothing": "Clear", "stones": "Stones", "polyps": "Polyps", "sludge": "Sludge"}
                assert given["us_gallbladder_content"].startswith(starts[content])
                expected["us_gallbladder_content"] = given["us_gallbladder_content"]
                if content == "stones":
                    expected["us_stone_count"] = ["One", "Two", "Three", "Four", "Five"][len(scene["slots"]) - 1]
                    inflamed = wall == "thick"
                    expected["us_diagnosis"] = "Acute cholecystitis" if inflamed else "Gallstones without inflammation"
                    expected["us_gallbladder_complaint"] = (
                        "Fever and constant pain below the right ribs"
                        if inflamed
                        else "Colic after fatty meals, without fever"
                    )
                elif content == "nothing":
                    expected["us_gallbladder_complaint"] = (
                        "Jaundice and fatigue since a viral hepatitis"
                        if wall == "thick"
                        else "No complaint that comes from this organ"
                    )
            case {"exam": "breast", "margin": margin, "orientation": orientation, "behind": behind}:
                expected["us_mass_margin"] = {"smooth": "Smooth and sharp", "spiculated": "Spiculated"}[margin]
                category = {
                    ("smooth", "wide"): 3,
                    ("smooth", "tall"): 4,
                    ("spiculated", "wide"): 4,
                    ("spiculated", "tall"): 5,
                }[margin, orientation]
                fluid = scene["content"] == "fluid"
                assert fluid == (behind == "enhanced")
                expected["us_mass_category"] = f"Category {2 if fluid else category}"
                word = {"enhanced": "less", "shadow": "more", "unchanged": "as much"}[behind]
                assert word in given["us_mass_physics"]
                tissue = {"enhanced": "brighter", "shadow": "darker", "unchanged": "unchanged"}[behind]
                assert tissue in given["us_mass_attributes"]
                for name in ("us_mass_physics", "us_mass_attributes"):
                    expected[name] = given[name]
                if fluid:
                    expected["us_diagnosis"] = "Simple cyst"
                elif margin == "spiculated":
                    expected["us_diagnosis"] = "Suspected carcinoma"
            case {"exam": "muscle", "thinner": thinner, "fluid": fluid}:
                assert given["us_thinner_muscle"].endswith({"neither": "both sides"}.get(thinner, thinner))
                expected["us_thinner_muscle"] = given["us_thinner_muscle"]
                expected["us_fluid_layer"] = {
                    "fat": "In the fat below the skin",
                    "muscle": "Within the muscle",
                    "bone": "Between the muscle and the bone",
                }.get(fluid)
                if fluid == "muscle":
                    expected["us_diagnosis"] = "Haematoma in a muscle"
            case {"exam": "vessel", "content": content}:
                percent = scene.get("narrowing", 0)
                expected["us_vessel_narrowing"] = (
                    "Not narrowed" if percent == 0 else f"Narrowed by {'more' if percent > 50 else 'less'} than half"
                )
                names = {"plaque": "Calcified plaque", "thrombus": "Thrombus on the wall"}
                expected["us_diagnosis"] = names.get(content)
        assert given == expected


def test_mass_inside_and_behind_show():
    for scene, image in scenes(40, exam="breast"):
        mass = dark_part(image[:180], (112, 128), 90)
        y, x = Y[:180][mass], X[:180][mass]
        middle = round(x.mean())
        if scene["content"] == "fluid":
            assert np.median(image[:180][mass]) < 15
        else:
            assert np.median(image[:180][mass]) > 15
        behind = image[162:182, middle - 10 : middle + 11].mean()
        beside = np.r_[image[162:182, 16:50].ravel(), image[162:182, 206:240].ravel()].mean()
        seen = "enhanced" if behind > beside + 20 else "shadow" if behind < beside - 30 else "unchanged"
        assert seen == scene["behind"]
        if scene["behind"] != "shadow":
            assert (np.std(y) > np.std(x)) == (scene["orientation"] == "tall")
            # A smooth ellipse has the area 4 pi sigma_x sigma_y; spikes spread the area further out.
            hull = closed(mass, 14)
            assert (mass.sum() / hull.sum() < 0.88) == (scene["margin"] == "spiculated")


@pytest.mark.parametrize("content", ["stones", "polyps", "nothing"])
def test_shadows_count_the_stones(content):
    """A shadow is a dip of the brightness over the beams, behind the gallbladder; nothing else makes one."""
    angle, radius = np.linspace(-0.42, 0.42, 180), np.arange(246, 274)[:, None]
    at = [radius * np.cos(angle) - 78, radius * np.sin(angle) + 127.5]
    for scene, image in scenes(24, exam="gallbladder", content=content):
        beams = np.median(ndimage.map_coordinates(image, at, order=1), axis=0)
        dips, _ = find_peaks(-ndimage.gaussian_filter1d(beams, 1.5), prominence=28)
        assert len(dips) == (scene["count"] if content == "stones" else 0)


def test_polyps_hang_in_the_lumen():
    for scene, image in scenes(20, seed=6, exam="gallbladder", content="polyps"):
        lumen = dark_part(image, (120, 128), 40)
        hull = closed(lumen, 24)
        labels, n = ndimage.label(ndimage.binary_opening(hull & ~lumen, iterations=2))
        sizes = ndimage.sum_labels(np.ones_like(image), labels, range(1, n + 1))
        assert (np.asarray(sizes) > 30).sum() >= 1
        assert np.sum(np.asarray(sizes) > 30) <= scene["count"]


def test_wall_and_sludge_show():
    areas = {"nothing": [], "sludge": []}
    for content in areas:
        for scene, image in scenes(24, seed=3, exam="gallbladder", content=content):
            lumen = dark_part(image, (120, 128), 40)
            areas[content].append(lumen.sum())
            # Upwards from the lumen lies the bright inner line, then the liver or the dark layer of a thick wall.
            columns = np.arange(round(X[lumen].mean()) - 12, round(X[lumen].mean()) + 13)
            tops = [np.nonzero(lumen[:, column])[0][0] for column in columns]
            band = np.mean(
                [image[top - 11 : top - 6, column].mean() for top, column in zip(tops, columns, strict=True)]
            )
            liver = np.mean(
                [image[top - 36 : top - 20, column].mean() for top, column in zip(tops, columns, strict=True)]
            )
            assert (band < liver - 18) == (scene["wall"] == "thick")
    assert max(areas["sludge"]) < 0.75 * min(areas["nothing"])


def test_bone_depth_tells_the_thinner_muscle_and_fluid_its_layer():
    for scene, image in scenes(40, seed=4, exam="muscle"):
        depth = {}
        for name, columns in (("right", slice(30, 100)), ("left", slice(156, 226))):
            rows = ndimage.gaussian_filter1d(image[:, columns].mean(axis=1), 1.5)
            depth[name] = 80 + rows[80:].argmax()
        difference = depth["left"] - depth["right"]
        seen = "left" if difference < -30 else "right" if difference > 30 else "neither"
        assert seen == scene["thinner"]
        dark = ndimage.gaussian_filter(image, 1.5) < 22
        pools = {}
        for name, columns in (("right", slice(16, 118)), ("left", slice(138, 240))):
            part = dark[20 : depth[name] - 2, columns]
            labels, n = ndimage.label(part)
            if n:
                biggest = labels == np.bincount(labels.ravel())[1:].argmax() + 1
                if biggest.sum() > 300:
                    pools[name] = 20 + np.nonzero(biggest)[0].mean()
        assert list(pools) == ([] if scene["fluid"] == "none" else [scene["fluid_side"]])
        for name, at in pools.items():
            layer = "fat" if at < 50 else "bone" if depth[name] - at < 18 else "muscle"
            assert layer == scene["fluid"]


def test_channel_and_shadow_of_the_vessel_show():
    for scene, image in scenes(40, seed=5, exam="vessel"):
        free = (ndimage.gaussian_filter(image, 1.5) < 30)[95:185].sum(axis=0)[14:242]
        at = round(scene.get("at", 128.0)) - 14
        if scene["content"] == "plaque":  # its shadow is as dark as the channel
            start = 95 + np.argmax((ndimage.gaussian_filter(image, 1.5) < 30)[95:185, at + 14])
            channel = np.argmax(ndimage.gaussian_filter(image, 1.0)[start + 3 :, at + 14] > 90) + 3
        else:
            channel = free[at - 3 : at + 4].mean()
        left = 1 - channel / np.percentile(free, 90)
        seen = 0 if left < 0.15 else 30 if left < 0.5 else 75
        assert seen == scene.get("narrowing", 0)
        below = image[205:240]
        shadow = below[:, at + 4 : at + 24].mean() < 0.5 * np.maximum(below[:, 12:30].mean(), below[:, 226:244].mean())
        assert shadow == (scene["content"] == "plaque")

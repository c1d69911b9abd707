"""X-ray phantoms: the radiograph shows what the scene says, measured from pixels, and the answers follow from it."""

import numpy as np
from scipy import ndimage

from medqdeg.utils.phantoms.generators.xray import GENERATOR

from .phantom_checks import check_answers, scenes_with

QUESTIONS = {question.name: question for question in GENERATOR.questions}
OTHER = {"right": "left", "left": "right"}


def film(scene, seed):
    """The film with the image's left half being the patient's right."""
    return ndimage.gaussian_filter(GENERATOR.draw(scene, np.random.default_rng(seed)).astype(float), 0.7)


def seen_from(image, side):
    """The film turned so that this side of the patient lies on the left."""
    return image if side == "right" else image[:, ::-1]


def scenes(count, **wanted):
    """Complete films' scenes with the wanted values; a value may be a set of values."""
    return enumerate(scenes_with(GENERATOR, count, 12, **{"coverage": "complete"} | wanted))


def test_answers_follow_a_second_table_of_rules():
    rng = np.random.default_rng(2)
    for _ in range(800):
        s = GENERATOR.sample_scene(rng)
        side, lung, large = s["lung_side"], s["lung"], s["lung_size"] == "large"
        plan = {(True, True): "decompression", (True, False): "drain", (False, False): "Observation"}
        expected = {
            "xray_lung_finding": {"cl": "No pleural", "pn": "Pneumothorax", "ef": "meniscus", "co": "consolidation"}[
                lung[:2]
            ],
            "xray_mediastinum": f"patient's {OTHER[side]}" if s["shift"] else "midline",
            "xray_fracture": {
                "none": None,
                "right clavicle": "right clavicle",
                "left clavicle": "left clavicle",
                "right ribs": "ribs on the right",
                "left ribs": "ribs on the left",
            }[s["fracture"]],
            "xray_cardiothoracic_ratio": None
            if lung in ("effusion", "consolidation") or s["shift"]
            else {"n": "Below", "e": "Between", "v": "Above"}[s["heart"][0]],
            "xray_nodule_count": None
            if "ribs" in s["fracture"]
            else [None, "One", "Two", "Three", "Four", "Five"][len(s["nodule_places"])],
            "xray_percussion": {
                "pn": f"Hyperresonant percussion on the {side}",
                "ef": f"Dull percussion on the {side}",
            }.get(lung[:2]),
            "xray_pneumothorax_management": {
                "pn": plan[large, s["shift"]] if lung == "pneumothorax" else "",
                "ef": None,
                "cl": "No treatment",
                "co": "No treatment",
            }[lung[:2]],
            "xray_pneumonia_zone": f"{side.title()} {s['lung_zone']}" if lung == "consolidation" else None,
            "xray_tracheal_tube": {"n": None, "h": "advance", "g": "leave", "d": "withdraw"}[s["tube"][0]],
            "xray_pacemaker": {"n": None, "r": "right", "l": "left"}[s["pacemaker"][0]],
        }
        if s["coverage"] != "complete":
            expected = dict.fromkeys(expected)
        expected["xray_coverage"] = {
            "complete": "whole chest",
            "apices": "apices",
            "bases": "bases",
            "right": "right lateral",
            "left": "left lateral",
        }[s["coverage"]]
        check_answers(GENERATOR, s, expected)


def test_nodules_never_hide():
    rng = np.random.default_rng(5)
    for _ in range(500):
        scene = GENERATOR.sample_scene(rng)
        sides = {"right" if x < 128 else "left" for x, _ in scene["nodule_places"]}
        assert scene["lung_side"] not in sides
        assert scene["nodules"] == len(scene["nodule_places"])


def test_nodules_can_be_counted():
    yes, no = [], []
    for seed, scene in scenes(30, nodules={2, 3, 4, 5}, fracture="none"):
        image = film(scene, seed)
        # A disc is much brighter than the ring around it; ribs and vessels are not, on most of the ring.
        for x, y in scene["nodule_places"]:
            yes.append(contrast(image, x, y))
        for x, y in ((90, 66), (68, 84), (92, 96), (58, 116), (64, 146)):
            for place, side in (([x, y], "right"), ([256 - x, y], "left")):
                free = place not in scene["nodule_places"] and side not in (scene["lung_side"], scene["pacemaker"])
                if free and not scene["shift"] and (side == "right" or y < 140):
                    no.append(contrast(image, *place))
    assert len(no) > 50
    assert np.quantile(yes, 0.02) > np.quantile(no, 0.98)


def contrast(image, x, y):
    """Best contrast of a disc and the dark quarter of a ring around it, near a place."""
    ys, xs = np.mgrid[-20:21, -20:21]
    patch, best = image[y - 20 : y + 21, x - 20 : x + 21], -np.inf
    for dy in range(-4, 5, 2):
        for dx in range(-4, 5, 2):
            r = np.hypot(xs - dx, ys - dy)
            best = max(best, np.quantile(patch[r < 4.5], 0.2) - np.median(patch[(r > 10) & (r < 13)]))
    return best


def test_pneumothorax_is_dark_on_its_side():
    for seed, scene in scenes(25, lung="pneumothorax"):
        image = film(scene, seed)
        rims = {side: np.quantile(seen_from(image, side)[100:170, 51:55], 0.25) for side in OTHER}
        assert min(rims, key=rims.get) == scene["lung_side"], rims


def test_effusion_is_bright_at_the_base():
    for seed, scene in scenes(25, lung="effusion", heart={"normal", "enlarged"}):
        image = film(scene, seed)
        bases = {side: np.median(seen_from(image, side)[168:178, 50:62]) for side in OTHER}
        assert max(bases, key=bases.get) == scene["lung_side"], bases
        if not scene["shift"]:
            middle = np.median(seen_from(image, scene["lung_side"])[125:140, 58:80])
            assert (middle > 120) == (scene["lung_size"] == "large")


def test_consolidation_lies_in_its_zone():
    for seed, scene in scenes(25, lung="consolidation", nodules={0, 1}):
        image = film(scene, seed)
        values = {}
        for side in OTHER:
            turned = seen_from(image, side)
            values[side, "upper"] = np.median(turned[64:84, 78:96])
            values[side, "lower"] = (
                np.median(turned[146:166, 54:70]) if side == "right" else np.median(turned[142:160, 52:60])
            )
        if scene["heart"] == "normal":
            assert max(values, key=values.get) == (scene["lung_side"], scene["lung_zone"]), values


def test_the_mediastinum_moves_away():
    for seed, scene in scenes(30, lung={"pneumothorax", "clear"}, tube="none"):
        row = ndimage.gaussian_filter(film(scene, seed)[72:84].mean(0), 2)
        dip = row - np.minimum(np.roll(row, 10), np.roll(row, -10))
        trachea = 106 + np.argmin(dip[106:151])
        offset = trachea - 128
        side = scene["lung_side"]
        expected = 0 if not scene["shift"] else 1 if side == "right" else -1
        assert int(offset > 9) - int(offset < -9) == expected, offset


def test_the_heart_grows():
    widths = {"normal": [], "enlarged": [], "very large": []}
    for seed, scene in scenes(30, lung="clear", nodules=0):
        row = ndimage.gaussian_filter1d(film(scene, seed), 2, axis=0)[160:178]
        bright = ndimage.binary_opening(np.median(row, axis=0) > 130, np.ones(5))
        labels, _ = ndimage.label(bright)
        heart = np.flatnonzero(labels == labels[128])
        widths[scene["heart"]].append((heart[-1] - heart[0]) / 172)
    assert max(widths["normal"]) < 0.5 < min(widths["enlarged"])
    assert max(widths["enlarged"]) < 0.62 < min(widths["very large"])


def test_the_pacemaker_is_on_its_side():
    for seed, scene in scenes(25):
        image = film(scene, seed)
        white = {side: (seen_from(image, side)[68:92, 46:78] > 240).sum() > 150 for side in OTHER}
        assert [side for side in OTHER if white[side]] == ([] if scene["pacemaker"] == "none" else [scene["pacemaker"]])


def ridge(image):
    """How far a bright line down to the right main bronchus stands out from both of its sides."""
    t = np.linspace(0, 1, 12)
    x, y = 115 - 12 * t, 106 + 9.5 * t

    def mean(offset):
        return ndimage.map_coordinates(image, [y + 0.79 * offset, x + 0.62 * offset], order=1).mean()

    return max(mean(o) - max(mean(o - 7), mean(o + 7)) for o in range(-4, 5))


def test_the_tube_ends_where_the_scene_says():
    for seed, scene in scenes(30, shift=False, pacemaker="none"):
        image = film(scene, seed)
        stripe = image - np.minimum(np.roll(image, 6, axis=1), np.roll(image, -6, axis=1))
        high = (stripe[8:20, 123:136].max(1) > 65).mean() > 0.7
        low = (stripe[46:66, 123:134].max(1) > 65).mean() > 0.7
        bronchus = ridge(image) > 0
        kind = "none" if not high else "high" if not low else "deep" if bronchus else "good"
        assert kind == scene["tube"], (high, low)


def test_broken_clavicles_are_out_of_line():
    for seed, scene in scenes(25, lung="clear", fracture={"right clavicle", "left clavicle"}):
        image = film(scene, seed)
        whole = {}
        for side in OTHER:
            strip = seen_from(image, side)
            line = [(100, 56), (92, 53.5), (66, 46), (58, 43.5), (48, 41)]
            whole[side] = np.mean([strip[int(y) - 4 : int(y) + 5, x].mean() for x, y in line])
        assert f"{min(whole, key=whole.get)} clavicle" == scene["fracture"], whole


def test_broken_ribs_end_in_bright_steps():
    for seed, scene in scenes(25, lung={"clear", "pneumothorax"}, nodules=0, fracture={"right ribs", "left ribs"}):
        image = film(scene, seed)
        # Along a column through the fractures, broken ribs stand out more from the lung between them.
        swing = {side: seen_from(image, side)[92:140, 56:90].std(0).mean() for side in OTHER}
        if scene["lung"] == "clear" and scene["heart"] == "normal":
            assert f"{max(swing, key=swing.get)} ribs" == scene["fracture"], swing


def test_coverage():
    for coverage in ("complete", "apices", "bases", "right", "left"):
        for seed, scene in scenes(8, coverage=coverage):
            image = film(scene, seed)
            black = {
                "apices": image[-40:].max() < 20,
                "bases": image[:40].max() < 20,
                "right": image[:, -40:].max() < 20,
                "left": image[:, :40].max() < 20,
            }
            assert [name for name in black if black[name]] == ([] if coverage == "complete" else [coverage])

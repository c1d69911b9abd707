"""CT phantoms: the section shows what the scene says, measured in Hounsfield units, and the answers follow from it."""

import numpy as np
from scipy import ndimage

from medqdeg.utils.phantoms.generators.ct import GENERATOR

from .phantom_checks import check_answers, scenes_with

QUESTIONS = {question.name: question for question in GENERATOR.questions}


def hounsfield(scene, seed):
    """The drawn image in Hounsfield units, moved and scaled so that the body fills a fixed box."""
    hu = GENERATOR.draw(scene, np.random.default_rng(seed)) / 255 * 400.0 - 180.0
    body = ndimage.binary_opening(hu > -150, np.ones((5, 5)))
    labels, found = ndimage.label(body)
    body = labels == 1 + np.argmax(ndimage.sum(body, labels, range(1, found + 1)))
    rows, columns = np.flatnonzero(body.any(1)), np.flatnonzero(body.any(0))
    y = rows[0] + (np.arange(256) - 36) / (208 - 36) * (rows[-1] - rows[0])
    x = columns[0] + (np.arange(256) - 11) / (245 - 11) * (columns[-1] - columns[0])
    grid = np.meshgrid(y, x, indexing="ij")
    return ndimage.map_coordinates(ndimage.gaussian_filter(hu, 0.7), grid, order=1, mode="nearest")


def scenes(count, **wanted):
    """Scenes with the wanted values; a value may be a set of values."""
    return enumerate(scenes_with(GENERATOR, count, 11, **wanted))


def test_answers_follow_a_second_table_of_rules():
    rng = np.random.default_rng(2)
    for _ in range(500):
        s = GENERATOR.sample_scene(rng)
        ill = [
            organ
            for organ, is_ill in (
                ("liver", s["liver_lesions"] > 0),
                ("spleen", s["spleen"] in ("torn", "enlarged")),
                ("right kidney", s["kidney_side"] == "right"),
                ("left kidney", s["kidney_side"] == "left"),
            )
            if is_ill
        ]
        torn = {("torn", 0): "Observation"} | {("torn", fluid): "Splenic" for fluid in (1, 2, 3)}
        expected = {
            "ct_abnormal_organ": f"The {ill[0]}" if len(ill) == 1 else None,
            "ct_aorta": {"n": "smooth", "c": "calcified", "a": "Aneurysm", "d": "Dissection"}[s["aorta"][0]],
            "ct_liver_lesion_count": [None, "One", "Two", "Three", "Four", "Five"][len(s["liver_lesion_places"])],
            "ct_free_fluid_grade": ["No", "small", "moderate", "large"][s["fluid"]],
            "ct_liver_lesion_kind": {"n": None, "c": "cysts", "h": "tumours", "a": "abscesses"}[
                s["liver_lesion_kind"][0]
            ],
            "ct_kidney_finding": {"n": "normal", "s": "stone", "h": "Hydro", "m": "mass", "a": "Absence"}[
                s["kidney"][0]
            ],
            "ct_muscle": None if s["muscle"] == "none" else s["muscle"],
            "ct_liver_attenuation": ["Normal", "steatosis"][s["liver_fatty"]],
            "ct_trauma": "laparotomy" if s["free_gas"] else torn.get((s["spleen"], s["fluid"]), "No treatment"),
            "ct_kidney_surgery": {
                "m": f"Nephrectomy on the {s['kidney_side']}",
                "h": f"Percutaneous nephrostomy on the {s['kidney_side']}",
            }.get(s["kidney"][0]),
            "ct_vertebra": {"n": "Uniform", "l": "lytic", "s": "sclerotic"}[s["vertebra"][0]],
        }
        check_answers(GENERATOR, s, expected)


def count_above(mask, smallest):
    labels, found = ndimage.label(mask)
    return int((ndimage.sum(mask, labels, range(1, found + 1)) >= smallest).sum())


def test_lesions_of_the_liver_can_be_counted():
    for seed, scene in scenes(30, liver_lesion_kind={"hypervascular", "abscess"}):
        region = hounsfield(scene, seed)[68:132, 54:136]
        assert count_above(ndimage.binary_fill_holes(region > 148), 105) == scene["liver_lesions"]


def test_cysts_can_be_counted():
    for seed, scene in scenes(25, liver_lesion_kind="cyst"):
        hu = hounsfield(scene, seed)
        holes = ndimage.binary_fill_holes(hu > 60) & (hu <= 60)
        holes[:, 134:] = holes[140:] = False
        holes[100:, 112:] = False  # the gall bladder
        assert count_above(holes, 60) == scene["liver_lesions"]


def test_depth_of_free_fluid():
    for seed, scene in scenes(30, liver_fatty=False):
        flank = hounsfield(scene, seed)[95:122, :64]
        depth = np.median((np.abs(flank - 2) < 27).sum(1))
        lesser = {0: 0, 1: 6, 2: 13, 3: 20.5}
        assert max(grade for grade, least in lesser.items() if depth > least) == scene["fluid"], depth


def test_free_gas_lies_under_the_anterior_wall():
    for seed, scene in scenes(25):
        assert (hounsfield(scene, seed)[56:62, 104:146].mean() < -150) == scene["free_gas"]


def test_fatty_livers_are_darker_than_the_spleen():
    for seed, scene in scenes(25, fluid=0):
        hu = hounsfield(scene, seed)
        assert (np.median(hu[75:120, 60:110]) < 75) == scene["liver_fatty"]
        if scene["spleen"] != "torn":
            assert 105 < np.median(hu[112:134, 206:211]) < 140


def kidney_boxes(hu):
    return {"right": hu[134:186, 48:100], "left": hu[134:186, 156:208]}


def test_kidney_findings_and_their_side():
    measures = {
        "absent": lambda box: -(box > 140).sum(),
        "stone": lambda box: (box[12:40, 14:38] > 212).sum(),
        "hydronephrosis": lambda box: (np.abs(box[8:44, 8:44] - 6) < 25).sum(),
        "mass": lambda box: -(box > 140).sum(),
    }
    for finding, measure in measures.items():
        for seed, scene in scenes(20, kidney=finding, spleen="normal", fluid={0, 1}, muscle={"none"}):
            values = {side: measure(box) for side, box in kidney_boxes(hounsfield(scene, seed)).items()}
            assert max(values, key=values.get) == scene["kidney_side"], (finding, values)


def test_the_muscle_of_low_attenuation():
    for seed, scene in scenes(30):
        hu = hounsfield(scene, seed)
        means = {
            "right psoas": hu[158:168, 96:104].mean(),
            "left psoas": hu[158:168, 152:160].mean(),
            "right erector": hu[184:190, 92:108].mean(),
            "left erector": hu[184:190, 148:164].mean(),
        }
        darkest = min(means, key=means.get)
        assert (darkest if means[darkest] < 30 else "none") == scene["muscle"], means


def test_vertebral_focus():
    for seed, scene in scenes(25):
        focus = np.median(hounsfield(scene, seed)[156:163, 121:128])
        assert ("lytic" if focus < 80 else "sclerotic" if focus > 200 else "normal") == scene["vertebra"]


def test_aorta():
    for seed, scene in scenes(40):
        hu = hounsfield(scene, seed)
        thrombus = (np.abs(hu[108:142, 124:162] - 48) < 30).sum()
        wall = (hu[120:149, 124:156] > 210).sum()
        flap = (hu[128:138, 134:143] < 90).sum()
        kind = "aneurysm" if thrombus > 450 else "calcified" if wall > 60 else "dissection" if flap > 25 else "normal"
        assert kind == scene["aorta"], (thrombus, wall, flap)


def test_the_spleen_grows_and_tears():
    areas = {"normal": [], "enlarged": [], "torn": []}
    for seed, scene in scenes(45, fluid=0, kidney="normal"):
        box = hounsfield(scene, seed)[70:146, 176:226]
        labels, found = ndimage.label((box > 95) & (box < 150))
        sizes = ndimage.sum(np.ones_like(box), labels, range(1, found + 1))
        areas[scene["spleen"]].append(sizes.max())
    assert min(areas["enlarged"]) > 1.5 * max(areas["normal"])
    assert max(areas["torn"]) < min(areas["normal"])

"""What can be asked of an ultrasound phantom."""

from __future__ import annotations

from ..question import Question, Scene

_COUNTS = ("One", "Two", "Three", "Four", "Five")

_ATTRIBUTES = {
    "enhanced": "Without echoes inside, brighter tissue behind",
    "shadow": "Weak echoes inside, darker tissue behind",
    "unchanged": "Weak echoes inside, unchanged tissue behind",
}


def _attribute(scene: Scene) -> str | None:
    return _ATTRIBUTES[scene["behind"]] if scene["exam"] == "breast" else None


def _margin(scene: Scene) -> str | None:
    if scene["exam"] != "breast":
        return None
    return "Smooth and sharp" if scene["margin"] == "smooth" else "Spiculated"


def _category(scene: Scene) -> str | None:
    if scene["exam"] != "breast":
        return None
    if scene["content"] == "fluid":
        return "Category 2"
    signs = (scene["margin"] == "spiculated") + (scene["orientation"] == "tall")
    return f"Category {3 + signs}"


_CONTENTS = {
    "nothing": "Clear bile without deposits",
    "stones": "Stones, which cast shadows",
    "polyps": "Polyps on the front wall, without shadows",
    "sludge": "Sludge, settled with a flat upper level",
}


def _content(scene: Scene) -> str | None:
    return _CONTENTS[scene["content"]] if scene["exam"] == "gallbladder" else None


def _stones(scene: Scene) -> str | None:
    if scene["exam"] != "gallbladder" or scene["content"] != "stones":
        return None
    return _COUNTS[scene["count"] - 1]


_COMPLAINTS = {
    ("stones", "thick"): "Fever and constant pain below the right ribs",
    ("stones", "thin"): "Colic after fatty meals, without fever",
    ("nothing", "thick"): "Jaundice and fatigue since a viral hepatitis",
    ("nothing", "thin"): "No complaint that comes from this organ",
}


def _complaint(scene: Scene) -> str | None:
    return _COMPLAINTS.get((scene["content"], scene["wall"])) if scene["exam"] == "gallbladder" else None


_PHYSICS = {
    "enhanced": "It weakens the sound less than the tissue beside it",
    "shadow": "It weakens the sound more than the tissue beside it",
    "unchanged": "It weakens the sound as much as the tissue beside it",
}


def _physics(scene: Scene) -> str | None:
    return _PHYSICS[scene["behind"]] if scene["exam"] == "breast" else None


_SIDES = {
    "left": "It is thinner on the patient's left",
    "right": "It is thinner on the patient's right",
    "neither": "It is equally thick on both sides",
}


def _thinner(scene: Scene) -> str | None:
    return _SIDES[scene["thinner"]] if scene["exam"] == "muscle" else None


_LAYERS = {
    "fat": "In the fat below the skin",
    "muscle": "Within the muscle",
    "bone": "Between the muscle and the bone",
}


def _layer(scene: Scene) -> str | None:
    return _LAYERS.get(scene["fluid"]) if scene["exam"] == "muscle" else None


def _narrowing(scene: Scene) -> str | None:
    if scene["exam"] != "vessel":
        return None
    return {None: "Not narrowed", 30: "Narrowed by less than half", 75: "Narrowed by more than half"}[
        scene.get("narrowing")
    ]


def _diagnosis(scene: Scene) -> str | None:
    exam = scene["exam"]
    if exam == "gallbladder" and scene["content"] == "stones":
        return "Acute cholecystitis" if scene["wall"] == "thick" else "Gallstones without inflammation"
    if exam == "breast":
        if scene["content"] == "fluid":
            return "Simple cyst"
        return "Suspected carcinoma" if scene["margin"] == "spiculated" else None
    if exam == "muscle":
        return "Haematoma in a muscle" if scene["fluid"] == "muscle" else None
    if exam == "vessel":
        return {"plaque": "Calcified plaque", "thrombus": "Thrombus on the wall"}.get(scene["content"])
    return None


QUESTIONS = (
    Question(
        name="us_mass_attributes",
        skill="Attribute Recognition",
        stem="Which description fits the mass in this ultrasound image of the breast?",
        answers=tuple(_ATTRIBUTES.values()),
        k=3,
        answer=_attribute,
    ),
    Question(
        name="us_mass_margin",
        skill="Attribute Recognition",
        stem="What is the margin of the mass in this ultrasound image of the breast like?",
        answers=("Smooth and sharp", "Spiculated"),
        k=2,
        answer=_margin,
    ),
    Question(
        name="us_mass_category",
        skill="Lesion Grading",
        stem=(
            "Grade the mass in this ultrasound image by this rule: free of echoes is category 2. A mass with echoes is "
            "category 3 if it is smooth and wider than tall, category 4 if it is either spiculated or taller than "
            "wide, category 5 if it is both."
        ),
        answers=("Category 2", "Category 3", "Category 4", "Category 5"),
        k=4,
        answer=_category,
    ),
    Question(
        name="us_mass_physics",
        skill="General Science Reasoning",
        stem=(
            "The time gain compensation of the scanner expects the same attenuation everywhere. "
            "What does the brightness of the tissue behind this mass tell about the mass?"
        ),
        answers=tuple(_PHYSICS.values()),
        k=3,
        answer=_physics,
    ),
    Question(
        name="us_gallbladder_content",
        skill="Abdominal Structures",
        stem="What does the gallbladder in this ultrasound image of the upper abdomen contain?",
        answers=tuple(_CONTENTS.values()),
        k=4,
        answer=_content,
    ),
    Question(
        name="us_stone_count",
        skill="Counting",
        stem="How many gallstones with a shadow does this ultrasound image show?",
        answers=_COUNTS,
        k=5,
        answer=_stones,
    ),
    Question(
        name="us_gallbladder_complaint",
        skill="Clinical Correlation",
        stem=(
            "Gallstones with a thickened wall go with acute inflammation, stones with a thin wall with colic; a "
            "thickened wall without stones is seen in hepatitis. Which history fits this ultrasound image?"
        ),
        answers=tuple(_COMPLAINTS.values()),
        k=4,
        answer=_complaint,
    ),
    Question(
        name="us_thinner_muscle",
        skill="Muscle Recognition",
        stem=(
            "Ultrasound of the same muscle on both sides at the same depth setting, the patient's right on the left of "
            "the image. The muscle is the striped layer between the fat and the bone. How do the sides compare?"
        ),
        answers=tuple(_SIDES.values()),
        k=2,
        answer=_thinner,
    ),
    Question(
        name="us_fluid_layer",
        skill="Muscle Recognition",
        stem="In which layer does the collection of fluid in this ultrasound image of the limb lie?",
        answers=tuple(_LAYERS.values()),
        k=3,
        answer=_layer,
    ),
    Question(
        name="us_vessel_narrowing",
        skill="Cardiovascular",
        stem="How far is the channel of the vessel narrowed in this ultrasound image along its axis?",
        answers=("Not narrowed", "Narrowed by less than half", "Narrowed by more than half"),
        k=3,
        answer=_narrowing,
    ),
    Question(
        name="us_diagnosis",
        skill="Disease Diagnosis",
        stem="Which diagnosis fits this ultrasound image best?",
        answers=(
            "Acute cholecystitis",
            "Gallstones without inflammation",
            "Simple cyst",
            "Suspected carcinoma",
            "Haematoma in a muscle",
            "Calcified plaque",
            "Thrombus on the wall",
        ),
        k=5,
        answer=_diagnosis,
    ),
)

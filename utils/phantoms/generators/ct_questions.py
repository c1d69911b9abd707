"""Questions about the CT phantoms."""

from __future__ import annotations

from ..question import Question, Scene

_SIDE = "With the image upright, the patient's right is on its left. "


def _abnormal_organ(scene: Scene) -> str | None:
    found = []
    if scene["liver_lesions"]:
        found.append("The liver")
    if scene["spleen"] != "normal":
        found.append("The spleen")
    if scene["kidney"] != "normal":
        found.append(f"The {scene['kidney_side']} kidney")
    return found[0] if len(found) == 1 else None


_AORTA = {
    "normal": "Normal calibre and a smooth wall",
    "calcified": "Normal calibre and a calcified wall",
    "aneurysm": "Aneurysm lined with mural thrombus",
    "dissection": "Dissection with an intimal flap",
}

_FLUID = ("No free fluid", "A small amount", "A moderate amount", "A large amount")

_LESION = {"cyst": "Simple cysts", "hypervascular": "Hypervascular tumours", "abscess": "Pyogenic abscesses"}

_KIDNEY = {
    "normal": "Both kidneys are normal",
    "stone": "A stone in the renal pelvis",
    "hydronephrosis": "Hydronephrosis of one kidney",
    "mass": "A solid mass of one kidney",
    "absent": "Absence of one kidney",
}

_MUSCLE = {
    "right psoas": "The right psoas muscle",
    "left psoas": "The left psoas muscle",
    "right erector": "The right erector spinae muscle",
    "left erector": "The left erector spinae muscle",
}

_VERTEBRA = {
    "normal": "Uniform cancellous bone without a focus",
    "lytic": "A lytic focus in the vertebral body",
    "sclerotic": "A sclerotic focus in the vertebral body",
}


def _trauma(scene: Scene) -> str:
    if scene["free_gas"]:
        return "Emergency laparotomy"
    if scene["spleen"] != "torn":
        return "No treatment of the spleen"
    return "Splenic artery embolisation" if scene["fluid"] else "Observation on a monitored ward"


def _kidney_surgery(scene: Scene) -> str | None:
    operations = {"mass": "Nephrectomy", "hydronephrosis": "Percutaneous nephrostomy"}
    if scene["kidney"] not in operations:
        return None
    return f"{operations[scene['kidney']]} on the {scene['kidney_side']}"


QUESTIONS: tuple[Question, ...] = (
    Question(
        name="ct_abnormal_organ",
        skill="Abdominal Structures",
        stem="This is an axial CT section of the abdomen. " + _SIDE + "Which organ is abnormal?",
        answers=("The liver", "The spleen", "The right kidney", "The left kidney"),
        k=4,
        answer=_abnormal_organ,
    ),
    Question(
        name="ct_aorta",
        skill="Cardiovascular",
        stem="Consider the vessel in front of and to the left of the vertebral body on this contrast-enhanced CT. "
        "What does the abdominal aorta show?",
        answers=tuple(_AORTA.values()),
        k=4,
        answer=lambda scene: _AORTA[scene["aorta"]],
    ),
    Question(
        name="ct_liver_lesion_count",
        skill="Counting",
        stem="How many focal lesions does the liver contain on this CT section? Do not count the gall bladder.",
        answers=("One", "Two", "Three", "Four", "Five"),
        k=5,
        answer=lambda scene: (None, "One", "Two", "Three", "Four", "Five")[scene["liver_lesions"]],
    ),
    Question(
        name="ct_free_fluid_grade",
        skill="Severity Grading",
        stem="Free fluid in the flanks has the attenuation of water and is graded by its depth along the abdominal "
        "wall: small is a thin rim, moderate a band about as deep as the wall itself and its fat, large a deep "
        "collection that pushes the organs inwards. How much free fluid does this CT section show?",
        answers=_FLUID,
        k=4,
        answer=lambda scene: _FLUID[scene["fluid"]],
    ),
    Question(
        name="ct_liver_lesion_kind",
        skill="Disease Diagnosis",
        stem="Simple cysts are uniformly dark, hypervascular tumours uniformly bright, and pyogenic abscesses dark "
        "with a bright rim. What are the focal lesions in this patient's liver?",
        answers=tuple(_LESION.values()),
        k=3,
        answer=lambda scene: _LESION.get(scene["liver_lesion_kind"]),
    ),
    Question(
        name="ct_kidney_finding",
        skill="Disease Diagnosis",
        stem="A patient with flank pain has this contrast-enhanced CT. What do the kidneys show?",
        answers=tuple(_KIDNEY.values()),
        k=5,
        answer=lambda scene: _KIDNEY[scene["kidney"]],
    ),
    Question(
        name="ct_muscle",
        skill="Muscle Recognition",
        stem=_SIDE + "One muscle beside the lumbar spine is replaced by tissue of low attenuation, either fat or pus. "
        "Which muscle is it?",
        answers=tuple(_MUSCLE.values()),
        k=4,
        answer=lambda scene: _MUSCLE.get(scene["muscle"]),
    ),
    Question(
        name="ct_liver_attenuation",
        skill="Laboratory/Imaging Interpretation",
        stem="The attenuation of the liver parenchyma is compared with that of the spleen and of muscle: a liver that "
        "is clearly darker than both is steatotic. How is this portal venous CT to be read?",
        answers=("Hepatic steatosis", "Normal liver attenuation"),
        k=2,
        answer=lambda scene: "Hepatic steatosis" if scene["liver_fatty"] else "Normal liver attenuation",
    ),
    Question(
        name="ct_trauma",
        skill="Initial/Emergency Management",
        stem="Protocol after blunt trauma: free gas under the anterior wall calls for emergency laparotomy whatever "
        "else is seen. Without free gas, a torn spleen is embolised if there is free fluid and observed if there is "
        "none, and a spleen that is not torn is left alone. What does the protocol ask for here?",
        answers=(
            "Emergency laparotomy",
            "Splenic artery embolisation",
            "Observation on a monitored ward",
            "No treatment of the spleen",
        ),
        k=4,
        answer=_trauma,
    ),
    Question(
        name="ct_kidney_surgery",
        skill="Surgical Treatment Selection",
        stem=_SIDE + "A solid renal mass is treated by nephrectomy, an obstructed renal pelvis by percutaneous "
        "nephrostomy. Which procedure on which side does this patient need?",
        answers=(
            "Nephrectomy on the right",
            "Nephrectomy on the left",
            "Percutaneous nephrostomy on the right",
            "Percutaneous nephrostomy on the left",
        ),
        k=4,
        answer=_kidney_surgery,
    ),
    Question(
        name="ct_vertebra",
        skill="General Structures",
        stem="Look at the vertebral body in this axial CT section. What does its cancellous bone show?",
        answers=tuple(_VERTEBRA.values()),
        k=3,
        answer=lambda scene: _VERTEBRA[scene["vertebra"]],
    ),
)

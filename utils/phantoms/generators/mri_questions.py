"""What can be asked of an MRI phantom."""

from __future__ import annotations

from ..question import Question, Scene

_ARTERIES = ("anterior", "middle", "posterior")
_COUNTS = ("One", "Two", "Three", "Four", "Five")


def _territory(scene: Scene) -> str | None:
    if scene["finding"] != "infarct":
        return None
    return f"{scene['side'].capitalize()} {scene['territory']} cerebral artery"


def _hemisphere(scene: Scene) -> str | None:
    if scene["finding"] not in ("infarct", "tumour", "haematoma"):
        return None
    return f"On the patient's {scene['side']} side"


_WEIGHTINGS = {"T1": "T1-weighted", "T2": "T2-weighted", "FLAIR": "T2-weighted with suppressed fluid (FLAIR)"}


def _count(scene: Scene) -> str | None:
    return _COUNTS[scene["count"] - 1] if scene["finding"] == "small lesions" else None


def _diagnosis(scene: Scene) -> str | None:
    finding = scene["finding"]
    if finding == "small lesions":
        return "Multiple sclerosis" if scene["place"] == "periventricular" and scene["count"] > 1 else None
    if finding == "haematoma":
        return "Subdural haematoma" if scene["shape"] == "crescent" else "Epidural haematoma"
    if finding == "large ventricles":
        return "Hydrocephalus" if scene["sulci"] == "effaced" else "Cerebral atrophy"
    return {"infarct": "Ischaemic infarct", "tumour": "Malignant brain tumour"}.get(finding)


def _grade(scene: Scene) -> str | None:
    if scene["finding"] != "tumour":
        return None
    if scene["necrosis"]:
        return "Grade 4" if scene["oedema"] else "Grade 3"
    return "Grade 2" if scene["oedema"] else "Grade 1"


def _ventricles(scene: Scene) -> str | None:
    if scene.get("shift"):
        return f"A mass on the {scene['side']} pushes the midline to the {_other(scene['side'])}"
    if scene["finding"] == "large ventricles":
        if scene["sulci"] == "effaced":
            return "Fluid under pressure widens the ventricles and closes the sulci"
        return "Shrunken brain tissue lets both the ventricles and the sulci widen"
    return "Pressure and volume are undisturbed: slender and symmetric" if scene["finding"] == "none" else None


def _other(side: str) -> str:
    return "right" if side == "left" else "left"


_MARKED = {
    "lateral ventricle": "Lateral ventricle, frontal horn",
    "caudate": "Caudate nucleus, head",
    "lentiform": "Lentiform nucleus",
    "thalamus": "Thalamus",
    "splenium": "Corpus callosum, splenium",
}


def _marked(scene: Scene) -> str | None:
    return _MARKED.get(str(scene.get("marked")))


def _treatment(scene: Scene) -> str | None:
    if scene["finding"] != "haematoma":
        return None
    if scene["shape"] == "lens":
        return "Craniotomy today" if scene["shift"] else "Intensive care and repeat imaging in 6 hours"
    return "Burr-hole drainage" if scene["shift"] else "Observation and repeat imaging in 2 weeks"


_MECHANISMS = {
    "periventricular": "Immune attack on the myelin around the veins of the ventricles",
    "grey-white border": "Spread through the blood to where the arteries narrow below the cortex",
    "deep nuclei": "Closure of the small perforating arteries of the deep nuclei",
}


def _mechanism(scene: Scene) -> str | None:
    return _MECHANISMS[scene["place"]] if scene["finding"] == "small lesions" else None


def _evans(scene: Scene) -> str | None:
    if scene["finding"] not in ("none", "large ventricles"):
        return None
    grades = {"moderate": "Moderately enlarged", "severe": "Severely enlarged"}
    return grades.get(str(scene.get("ventricles")), "Normal width")


QUESTIONS = (
    Question(
        name="mri_infarct_territory",
        skill="Neurovascular",
        stem=(
            "This axial MRI shows a recent infarct. With the image upright, the patient's right "
            "is on its left. Which artery supplies the affected territory?"
        ),
        answers=tuple(f"{side} {artery} cerebral artery" for side in ("Left", "Right") for artery in _ARTERIES),
        k=4,
        answer=_territory,
    ),
    Question(
        name="mri_lesion_side",
        skill="General Structures",
        stem=(
            "With the image upright, the patient's right is on its left. "
            "Where does the abnormality of this axial MRI of the head lie?"
        ),
        answers=("On the patient's left side", "On the patient's right side"),
        k=2,
        answer=_hemisphere,
    ),
    Question(
        name="mri_weighting",
        skill="Basic Science Understanding",
        stem=(
            "Judge by the fluid in the ventricles, the white matter and the grey matter: "
            "how is this MRI of the brain weighted?"
        ),
        answers=tuple(_WEIGHTINGS.values()),
        k=2,
        answer=lambda scene: _WEIGHTINGS[scene["weighting"]],
    ),
    Question(
        name="mri_lesion_count",
        skill="Counting",
        stem="How many small round focal lesions does this axial MRI of the brain show?",
        answers=_COUNTS,
        k=5,
        answer=_count,
    ),
    Question(
        name="mri_diagnosis",
        skill="Disease Diagnosis",
        stem="Which diagnosis fits this axial MRI of the head best?",
        answers=(
            "Multiple sclerosis",
            "Ischaemic infarct",
            "Malignant brain tumour",
            "Subdural haematoma",
            "Epidural haematoma",
            "Hydrocephalus",
            "Cerebral atrophy",
        ),
        k=5,
        answer=_diagnosis,
    ),
    Question(
        name="mri_tumour_grade",
        skill="Lesion Grading",
        stem=(
            "Grade the mass in this MRI by this rule: solid without a halo of oedema is grade 1, solid with a halo of "
            "oedema grade 2, a ring around a necrotic core without oedema grade 3, a ring with oedema grade 4."
        ),
        answers=("Grade 1", "Grade 2", "Grade 3", "Grade 4"),
        k=4,
        answer=_grade,
    ),
    Question(
        name="mri_ventricle_mechanism",
        skill="Pathophysiological Reasoning",
        stem=(
            "Left and right are the patient's; with the image upright, the patient's right is on its left. What "
            "explains the shape and the position of the ventricles in this axial MRI?"
        ),
        answers=(
            "A mass on the left pushes the midline to the right",
            "A mass on the right pushes the midline to the left",
            "Fluid under pressure widens the ventricles and closes the sulci",
            "Shrunken brain tissue lets both the ventricles and the sulci widen",
            "Pressure and volume are undisturbed: slender and symmetric",
        ),
        k=4,
        answer=_ventricles,
    ),
    Question(
        name="mri_marked_structure",
        skill="General Structures",
        stem="To which structure of the brain does the tip of the white arrow point in this axial MRI?",
        answers=tuple(_MARKED.values()),
        k=4,
        answer=_marked,
    ),
    Question(
        name="mri_haematoma_treatment",
        skill="Treatment Reasoning",
        stem=(
            "Blood lies between skull and brain. The unit's rule: with the midline displaced, a lens-shaped collection "
            "goes to craniotomy and a crescent to burr-hole drainage; with the midline straight, a lens is watched in "
            "intensive care and a crescent is imaged again in 2 weeks. What follows from this MRI?"
        ),
        answers=(
            "Craniotomy today",
            "Burr-hole drainage",
            "Intensive care and repeat imaging in 6 hours",
            "Observation and repeat imaging in 2 weeks",
        ),
        k=4,
        answer=_treatment,
    ),
    Question(
        name="mri_lesion_mechanism",
        skill="Disease Mechanism Recognition",
        stem=(
            "Small focal lesions of the brain betray their cause by their place. "
            "Which mechanism fits where the small lesions of this MRI lie?"
        ),
        answers=tuple(_MECHANISMS.values()),
        k=3,
        answer=_mechanism,
    ),
    Question(
        name="mri_ventricle_width",
        skill="Severity Grading",
        stem=(
            "Compare the greatest width across both frontal horns with the inner width of the skull: below 0.3 is "
            "normal, 0.35 to 0.45 moderately enlarged, above 0.5 severely enlarged. How wide are these ventricles?"
        ),
        answers=("Normal width", "Moderately enlarged", "Severely enlarged"),
        k=3,
        answer=_evans,
    ),
)

"""The skill of an item where a source's own label does not settle it: by the organ asked for, or by what is asked.

Both rules are ours; the authors' own remapping is not published. Whatever a rule does not know keeps the skill that
`taxonomy.SKILL_MAPPINGS` gives its label.

Organs: the systems of Terminologia Anatomica, 2nd edition (FIPAT, 2019, https://fipat.library.dal.ca/TA2): bones and
joints, muscles, and the systems digestorium, respiratorium, urinarium, genitalia, cardiovasculare, lymphoideum,
nervosum, with the endocrine glands, sense organs and integument. The capability tree has no place of its own for most
of them: the liver, gallbladder, pancreas, spleen, kidneys and adrenals are "Abdominal Structures", the rest of the
digestive canal from the oesophagus down is "Gastrointestinal Tract", the brain with its vessels "Neurovascular", and
what has no other place "General Structures". A region of a limb ("wrist") is read as its bones and joints.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from ...dataset import taxonomy

_ABDOMINAL, _GENERAL, _GUT = "Abdominal Structures", "General Structures", "Gastrointestinal Tract"
_HEART, _LUNG, _NERVE = "Cardiovascular", "Respiratory System", "Neurovascular"
_BONE, _MUSCLE = "Skeletal System", "Muscle Recognition"

_REGION = "regions of the trunk and head"

ORGANS: tuple[tuple[str, str, str], ...] = (
    (_NERVE, "vessels of the brain", r"(?:cerebr|cerebell|basilar|vertebral|intracranial)\w* (?:arter|vein|vessel)\w*"),
    (_NERVE, "vessels of the brain", r"circle of willis|dural sinus\w*|sagittal sinus"),
    (_NERVE, "nervous system", r"(?:lateral|third|fourth|cerebral|brain) ventricles?|optic chiasm|\w*nerves?"),
    (_NERVE, "nervous system", r"brain ?stem|brain\w*|cerebr\w*|cerebell\w*|midbrain|pons|medulla oblongata"),
    (_NERVE, "nervous system", r"hippocamp\w*|thalam\w*|hypothalam\w*|basal ganglia|corpus callosum|putamen|caudate"),
    (_NERVE, "nervous system", r"(?:white|gr[ae]y) matter|spinal (?:cord|canal)|nervous tissue"),
    (_MUSCLE, "muscles", r"[\w ]*muscles?|musc\w+|diaphragm|iliopsoas|psoas|glute\w+|autochthon\w*|erector spinae"),
    (_MUSCLE, "muscles", r"\w+ceps|deltoid|trapezius|pectoral\w+|rectus abdominis|sternocleido\w+|tendons?"),
    (_HEART, "heart", r"heart|cardiac|myocard\w*|pericard\w*|(?:left|right) (?:atri|ventric)\w*|atri\w+|ventric\w+"),
    (_HEART, "vessels", r"[\w ]*(?:arter(?:y|ies)|veins?|vessels?|vasculature)"),
    (_HEART, "vessels", r"aort\w*|(?:(?:inferior|superior) )?vena cava|postcava"),
    (_LUNG, "respiratory system", r"lungs?|lung lobes?|pulmon\w*|bronch\w*|trachea\w*|larynx|glottis"),
    (_LUNG, "respiratory system", r"pleura\w*|nasal cavity|paranasal sinus\w*|airways?"),
    (_GUT, "digestive canal", r"o?esophag\w*|stomach|gastric|pylor\w*|z-?line|duoden\w*|jejun\w*|ileum|ileal"),
    (_GUT, "digestive canal", r"(?:(?:small|large) )?(?:bowels?|intestin\w*)|colon\w*|ca?ec(?:um|al)|sigmoid"),
    (_GUT, "digestive canal", r"append(?:ix|iceal)|rect(?:um|al)|anal canal|anus"),
    (_ABDOMINAL, "digestive glands", r"liver|hepat\w*|gall ?bladder|bile ducts?|biliary|pancrea\w*"),
    (_ABDOMINAL, "urinary system, adrenals", r"kidneys?|renal|ureters?|adrenals?(?: glands?)?"),
    (_ABDOMINAL, "lymphoid organs, peritoneum", r"spleen|splenic|peritone\w*"),
    (_BONE, "bones", r"bones?|femur\w*|femoral head|tibia\w*|fibula\w*|humer\w+|radius|ulna\w*|scapula\w*"),
    (_BONE, "bones", r"clavic\w+|ribs?|stern(?:um|al)|vertebra\w*|spine|sacr(?:um|al)|coccy\w+|ili(?:um|ac bone)"),
    (_BONE, "bones", r"ischi\w+|pubi\w+|acetabul\w+|patella\w*|carp\w+|metacarp\w+|tars\w+|metatars\w+|calcane\w+"),
    (_BONE, "bones", r"talus|phalan\w+|skull|mandib\w+|maxilla\w*|zygoma\w*|skelet\w+"),
    (_BONE, "joints", r"joints?|(?:intervertebral )?dis[ck]s?|menisc\w+|cartilage|ligaments?|cruciate"),
    (_BONE, "regions of the limbs", r"knees?|elbows?|wrists?|shoulders?|ankles?|hips?|hands?|foot|feet|fingers?"),
    (_BONE, "regions of the limbs", r"toes?|forearms?|legs?|arms?"),
    (_GENERAL, "urinary and genital systems", r"(?:urinary )?bladder|prostat\w*|uter(?:us|ine)|ovar\w+|testi\w+"),
    (_GENERAL, "genital systems", r"cervix|vagina\w*|seminal \w+"),
    (_GENERAL, "sense organs", r"eye(?:s|balls?)?|lens|retina\w*|cornea\w*|optic (?:disc|cup)|ears?|cochlea\w*"),
    (_GENERAL, "endocrine glands", r"thyroid\w*|pituitar\w+|parathyroid\w*"),
    (_GENERAL, "mouth", r"parotid\w*|submandibular\w*|oral cavity|tongue|teeth|tooth|lips?|pharyn\w+"),
    (_GENERAL, "integument, lymphoid organs", r"skin|fat|adipose\w*|breasts?|lymph nodes?|thymus"),
    (_GENERAL, _REGION, r"chest|thora\w+|head|neck|face|pelvi\w+|trunk"),
    (_ABDOMINAL, _REGION, r"abdom\w*"),
)
"""Skill, part of Terminologia Anatomica 2, words of an answer; an earlier row takes its words from the later ones.

A region counts only where no organ is named: the abdominal aorta is a vessel.
"""

_PATTERNS = [(part, skill, re.compile(rf"(?<!\w)(?:{words})(?!\w)", re.IGNORECASE)) for skill, part, words in ORGANS]

ORGAN_LABELS = frozenset(
    {
        "Organ Recognition - Abdomen",
        "Organ Recognition - Head and Neck",
        "Organ Recognition - Pelvic",
        "Organ Recognition - Thorax",
        "Anatomy Identification",
    }
)
"""Labels of the sources whose items ask for an organ, of whatever system."""

ASKED: Mapping[str, tuple[tuple[str, str], ...]] = {
    "General Science Reasoning": (
        ("Pathophysiological Reasoning", r"pathophysiolog|pathogene|\bmechanism|underlying (?:cause|process|defect)"),
        ("Clinical Correlation", r"clinical(?:ly)? (?:correlat|finding|feature|manifest|sign)|\bsymptom|\bdeficits?\b"),
    ),
    "General Diagnosis Reasoning": (
        ("Disease Mechanism Recognition", r"pathophysiolog|pathogene|\bmechanism|underlying (?:cause|process|defect)"),
        (
            "Laboratory/Imaging Interpretation",
            r"laborator|\b(?:imaging|radiolog\w+|radiographic|sonographic|histolog\w+|mri|ct) "
            r"(?:finding|feature|sign|appearance)|\binterpret",
        ),
        (
            "Clinical Presentation Analysis",
            r"\bsymptom|physical (?:exam|finding|sign)|clinical (?:feature|finding|presentation|manifest|sign)",
        ),
    ),
    "Treatment Reasoning": (
        (
            "Initial/Emergency Management",
            r"\b(?:initial|immediate(?:ly)?|emergen\w+|first)\b[^.?!]*\b(?:manag|treat|step|therap|interven|action)"
            r"|\bemergen",
        ),
        ("Surgical Treatment Selection", r"\bsurg(?:ery|ical|eries)|\boperati(?:on|ve)|\bprocedure"),
        ("Pharmacological Treatment", r"pharmac|\bmedications?\b|\bdrugs?\b|\bantibiotics?\b|\bagents?\b"),
    ),
}
"""Of MedXpertQA: skill of the label -> finer skills with words of the sentence that asks; the first one counts."""

_ASKS = {skill: [(finer, re.compile(words, re.IGNORECASE)) for finer, words in rules] for skill, rules in ASKED.items()}
_SENTENCE = re.compile(r"(?<=[.?!])\s+|\n+")


def skill_of(source: str, label: str, *, question: str = "", answer: str = "") -> str:
    """Return the skill that an item asks for, or `taxonomy.UNLABELLED`.

    Args:
        source: the benchmark's name; "" for one's own items.
        label: the source's own label.
        question: the stem.
        answer: the right answer's text.
    """
    found = taxonomy.skill_from_label(source, label)
    if label.strip() in ORGAN_LABELS:
        return skill_of_organ(answer) or found
    if source == "MedXpertQA":
        asked = _asking_sentence(question)
        return next((finer for finer, words in _ASKS.get(found, ()) if words.search(asked)), found)
    return found


def skill_of_organ(answer: str) -> str | None:
    """Return the skill whose organs an answer names; None where it names none, or organs of several."""
    left, organs, regions = answer, set(), set()
    for part, skill, pattern in _PATTERNS:
        left, count = pattern.subn(" ; ", left)
        if count:
            (regions if part == _REGION else organs).add(skill)
    named = organs or regions
    return named.pop() if len(named) == 1 else None


def _asking_sentence(question: str) -> str:
    """Return the last sentence with a question mark, or else the last one."""
    sentences = [sentence for sentence in _SENTENCE.split(question) if sentence.strip()]
    return next((each for each in reversed(sentences) if "?" in each), sentences[-1] if sentences else "")

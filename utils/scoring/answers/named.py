"""The last tier of reading: a reply without a letter that names one option in a sentence.

"The image shows pleural effusion." Models without instruction tuning for choices (LLaVA-Med) answer in no other way.
An option counts as named where its text is asserted: behind a word that asserts ("shows", "is a", "consistent with"),
or as a short phrase of its own ("Bilateral pleural effusion."); not denied ("no", "without", "unlikely"), not hedged
("could be", "differential", "history of") and not asked ("Is this …?"). Exactly one option must be named so, and
nothing in the reply may say that the question cannot be answered. Whatever is doubtful stays unread.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Container, Sequence
from typing import NamedTuple

# --- What keeps a mention from being an answer ------------------------------------------------------------

# Before the mention in its sentence, after the last word of contrast.
_DENIED_BEFORE = re.compile(
    r"\b(?:no|not|nor|neither|never|none|cannot|without|w/o|absence|absent|lack(?:s|ing)?|negative|free of|"
    r"rul(?:e[sd]?|ing) out|exclud(?:e[sd]?|ing)|unlikely|unlike|instead of|rather than|other than|against|"
    r"less|least|differs? from|different from|distinguish(?:ed|ing|es)?|differentiat\w+|mimic\w*|"
    r"compared|contrast to|opposed to|"
    r"kein\w*|nicht|ohne|sin|sem|sans|pas|aucune?|senza|nessun\w*|não|nao|non(?!-)|nenhum\w*|ningun\w*|ningún|"
    r"нет|не|без|geen|niet|yok|değil|bukan|tidak)\b|n't\b|不|无|無|没|未|非|排除|なし|ない|없"
)
_HEDGED_BEFORE = re.compile(
    r"\b(?:may|might|could|can(?! be (?:seen|observed|appreciated|identified|noted|visuali))|possib(?:le|ly|"
    r"ility)|potential(?:ly)?|perhaps|maybe|whether|if|unless|unclear|uncertain|"
    r"unsure|assuming|suppose|provided that|differentials?|consider(?:ed|ations?)?|considering|"
    r"history|prior|previous|previously|known(?! as)|status post|post|risk|evaluat\w+|screen\w*|assess\w*|"
    r"options?|choices?|"
    r"concern\w*|recommend\w*|advis\w*|needs?|needed|requir\w*|order(?:ed)?|request\w*|treat\w*|look(?:ing)? for|"
    r"search\w*|diagnose|next to|adjacent to|near|beside|behind|surround\w*|correlat\w*|"
    r"tell|difference|between|either|would(?! (?:say|rate|call|describe|favou?r|classify|suggest|"
    r"be (?:most )?consistent))|question|versus|vs|for example|such as|e\.g|"
    r"puede|podría|pode|poderia|peut|pourrait|kann|könnte|eventuell|può|potrebbe|может|возможно|si|wenn|ob)\b|"
    r"(?<!最)可能|疑|或|是否|如果|かもしれ|可能性"
)
# After the mention, in the same clause.
_DENIED_AFTER = re.compile(
    r"\b(?:is|are|was|were|be|been|seems?|appears?|does|do|did|can|could|would|should|has|have) ?"
    r"(?:n't|not|never|no longer|unlikely|absent|excluded|ruled|less|wrong|incorrect|false|improbable|impossible|"
    r"unclear|possible|questionable|doubtful|hard|difficult)\b"
    r"|\bcannot\b|\bcan't\b|\b(?:unlikely|less likely|ruled out|excluded|not (?:seen|present|visible)|is possible|"
    r"or not|versus|vs)\b|n't\b|\?"
    r"|不|排除|ない|ません|아니|없"
)
_CONTRAST = re.compile(
    r"\b(?:but|however|instead|therefore|thus|hence|yet|so|leaving|consistent with|suggest(?:s|ing|ive of)?|"
    r"compatible with|"
    r"in keeping with|representing|indicat(?:es|ing|ive of)|it is|it's|this is|sondern|sino|mas|pero|mais|но)\b|"
    r"而是|但|因此|所以"
)
_OR_AFTER = re.compile(r" ?(?:/|,? (?:and/)?or\b)")
_OR_BEFORE = re.compile(r"(?:/ ?|\bor (?:an? |the )?)$")
_SENTENCE_END = re.compile(r"(?<!\bvs)[.!?](?=\s|$)|[;\n]|。|！|？|；")
_CLAUSE_END = re.compile(r",|\(| [–—-] |\bbut\b|\bwith(?:out)?\b|\band\b|，")
# Behind one of these, after a few words that describe, stands what the reply asserts.
_ASSERTS = (
    r"shows?|showing|shown|demonstrat(?:es?|ing|ed)|depict(?:s|ing|ed)?|reveal(?:s|ing|ed)?|display(?:s|ing)?|"
    r"suggest(?:s|ing|ed|ive of)?|indicat(?:es?|ing|ive of)|represent(?:s|ing)?|illustrat(?:es?|ing)|"
    r"consistent with|compatible with|in keeping with|suspicious for|(?:typical|characteristic|diagnostic|"
    r"pathognomonic|features|evidence|signs?|findings|appearance|case|image|picture|view|classic|example) (?:of|for)|"
    r"due to|caused by|from|is|are|was|were|be|it's|that's|looks? like|(?:appears?|seems?) to be|resembl\w+|appears|"
    r"corresponds? to|points? to|matches|equals|"
    r"see|sees|seen|visible|visuali[sz]ed|identif(?:y|ied)|noted|located|situated|has|have|i\.?e\.?|namely|"
    r"(?:acquired|obtained|taken|performed|made|captured|generated|produced|created|using|used)(?: with| by|"
    r" via| using| on)?|"
    r"(?:rate|rated|classif\w+|grade|graded|describe|diagnose|diagnosed|interpret\w*|label) (?:it |this |that |"
    r"the \w+ )?as|"
    r"diagnosis|impression|conclusion|finding|findings|answer|"
    r"mostra|muestra|sugere|sugiere|indica|evidencia|montre|révèle|suggère|zeigt|toont|показывает|visar|viser|é|"
    r"es|est|ist|è"
)
_BETWEEN = (
    r"(?:[\s,:(\"']{1,3}(?!(?:for|about|than|against|until|who|which|when|patients?|to|missed|overlooked)\b)"
    r"[\w'./-]+){0,7}"
)
_ASSERTED = re.compile(
    rf"\b(?:{_ASSERTS}){_BETWEEN}[\s,:(\"']{{0,3}}$|(?:显示|提示|示|考虑|诊断|为|是|有|见|符合|属于|示す|示し)[^，。]{{0,12}}$"
)
# The reply's or sentence's own short phrase: "Bilateral pleural effusion", "MRI scan", "A polyp is seen in the colon".
_PHRASE_BEFORE = re.compile(r"[\s,.:>#-]{0,6}(?!to\b)(?:[\w'/-]+[\s:,(]{1,3}){0,4}$")
_PHRASE_AFTER = re.compile(
    r"(?: [\w'-]+){0,2} (?:is|are|was|were) (?:clearly |also )?(?:seen|present|visible|noted|shown|identified|"
    r"evident|"
    r"demonstrated|observed|depicted|found|detected|apparent|(?:most |very |more )?(?:likely|probable)(?=$|"
    r"[.,;])|the (?:most likely |likely )?(?:diagnosis|answer|"
    r"finding))\b"
    r"|(?! (?:is|are|was|were|has|have|can|may|would|will|should|must|typically|usually|often|commonly|shows?|"
    r"causes?|"
    r"depends|refers|means|occurs|requires|tends|presents|develops|affects)\b)(?:,? (?!(?:let|lets|i|we|"
    r"you)\b)[\w'/-]+|\)){0,3}(?:$| (?:in|of|at|on|with|involving|from|"
    r"within)\b|,(?! (?:let|i|we|you|it)\b)| ?[(:]| [–—-] )"
    r"|[\u3000-\ud7ff]{0,6}$"
)
_PICTURE_BEFORE = re.compile(r"(?:in )?(?:this|the)(?: [\w-]+){0,2} $")
_PICTURE_AFTER = re.compile(
    r"(?: (?:scans?|images?|slices?|stud(?:y|ies)))?(?: of (?:the )?[\w-]+)? (?:shows|demonstrates|reveals|"
    r"depicts|displays)\b"
)
_VERB = re.compile(r"\b(?:is|are|was|were|has|have|can|may|would|will|shows?|let|typically|usually|often|commonly)\b")
# Anywhere in the reply: the question is given back.
_GIVES_UP = re.compile(
    r"\b(?:cannot|can't|can not|could not|couldn't|unable to|not able to|impossible to|difficult to|hard to|"
    r"not possible to|insufficient(?:ly)? (?:to|for|quality|information|detail)|not enough|too (?:blurr|dark|"
    r"bright|noisy|low|poor|degraded|small)\w*|"
    r"don't (?:know|see an)|do not know|not sure|not certain|unsure|uncertain|not diagnostic|as an ai|sorry|"
    r"i apologi[sz]e|"
    r"please (?:upload|provide|share|attach|consult)|need (?:more|additional|further|to see)|none of|"
    r"all of the (?:above|options)|without more)\b|"
    r"无法|不能|不确定|難しい|判断できません"
)
_LABELLED = re.compile(
    r"(?:^|[\s(\[])[a-z][.):\]](?= ?\S)|\b(?:option|choice|answer|letter) [\"'(]?[a-z]\b", re.MULTILINE
)
_LINKS_BEFORE = re.compile(
    r"a|an|the|is|are|was|of|in|on|at|as|to|by|be|this|that|its|with|shows|show|"
    r"showing|demonstrates|demonstrate|demonstrating|depicts|depicting|suggests|suggest|"
    r"suggesting|indicates|indicate|indicating|represents|representing|reveals|revealing|likely|"
    r"probably|typical|classic|classical|large|small|acute|chronic|left|right|bilateral|mild|"
    r"moderate|severe|diagnosis|impression|consistent|compatible|for|from|visible|clear|obvious|"
    r"apparent|possible|early|late|focal|diffuse|and|or|no|not"
)

# --- Options that are everyday words ----------------------------------------------------------------------

_NEVER = re.compile(
    r"yes|no|none|other|others|unknown|absent|present|positive|negative|true|false|both|"
    r"neither"
)
_NUMBERS = re.compile(r"zero|one|two|three|four|five|six|seven|eight|nine|ten")
_STATES = re.compile(r"normal|abnormal|healthy|diseased|benign|malignant")
_SUBJECT = (
    r"(?:image|scan|study|film|radiograph|x-?ray|ct|mri|picture|examination|exam|slide|fundus|ecg|eeg|appearance|"
    r"photograph|ultrasound|sonogram|mammogram|lesion|mass|tumou?r|nodule|tissue|result|finding|findings)s?"
)
_PICTURE_IS = re.compile(
    rf"\b{_SUBJECT} (?:is|are|looks?|appears?|seems?)(?: (?:to be|most likely|likely|probably|completely)){{0,2}} $"
)
_THIS_IS = re.compile(r"\b(?:this|it|that) (?:is|looks|appears|seems)(?: to be)?(?: an?)? $")
_STATE_ENDS = re.compile(r"[.,]?$|[.,!](?: |$)")
_PICTURE_FOLLOWS = re.compile(rf"(?: [\w-]+){{0,2}} {_SUBJECT}\b")
_PHRASE_BEGINS = re.compile(r"(?:^|[.\n:] ?)(?:an? )?$")
_MEASURES = re.compile(r" ?(?:[.,]\d|%|mm|cm|ml|mg|kg|years?|months?|days?|weeks?|hours?|°|x\b|/|-)")
_COUNTED = re.compile(
    r"\b(?:there (?:is|are)|shows?|see|count(?:s|ed)?|contains?|total of|number (?:of [\w ]{1,40} )?is|exactly|"
    r"identify)"
    r" (?:about |exactly |only )?$"
)


class _Mention(NamedTuple):
    option: int
    start: int
    end: int


@functools.lru_cache(maxsize=4096)
def _pattern(texts: tuple[str, ...]) -> re.Pattern[str]:
    """One alternative per option, the longest first, each a group `o<place>`."""
    order = sorted(range(len(texts)), key=lambda i: -len(texts[i]))
    return re.compile("|".join(f"(?P<o{i}>{_as_words(texts[i])})" for i in order if texts[i]))


def _as_words(text: str) -> str:
    # "x-ray" is "x ray" and "xray"
    body = (
        r"[ -]?".join(re.escape(part) for part in re.split(r"[ -]+", text) if part) if "-" in text else re.escape(text)
    )
    before = r"(?<![\w-])" if text[0].isascii() else ""
    plural = "s?" if text[-1].isascii() and text[-1].isalpha() and text[-1] != "s" and len(text) > 3 else ""
    after = rf"{plural}(?![a-z0-9_\u00aa-\u024f]|[-'][a-z0-9])" if text[-1].isascii() else ""
    return f"{before}{body}{after}"


def named_option(text: str, low: str, options: Sequence[tuple[str, str]], acronyms: Container[str]) -> str | None:
    """Return the letter of the one option that a reply names, or None.

    Args:
        text: the reply, plain and without markup.
        low: `text` in lower case, offset by offset.
        options: (letter, text in lower case) of every option whose text can be named.
        acronyms: letters of the options that are written in capitals; "US" is not named by "us".

    Returns:
        The letter of the one option named without denial or hedge; None where none or several are.
    """
    texts = tuple(option for _, option in options)
    if len(set(texts)) < len(texts) or not any(texts) or gives_up(low) or _LABELLED.search(low):
        return None
    named: set[int] = set()
    spoiled: set[int] = set()
    for found in _pattern(texts).finditer(low):
        mention = _Mention(int(str(found.lastgroup)[1:]), *found.span())
        in_small_letters = options[mention.option][0] in acronyms and not text[slice(*mention[1:])].isupper()
        if in_small_letters or not _can_be_named(mention, low, texts):
            spoiled.add(mention.option)
            continue
        verdict = _judge(mention, low)
        if verdict is None:
            return None
        (named if verdict else spoiled).add(mention.option)
    if len(named) != 1 or named & spoiled:
        return None
    return options[named.pop()][0]


def gives_up(low: str) -> bool:
    """Whether a reply (in lower case) says that it cannot answer."""
    return bool(_GIVES_UP.search(low))


def _judge(mention: _Mention, low: str) -> bool | None:
    """Whether the mention affirms its option: True, False (denied), or None (hedged, asked, or not asserted)."""
    window_start = max(0, mention.start - 300)
    before = low[window_start : mention.start]
    for end in _SENTENCE_END.finditer(before):
        window_start = max(0, mention.start - 300) + end.end()
    sentence_before = low[window_start : mention.start]
    contrast = 0
    for found in _CONTRAST.finditer(sentence_before):
        contrast = found.end()
    scope = sentence_before[contrast:]
    rest = low[mention.end : mention.end + 300]
    stop = _SENTENCE_END.search(rest)
    if stop and stop[0] in "?？":
        return None
    rest = rest[: stop.start()] if stop else rest
    clause_end = _CLAUSE_END.search(rest)
    clause = rest[: clause_end.start()] if clause_end else rest
    if _DENIED_BEFORE.search(scope) or _DENIED_AFTER.search(clause):
        return False
    if re.match(r", (?:but|although|though)\b", rest) and _HEDGED_BEFORE.search(rest):
        return None
    if _HEDGED_BEFORE.search(sentence_before) or _OR_AFTER.match(rest) or _OR_BEFORE.search(sentence_before):
        return None
    if low[mention.start : mention.end].isdigit() or _COUNTED.search(scope) or _ASSERTED.search(scope):
        return True
    if _PHRASE_BEFORE.fullmatch(scope) and not _VERB.search(scope) and _PHRASE_AFTER.match(rest):
        return True
    return True if _PICTURE_BEFORE.fullmatch(scope) and _PICTURE_AFTER.match(rest) else None


def _can_be_named(mention: _Mention, low: str, texts: Sequence[str]) -> bool:
    """Whether the words at the mention are the option, and not part of another term or an everyday word."""
    option = texts[mention.option]
    after, before = low[mention.end : mention.end + 40], low[max(0, mention.start - 60) : mention.start]
    if _NEVER.fullmatch(option):
        return False
    if option.isdigit() or _NUMBERS.fullmatch(option):
        return bool(_COUNTED.search(before)) and not _MEASURES.match(after)
    if _STATES.fullmatch(option):
        return _is_state_of_the_picture(before, after)
    if re.match(r" (?:answer|option|choice|letter|one)\b", after) or re.search(r"\byou(?: a|')re $", before):
        return False  # "the right answer", "you are right"
    word_after = re.match(r" ([\w-]+)", after)
    if word_after and any(other.startswith(f"{option} ") for other in texts):
        return False  # "left lung base" where an option is "left lung apex"
    word_before = re.search(r"([\w-]+) $", before)
    longer = any(other.endswith(f" {option}") or (other.endswith(option) and other != option) for other in texts)
    return not (longer and word_before and not _LINKS_BEFORE.fullmatch(word_before[1]))


def _is_state_of_the_picture(before: str, after: str) -> bool:
    """ "The scan is abnormal", "this is a normal chest radiograph"; not "the heart is normal"."""
    if _PICTURE_IS.search(before):
        return True
    if _THIS_IS.search(before):
        return bool(_PICTURE_FOLLOWS.match(after) or _STATE_ENDS.match(after))
    return bool(_PHRASE_BEGINS.search(before) and _PICTURE_FOLLOWS.match(after))

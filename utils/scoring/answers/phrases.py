"""The words around an answer letter: what declares it, denies it, or only looks like it.

Tables for `answers`. Every pattern runs on lower-case text in which runs of blanks are one space. Every
repeat is bounded, so that a search costs time linear in the text. To teach the reader a language, add its row
to `CUES_OF_LANGUAGE` or `CUES_OF_SCRIPT`, and its cases to the tests.
"""

from __future__ import annotations

import re

# --- What comes between a cue and its letter --------------------------------------------------------------

# A letter ends where no letter or digit of an alphabet that parts words with spaces follows (in 答案是B因为 the
# letter ends before 因). U+0300 to U+036F are combining accents, U+0370 to U+052F Greek and Cyrillic.
LETTER_END = r"(?![0-9a-z\u00aa-\u024f\u0300-\u052f])"
OPENERS = r"[\s:\"'«»„「『【〔\[({<|=~#_>–—\-\\/.,]{0,12}"
CLOSERS = r"[\s\"'»」』】〕\])}>|_~]{0,6}"

_FILLERS = (
    "most likely|more likely|very likely|likely|probably|possibly|maybe|perhaps|definitely|clearly|certainly|"
    "surely|obviously|simply|just|still|now|indeed|therefore|thus|then|hence|actually|rather|either|between|"
    "both|one of|option|choice|letter|answer|the|that|it is|it's|to be|not|never|neither|no longer|"
    "anything but|other than|"
    "nicht|opción|opcion|la opción|la|el|le|l|a opção|opção|opção|alternativa|a alternativa|letra|a letra|lettera|"
    "lettre|buchstabe|"
    "вариант|选项|選択肢|選項|可能|应该|应为|应是|应|不是|不|선택지"
)
# Blank or punctuation after a filler word; CJK fillers need none.
_FILLER = rf"(?:(?:{_FILLERS})(?:[\s,:]{{1,3}}|(?<=[\u3040-\ud7ff])))"
SLOT = re.compile(rf"{OPENERS}(?P<fillers>(?:{_FILLER}{OPENERS}){{0,4}})(?P<letter>[a-z]){LETTER_END}")
OPENING = re.compile(OPENERS)
FILLING = re.compile(rf"{OPENERS}(?:{_FILLER}{OPENERS}){{0,4}}")
ARTICLE = re.compile(r"(?:an?|the) ")

# --- What declares a letter -------------------------------------------------------------------------------

# "is", "isn't", "would most likely be", "should not be": the negations are recognised afterwards by
# `NEGATION`.
_BE = (
    r"\b(?:(?:is|was|are|be|would|will|should|must|may|might|could|can|ca(?=n't)|wo(?=n't)|has|have|"
    r"appears?|seems?|"
    r"remains|becomes)(?:n't|not)?(?: (?:not|never|to|be|have|been|most|likely|probably|definitely|"
    r"clearly)){0,5})\b"
)
_LINK = rf"(?:{_BE}|[:=|→⇒]|[-=]{{1,2}}>|[–—-](?= ))"
_ABOUT = r"(?:,? (?:to|for|of|in|on|here|based|given|from|among|that|i|with|using)\b[^.!?\n:;]{0,50}?)?"
_QUALITY = (
    "correct|right|best|remaining|final|chosen|selected|appropriate|likely|probable|accurate|suitable|plausible|my|our"
)
_ASIDE = (
    r"(?: (?:would|will|must|shall|should|do|don't|am|have|had|to|going|therefore|thus|still|then|finally|"
    r"also|personally|confidently|not|wouldn't|won't|can't|cannot|never)){0,5}"
)

# A cue ends where its letter is expected. `open` cues take a letter with prose after it ("the answer is B
# because …"); after `strict` ones the letter has to end its sentence ("Conclusion: B."), and after a common
# `word` it has to stand in the same sentence too ("therefore, B."); a `tag` is markup.
_ENGLISH_OPEN = (
    rf"answers?(?: (?:choice|option|letter|key))?(?: ?\([^()\n]{{0,30}}\))?{_ABOUT} ?{_LINK}",
    rf"(?:{_QUALITY})(?: (?:and|most|final|best|correct|single|educated|possible)){{0,2}} (?:options?|choice|"
    rf"selection|guess|pick|response|match|fit|description|interpretation|diagnosis|alternative|letter|"
    rf"one|decision){_ABOUT} ?{_LINK}",
    rf"(?:i|we|you)(?:'d|'ll|'m|'ve)?{_ASIDE} (?:choose|choosing|chose|select|selected|pick|picked|go(?:ing)? with|"
    r"go(?:ing)? for|opt(?:ing)? for|say|answer with|answer|guess|vote for|settle on|lean(?:ing)? towards?)\b",
    r"ans\b(?: is\b| ?[:=.-])?",
)
_ENGLISH_STRICT = (
    r"answer\b",
    r"(?:correct|right|best|final|chosen|selected) (?:option|choice)\b",
    r"(?:choice|option|selection|solution|result|output|prediction|conclusion|decision|verdict|label|"
    r"diagnosis|"
    r"correct|response|correction) ?[:=|]",
)
_ENGLISH_WORDS = (
    r"(?:therefore|thus|hence|so|ergo|consequently|(?<!anything )but|actually|wait|no(?=,)|sure(?=,)|sorry|i mean|"
    r"make that|i think|i believe|"
    r"i suspect|it's|it is|it (?:must|would|could|might|may|should|has to) be|it (?:looks|seems) (?:like|"
    r"to be)|"
    r"that's|that is|this is|leav(?:es|ing)|points? to(?:wards?)?|pointing to|likely|probably|must be|if (?:i|"
    r"we) (?:had to|have to|must)(?: \w{1,12}){0,2}|"
    r"on reflection|"
    r"it (?:appears|looks) to be|on second thought|in conclusion|to conclude)\b",
)
_TAGS = (
    r"<(?:final|(?:final[ _-]?)?(?:answer|choice|option|conclusion))>",
    r"oxed ?\{",  # \boxed{ and \fbox's cousins; JSON turns \b into a backspace, so the b may be gone
    r"[\"'](?:(?:final|correct|predicted|selected|my)[ _]?)?(?:answer|choice|option|letter|prediction|"
    r"response|diagnosis)"
    r"(?:[ _](?:choice|letter|option|key))?[\"'] ?:",
)
# Languages that part words with blanks; each row starts at a word.
CUES_OF_LANGUAGE = {
    "Spanish": r"(?:respuesta|opción|opcion|alternativa|letra)(?: (?:correcta|final|más probable))?(?: (?:es|"
    r"sería|seria|"
    r"debe ser)\b| ?[:=])"
    r"|(?:elijo|escojo|selecciono)\b",
    "Portuguese": r"(?:resposta|opção|alternativa|letra)(?: (?:correta|certa|final|mais provável))?(?: (?:é|seria)"
    r"(?: a(?= [\"'(]?(?:[a-z]\b|letra|alternativa|opção)))?| ?[:=])"
    r"|(?:escolho|seleciono)\b",
    "French": r"réponse(?: correcte| finale)?(?: (?:est|serait)\b| ?[:=])|je choisis\b",
    "German": r"antwort(?:option)?(?: (?:ist|lautet|wäre)\b| ?[:=])|richtig (?:ist|wäre)\b|lösung(?: ist\b|"
    r" ?[:=])|ich wähle\b",
    "Italian": r"risposta(?: corretta| giusta| finale)?(?: (?:è|sarebbe)| ?[:=])|scelgo\b",
    "Dutch": r"antwoord(?: is\b| ?[:=])|ik kies\b",
    "Russian": r"(?:правильный|верный) ответ(?! ?[:=—–-]| не\b)|ответ(?: ?[:=—–-]| (?:это|будет)\b)|выбираю\b",
    "Ukrainian": r"відповідь(?: ?[:=—–-]| це\b)",
    "Polish": r"odpowiedź(?: (?:to|brzmi)\b| ?[:=])",
    "Turkish": r"(?:cevap|yanıt)(?: ?[:=])?",
    "Vietnamese": r"(?:đáp án|câu trả lời)(?: đúng)?(?: là| ?[:=])|chọn(?: đáp án)?(?= [\"'(]?[a-z]\b)",
    "Indonesian": r"jawaban(?:nya)?(?: (?:yang )?benar)?(?: adalah| ?[:=])",
    "Arabic": r"(?:الجواب|الإجابة|الاجابة|الإجابه|الخيار)(?: (?:الصحيح|الصحيحة|النهائية))?(?: (?:هو|هي)\b| ?[:=])",
    "Persian": r"(?:پاسخ|جواب)(?: (?:صحیح|درست))?(?: ?[:=])",
    "Hindi": r"(?:उत्तर|विकल्प)(?: ?[:=-])?",
    "Hebrew": r"ה?תשובה(?: ה?נכונה)?(?: היא\b| ?[:=])",
    "Swedish, Danish, Norwegian": r"svar(?:et)?(?: (?:är|er)\b| ?[:=])",
    "Czech": r"odpověď(?: je\b| ?[:=])",
    "Romanian": r"răspuns(?:ul)?(?: corect)?(?: este\b| ?[:=])",
    "Hungarian": r"(?:a )?(?:helyes )?válasz(?: ?[:=])?",
    "Greek": r"απάντηση(?: είναι\b| ?[:=])",
}
# Languages that do not, or whose particles stick to the word.
CUES_OF_SCRIPT = {
    "Chinese": r"(?:答案|选项|選項|答)(?:是|为|為|应为|應為|应该是|應該是|应是|选|選|[:=】])"
    r"|(?<![不别未没可筛])[选選](?:择|擇)?(?![択项項])|正确的是|应该是|應該是"
    r"|(?:诊断|診斷|结论|結論)(?:结果)?(?:是|为|為|:)|最[\u4e00-\u9fff]{1,6}(?:是|为)",
    "Japanese": r"(?:答え|回答|解答|正解|選択肢)(?:は|[:=】])",
    "Korean": r"(?:정답|답|답변)(?:은|는|이|[:=]| ?:)",
    "Thai": r"คำตอบ(?:ที่ถูกต้อง)?(?:คือ| ?[:=])",
}

# "the answer cannot be determined", "the answer remains unclear": takes back what was declared before.
_WITHDRAWAL = (
    r"(?:answer|choice|option)(?: \w{1,12}){0,3}? (?:(?:cannot|can't|can not|could not|couldn't) be|(?:is|"
    r"remains)"
    r"(?: a (?:bit|little))?)(?: \w{1,12})? ?(?:determin|given|identified|inferred|unclear|unknown|uncertain|"
    r"undetermined|indeterminate|impossible|not (?:clear|determin|possible|visible))"
)
WITHDRAWN = re.compile(
    r"(?:none\b|neither\b|unclear|unknown|uncertain|undetermined|indeterminate|impossible|unable|n/a\b|"
    r"cannot|can't|"
    r"i (?:cannot|can't|do not|don't|am unable)|not (?:clear|determin|possible|visible|available|given|"
    r"listed))"
)

# "B is correct", "B is the best answer", "B is wrong": a verdict on the letter before it.
_VERDICT = (
    r"(?P<judged>[a-z])(?![a-z0-9])[\"')\]}_]{0,3}(?P<verdict> would be my (?:best )?(?:guess|answer|choice|pick)"
    r"| (?:is|isn't|was|seems|appears|remains|must be)\b"
    r"(?: (?:not|the|clearly|definitely|probably|to|be|most|indeed|therefore|only|single|best|final|more)){0,5}"
    r" (?:correct|right|true|wrong|incorrect|false|mistaken|ruled out|excluded|"
    r"(?:(?:correct|right|best|most|likely|appropriate|suitable|plausible|probable|accurate|consistent) ?){0,3}"
    r"(?:answer|option|choice|diagnosis|match|fit|one)|"
    r"(?<=most )(?:likely|appropriate|suitable|plausible|probable))"
    r"(?=$|[\n.,;:!?)]| (?:because|since|as|for|given|based|due|here|and|but|so|that)\b)"
    r"| it is(?=$|[\n.!])"
    r"| (?:(?:best|better|clearly|certainly|most closely) )?(?:fits|matches|explains|describes|corresponds|"
    r"stands out)\b"
    r"| (?:does(?:n't| not)|cannot|can't) (?:fit|match|explain|describe|correspond|apply)\b"
    r"| (?:es|é|est|è|ist) (?:la |a |le |die |il )?(?:opción |opção |réponse |antwort )?"
    r"(?:correct[ae]?|corret[at]a?|richtige?|bonne|juste|certa)\b)"
)
_VERDICT_OF_SCRIPT = (
    r"(?<![0-9a-z])(?P<judged>[a-z])\)?(?P<verdict> ?(?:选项|選項|项)?(?:是|为|が|は)?"
    r"(?:正しい|正确|正確|对的|正解|不正确|错误|错的))"
)

_WORD_CUES = "|".join(
    (
        f"(?P<withdrawal>{_WITHDRAWAL})",
        _VERDICT,
        f"(?P<open>{'|'.join((*_ENGLISH_OPEN, *CUES_OF_LANGUAGE.values()))})",
        f"(?P<strict>{'|'.join(_ENGLISH_STRICT)})",
        f"(?P<word>{'|'.join(_ENGLISH_WORDS)})",
    )
)
# `(?<!\w)` comes once and first: most positions of a text are inside a word and fail right there.
CUE = re.compile(rf"(?P<tag>{'|'.join(_TAGS)})|(?<!\w)(?:{_WORD_CUES})")
CUE_OF_SCRIPT = re.compile(f"(?P<open>{'|'.join(CUES_OF_SCRIPT.values())})|{_VERDICT_OF_SCRIPT}")

# --- What denies a letter ---------------------------------------------------------------------------------

# Ends of a clause: what stands before them does not negate what comes after.
CLAUSE_END = re.compile(
    r"[.!?;:,\n()，。；：、！？]|\s[–—-]\s|\b(?:but|however|so|therefore|thus|hence|then|and|while|whereas|"
    r"because|since|"
    r"although|though|yet|pero|aber|mais|mas|ma|но)\b|但|所以|因此|故"
)
NEGATION = re.compile(
    r"\b(?:not|cannot|never|neither|nor|no longer|doubt|doubtful|unlikely|hardly|wrong|incorrect|false|"
    r"mistaken|"
    r"excluded?|excludes|eliminated?|eliminates|rule[sd]? out|anything but|other than|instead of|"
    r"rather than|isn't|"
    r"nicht|kein|keine|falsche|pas|nunca|incorrecta|incorrecte|errada|не|нет|ليس|ليست)\b|n't\b|不|非|错误"
)
CONDITION_BEFORE = re.compile(
    r"\b(?:if|whether|unless|assuming|suppose|supposing|wonder|ob|wenn|si)(?: that)?(?: (?:the|my|its|"
    r"this|your))?"
    rf"(?: (?:{_QUALITY}))?[\s\"'(]{{0,3}}$"
)
CONDITION_AFTER = re.compile(
    rf"{CLOSERS},? ?(?:(?:if|only if)\b(?! (?:i|we|you) (?:had|have|must|were|was))|unless\b|"
    rf"provided that|assuming\b)"
)
DENIAL_AFTER = re.compile(
    rf"{CLOSERS}(?:(?:is|was)(?:n't| not\b| wrong\b| incorrect\b| false\b| excluded\b| ruled out\b)|"
    r"では(?:な|あり)|じゃな|(?:이|가) ?아니|(?:이|가) ?아닙|नहीं|不对|不正确|不是|错)"
)

# --- What only looks like an answer letter ----------------------------------------------------------------

# After "A" or "I", or a lower-case letter, only these words leave it a label: else it is an article or a
# pronoun.
LABEL_CONTINUES = re.compile(
    r"(?:because|since|as|due|given|based|which|for|rather|instead|and|or|but|not|if|though|although|with|"
    r"porque|ya|car|parce|weil|da|denn|perché|omdat|adalah|है)\b"
)
# After any other capital, these words make it part of a term: B cell, C section, D dimer, E coli, H pylori.
TERM_CONTINUES = re.compile(
    r"(?:cells?|lymphocytes?|lymphoma|lines?|scans?|modes?|waves?|reactive|section|arm|spine|dimer|fib|"
    r"tubes?|pouch|"
    r"virus|antigen|vitamin|type|values?|peptide|ring|sign|profile|resistance|receptors?|channels?|"
    r"blockers?|test|"
    r"levels?|loop|flexure|score|streptococc\w*|hepatitis|coli|diff|pylori)\b"
)
# "C. difficile": species whose genus starts with one of A to J.
SPECIES = re.compile(
    r"[.] ?(?:abortus|actinomycetemcomitans|albicans|anthracis|asteroides|aureus|auris|baumannii|botulinum|"
    r"burgdorferi|burnetii|caninum|canis|capsulatum|cereus|chaffeensis|cloacae|coli|corrodens|"
    r"dermatitidis|difficile|"
    r"diff|diphtheriae|dispar|ducreyi|duodenale|faecalis|faecium|flavus|fragilis|freundii|fumigatus|glabrata|"
    r"granulosus|haemolyticus|henselae|histolytica|hominis|immitis|influenzae|israelii|jejuni|koseri|"
    r"krusei|lamblia|"
    r"lumbricoides|melitensis|multilocularis|neoformans|niger|parapsilosis|parvum|perfringens|pertussis|"
    r"phagocytophilum|"
    r"pneumoniae|psittaci|pylori|quintana|rhusiopathiae|tetani|trachomatis|tropicalis|vaginalis|"
    r"vermicularis)\b"
)
# "panel (b)", "Figure (A)", "nodule(s)": a parenthesis that is no answer.
NOT_AN_ANSWER_BEFORE = re.compile(
    r"(?:\w|\b(?:figures?|fig\.?|panels?|images?|views?|arrows?|labels?|labelled|slices?|series|parts?|"
    r"steps?|grade|"
    r"stage|type|vitamin|hepatitis|group|class|structure|region|area|point|marked|channel|lead) ?)$"
)

# --- Two letters at once ----------------------------------------------------------------------------------

# "B or C", "A/B", "(A) and (C)", "B (or possibly C)", "A或B"; the second letter must not begin a new clause
# ("B, C is wrong", "B and a drain").
_BOTH = (
    r"(?:[,/&+;|、，]|(?:and|or|and/or|vs\.?|versus|through|to|y|o|u|e|et|ou|und|oder|en|of|и|или)\b|أو|و|和|或者|或|"
    r"与|と|か|및|또는)"
)
SECOND_LETTER = re.compile(
    rf"{CLOSERS}\(?{_BOTH}[\s\"'(\[]{{0,4}}(?:(?:and|or|possibly|maybe|perhaps|even|also|option|choice|"
    rf"less likely|la|le|el|die)"
    rf"[\s,(\[]{{1,3}}){{0,3}}(?P<letter>[a-z]){LETTER_END}"
    rf"(?={CLOSERS}(?:$|[\n.,;:!?/&+\u3000-\ud7ff]|(?:and|or|are|could|would|may|might|both|depending|seem|"
    rf"because|"
    rf"since|as|given)\b))"
)
# "A B C D": capitals in a row, searched in the text as written.
CAPITALS_IN_A_ROW = re.compile(r" [A-Z](?=$|\n|[.,] ?$| [A-Z](?![\w'-]))")

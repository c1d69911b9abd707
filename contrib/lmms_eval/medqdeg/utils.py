"""MedQ-Deg (arXiv:2603.07769): when a medical image gets worse, does a model know that it knows less?

Every item is answered several times. Confidence is one minus the normalised entropy of the votes, and the calibration
shift is confidence minus accuracy.
"""

import ast
import base64
import io
import json
import math
import re
import unicodedata
from collections import Counter
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence

import datasets
from huggingface_hub import hf_hub_download
from PIL import Image

REPO_ID = "jiyaoliufd/MedQ-DEG-Bench"
LETTERS = ["A", "B", "C", "D", "E"]
COLUMNS = ["index", "image", "image_path", "question", *LETTERS, "answer", "modality", "degradation_type", "degradation_severity", "source"]
AS_TEXT = dict.fromkeys(COLUMNS, str)

MISSING_REPLIES = ("[LMMS_EVAL_REQUEST_FAILED", "[LMMS_EVAL_BUDGET_EXCEEDED")
EMPTY_CELLS = {"", "nan", "NaN", "null", "NULL", "<NA>", "#N/A"}
WORDS_FOR_NONE = {"None", "NA", "N/A", "n/a"}


def is_used(column: str) -> bool:
    """Whether a column of the files is read."""
    return column in AS_TEXT


def medqdeg_process_docs_l0(dataset: datasets.Dataset) -> datasets.Dataset:
    """Keep the clean items."""
    return _at_level(dataset, "0")


def medqdeg_process_docs_l1(dataset: datasets.Dataset) -> datasets.Dataset:
    """Keep the mildly degraded items."""
    return _at_level(dataset, "1")


def medqdeg_process_docs_l2(dataset: datasets.Dataset) -> datasets.Dataset:
    """Keep the severely degraded items."""
    return _at_level(dataset, "2")


def _at_level(dataset: datasets.Dataset, level: str) -> datasets.Dataset:
    severities = dataset["degradation_severity"] if "degradation_severity" in dataset.column_names else [""] * len(dataset)
    kept = [row for row, severity in enumerate(severities) if (str(severity).strip().upper().lstrip("L") or "0") == level]
    return dataset.select(kept)


def medqdeg_doc_to_visual(doc: Dict[str, Any]) -> List[Image.Image]:
    """Return the images of an item: one or a list, in base64 or as paths within the repository."""
    cell = (doc.get("image") or doc.get("image_path") or "").strip()
    entries = [cell]
    if cell.startswith("["):
        try:
            entries = json.loads(cell)
        except ValueError:
            entries = ast.literal_eval(cell)
    return [Image.open(io.BytesIO(_image_bytes(entry, is_path=not doc.get("image")))).convert("RGB") for entry in entries]


def _image_bytes(entry: str, is_path: bool) -> bytes:
    if is_path:
        return Path(hf_hub_download(REPO_ID, entry, repo_type="dataset")).read_bytes()
    return base64.b64decode(entry)


def medqdeg_doc_to_text(doc: Dict[str, Any], lmms_eval_specific_kwargs: Optional[Dict[str, Any]] = None) -> str:
    """Return question, options by letter and instruction."""
    kwargs = lmms_eval_specific_kwargs or {}
    options = "\n".join(f"{letter}. {text}" for letter, text in medqdeg_options(doc).items())
    return f"{kwargs.get('pre_prompt', '')}{doc['question'].strip()}\n\n{options}\n{kwargs.get('post_prompt', '')}"


def medqdeg_doc_to_messages(doc: Dict[str, Any], lmms_eval_specific_kwargs: Optional[Dict[str, Any]] = None) -> List[Dict[str, Any]]:
    """Return the chat message: the images, then the text."""
    content: List[Dict[str, Any]] = [{"type": "image", "url": image} for image in medqdeg_doc_to_visual(doc)]
    content.append({"type": "text", "text": medqdeg_doc_to_text(doc, lmms_eval_specific_kwargs)})
    return [{"role": "user", "content": content}]


def medqdeg_options(doc: Dict[str, Any]) -> Dict[str, str]:
    """Return the option texts by letter. "None" is an option, unless it fills several cells of the row."""
    texts = {letter: (doc.get(letter) or "").strip() for letter in LETTERS}
    several = sum(text in WORDS_FOR_NONE for text in texts.values()) > 1
    return {letter: text for letter, text in texts.items() if text not in EMPTY_CELLS and not (several and text in WORDS_FOR_NONE)}


def medqdeg_process_results(doc: Dict[str, Any], results: List[str]) -> Dict[str, Dict[str, Any]]:
    """Score the votes of one item; an item whose requests all failed has no score."""
    options = medqdeg_options(doc)
    answered = [reply for reply in results if not reply.lstrip().startswith(MISSING_REPLIES)]
    votes = [read_letter(reply, options) for reply in answered]
    question = "\n".join([doc.get("source") or "", doc["question"], *options.values()])
    item: Dict[str, Any] = {"index": doc["index"], "votes": votes, "answer": doc["answer"].strip().upper(), "source_question": question}
    if not votes:
        return dict.fromkeys(METRICS, item)
    accuracy = votes.count(item["answer"]) / len(votes)
    confidence = vote_confidence(votes, list(options))
    scores = (accuracy, confidence, confidence - accuracy, votes.count(None) / len(votes))
    return {metric: {**item, "score": score} for metric, score in zip(METRICS, scores)}


METRICS = ("medqdeg_accuracy", "medqdeg_confidence", "medqdeg_calibration_shift", "medqdeg_unread_rate")


def medqdeg_mean(results: List[Dict[str, Any]]) -> float:
    """Return the mean over the items that have a score."""
    scores = [result["score"] for result in results if "score" in result]
    return math.fsum(scores) / len(scores) if scores else math.nan


def vote_confidence(votes: Sequence[Optional[str]], letters: Sequence[str]) -> float:
    """Return 1 - H / log K of the votes; one that cannot be read is spread evenly over the K options."""
    counts = Counter(votes)
    shares = [(counts[letter] + counts[None] / len(letters)) / len(votes) for letter in letters]
    entropy = -math.fsum(share * math.log(share) for share in shares if share > 0)
    return min(1.0, max(0.0, 1.0 - entropy / math.log(len(letters))))


# Reading the letter out of a reply. What no rule reads is None, never a guess: in "A chest image" A is no vote.

THINKING = [(r"<think(?:ing)?>", r"</think(?:ing)?>"), ("◁think▷", "◁/think▷"), (r"\[THINK\]", r"\[/THINK\]"), ("<unused94>", "<unused95>")]
FINAL_CHANNEL = re.compile(r"<\|channel\|>final<\|message\|>|assistantfinal")
NEXT_TURN = re.compile(
    r"<\|(?!begin_of_box|end_of_box|channel|message)\w+\|>|<(?:end|start)_of_turn>|</s>|\[/?INST\]|\n\W{0,4}(?:user|human|assistant|instruction|(?:next )?question|q|问题|题目|用户)\W{0,3}\d{0,2}\W{0,3}[:：.]|\nreply with the letter",
    re.IGNORECASE,
)
MARKUP = re.compile(r"<\|[a-z_]+\|>|</?\w{2,}>|\\(?:text(?:bf)?|mathrm)\b|[*`$#|_{}\\]")
WHOLE = re.compile(r"\W*(?:(?:the|final|correct|option|answer|choice|assistant|boxed|probably|likely|1\.)\W+)*(?P<letter>[A-Za-z])\W*", re.IGNORECASE)
SEVERAL = r"(?!\W{0,3}(?:and|or|&|,|或)?\W{0,3}[A-Z](?![\w']))"
DENIED = re.compile(r"\b(?:not|never|neither|either|if|when|whether|why|incorrect|wrong|some)\b|n't\b|不", re.IGNORECASE)
UNABLE = re.compile(r"\b(?:no|cannot|unable|sorry|possible|options)\b|n’t\b", re.IGNORECASE)
UNDECIDED = re.compile(
    r"\b(?:no|not|neither|nor|non|kein\w*|não|cannot|unable|unlikely|unlike|less|without|none|if|whether|sorry|may|might|could|would|possib\w+|suspected|or|rather|question)\b"
    r"|\b(?:exclude|rule out|absen\w+|history|recommend\w*|further|please|differential|degraded|options?|last)\b|n't\b|n’t\b|\?",
    re.IGNORECASE,
)
CUE_WORDS = "answer|answer_letter|option|choice|letter|conclusion|response|diagnosis|réponse|respuesta|resposta|risposta|antwort|答案|选项|诊断|答え|الإجابة|đáp án"
DECLARATION = re.compile(
    rf"(?:(?:{CUE_WORDS})[^.!?\n:=]{{0,40}}?(?:\b(?:is|be|est|es|lautet|là|é|è)\b|[:=为是は|]|هي)|\b(?:choose|select|pick|say|must be|boxed|answer is)\b|选|答案)"
    r"\s{0,3}[^\w\n]{0,12}(?:(?:option|letter|la|a letra)\s+)?[^\w\n]{0,12}(?P<letter>[A-Za-z])(?![a-zà-ɏ\d'’/+&=-]|\.[a-z\d]| (?!because|since|as\b)[\w-]{2,})" + SEVERAL,
    re.IGNORECASE,
)
VERDICT = re.compile(r"(?<![A-Za-z])(?<!or )(?<!and )(?P<letter>[A-Z])\)?(?:选项)?(?:正确|\s+(?:is (?:the )?(?:most likely|correct|right|best)|fits best|best matches|would be correct)(?! (?:when|if)\b))")
LABEL = re.compile(r"\W*(?:option\s+)?(?P<letter>[A-Za-z])(?:[.):]\s*(?=[A-Z\d\u4e00-\u9fff]|$)|\s*[–—-]\s|\s*\(|\s*\n|\s+(?:because|since)\b|,? but )", re.MULTILINE)
BRACKETED = re.compile(r"\((?P<letter>[A-Z])\)|\boption (?P<option>[A-Z])\b(?!\W*[A-Z]\b)")


def read_letter(reply: str, options: Dict[str, str]) -> Optional[str]:
    """Return the option letter that a reply gives, or None where it gives none.

    The rules, the first that applies: the whole reply is a letter; it is an option's text; the last declaration ("the
    answer is B", "Answer: pneumonia"); a label that opens it ("B. Pneumonia"); one letter in brackets; one option named.
    """
    text = _own_words(reply)
    if whole := WHOLE.fullmatch(text):
        return _among(options, whole["letter"])
    counts = Counter(map(_plain, options.values()))
    texts = {_plain(option): letter for letter, option in options.items() if counts[_plain(option)] == 1}
    if _plain(text) in texts:
        return texts[_plain(text)]
    declared = _last_declaration(text, options, texts)
    if declared is not None:
        return declared
    if (label := LABEL.match(text)) and len(re.findall(r"^\W*[A-Z][.)]\s", text, re.MULTILINE)) < 2:
        return _among(options, label["letter"])
    lines = {line.strip(" .") for line in text.splitlines()} & set(options)
    bracketed = {found["letter"] or found["option"] for found in BRACKETED.finditer(text)}
    for letters in (lines, bracketed):
        if len(letters) == 1 and not (DENIED.search(text) or UNABLE.search(text)):
            return _among(options, letters.pop())
    return _only_one_named(text, options)


def _own_words(reply: str) -> str:
    """Return what the user is shown of the model's first turn; "" where the thinking never ends."""
    text = unicodedata.normalize("NFKC", reply).strip()
    if finals := list(FINAL_CHANNEL.finditer(text)):
        text = text[finals[-1].end() :]
    elif "<|channel|>analysis" in text:
        return ""
    for begin, end in THINKING:
        text = re.split(end, text)[-1]
        text = re.split(begin, text)[0]
    text = re.sub(r"\AUSER:.*?ASSISTANT:", "", text.strip(), flags=re.DOTALL)
    text = NEXT_TURN.split(text, maxsplit=1)[0] if NEXT_TURN.match(text) is None else text
    return re.sub(r"[^\S\n]+", " ", MARKUP.sub(" ", text)).strip()


def _plain(text: str) -> str:
    return " ".join(re.findall(r"[^\W_]+", text.lower()))


def _among(options: Dict[str, str], letter: str) -> Optional[str]:
    return letter.upper() if letter.upper() in options else None


def _last_declaration(text: str, options: Dict[str, str], texts: Dict[str, str]) -> Optional[str]:
    """Return the letter declared last; a denied declaration or one within a condition does not count."""
    found = sorted([*DECLARATION.finditer(text), *VERDICT.finditer(text)], key=lambda match: match.start())
    letters = []
    for match in found:
        clause = re.split(r"[.,;\n]", text[: match.start("letter")])[-1]
        if _among(options, match["letter"]) and not DENIED.search(clause):
            letters.append(match["letter"].upper())
    if letters:
        return letters[-1]
    for match in re.finditer(rf"(?:{CUE_WORDS}|impression)\s*(?:is|:)\s*(?:an?\s|the\s)?(?P<text>[^.\n]+)", text, re.IGNORECASE):
        if _plain(match["text"]) in texts:
            letters.append(texts[_plain(match["text"])])
    return letters[-1] if letters else None


def _only_one_named(text: str, options: Dict[str, str]) -> Optional[str]:
    """Return the one option whose text stands in the reply, where nothing in it is denied."""
    if UNDECIDED.search(text):
        return None
    words = f" {_plain(text)} "
    named = [letter for letter, option in options.items() if re.search(r"[^\W\d]{2}", option) and f" {_plain(option)} " in words]
    return named[0] if len(named) == 1 else None

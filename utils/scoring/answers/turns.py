"""Where a model's own turn begins and ends; what it writes beyond that answers another question.

A model that does not stop goes on into a next turn ("### Human:", `<|im_start|>user`, `[/INST]`), a next question
("Question 2: …") or the prompt's instruction again. Some begin by repeating the turn that asked them.
"""

from __future__ import annotations

import re

_ENDS = (
    r"<\|(?:im_end|eot_id|endoftext|end_of_text|end_of_sentence|end▁of▁sentence|return|end|eom_id|endofutterance)\|>"
    r"|</s>|<end_of_turn>|<turn\|>|<eos>|<end_of_utterance>"
)
_ASKING_ROLE = r"human|user|usr|instruction|用户|用戶|提问"
_ANSWERING_ROLE = r"assistant|ai|bot|chatgpt|gpt|助手|助理"
_QUESTION = (
    r"(?:(?:next|new|another|second|follow-?up) )?(?:question|exercise|problem|pergunta|pregunta|domanda|frage|"
    r"вопрос|"
    r"问题|题目|下一题|問題)"
)
_NUMBER = r"(?: ?(?:no\.? ?|#)?\d{1,3})"
_ASKS = (
    r"<\|(?:im_start|start_header_id|header_start|role_start)\|>(?:user|human)\b(?:<\|(?:end_header_id|"
    r"header_end|role_end)\|>)?"
    rf"|<\|(?:user|human|begin_of_text)\|>|<start_of_turn>user\b|\[INST\]"
    rf"|(?:^[^\w\n]{{0,6}}|\#\#\#? ?)(?:{_ASKING_ROLE})[^\w\n:]{{0,3}}:|^(?:user|human)$"
    r"|(?<=[.!?>] )(?:user|human):|^\#{1,4} ?(?:user|human|instruction)[^\w\n]{0,3}$"
)
_QUESTIONS = (
    r"<image>|^\#{1,4} ?question[^\w\n]{0,3}(?:\d{1,3})?$"
    rf"|^\d{{1,2}}[.)] [^\n]{{3,300}}[?:]\n{{1,3}}(?=\(?A[.):] )"
    rf"|^[^\w\n]{{0,6}}(?:{_QUESTION}(?:{_NUMBER}[^\w\n]{{0,3}}[:.)]|[^\w\n:]{{0,3}}:)|q(?:{_NUMBER}[:.)]|:))"
)
_ANSWERS = (
    r"<\|(?:im_start|start_header_id|header_start|role_start)\|>(?:assistant|model)?\b(?:<\|(?:end_header_id|"
    r"header_end|role_end)\|>)?"
    rf"|<\|assistant\|>|<start_of_turn>model\b|\[/INST\]"
    rf"|(?:^[^\w\n]{{0,6}}|\#\#\#? ?)(?:{_ANSWERING_ROLE})[^\w\n:]{{0,3}}:|(?<=[.!?>] )assistant:|^assistant$"
)
_INSTRUCTION = (
    r"^(?:please )?(?:reply|answer|respond|output)(?: the question)?(?: directly)?(?: with)?(?: only| just)?"
    r"(?: (?:the|a|one|an))?(?: single)?(?: correct)? (?:option'?s?|letter|choice'?s?)\b[^\n]*$"
)
_MARKER = re.compile(
    rf"(?P<ends>{_ENDS})|(?P<asks>{_ASKS})|(?P<question>{_QUESTIONS})|(?P<answers>{_ANSWERS})|(?P<told>{_INSTRUCTION})",
    re.IGNORECASE | re.MULTILINE,
)
# One of these is in every marker; most replies have none, and are done after one quick search.
_HINT = re.compile(
    r"[<\[:]|\#\#|^(?:user|human|assistant)$|^(?:please )?(?:reply|answer|respond|output)\b|\d[.)]",
    re.IGNORECASE | re.MULTILINE,
)
_RESPONSE = re.compile(r"^\#{2,3} ?response[^\w\n]{0,3}\n?", re.IGNORECASE | re.MULTILINE)
_ANSWER_LINE = re.compile(
    r"^[^\w\n]{0,6}(?:(?:answer|答案|答|resposta|respuesta)[^\w\n:]{0,3}:|a:(?![^\n]*\n\W{0,4}b:))",
    re.IGNORECASE | re.MULTILINE,
)
_OPTION_LINE = re.compile(r"^[^\w\n]{0,4}[A-Z][.):] ?\S", re.MULTILINE)
_LETTER_FIRST = re.compile(r"[^\w\n]{0,6}[A-Za-z][^\w\n]{0,6}(?:\n|\Z)")


def own_turn(text: str) -> str:
    """Return the part of a reply that answers the question asked.

    Args:
        text: the reply without thinking, folded (`reply_text.fold`).

    Returns:
        What stands before the next turn. A turn of the asker or a question that opens the reply (an echo of the prompt)
        is left out as far as the answer to it. Linear in the length of `text`.
    """
    if not _HINT.search(text):
        return text.strip()
    start, searched, echo = 0, 0, None
    for marker in _MARKER.finditer(text):
        kind = marker.lastgroup
        if echo:
            answer = _ANSWER_LINE.search(text, searched, marker.start())
            searched = marker.end()
            if kind == "answers":
                start, echo = marker.end(), None
            elif kind != "told" and answer:
                return f"Answer: {text[answer.end() : marker.start()].strip()}"
            continue
        before = text[start : marker.start()].strip()
        repeats_prompt = kind == "told" and not _LETTER_FIRST.match(before) and _lists_options(before)
        if before and not repeats_prompt:
            return _without_heading(before)
        start = searched = marker.end()
        echo = kind if kind in ("asks", "question") else None
    rest = text[start:].strip()
    if echo:
        if response := _RESPONSE.search(rest):
            return rest[response.end() :].strip()
        if answer := _ANSWER_LINE.search(rest):
            return f"Answer: {rest[answer.end() :].strip()}"
        if echo == "asks":  # nothing but the asker's own words
            return ""
    return _without_heading(rest)


def _lists_options(text: str) -> bool:
    return len(_OPTION_LINE.findall(text)) >= 2


def _without_heading(text: str) -> str:
    heading = _RESPONSE.match(text)
    return text[heading.end() :].strip() if heading else text

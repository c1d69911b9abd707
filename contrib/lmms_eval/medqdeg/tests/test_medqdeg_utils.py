import math

import pytest
from lmms_eval.tasks.medqdeg import utils

DOC = {
    "index": "7",
    "image": "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg==",
    "question": "What does the image show?",
    "A": "Pneumonia",
    "B": "Pleural effusion",
    "C": "Pneumothorax",
    "D": "",
    "E": "",
    "answer": "b",
    "degradation_severity": "L1",
    "source": "example",
}
OPTIONS = {"A": "Pneumonia", "B": "Pleural effusion", "C": "Pneumothorax"}


def test_medqdeg_doc_to_messages_gives_image_then_question():
    messages = utils.medqdeg_doc_to_messages(DOC, {"pre_prompt": "", "post_prompt": "Reply with the letter."})

    image, text = messages[0]["content"]
    assert image["url"].size == (1, 1)
    assert image["url"].mode == "RGB"
    assert text["text"] == "What does the image show?\n\nA. Pneumonia\nB. Pleural effusion\nC. Pneumothorax\nReply with the letter."


@pytest.mark.parametrize(
    ("reply", "letter"),
    [
        ("B", "B"),
        ("(b).", "B"),
        ("The answer is **B** because the angle is blunted.", "B"),
        ("Pleural effusion.", "B"),
        ("<think>Maybe A.</think>Answer: C", "C"),
        ("<think>The answer is A", None),
        ("First I said the answer is A. The answer is C.", "C"),
        ("The answer is not A.", None),
        ("A chest image without findings.", None),
        ("I cannot give a definite answer.", None),
        ("A or B", None),
        ("The answer is F", None),
        ("B\nUser: next one\nAssistant: The answer is A.", "B"),
        ("", None),
    ],
)
def test_read_letter(reply, letter):
    assert utils.read_letter(reply, OPTIONS) == letter


def test_medqdeg_process_results_counts_votes():
    results = utils.medqdeg_process_results(DOC, ["B", "B", "A", "no idea", "[LMMS_EVAL_REQUEST_FAILED] timeout"])

    shares = [(1 + 1 / 3) / 4, (2 + 1 / 3) / 4, (1 / 3) / 4]
    confidence = 1 + sum(share * math.log(share) for share in shares) / math.log(3)
    assert results["medqdeg_accuracy"]["score"] == 0.5
    assert results["medqdeg_confidence"]["score"] == pytest.approx(confidence)
    assert results["medqdeg_calibration_shift"]["score"] == pytest.approx(confidence - 0.5)
    assert results["medqdeg_unread_rate"]["score"] == 0.25


def test_medqdeg_item_without_an_answer_has_no_score():
    failed = utils.medqdeg_process_results(DOC, ["[LMMS_EVAL_REQUEST_FAILED] timeout"])
    right = utils.medqdeg_process_results(DOC, ["B", "B"])

    assert "score" not in failed["medqdeg_accuracy"]
    assert utils.medqdeg_mean([failed["medqdeg_accuracy"], right["medqdeg_accuracy"]]) == 1.0


def test_medqdeg_confidence_is_one_when_votes_agree_and_zero_when_they_spread():
    assert utils.vote_confidence(["A", "A"], "ABC") == 1.0
    assert utils.vote_confidence(["A", "B", "C"], "ABC") == pytest.approx(0.0, abs=1e-12)
    assert utils.vote_confidence([None, None], "ABC") == pytest.approx(0.0, abs=1e-12)


def test_medqdeg_process_docs_splits_by_severity():
    import datasets

    rows = datasets.Dataset.from_list([{**DOC, "degradation_severity": severity} for severity in ("", "L1", "1", "L2", "2", "0")])

    counts = [len(split(rows)) for split in (utils.medqdeg_process_docs_l0, utils.medqdeg_process_docs_l1, utils.medqdeg_process_docs_l2)]
    assert counts == [2, 2, 2]

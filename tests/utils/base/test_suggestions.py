"""A misspelt name is answered with the one that was meant."""

from __future__ import annotations

import numpy as np
import pytest

from medqdeg.degradations import degrade, list_degradations
from medqdeg.utils.base.suggestions import did_you_mean


@pytest.mark.parametrize(
    ("name", "known", "said"),
    [
        ("gausian_noise", ["gaussian_noise", "motion_blur"], "did you mean 'gaussian_noise'? "),
        ("ANSWER", ["question", "answer"], "did you mean 'answer'? "),
        ("mr", {"mri": "MRI", "ct": "CT"}, "did you mean 'MRI'? "),
        ("zzz", ["question", "answer"], ""),
        (3, ["1", "2"], ""),
        ("x", [], ""),
    ],
)
def test_the_nearest_name(name: object, known: list[str] | dict[str, str], said: str) -> None:
    assert did_you_mean(name, known) == said


def test_several_names_are_joined() -> None:
    assert did_you_mean("task_l4", ["task_l0", "task_l1", "task_l2"], most=3).count("'task_l") == 3
    assert " or 'task_l" in did_you_mean("task_l4", ["task_l0", "task_l1"], most=3)


def test_the_degradations_say_it_by_themselves() -> None:
    with pytest.raises(ValueError, match=r"unknown degradation 'gausian-noise': did you mean 'gaussian_noise'\?"):
        degrade(np.zeros((8, 8), np.uint8), "gausian-noise", 1, seed=0)
    with pytest.raises(ValueError, match=r"unknown modality 'Xray-film': did you mean 'X-ray'\?"):
        list_degradations("Xray-film")
    with pytest.raises(ValueError, match="unknown modality 'PET': expected one of CT"):
        list_degradations("PET")

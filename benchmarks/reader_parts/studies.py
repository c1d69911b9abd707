"""Reader studies of known truth: a probit world with readers, questions and levels.

A reader r knows the answer to question q at level l with probability Phi(m_l + a_r + b_rl + c_q + d_ql), and guesses
among K options else. All effects are normal, so that the expected accuracy over readers and questions has a closed
form: 1/K + (1 - 1/K) Phi(m_l / sqrt(1 + sum of the variances)).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

Array = NDArray[np.float64]

LEVELS = 3


@dataclass(frozen=True)
class Design:
    """What is asked of whom, and how readers and questions vary.

    Attributes:
        name: as printed.
        sessions: 3 (every reader sees every level of each question) or 1 (one level, counterbalanced).
        change: whether the figure is L2 - L0 instead of L2.
        means: (3,) of the levels on the probit scale.
        reader: standard deviation of a reader's skill.
        reader_level: of a reader's own loss at a level.
        question: of the difficulty of a question.
        question_level: of how a question suffers at a level.
        k: options.
    """

    name: str
    sessions: int
    change: bool
    means: tuple[float, float, float] = (0.9, 0.6, 0.2)
    reader: float = 0.35
    reader_level: float = 0.15
    question: float = 1.0
    question_level: float = 0.4
    k: int = 4

    @property
    def truth(self) -> float:
        """Expected figure over readers and questions."""
        variance = self.reader**2 + self.reader_level**2 + self.question**2 + self.question_level**2
        known = special.ndtr(np.array(self.means) / np.sqrt(1 + variance))
        accuracy = 1 / self.k + (1 - 1 / self.k) * known
        return float(accuracy[2] - accuracy[0] if self.change else accuracy[2])


DESIGNS = (
    Design("3 sessions, L2", 3, False),
    Design("3 sessions, L2-L0", 3, True),
    Design("1 session, L2-L0", 1, True),
)


def simulated_study(design: Design, readers: int, questions: int, rng: np.random.Generator) -> tuple[Array, Array]:
    """Return (R, 3, G) whether right, and (R, 3, G) whether seen, as 0 and 1."""
    shape = (readers, LEVELS, questions)
    strength = np.reshape(design.means, (1, LEVELS, 1)) + rng.normal(0, design.reader, (readers, 1, 1))
    strength = strength + rng.normal(0, design.reader_level, (readers, LEVELS, 1))
    strength = strength + rng.normal(0, design.question, (1, 1, questions))
    strength = strength + rng.normal(0, design.question_level, (1, LEVELS, questions))
    known = rng.random(shape) < special.ndtr(strength)
    right = known | (rng.random(shape) < 1 / design.k)
    seen = np.ones(shape)
    if design.sessions == 1:
        group, reader, level = np.arange(questions) % LEVELS, np.arange(readers), np.arange(LEVELS)
        seen = (level[:, None] == (group + reader[:, None, None]) % LEVELS).astype(float)
    return right.astype(float), seen

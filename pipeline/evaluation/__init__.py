"""What was learnt: questions with known answers, scored for the base model and the trained one."""

from __future__ import annotations

MATRIX_FACTS = 16  # of each character, that everybody is asked for the bleed matrix, unless a command says otherwise

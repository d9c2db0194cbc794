"""What the policy's texts say of the detectors is what the detectors do; teachers read them and sign."""

import dataclasses

import pytest

from app.contract.policy import Detection
from detectors.likeness import FIRST_LOOKS

TEXTS = {field.name: str(field.metadata["doc"]) for field in dataclasses.fields(Detection)}


def test_what_the_face_is_compared_with_is_said() -> None:
    assert f"the first {FIRST_LOOKS} frontal looks of this session" in TEXTS["continuity"]


@pytest.mark.parametrize("name", ["phones", "books", "gaze", "headphones", "continuity", "loud_noise"])
def test_what_the_data_sheet_calls_advice_is_off_and_called_so(name: str) -> None:
    assert "advice" in TEXTS[name].lower()
    assert getattr(Detection(), name) is False


def test_no_score_of_the_policy_promises_to_move_the_word_phone() -> None:
    """``test_a_policy_moves_the_thresholds_and_never_the_words`` shows that none does."""
    promising = [name for name, text in TEXTS.items() if "Least score of" in text and "score of a phone" in text]
    assert not promising

"""How much a desktop lets the exam hold, in three tiers, and what each means to a person. Data only."""

from enum import StrEnum


class Tier(StrEnum):
    """``lockdown.select`` decides which; the journal's ``lockdown`` entry carries it."""

    A = "A"
    B = "B"
    C = "C"


MEANING = {
    Tier.A: "This computer was prepared for exams: its session shows the exam and runs nothing else.",
    Tier.B: "On this desktop the exam holds the screen and the keyboard, and sees which other programs come forward.",
    Tier.C: "This desktop lets the exam hold little: what it can't prevent or see is named and left to the recording.",
}


def meaning(tier: str) -> str:
    """Return the sentence for ``tier``, also for one that a later version invented."""
    return MEANING.get(Tier(tier), "") if tier in set(Tier) else "This tier is not known to this version."

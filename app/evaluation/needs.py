"""What is looked for: each thing needs switches of the policy to be on and models to be there. Pure."""

from collections.abc import Collection, Mapping

from app.contract.policy import Detection
from app.evaluation.truth import OBJECTS
from detectors.catalogue import ModelCard, Task
from detectors.coco import LABELS

NAMED = ("phone", *OBJECTS)
"""Things that are looked for under their own names, if a model knows these."""


def known(models: Mapping[str, ModelCard]) -> frozenset[str]:
    """Return the labels that the classes of ``models`` (by task) stand for."""
    return frozenset(LABELS[name] for card in models.values() for name in card.classes if name in LABELS)


def looked_for(policy: Detection, models: Mapping[str, ModelCard], refused: Collection[str]) -> frozenset[str]:
    """Return the things that ``policy`` has looked for by ``models``; ``refused`` are tasks, or things, without one.

    The themes of the detectors decide (``detectors.themes``); a second look only finds more of the same, and without
    its model that of the first look makes it.
    """
    objects = policy.objects and Task.OBJECTS not in refused
    faces = policy.faces and Task.FACES not in refused
    turned = faces and (policy.looking_away or policy.gaze) and Task.LANDMARKS not in refused
    voices = policy.speech and Task.SPEECH not in refused
    unnamed = {thing for thing, named in (("phone", policy.phones), ("book", policy.books)) if not named}
    needs = {
        **{thing: objects and thing not in unnamed and thing in known(models) for thing in NAMED},
        **dict.fromkeys(("object_in_hand", "absent"), objects),
        "headphones": objects and policy.headphones and "headphones" not in refused,
        "second_person": objects or faces,
        "no_face": objects and faces,
        "looking_away": turned,
        "speech": voices,
        "loud_noise": voices and policy.loud_noise,
    }
    return frozenset(thing for thing, met in needs.items() if met)

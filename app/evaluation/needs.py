"""What is looked for: each thing needs switches of the policy to be on and models to be there. Pure."""

from collections.abc import Collection

from app.contract.policy import Detection
from app.evaluation.truth import OBJECTS
from detectors.catalogue import Task


def looked_for(policy: Detection, refused: Collection[str]) -> frozenset[str]:
    """Return the things that ``policy`` has looked for where ``refused`` (tasks, or headphones) have no model.

    The themes of the detectors decide (``detectors.themes``); a second look only finds more of the same, and without
    its model that of the first look makes it.
    """
    objects = policy.objects and Task.OBJECTS not in refused
    faces = policy.faces and Task.FACES not in refused
    turned = faces and (policy.looking_away or policy.gaze) and Task.LANDMARKS not in refused
    voices = policy.speech and Task.SPEECH not in refused
    needs = {
        **dict.fromkeys(("phone", *OBJECTS, "object_in_hand", "absent"), objects),
        "headphones": objects and policy.headphones and "headphones" not in refused,
        "second_person": objects or faces,
        "no_face": objects and faces,
        "looking_away": turned,
        "speech": voices,
        "loud_noise": voices and policy.loud_noise,
    }
    return frozenset(thing for thing, met in needs.items() if met)

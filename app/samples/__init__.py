"""Sample footage and sound for machines without a camera or microphone; ``ensure_samples`` makes or finds them.

Demonstrations and tests only: what is played from here is always shown and reported as sample footage.
"""

from app.samples.ensure import Samples, ensure_samples

__all__ = ["Samples", "ensure_samples"]

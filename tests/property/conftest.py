"""How property tests run: the same examples every time, and no deadline, because machines are busy."""

from hypothesis import settings

settings.register_profile("fairlock", deadline=None, derandomize=True, max_examples=150)
settings.load_profile("fairlock")

"""A small exam site behind the gate, for demonstrations and tests."""

from server.demo_exam.site import create_app

__all__ = ["create_app"]

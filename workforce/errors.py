"""What the planner refuses, with a sentence that tells a person what to change."""

from __future__ import annotations


class WorkforceError(Exception):
    """Root of the planner's errors; its message is for a person, its ``error_id`` for a program."""

    error_id = "workforce"


class InputError(WorkforceError):
    """What was given cannot be planned with: a missing column, a value out of its range."""

    error_id = "bad_input"

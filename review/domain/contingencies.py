"""What a producer reports of its model, and what a plan for it may say."""

from enum import StrEnum

from pydantic import field_validator

from review.domain.modes import Mode
from review.domain.outputs import Strict, Text


class Trigger(StrEnum):
    """What can happen to a system's model."""

    MODEL_UNAVAILABLE = "model_unavailable"
    PRICE_CHANGED = "price_changed"
    VERSION_DEPRECATED = "version_deprecated"


class PlanText(Strict):
    """A plan: the mode that Holdpoint sets by itself (stricter than normal, or none), what stands in for the model,
    and what people do."""

    mode: Mode | None = None
    fallback: Text = ""
    instructions: Text = ""

    @field_validator("mode")
    @classmethod
    def _is_stricter(cls, mode: Mode | None) -> Mode | None:
        if mode is Mode.NORMAL:
            raise ValueError("a plan makes a system stricter: review_all, stopped, or null")
        return mode

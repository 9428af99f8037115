"""The written content of the scenario, read from the YAML files beside this module."""

from functools import cache
from importlib.resources import files
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict

_FILES = ("tariffs", "meters", "moving", "billing", "heating", "solar", "support", "languages")


class _Written(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Slip(_Written):
    """One way in which an answer goes wrong: `find` becomes `put`; wrong words stand in [[ ]], or are `mark`.

    With `rest`, all that follows is replaced as well.
    """

    label: str
    find: str
    put: str
    rest: str | None = None
    mark: str | None = None
    note: str
    escalate: str | None = None


class Take(_Written):
    """A question to an article and its right answer, with the ways in which it can go wrong."""

    ask: str
    say: str
    also: tuple[str, ...] = ()
    note: str = ""
    escalate: str | None = None
    wrong: tuple[Slip, ...]


class Article(_Written):
    """A page of the help centre; `also` names pages that come up beside it; `tone` says how much small talk fits."""

    id: str
    title: str
    text: str
    language: str = "en"
    also: tuple[str, ...] = ()
    hostile: str | None = None
    tone: Literal["chatty", "plain", "urgent"] = "chatty"
    takes: tuple[Take, ...]


class Message(_Written):
    """A customer's message, and the intents it is easily mistaken for, nearest first."""

    text: str
    near: tuple[str, str, str]
    language: str = "en"
    hostile: str | None = None
    note: str = ""
    escalate: str | None = None


class Intent(_Written):
    """One of the router's intents: what belongs there, and messages that do."""

    guide: str
    messages: tuple[Message, ...]


class Action(_Written):
    """A tool call of the agent."""

    tool: str
    arguments: dict[str, Any]


class Misstep(_Written):
    """One way in which the agent goes wrong: other arguments (`set`), or another action (`do`)."""

    label: str
    set: dict[str, Any] = {}
    do: Action | None = None
    note: str
    escalate: str | None = None


class Playbook(_Written):
    """What the agent may do, as its rules say it."""

    title: str
    text: str


class Case(_Written):
    """A customer's request to the agent, what it knew, and the right action, with others of the same turn."""

    policy: str
    request: str
    talk: str
    account: str
    upload: str | None = None
    language: str = "en"
    hostile: str | None = None
    do: Action
    also: tuple[Action, ...] = ()
    note: str = ""
    wrong: tuple[Misstep, ...]


@cache
def articles() -> dict[str, Article]:
    """All pages of the help centre by id, in the order they were written."""
    pages = [Article.model_validate(page) for name in _FILES for page in _read(f"answers/{name}.yaml")]
    return {page.id: page for page in pages}


@cache
def intents() -> dict[str, Intent]:
    """The router's intents by name."""
    return {name: Intent.model_validate(intent) for name, intent in _read("router.yaml").items()}


@cache
def playbooks() -> dict[str, Playbook]:
    """The agent's rules by name."""
    return {name: Playbook.model_validate(book) for name, book in _read("agent.yaml")["policies"].items()}


@cache
def cases() -> tuple[Case, ...]:
    """Everything that customers ask of the agent."""
    return tuple(Case.model_validate(case) for case in _read("agent.yaml")["cases"])


@cache
def _read(name: str) -> Any:
    text = files(__package__).joinpath(*name.split("/")).read_text(encoding="utf-8")
    return yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - both are safe loaders

"""Who works at Lanternfield Energy, and which AI systems they answer for."""

from dataclasses import dataclass
from importlib.resources import files


@dataclass(frozen=True)
class Person:
    """Someone who signs in; `role` is reviewer, lead, owner, auditor or admin."""

    username: str
    name: str
    email: str
    role: str


@dataclass(frozen=True)
class DemoSystem:
    """One AI system with its owner and deputy (usernames), and its policy as YAML text: now, and in the first days."""

    slug: str
    name: str
    description: str
    owner: str
    deputy: str
    policy: str
    first_policy: str


def _person(username: str, name: str, role: str) -> Person:
    return Person(username, name, f"{name.lower().replace(' ', '.')}@example.com", role)


def policy(name: str) -> str:
    """One of the policies that were written, as YAML text."""
    return files(__package__).joinpath("policies", f"{name}.yaml").read_text(encoding="utf-8")


PEOPLE = (
    _person("maya", "Maya Okafor", "reviewer"),
    _person("jonas", "Jonas Lindqvist", "reviewer"),
    _person("lena", "Lena Hartmann", "reviewer"),
    _person("priya", "Priya Raman", "lead"),
    _person("daniel", "Daniel Reyes", "owner"),
    _person("ingrid", "Ingrid Vos", "auditor"),
    _person("sam", "Sam Whitaker", "admin"),
)
NEWCOMER = "lena"  # who is not at work yet
SKILLS = {
    "maya": ["language:es"],
    "jonas": ["language:de"],
    "lena": ["language:de"],
    "priya": ["language:de", "language:es"],
}

SYSTEMS = (
    DemoSystem(
        slug="help-center-answers",
        name="Help centre answers",
        description="Answers customers' questions from the articles of the help centre, in four languages.",
        owner="daniel",
        deputy="priya",
        policy=policy("help-center-answers"),
        first_policy=policy("help-center-answers"),
    ),
    DemoSystem(
        slug="ticket-router",
        name="Ticket router",
        description="Reads each incoming message and puts it into one of fifteen intents, which decides who gets it.",
        owner="priya",
        deputy="daniel",
        policy=policy("ticket-router"),
        first_policy=policy("ticket-router.first"),
    ),
    DemoSystem(
        slug="billing-agent",
        name="Billing agent",
        description="Acts on customers' accounts: credits, refunds, payment plans, tariff changes and visits.",
        owner="daniel",
        deputy="priya",
        policy=policy("billing-agent"),
        first_policy=policy("billing-agent.first"),
    ),
)

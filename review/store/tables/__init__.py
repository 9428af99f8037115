"""The tables. What must always hold is a constraint here; what is checked on the way in is in the domain."""

from review.store.tables.constraints import metadata
from review.store.tables.items import Comment, Decision, Gold, GoldAnswer, Item, ItemPayload, Question
from review.store.tables.people import Absence, ApiKey, Person, PersonSkill, SignInAttempt
from review.store.tables.record import AuditCheckpoint, AuditEvent, OutboxMessage
from review.store.tables.systems import Calibration, Contingency, Drill, Policy, PolicyDraft, System
from review.store.tables.work import (
    BulkChoice,
    Escalation,
    Pause,
    Queue,
    QueueMember,
    Reassignment,
    ServiceStep,
    Task,
    TaskBar,
    TaskSkill,
    TaskSkip,
)

__all__ = [
    "Absence",
    "ApiKey",
    "AuditCheckpoint",
    "AuditEvent",
    "BulkChoice",
    "Calibration",
    "Comment",
    "Contingency",
    "Decision",
    "Drill",
    "Escalation",
    "Gold",
    "GoldAnswer",
    "Item",
    "ItemPayload",
    "OutboxMessage",
    "Pause",
    "Person",
    "PersonSkill",
    "Policy",
    "PolicyDraft",
    "Question",
    "Queue",
    "QueueMember",
    "Reassignment",
    "ServiceStep",
    "SignInAttempt",
    "System",
    "Task",
    "TaskBar",
    "TaskSkill",
    "TaskSkip",
    "metadata",
]

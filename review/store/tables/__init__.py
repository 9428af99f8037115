"""The tables. What must always hold is a constraint here; what is checked on the way in is in the domain."""

from review.store.tables.constraints import metadata
from review.store.tables.items import Decision, Item, ItemPayload
from review.store.tables.people import ApiKey, Person, SignInAttempt
from review.store.tables.record import AuditCheckpoint, AuditEvent, OutboxMessage
from review.store.tables.systems import Policy, System
from review.store.tables.work import Escalation, Queue, Task, TaskSkip

__all__ = [
    "ApiKey",
    "AuditCheckpoint",
    "AuditEvent",
    "Decision",
    "Escalation",
    "Item",
    "ItemPayload",
    "OutboxMessage",
    "Person",
    "Policy",
    "Queue",
    "SignInAttempt",
    "System",
    "Task",
    "TaskSkip",
    "metadata",
]

"""Who acts, and what each role may do: the one permission table."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from review.errors import Forbidden


class Role(StrEnum):
    """What a person is here for."""

    REVIEWER = "reviewer"
    LEAD = "lead"
    OWNER = "owner"
    AUDITOR = "auditor"
    ADMIN = "admin"


class Permission(StrEnum):
    """One thing that may be allowed."""

    SUBMIT = "submit"  # send outputs and read what became of them
    DECIDE = "decide"  # claim tasks and decide them
    RESOLVE = "resolve"  # claim what was handed up
    READ_ITEMS = "read_items"
    READ_ESCALATIONS = "read_escalations"
    READ_OVERVIEW = "read_overview"
    READ_QUEUES = "read_queues"  # who works which queue, and how much waits there
    MANAGE_QUEUES = "manage_queues"  # settle how queues run, who gets what, and who is away or paused
    READ_AUDIT = "read_audit"
    EXPORT = "export"
    READ_POLICIES = "read_policies"
    ADMINISTER = "administer"


P = Permission
GRANTS: dict[Role, frozenset[Permission]] = {
    Role.REVIEWER: frozenset({P.DECIDE, P.READ_ITEMS, P.READ_OVERVIEW}),
    Role.LEAD: frozenset(
        {
            P.DECIDE,
            P.RESOLVE,
            P.READ_ITEMS,
            P.READ_ESCALATIONS,
            P.READ_OVERVIEW,
            P.READ_QUEUES,
            P.MANAGE_QUEUES,
            P.READ_POLICIES,
            P.EXPORT,
        }
    ),
    Role.OWNER: frozenset(
        {P.READ_ITEMS, P.READ_ESCALATIONS, P.READ_OVERVIEW, P.READ_QUEUES, P.READ_POLICIES, P.EXPORT, P.READ_AUDIT}
    ),
    Role.AUDITOR: frozenset(
        {P.READ_ITEMS, P.READ_ESCALATIONS, P.READ_OVERVIEW, P.READ_QUEUES, P.READ_POLICIES, P.EXPORT, P.READ_AUDIT}
    ),
    Role.ADMIN: frozenset(
        {
            P.READ_ITEMS,
            P.READ_ESCALATIONS,
            P.READ_OVERVIEW,
            P.READ_QUEUES,
            P.MANAGE_QUEUES,
            P.READ_POLICIES,
            P.EXPORT,
            P.READ_AUDIT,
            P.ADMINISTER,
        }
    ),
}


class ActorKind(StrEnum):
    """What kind of actor did something."""

    PERSON = "person"
    API_KEY = "api_key"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: a person (at the console or by a key of theirs), a producing system's key, or Holdpoint itself."""

    kind: ActorKind
    id: UUID | None
    name: str
    role: Role | None = None
    system_id: UUID | None = None
    key_id: UUID | None = None

    @property
    def person_id(self) -> UUID:
        """The person's id; raises Forbidden for an actor that is no person."""
        if self.kind is not ActorKind.PERSON or self.id is None:
            raise Forbidden("Only a person may do this.")
        return self.id

    def may(self, permission: Permission) -> bool:
        """Whether the permission table allows it."""
        if self.kind is ActorKind.SYSTEM:
            return True
        if self.kind is ActorKind.API_KEY:
            return permission is Permission.SUBMIT
        return self.role is not None and permission in GRANTS[self.role]

    def require(self, permission: Permission) -> None:
        """Raise Forbidden unless the permission table allows it."""
        if not self.may(permission):
            who = f"the role {self.role.value}" if self.role else "this key"
            raise Forbidden(
                f"{self.name} may not do this: {who} has no permission to {permission.value.replace('_', ' ')}."
            )

    def answers_for(self, owner_id: UUID, deputy_id: UUID) -> bool:
        """Whether the actor answers for a system: its owner or deputy, an admin, or Holdpoint itself."""
        is_named = self.kind is ActorKind.PERSON and self.id in (owner_id, deputy_id)
        return is_named or self.may(Permission.ADMINISTER)

    def may_see_system(self, system_id: UUID) -> bool:
        """A producing system's key sees its own items; people see all systems."""
        return self.system_id is None or self.system_id == system_id


HOLDPOINT = Actor(ActorKind.SYSTEM, None, "Holdpoint")


def person_actor(person_id: UUID, name: str, role: Role, key_id: UUID | None = None) -> Actor:
    """A person, at the console or by a key of theirs: with that person's rights."""
    return Actor(ActorKind.PERSON, person_id, name, role=role, key_id=key_id)


def system_actor(system_id: UUID, slug: str, key_id: UUID) -> Actor:
    """A producing system, by its key."""
    return Actor(ActorKind.API_KEY, key_id, slug, system_id=system_id, key_id=key_id)

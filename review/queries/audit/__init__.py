"""Verification of the audit trail: the chain, its signed checkpoints, and every row it vouches for."""

from review.queries.audit.findings import Kind, Problem, Verification
from review.queries.audit.verification import verify

__all__ = ["Kind", "Problem", "Verification", "verify"]

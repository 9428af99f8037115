"""Holdpoint: human review and escalation for production AI."""

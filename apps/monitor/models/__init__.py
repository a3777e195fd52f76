"""Tables of the monitor floor: who may use the API, what it answered, and what everybody did."""

from apps.monitor.models.answers import KeptAnswer
from apps.monitor.models.audit import AuditEntry, AuditHead
from apps.monitor.models.tokens import ApiToken

__all__ = ["ApiToken", "AuditEntry", "AuditHead", "KeptAnswer"]

"""Tables of the monitor floor: who may use the API, what it answered, what everybody did, and who is told."""

from apps.monitor.models.answers import KeptAnswer
from apps.monitor.models.audit import AuditEntry, AuditHead
from apps.monitor.models.channels import Channel, ChannelKind, Delivery, DeliveryState
from apps.monitor.models.tokens import ApiToken

__all__ = [
    "ApiToken", "AuditEntry", "AuditHead", "Channel", "ChannelKind", "Delivery", "DeliveryState", "KeptAnswer",
]  # fmt: skip

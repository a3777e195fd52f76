"""Tables of the monitor floor: who may use the API and what it answered, what everybody did, what is told to whom."""

from apps.monitor.models.alerts import Alert, AlertPass, AlertRule, AlertState, Comparison, ReadingSample, Severity
from apps.monitor.models.answers import KeptAnswer
from apps.monitor.models.audit import AuditEntry, AuditHead
from apps.monitor.models.channels import Channel, ChannelKind, Delivery, DeliveryState
from apps.monitor.models.health import Heartbeat
from apps.monitor.models.reports import LetterState, Report, ReportKind, ReportLetter, ReportRecipient
from apps.monitor.models.slos import Indicator, Slo, SloSample
from apps.monitor.models.telegram import TelegramCode, TelegramOffset, TelegramUser
from apps.monitor.models.tokens import ApiToken

__all__ = [
    "Alert", "AlertPass", "AlertRule", "AlertState", "ApiToken", "AuditEntry", "AuditHead", "Channel", "ChannelKind",
    "Comparison", "Delivery", "DeliveryState", "Heartbeat", "Indicator", "KeptAnswer", "LetterState", "ReadingSample",
    "Report", "ReportKind", "ReportLetter", "ReportRecipient", "Severity", "Slo", "SloSample", "TelegramCode",
    "TelegramOffset", "TelegramUser",
]  # fmt: skip

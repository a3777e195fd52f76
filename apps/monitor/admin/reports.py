"""Reports to be read as they were mailed, who gets them, what became of each letter."""

from __future__ import annotations

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.clickjacking import xframe_options_sameorigin

from apps.exchanges.admin.readonly import ReadOnlyAdmin
from apps.monitor.analytics.reports.letter import mail_is_set
from apps.monitor.analytics.reports.services import letters_again, letters_prepare
from apps.monitor.analytics.reports.shown import shown
from apps.monitor.models import Report, ReportLetter, ReportRecipient

# The page within the page may show itself, and nothing else: it runs nothing, loads nothing and leads nowhere.
POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'; sandbox"


@admin.register(Report)
class ReportAdmin(ReadOnlyAdmin[Report]):
    """Daily and weekly reports, the latest first."""

    list_display = ["subject", "kind", "start", "made_at"]
    list_filter = ["kind"]
    fields = ["subject", "page"]
    readonly_fields = ["page"]
    actions = ["send_again"]
    change_list_template = "admin/monitor/report_list.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Report]:
        """Leave the pages out of the list."""
        return super().get_queryset(request).defer("html", "text", "picture")

    def get_urls(self) -> list[URLPattern]:
        """Add the page of a report, which is shown in a frame, and those of figures and exports."""
        from apps.monitor.admin.analytics import pages  # noqa: PLC0415  they hang beneath this one

        own = path("<int:report_id>/page/", self.admin_site.admin_view(self.show), name="monitor_report_page")
        return [own, *pages(self), *super().get_urls()]

    @xframe_options_sameorigin
    def show(self, request: HttpRequest, report_id: int) -> HttpResponse:
        """Return a report as it was mailed."""
        report = Report.objects.filter(pk=report_id).first()
        if report is None or not self.has_view_permission(request, report):
            raise PermissionDenied
        return HttpResponse(shown(report), headers={"Content-Security-Policy": POLICY})

    @admin.display(description="")
    def page(self, report: Report) -> SafeString:
        """Show the report."""
        address = reverse("admin:monitor_report_page", args=[report.pk])
        style = "width:100%;max-width:720px;height:1500px;border:1px solid var(--hairline-color);border-radius:6px"
        return format_html('<iframe src="{}" title="{}" style="{}" sandbox></iframe>', address, report.subject, style)

    @admin.action(description="Mail to recipients who have not got it", permissions=["send"])
    def send_again(self, request: HttpRequest, reports: QuerySet[Report]) -> None:
        """Put letters into the queue; the next pass sends them."""
        if not mail_is_set():
            self.message_user(request, "No mail server is set: EMAIL_HOST is empty.", messages.ERROR)
            return
        waiting = sum(letters_prepare(report) + letters_again(report) for report in reports)
        self.message_user(request, f"{waiting} letters wait to be sent.")

    def has_send_permission(self, request: HttpRequest) -> bool:
        """Let those mail who may say who gets mail."""
        return request.user.has_perm("monitor.change_reportrecipient")


@admin.register(ReportRecipient)
class ReportRecipientAdmin(admin.ModelAdmin[ReportRecipient]):
    """Who gets reports."""

    list_display = ["address", "daily", "weekly", "enabled"]
    list_editable = ["daily", "weekly", "enabled"]


@admin.register(ReportLetter)
class ReportLetterAdmin(ReadOnlyAdmin[ReportLetter]):
    """What became of each letter."""

    list_display = ["report", "address", "state", "attempts", "tried_at", "sent_at", "error"]
    list_filter = ["state"]
    list_select_related = ["report"]

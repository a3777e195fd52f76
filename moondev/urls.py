"""Addresses of the web process: the dashboard, the admin, and the way there."""

from django.conf import settings
from django.contrib import admin
from django.urls import path
from django.views.generic import RedirectView

from apps.monitor.dashboard_page import dashboard
from apps.monitor.health.slos.page import slo_page

admin.autodiscover()

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="dashboard")),
    path("dashboard/", dashboard, name="dashboard"),
    path("slo/", slo_page, name="slo"),
    path("flower", RedirectView.as_view(url=settings.FLOWER_URL)),
    path("admin/", admin.site.urls),
]

"""Addresses of the web process: the dashboard, the admin, and the way there."""

from django.contrib import admin
from django.urls import path
from django.views.generic import RedirectView

from apps.monitor.dashboard_page import dashboard

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="dashboard")),
    path("dashboard/", dashboard, name="dashboard"),
    path("admin/", admin.site.urls),
]

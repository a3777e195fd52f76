"""Positions opened before their age was kept: they are as old as their latest change at least."""

from django.db import migrations
from django.db.models import F


def date(apps, schema_editor):
    positions = apps.get_model("exchanges", "Position").objects.filter(opened_at=None).exclude(quantity=0)
    positions.update(opened_at=F("updated_at"))


class Migration(migrations.Migration):
    dependencies = [("exchanges", "0018_largest_market_order")]

    operations = [migrations.RunPython(date, migrations.RunPython.noop)]

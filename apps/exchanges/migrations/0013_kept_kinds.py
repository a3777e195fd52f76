"""Limits for what only the lake keeps: books a month, marks a year."""

from __future__ import annotations

from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

POLICIES = (("books", 30), ("marks", 365))


def make_policies(apps: StateApps, _editor: BaseDatabaseSchemaEditor) -> None:
    policy = apps.get_model("exchanges", "HistoryPolicy")
    for kind, keep in POLICIES:
        policy.objects.get_or_create(kind=kind, defaults={"hot_days": None, "keep_days": keep})


class Migration(migrations.Migration):
    dependencies = [
        ("exchanges", "0012_short_ids"),
    ]

    operations = [
        migrations.AlterField(
            model_name="historypolicy",
            name="kind",
            field=models.CharField(
                choices=[
                    ("candles", "candles"),
                    ("trades", "trades"),
                    ("funding", "funding rates"),
                    ("books", "order books"),
                    ("marks", "mark prices"),
                ],
                max_length=10,
                primary_key=True,
                serialize=False,
            ),
        ),
        migrations.RunPython(make_policies, migrations.RunPython.noop),
    ]

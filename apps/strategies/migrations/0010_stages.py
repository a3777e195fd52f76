"""The stage of strategies that were here before there were any."""

from django.db import migrations


def place(apps, schema_editor):
    """Put what already runs on paper into the stage of paper. Real money stays out until somebody promotes it."""
    rows = apps.get_model("strategies", "StrategyRow").objects.filter(stage="research", enabled=True)
    for row in rows.select_related("account__venue"):
        if row.account.venue.environment != "live":
            row.stage, row.stage_since = "paper", row.created_at
            row.save(update_fields=["stage", "stage_since"])


class Migration(migrations.Migration):
    dependencies = [("strategies", "0009_promotion")]

    operations = [migrations.RunPython(place, migrations.RunPython.noop)]

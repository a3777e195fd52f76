"""Note with each mark which accounts it adds up."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ('risk', '0002_allocations_and_events'),
    ]

    operations = [
        migrations.AddField(
            model_name='highwatermark',
            name='members',
            field=models.TextField(blank=True, default=''),
        ),
    ]

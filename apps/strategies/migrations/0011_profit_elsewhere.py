import apps.exchanges.models.fields
from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('strategies', '0010_stages'),
    ]

    operations = [
        migrations.AddField(
            model_name='strategyrow',
            name='profit_elsewhere',
            field=apps.exchanges.models.fields.AmountField(decimal_places=12, default=0, editable=False, max_digits=30),
        ),
    ]

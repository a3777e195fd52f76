from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models

from moondev.domain.orders import OrderStatus


class Migration(migrations.Migration):
    # The table has several rows for every order ever sent: it must stay writable while the index is built.
    atomic = False

    dependencies = [("exchanges", "0024_vanished_protection")]

    operations = [
        AddIndexConcurrently(
            model_name="orderevent",
            index=models.Index(
                fields=["at"], condition=models.Q(status_to=OrderStatus.UNKNOWN), name="event_unknown"
            ),
        ),
    ]

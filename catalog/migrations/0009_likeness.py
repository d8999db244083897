from django.db import migrations, models

import catalog.models.likeness

NAMED = ('role', 'environment', 'approvergroup', 'accesspolicy')


class Migration(migrations.Migration):

    dependencies = [
        ('catalog', '0008_principals'),
    ]

    operations = [
        *(
            migrations.AddField(
                model_name=model,
                name='likeness',
                field=models.CharField(editable=False, max_length=360, null=True),
            )
            for model in NAMED
        ),
    ]

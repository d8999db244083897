import catalog.models.likeness
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('catalog', '0010_fill_likeness'),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name='approvergroup',
            name='approver_group_name_unique',
        ),
        migrations.RemoveConstraint(
            model_name='environment',
            name='environment_name_unique',
        ),
        migrations.RemoveConstraint(
            model_name='role',
            name='role_name_unique',
        ),
        migrations.AlterField(
            model_name='accesspolicy',
            name='likeness',
            field=catalog.models.likeness.Likeness(editable=False, max_length=360, unique=True),
        ),
        migrations.AlterField(
            model_name='accesspolicy',
            name='name',
            field=models.CharField(max_length=120),
        ),
        migrations.AlterField(
            model_name='approvergroup',
            name='likeness',
            field=catalog.models.likeness.Likeness(editable=False, max_length=360, unique=True),
        ),
        migrations.AlterField(
            model_name='environment',
            name='likeness',
            field=catalog.models.likeness.Likeness(editable=False, max_length=360, unique=True),
        ),
        migrations.AlterField(
            model_name='historicalaccesspolicy',
            name='name',
            field=models.CharField(max_length=120),
        ),
        migrations.AlterField(
            model_name='role',
            name='likeness',
            field=catalog.models.likeness.Likeness(editable=False, max_length=360, unique=True),
        ),
    ]

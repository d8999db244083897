from django.db import migrations

from catalog.names import likeness

NAMED = ('Role', 'Environment', 'ApproverGroup', 'AccessPolicy')


def fill(apps, schema_editor):
    for label in NAMED:
        model = apps.get_model('catalog', label)
        taken = {}
        for row in model.objects.order_by('pk'):
            row.likeness = likeness(row.name)
            if row.likeness in taken:
                raise ValueError(
                    f'Two rows of {model._meta.verbose_name_plural} have names that readers take for the same: '
                    f'{taken[row.likeness]!r} and {row.name!r}. Rename one of them before you upgrade.'
                )
            taken[row.likeness] = row.name
            # Without a version: what history keeps does not change.
            model.objects.filter(pk=row.pk).update(likeness=row.likeness)


class Migration(migrations.Migration):

    dependencies = [
        ('catalog', '0009_likeness'),
    ]

    operations = [
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]

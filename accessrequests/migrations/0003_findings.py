import django.db.models.deletion
import simple_history.models
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accessrequests', '0002_doubt'),
        ('catalog', '0001_catalog'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Finding',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('principal_type', models.CharField(choices=[('USER', 'Person'), ('GROUP', 'Group')], max_length=5)),
                ('principal_id', models.CharField(max_length=47)),
                ('principal_name', models.CharField(blank=True, help_text='As AWS has it; empty: not known.', max_length=1024)),
                ('status', models.CharField(choices=[('open', 'Open'), ('accepted', 'Accepted'), ('adopted', 'Adopted'), ('removing', 'Being removed'), ('removed', 'Removed'), ('gone', 'Gone by itself')], default='open', max_length=8)),
                ('first_seen_at', models.DateTimeField()),
                ('last_seen_at', models.DateTimeField()),
                ('settled_at', models.DateTimeField(blank=True, null=True)),
                ('reason', models.TextField(blank=True)),
                ('until', models.DateTimeField(blank=True, help_text='When adopted access is taken away.', null=True)),
                ('owner', models.CharField(blank=True, help_text='Who answers for accepted access.', max_length=200)),
                ('review_at', models.DateTimeField(blank=True, help_text='When accepted access is open again.', null=True)),
                ('closed_at', models.DateTimeField(blank=True, help_text='When AWS was known to hold it no longer.', null=True)),
                ('outcome', models.TextField(blank=True, help_text='How it ended, in words.')),
            ],
            options={
                'ordering': ('account__name', 'permission_set__name', 'first_seen_at'),
            },
        ),
        migrations.CreateModel(
            name='HistoricalFinding',
            fields=[
                ('id', models.UUIDField(db_index=True, default=uuid.uuid4, editable=False)),
                ('principal_type', models.CharField(choices=[('USER', 'Person'), ('GROUP', 'Group')], max_length=5)),
                ('principal_id', models.CharField(max_length=47)),
                ('principal_name', models.CharField(blank=True, help_text='As AWS has it; empty: not known.', max_length=1024)),
                ('status', models.CharField(choices=[('open', 'Open'), ('accepted', 'Accepted'), ('adopted', 'Adopted'), ('removing', 'Being removed'), ('removed', 'Removed'), ('gone', 'Gone by itself')], default='open', max_length=8)),
                ('first_seen_at', models.DateTimeField()),
                ('settled_at', models.DateTimeField(blank=True, null=True)),
                ('reason', models.TextField(blank=True)),
                ('until', models.DateTimeField(blank=True, help_text='When adopted access is taken away.', null=True)),
                ('owner', models.CharField(blank=True, help_text='Who answers for accepted access.', max_length=200)),
                ('review_at', models.DateTimeField(blank=True, help_text='When accepted access is open again.', null=True)),
                ('closed_at', models.DateTimeField(blank=True, help_text='When AWS was known to hold it no longer.', null=True)),
                ('outcome', models.TextField(blank=True, help_text='How it ended, in words.')),
                ('history_user_id', models.CharField(blank=True, default='', max_length=100, verbose_name='changed by')),
                ('history_change_reason', models.TextField(blank=True, null=True)),
                ('history_id', models.AutoField(primary_key=True, serialize=False)),
                ('history_date', models.DateTimeField(db_index=True)),
                ('history_type', models.CharField(choices=[('+', 'Created'), ('~', 'Changed'), ('-', 'Deleted')], max_length=1)),
            ],
            options={
                'verbose_name': 'historical finding',
                'verbose_name_plural': 'historical findings',
                'ordering': ('-history_date', '-history_id'),
                'get_latest_by': ('history_date', 'history_id'),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name='ScanCursor',
            fields=[
                ('id', models.PositiveSmallIntegerField(default=1, primary_key=True, serialize=False)),
                ('account_id', models.CharField(blank=True, max_length=12)),
                ('permission_set_arn', models.CharField(blank=True, max_length=224)),
                ('started_at', models.DateTimeField(blank=True, help_text='When this round began.', null=True)),
                ('seen', models.PositiveIntegerField(default=0, help_text='Pairs seen in this round.')),
                ('passed_over', models.PositiveIntegerField(default=0, help_text='Pairs that AWS would not tell of in this round.')),
                ('finished_at', models.DateTimeField(blank=True, help_text='When the last whole round ended.', null=True)),
                ('last_seen', models.PositiveIntegerField(default=0, help_text='Pairs seen in the last whole round.')),
                ('last_passed_over', models.PositiveIntegerField(default=0)),
                ('attempts', models.PositiveSmallIntegerField(default=0, help_text='How often the next pair could not be read.')),
                ('trouble', models.TextField(blank=True, help_text='What AWS said last, when it did not tell.')),
                ('claim', models.UUIDField(blank=True, null=True)),
                ('claimed_until', models.DateTimeField(blank=True, null=True)),
            ],
        ),
        migrations.AddField(
            model_name='assignment',
            name='adopted_until',
            field=models.DateTimeField(blank=True, help_text='Standing access that an admin made ours: it stays until then, and then goes.', null=True),
        ),
        migrations.AddField(
            model_name='historicalassignment',
            name='adopted_until',
            field=models.DateTimeField(blank=True, help_text='Standing access that an admin made ours: it stays until then, and then goes.', null=True),
        ),
        migrations.AddConstraint(
            model_name='assignment',
            constraint=models.CheckConstraint(condition=models.Q(('is_standing', False), ('adopted_until__isnull', True), _connector='OR'), name='assignment_adopted_is_ours'),
        ),
        migrations.AddField(
            model_name='finding',
            name='account',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='catalog.account'),
        ),
        migrations.AddField(
            model_name='finding',
            name='permission_set',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='catalog.permissionset'),
        ),
        migrations.AddField(
            model_name='finding',
            name='settled_by',
            field=models.ForeignKey(blank=True, help_text='The admin.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='historicalfinding',
            name='account',
            field=models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='catalog.account'),
        ),
        migrations.AddField(
            model_name='historicalfinding',
            name='permission_set',
            field=models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='catalog.permissionset'),
        ),
        migrations.AddField(
            model_name='historicalfinding',
            name='settled_by',
            field=models.ForeignKey(blank=True, db_constraint=False, help_text='The admin.', null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddConstraint(
            model_name='scancursor',
            constraint=models.CheckConstraint(condition=models.Q(('id', 1)), name='scan_cursor_once'),
        ),
        migrations.AddIndex(
            model_name='finding',
            index=models.Index(condition=models.Q(('closed_at__isnull', False)), fields=['closed_at'], name='finding_closed'),
        ),
        migrations.AddIndex(
            model_name='finding',
            index=models.Index(condition=models.Q(('status', 'accepted')), fields=['review_at'], name='finding_review'),
        ),
        migrations.AddConstraint(
            model_name='finding',
            constraint=models.UniqueConstraint(condition=models.Q(('status__in', ['accepted', 'adopted', 'open', 'removing'])), fields=('principal_type', 'principal_id', 'permission_set', 'account'), name='finding_unfinished_once'),
        ),
        migrations.AddConstraint(
            model_name='finding',
            constraint=models.CheckConstraint(condition=models.Q(('status__in', ['open', 'accepted', 'adopted', 'removing', 'removed', 'gone'])), name='finding_status_known'),
        ),
        migrations.AddConstraint(
            model_name='finding',
            constraint=models.CheckConstraint(condition=models.Q(('principal_type__in', ('USER', 'GROUP'))), name='finding_principal_known'),
        ),
        migrations.AddConstraint(
            model_name='finding',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('status__in', ['accepted', 'adopted', 'removing']), _negated=True), models.Q(models.Q(('reason', ''), _negated=True), ('settled_at__isnull', False), ('settled_by__isnull', False)), _connector='OR'), name='finding_settled_says_who_and_why'),
        ),
        migrations.AddConstraint(
            model_name='finding',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('status', 'accepted'), _negated=True), models.Q(models.Q(('owner', ''), _negated=True), ('review_at__isnull', False)), _connector='OR'), name='finding_accepted_has_an_owner_and_a_date'),
        ),
        migrations.AddConstraint(
            model_name='finding',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('status__in', ['adopted', 'removing']), _negated=True), models.Q(('principal_type', 'USER'), ('until__isnull', False)), _connector='OR'), name='finding_adopted_has_an_end'),
        ),
        migrations.AddConstraint(
            model_name='finding',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('closed_at__isnull', True), ('status__in', ['accepted', 'adopted', 'open', 'removing'])), models.Q(('closed_at__isnull', False), ('status__in', ('removed', 'gone'))), _connector='OR'), name='finding_closed_has_a_time'),
        ),
    ]

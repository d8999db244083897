"""The demo's company: an AWS organisation of 24 accounts, and the eleven people and nine groups of its directory."""

from dataclasses import dataclass
from typing import Final

from jitportal.demo.directory import Group, Person
from jitportal.demo.simulator import Account, Organisation, PermissionSet, User
from jitportal.environment import EMBEDDED

WORKLOADS: Final = ("Payments", "Ledger", "Onboarding", "Data Platform", "Website", "Shared Services")
ENVIRONMENTS: Final = ("Sandbox", "Development", "Staging", "Production")


def _account_id(environment: int, workload: int) -> str:
    return f"{4100 + environment * 11:04d}{7300 + workload * 37:04d}{2200 + (environment * 6 + workload) * 13:04d}"


ACCOUNTS: Final = {
    environment: tuple(
        Account(
            id=_account_id(e, w),
            name=f"{workload} {environment}",
            email=f"aws+{workload.lower().replace(' ', '-')}-{environment.lower()}@harbour.example",
            ou=f"Workloads/{environment}",
            tags={"workload": workload.lower().replace(" ", "-"), "environment": environment.lower()},
        )
        for w, workload in enumerate(WORKLOADS)
    )
    for e, environment in enumerate(ENVIRONMENTS)
}

_AWS: Final = "arn:aws:iam::aws:policy/"
PERMISSION_SETS: Final = (
    PermissionSet(
        "DeveloperAccess",
        "Build and debug services: compute, queues, logs; no identity or network.",
        "PT4H",
        (f"{_AWS}PowerUserAccess",),
        '{"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "ec2:*Vpc*", "Resource": "*"}]}',
    ),
    PermissionSet(
        "DevOpsAccess",
        "Deploy and operate: infrastructure as code, scaling, networking.",
        "PT2H",
        (f"{_AWS}PowerUserAccess", f"{_AWS}IAMReadOnlyAccess"),
    ),
    PermissionSet(
        "ProductionSupport",
        "Read logs and metrics, restart services, replay messages.",
        "PT1H",
        (f"{_AWS}CloudWatchReadOnlyAccess", "restart-services"),
    ),
    PermissionSet(
        "DataAnalystReadOnly",
        "Query the warehouse and read curated buckets.",
        "PT4H",
        (f"{_AWS}AmazonAthenaFullAccess", "curated-buckets-read"),
    ),
    PermissionSet(
        "DatabaseAdministrator",
        "Administer databases: parameters, snapshots, sessions.",
        "PT1H",
        (f"{_AWS}job-function/DatabaseAdministrator",),
    ),
    PermissionSet(
        "SecurityAuditor",
        "Read every configuration and trail; change nothing.",
        "PT8H",
        (f"{_AWS}SecurityAudit", f"{_AWS}job-function/ViewOnlyAccess"),
    ),
)


def _group(number: int, name: str) -> Group:
    return Group(f"a0000000-0000-4000-8000-{number:012d}", name)


ADMINS: Final = _group(1, "Access Portal Admins")
COMPLIANCE: Final = _group(2, "Compliance")
PAYMENTS: Final = _group(11, "Payments Engineering")
PLATFORM: Final = _group(12, "Platform Engineering")
DATA: Final = _group(13, "Data Analysts")
ON_CALL: Final = _group(14, "Production Support Rota")
LEADS: Final = _group(21, "Engineering Leads")
SECURITY: Final = _group(22, "Security Duty Officers")
DATABASES: Final = _group(23, "Database Guild")
GROUPS: Final = (ADMINS, COMPLIANCE, PAYMENTS, PLATFORM, DATA, ON_CALL, LEADS, SECURITY, DATABASES)


def _object_id(number: int) -> str:
    return f"b0000000-0000-4000-8000-{number:012d}"


def _person(
    number: int, name: str, job_title: str, department: str, part: str, *groups: Group, manager: int = 0
) -> Person:
    user_name = f"{name.lower().replace(' ', '.')}@harbour.example"
    return Person(
        object_id=_object_id(number),
        name=name,
        user_name=user_name,
        email=user_name,
        department=department,
        job_title=job_title,
        groups=groups,
        part=part,
        manager=_object_id(manager) if manager else "",
    )


ADA: Final = _person(
    1,
    "Ada Lindqvist",
    "Software Engineer",
    "Payments",
    "Asks for access, and is on the support rota.",
    PAYMENTS,
    ON_CALL,
    manager=3,
)
BEN: Final = _person(2, "Ben Okafor", "Software Engineer", "Payments", "Asks for access.", PAYMENTS, manager=3)
CHIARA: Final = _person(
    3,
    "Chiara Rossi",
    "Engineering Lead",
    "Payments",
    "Decides first, as an engineering lead.",
    PAYMENTS,
    LEADS,
)
DANIEL: Final = _person(
    4,
    "Daniel Novak",
    "DevOps Engineer",
    "Platform",
    "Asks for access to run the platform.",
    PLATFORM,
    ON_CALL,
    manager=5,
)
EMMA: Final = _person(
    5,
    "Emma Fischer",
    "Platform Lead",
    "Platform",
    "Decides first, and asks for access, too.",
    PLATFORM,
    LEADS,
)
FARID: Final = _person(6, "Farid Haddad", "Security Officer", "Security", "Decides second on Production.", SECURITY)
GRACE: Final = _person(
    7, "Grace Kim", "Security Auditor", "Security", "Decides second on Production, and audits.", SECURITY
)
HUGO: Final = _person(
    8, "Hugo Martins", "Data Analyst", "Data", "Asks for data, as a contractor would.", DATA, manager=3
)
INES: Final = _person(9, "Ines Moreau", "Access Manager", "Platform", "Keeps the catalog in the admin.", ADMINS)
JONAS: Final = _person(
    10, "Jonas Weber", "Compliance Officer", "Risk", "Reads and exports the audit trail.", COMPLIANCE
)
KIRSTEN: Final = _person(
    11, "Kirsten Dahl", "Access Manager", "Platform", "Accepts what Ines proposes for Production.", ADMINS
)
PEOPLE: Final = (ADA, BEN, CHIARA, DANIEL, EMMA, FARID, GRACE, HUGO, INES, JONAS, KIRSTEN)

ORGANISATION: Final = Organisation(
    management_account=Account(id="410000000001", name="Harbour Management", email="aws@harbour.example"),
    accounts=tuple(account for accounts in ACCOUNTS.values() for account in accounts),
    permission_sets=PERMISSION_SETS,
    users=tuple(User(person.user_name, person.name, person.email) for person in PEOPLE),
)


@dataclass(frozen=True)
class PolicyPlan:
    """One access policy of the demo; durations in hours, stages as (approver group's name, approvals needed).

    `step_up` is the authentication context that asking and agreeing need, proved within a quarter of an hour. It
    approves at once up to `at_once_hours`, or while on call in a group or by a schedule, if it names one.
    """

    role: str
    environment: str
    groups: tuple[Group, ...]
    permission_set: str
    default_hours: int
    longest_hours: int
    accounts: int
    stages: tuple[tuple[str, int], ...] = ()
    ticket: str = ""
    step_up: str = ""
    least_reason: int | None = None
    at_once_hours: int | None = None
    on_call_group: Group | None = None
    on_call_schedule: str = ""


ROLES: Final = {
    "Developer": "Builds and debugs services in the team's own accounts.",
    "DevOps Engineer": "Deploys and operates services: infrastructure as code, scaling, networking.",
    "Production Support": "Finds out what is wrong and gets it running again, without changing the system.",
    "Data Analyst": "Queries curated data to answer questions of the business.",
    "Database Administrator": "Looks after databases: parameters, snapshots, stuck sessions.",
    "Security Auditor": "Reads configurations and trails everywhere, and changes nothing.",
}
APPROVERS: Final = {
    "Engineering leads": (LEADS,),
    "Security duty": (SECURITY,),
    "Database guild": (DATABASES, LEADS),
    # Drawn from no group: whoever the directory names as that.
    "Requester’s manager": (),
}
LEAD: Final = (("Engineering leads", 1),)
LEAD_THEN_SECURITY: Final = (("Engineering leads", 1), ("Security duty", 1))
MANAGER_THEN_SECURITY: Final = (("Requester’s manager", 1), ("Security duty", 1))
INCIDENT: Final = "(INC|CHG)-[0-9]{4,8}"

# Who takes turns of a week by which schedule; the first of them has just taken over when the demo begins.
ON_CALL_SCHEDULES: Final = {"Platform on call": (DANIEL, EMMA)}

POLICIES: Final = (
    PolicyPlan("Developer", "Sandbox", (PAYMENTS, PLATFORM, DATA), "DeveloperAccess", 4, 8, 6),
    PolicyPlan("DevOps Engineer", "Sandbox", (PLATFORM,), "DevOpsAccess", 4, 8, 6),
    PolicyPlan("Data Analyst", "Sandbox", (DATA,), "DataAnalystReadOnly", 4, 8, 6),
    PolicyPlan("Developer", "Development", (PAYMENTS, PLATFORM), "DeveloperAccess", 4, 8, 3, LEAD, at_once_hours=1),
    PolicyPlan("DevOps Engineer", "Development", (PLATFORM,), "DevOpsAccess", 4, 8, 6, LEAD),
    PolicyPlan(
        "Database Administrator",
        "Development",
        (PAYMENTS, PLATFORM),
        "DatabaseAdministrator",
        2,
        4,
        2,
        (("Database guild", 1),),
    ),
    PolicyPlan("Data Analyst", "Development", (DATA,), "DataAnalystReadOnly", 4, 8, 3, LEAD),
    PolicyPlan("Developer", "Staging", (PAYMENTS, PLATFORM), "DeveloperAccess", 2, 4, 2, LEAD),
    PolicyPlan(
        "DevOps Engineer",
        "Staging",
        (PLATFORM,),
        "DevOpsAccess",
        2,
        4,
        3,
        LEAD,
        at_once_hours=2,
        on_call_group=ON_CALL,
    ),
    PolicyPlan(
        "Production Support",
        "Production",
        (ON_CALL,),
        "ProductionSupport",
        1,
        4,
        2,
        LEAD_THEN_SECURITY,
        INCIDENT,
    ),
    PolicyPlan(
        "DevOps Engineer",
        "Production",
        (PLATFORM,),
        "DevOpsAccess",
        1,
        2,
        1,
        LEAD_THEN_SECURITY,
        INCIDENT,
        step_up="c1",
    ),
    PolicyPlan(
        "Database Administrator",
        "Production",
        (PLATFORM,),
        "DatabaseAdministrator",
        1,
        2,
        1,
        (("Database guild", 1), ("Security duty", 1)),
        INCIDENT,
        on_call_schedule="Platform on call",
    ),
    PolicyPlan("Security Auditor", "Production", (SECURITY,), "SecurityAuditor", 4, 8, 6, (("Security duty", 1),)),
    PolicyPlan(
        "Data Analyst",
        "Production",
        (DATA,),
        "DataAnalystReadOnly",
        1,
        2,
        1,
        MANAGER_THEN_SECURITY,
        INCIDENT,
        least_reason=40,
    ),
)

assert (EMBEDDED["instance"], EMBEDDED["store"]) == (
    ORGANISATION.instance_arn,
    ORGANISATION.identity_store_id,
)
assert (EMBEDDED["admins"], EMBEDDED["compliance"]) == (ADMINS.object_id, COMPLIANCE.object_id)

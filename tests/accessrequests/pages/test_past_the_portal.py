"""What somebody holds in AWS past the portal is shown to them, and to those who decide what else they get."""

import uuid
from datetime import timedelta

import pytest

from accessrequests import drift, findings, workflow
from jitportal.demo import organisation as company
from tests.accessrequests.conftest import Office
from tests.accessrequests.drifting import found
from tests.accessrequests.pages.conftest import Browse, text

pytestmark = pytest.mark.django_db
SAID = "found in AWS: the portal did not give it"


def test_the_holder_reads_of_it_and_of_its_end(office: Office, browse: Browse) -> None:
    ben = browse(company.BEN)
    assert SAID not in text(ben.get("/"))
    finding = found(office, company.BEN)
    assert SAID in text(ben.get("/"))
    until = office.moment.time + timedelta(days=2)
    findings.adopt(user_id=office.user(company.INES).pk, finding_id=finding.pk, until=until, reason="For the move.")
    said = text(ben.get("/"))
    assert f"{SAID}; ends" in said
    assert "in 2 days" in said
    assert SAID not in text(browse(company.ADA).get("/"))


def test_whoever_decides_reads_of_it(office: Office, browse: Browse) -> None:
    found(office, company.BEN)
    made, chiara = office.submit_production(company.BEN), browse(company.CHIARA)
    for page in ("/approvals/", f"/requests/{made.pk}/"):
        said = text(chiara.get(page))
        assert SAID in said, page
        assert "Holds already nothing" not in said


def test_what_is_over_is_shown_no_more(office: Office, browse: Browse) -> None:
    finding = found(office, company.BEN)
    findings.remove(user_id=office.user(company.INES).pk, finding_id=finding.pk, reason="Nobody needs it.")
    office.work()
    drift.scan(office.aws)
    assert SAID not in text(browse(company.BEN).get("/"))


def test_an_extension_lapses_with_what_it_extends(office: Office, browse: Browse) -> None:
    held = office.submit_production(company.ADA)
    office.approve(held)
    office.work()
    asked = workflow.MoreTime(uuid.uuid4(), timedelta(minutes=30), "The replay takes longer.", "INC-4711")
    more = workflow.extend(office.user(company.ADA).pk, held.pk, asked)
    for who, page in ((company.ADA, "/"), (company.CHIARA, "/approvals/"), (company.ADA, f"/requests/{more.pk}/")):
        said = text(browse(who).get(page))
        assert "in 3 days" not in said, page
        assert "in 1 hour" in said, page

"""The page of findings: who may read it and who may act, what it shows, and what its three forms do."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accessrequests import drift
from accessrequests.models import Finding
from accessrequests.states import FindingStatus
from jitportal.demo import organisation as company
from jitportal.demo.simulator import AssignmentKey, Fault, FaultKind
from tests.accessrequests.conftest import Office
from tests.accessrequests.drifting import by_hand, events, found, key_of
from tests.accessrequests.pages.conftest import Browse, text

PAGE = "/findings/"
FORMS = {
    "adopt": {"until": "2026-11-18T09:00", "reason": "Until the migration is over."},
    "remove": {"reason": "Nobody knows why it is there."},
    "accept": {"owner": "Platform team", "review_at": "2026-12-16", "reason": "Break-glass account."},
}
VERBS = pytest.mark.parametrize("verb", FORMS)


@pytest.fixture
def admin(browse: Browse) -> Client:
    """Ines, who may act."""
    return browse(company.INES)


@pytest.fixture
def reader(browse: Browse) -> Client:
    """Jonas of compliance, who may read."""
    return browse(company.JONAS)


def test_admins_and_compliance_read_it_and_nobody_else(office: Office, browse: Browse) -> None:
    allowed = {person for person in company.PEOPLE if browse(person).get(PAGE).status_code == 200}
    assert allowed == {company.INES, company.JONAS, company.KIRSTEN}
    for person in company.PEOPLE:
        assert ('href="/findings/"' in text(browse(person).get("/"))) == (person in allowed)
    refused = Client().get(PAGE)
    assert (refused.status_code, refused["Location"]) == (302, "/sign-in/?next=/findings/")


@VERBS
def test_only_admins_act(office: Office, browse: Browse, verb: str) -> None:
    finding = found(office)
    address = f"{PAGE}{finding.pk}/{verb}/"
    for person in company.PEOPLE:
        if company.ADMINS in person.groups:
            continue
        answer = browse(person).post(address, FORMS[verb])
        assert answer.status_code == (422 if person == company.JONAS else 403)
    assert "Only admins settle findings." in text(browse(company.JONAS).post(address, FORMS[verb]))
    assert {event.actor_name for event in events("finding.refused")} == {company.JONAS.name}
    assert Client().post(address, FORMS[verb]).status_code == 302
    assert Finding.objects.get().status == FindingStatus.OPEN


@VERBS
def test_a_verb_takes_post_only_and_an_id_that_there_is(office: Office, admin: Client, verb: str) -> None:
    finding = found(office)
    assert admin.get(f"{PAGE}{finding.pk}/{verb}/").status_code == 405
    assert admin.post(f"{PAGE}00000000-0000-4000-8000-000000000000/{verb}/", FORMS[verb]).status_code == 404
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(office.user(company.INES))
    assert strict.post(f"{PAGE}{finding.pk}/{verb}/", FORMS[verb]).status_code == 403


def test_an_empty_page_says_what_would_be_here(admin: Client, office: Office) -> None:
    page = text(admin.get(PAGE))
    assert "Nothing is open" in page
    assert "AWS has not been looked through yet." in page
    drift.scan(office.aws)
    assert "6 pairs of an account and a permission set" in text(admin.get(PAGE))


def test_a_finding_says_who_what_where_and_since_when(office: Office, admin: Client) -> None:
    found(office)
    office.moment.forward(timedelta(hours=2))
    page = text(admin.get(PAGE))
    account = office.catalog.sandbox_accounts[0]
    for said in (company.ADA.name, company.ADA.user_name, "DeveloperAccess", account.name, account.account_id):
        assert said in page
    assert "Mon 16 Nov 2026, 09:00 UTC" in page
    assert "2 hours ago" in page


def test_findings_stand_by_environment_and_account_the_most_sensitive_first(office: Office, admin: Client) -> None:
    for account in (*office.catalog.sandbox_accounts[:2], office.catalog.production_accounts[0]):
        for person in (company.ADA, company.BEN):
            by_hand(office, key_of(office, person, account))
    drift.scan(office.aws)
    page = text(admin.get(PAGE))
    heads = ["Production</bdi>", "Payments Production", "Sandbox</bdi>", "Ledger Sandbox", "Payments Sandbox"]
    places = [page.index(head) for head in heads]
    assert places == sorted(places)
    assert page.count('class="environment"') == 2
    assert "2 here" in page
    assert "4 here" in page


def test_what_groups_hold_is_counted_and_offers_no_adoption(office: Office, admin: Client) -> None:
    by_hand(office, AssignmentKey(*key_of(office)[:2], "GROUP", "90676f0e-1111-4222-8333-444455556666"))
    drift.scan(office.aws)
    page = text(admin.get(PAGE))
    assert "1 of them is held by groups." in page
    assert "90676f0e-1111-4222-8333-444455556666" in page
    assert "/adopt/" not in page
    assert "/remove/" not in page
    assert "/accept/" in page


def test_a_stranger_cannot_be_adopted_and_the_button_says_why(office: Office, admin: Client) -> None:
    by_hand(office, key_of(office)._replace(principal_id="90676f0e-1111-4222-8333-444455556666"))
    drift.scan(office.aws)
    page = text(admin.get(PAGE))
    assert "/adopt/" not in page
    assert "The portal does not know this person" in page
    assert "/remove/" in page


def test_compliance_sees_no_forms(office: Office, reader: Client) -> None:
    found(office)
    page = text(reader.get(PAGE))
    assert company.ADA.name in page
    assert "Settle it" not in page
    assert 'name="reason"' not in page


def test_what_was_adopted_is_being_removed_once_its_end_has_come(office: Office, admin: Client) -> None:
    finding = found(office)
    admin.post(f"{PAGE}{finding.pk}/adopt/", FORMS["adopt"])
    assert "Settle it" in text(admin.get(PAGE))
    office.moment.forward(timedelta(days=2))
    admin.logout()
    admin.force_login(office.user(company.INES))
    page = text(admin.get(PAGE))
    assert ">Being removed</span>" in page
    assert "it was adopted until <time" in page
    assert "Settle it" not in page


def test_adopting_from_the_page(office: Office, admin: Client) -> None:
    finding = found(office)
    answer = admin.post(f"{PAGE}{finding.pk}/adopt/", FORMS["adopt"])
    assert (answer.status_code, answer["Location"]) == (302, PAGE)
    page = text(admin.get(PAGE))
    assert "Adopted until Wed 18 Nov 2026, 09:00 UTC. It ends by itself then." in page
    assert "Another end." in page
    assert "Ends <time" in page
    assert "Wed 18 Nov 2026, 09:00 UTC" in page
    assert "/accept/" not in page, "what is adopted can get another end, or be removed"
    assert "Until the migration is over." in page
    office.pass_time(days=2)
    assert office.in_aws() == []
    admin.logout()
    admin.force_login(office.user(company.INES))
    assert "AWS confirmed that it is gone" in text(admin.get(PAGE))
    drift.scan(office.aws)
    page = text(admin.get(PAGE))
    assert "Removed" in page
    assert "Nothing is open" in page


def test_removing_from_the_page(office: Office, admin: Client) -> None:
    finding = found(office)
    admin.post(f"{PAGE}{finding.pk}/remove/", FORMS["remove"])
    page = text(admin.get(PAGE))
    assert "Being removed. AWS is being asked to take it away" in page
    office.work()
    assert office.in_aws() == []


def test_trouble_with_aws_while_removing_is_shown(office: Office, admin: Client) -> None:
    finding = found(office)
    office.simulator.faults.add(Fault(FaultKind.ACCESS_DENIED, operation="DeleteAccountAssignment"))
    admin.post(f"{PAGE}{finding.pk}/remove/", FORMS["remove"])
    office.work()
    assert "AccessDeniedException" in text(admin.get(PAGE))


def test_trouble_of_the_scan_is_shown(office: Office, reader: Client) -> None:
    office.simulator.faults.add(Fault(FaultKind.ACCESS_DENIED, operation="ListAccountAssignments"))
    drift.scan(office.aws)
    page = text(reader.get(PAGE))
    assert "AWS did not tell everything." in page
    assert "and 6 that AWS would not tell of" in page


def test_accepting_from_the_page_shows_the_owner_and_the_day(office: Office, admin: Client) -> None:
    finding = found(office)
    admin.post(f"{PAGE}{finding.pk}/accept/", FORMS["accept"])
    page = text(admin.get(PAGE))
    assert "<bdi>Platform team</bdi> answers for it" in page
    assert "Wed 16 Dec 2026, 00:00 UTC" in page
    office.moment.forward(timedelta(days=31))
    drift.scan(office.aws)
    admin.logout()
    admin.force_login(office.user(company.INES))
    page = text(admin.get(PAGE))
    assert "Accepted once" in page
    assert "Nothing is open" not in page


@pytest.mark.parametrize(
    ("verb", "changes", "said"),
    [
        ("adopt", {"until": ""}, "Say when it is to end."),
        ("adopt", {"until": "soon"}, "Give the day and the time"),
        ("adopt", {"until": "2026-11-16T08:59"}, "The end must be ahead."),
        ("adopt", {"until": "9999-12-31T23:59"}, "more than a year away"),
        ("adopt", {"until": "0001-01-01T00:00"}, "The end must be ahead."),
        ("adopt", {"reason": " "}, "Say why; it is recorded."),
        ("remove", {"reason": ""}, "Say why; it is recorded."),
        ("remove", {"reason": "x" * 2001}, "at most 2000 characters"),
        ("accept", {"owner": ""}, "Say who answers for it."),
        ("accept", {"owner": "x" * 201}, "at most 200 characters"),
        ("accept", {"review_at": "2026-11-16"}, "must be ahead"),
        ("accept", {"review_at": "31.12.2026x"}, "Give a day, such as"),
        ("accept", {"review_at": "9999-12-31"}, "more than a year away"),
        ("accept", {"review_at": "0001-01-01"}, "Give a day, such as"),
        ("accept", {"reason": ""}, "Say why; it is recorded."),
    ],
)
def test_what_is_wrong_is_said_at_the_field_and_what_was_typed_is_kept(
    office: Office, admin: Client, verb: str, changes: dict[str, str], said: str
) -> None:
    finding = found(office)
    sent = {**FORMS[verb], **changes}
    answer = admin.post(f"{PAGE}{finding.pk}/{verb}/", sent)
    assert answer.status_code == 422
    page = text(answer)
    assert said in page
    assert page.count('class="errors"') == 1
    assert "<details open>" in page
    for value in sent.values():
        assert " ".join(value.split()) in page
    assert Finding.objects.get().status == FindingStatus.OPEN


def test_removing_asks_once_with_what_would_be_lost_by_whom(office: Office, admin: Client) -> None:
    finding = found(office)
    page = text(admin.get(PAGE))
    question = re.search(r'<details class="confirmed"> <summary[^>]*>Remove</summary>(.*?)</details>', page)
    assert question
    said = re.sub(r"<[^>]*>", "", question[1])
    assert f"{company.ADA.name} loses {finding.permission_set.name} on {finding.account.name}" in said
    assert "Sessions already open may live on for" in said
    assert "Keep it" in said
    assert page.count(f'formaction="{PAGE}{finding.pk}/remove/"') == question[1].count("formaction") == 1


def test_a_finding_that_was_settled_meanwhile_says_so(office: Office, admin: Client) -> None:
    finding = found(office)
    admin.post(f"{PAGE}{finding.pk}/remove/", FORMS["remove"])
    answer = admin.post(f"{PAGE}{finding.pk}/accept/", FORMS["accept"])
    assert answer.status_code == 422
    assert "It is settled already: being removed." in text(answer)
    assert "Break-glass account." in text(answer)


def test_hostile_text_stays_text(office: Office, admin: Client) -> None:
    evil = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>"
    finding = found(office)
    Finding.objects.update(principal_name=evil)
    user = office.user(company.ADA)
    user.name = evil
    user.save()
    admin.post(f"{PAGE}{finding.pk}/accept/", {**FORMS["accept"], "owner": evil, "reason": evil})
    page = text(admin.get(PAGE))
    assert "<script>alert" not in page
    assert "<img src=x" not in page
    refused = text(admin.post(f"{PAGE}{finding.pk}/adopt/", {"until": evil, "reason": evil}))
    assert "<script>alert" not in refused


@pytest.mark.parametrize("number", ["0", "-1", "99", "x", "%00", "9" * 5000])
def test_whatever_page_is_asked_for_gets_an_answer(admin: Client, office: Office, number: str) -> None:
    assert admin.get(f"{PAGE}?page={number}").status_code == 200


def test_many_findings_come_in_pages_and_cost_no_more_queries(office: Office, admin: Client) -> None:
    def cost(add: Callable[[], object]) -> int:
        add()
        drift.scan(office.aws)
        with CaptureQueriesContext(connection) as seen:
            assert admin.get(PAGE).status_code == 200
        return len(seen)

    def strangers(first: int, last: int) -> None:
        for number in range(first, last):
            by_hand(office, key_of(office)._replace(principal_id=f"00000000-0000-4000-8000-{number:012d}"))

    few = cost(lambda: strangers(0, 2))
    many = cost(lambda: strangers(2, 60))
    assert many <= few
    assert many <= 30
    assert text(admin.get(PAGE)).count('id="finding-') == 50
    assert text(admin.get(f"{PAGE}?page=2")).count('id="finding-') == 10
    assert "Page 1 of 2" in text(admin.get(PAGE))


def test_in_the_admin_findings_and_the_scan_are_there_to_be_read_only(office: Office, admin: Client) -> None:
    finding = accepted(office, admin)
    for model, pk in (("finding", str(finding.pk)), ("scancursor", "1")):
        base = f"/admin/accessrequests/{model}/"
        assert admin.get(base).status_code == 200
        assert admin.get(f"{base}?q=Ada").status_code == 200
        assert admin.get(f"{base}{pk}/change/").status_code == 200
        for page in (f"{base}add/", f"{base}{pk}/change/", f"{base}{pk}/delete/"):
            assert admin.post(page, {"status": "gone", "post": "yes"}).status_code == 403
    assert admin.get(f"/admin/accessrequests/finding/{finding.pk}/history/").status_code == 200
    assert Finding.objects.get().status == FindingStatus.ACCEPTED


def accepted(office: Office, admin: Client) -> Finding:
    """A finding that was accepted from the page."""
    finding = found(office)
    admin.post(f"{PAGE}{finding.pk}/accept/", FORMS["accept"])
    return finding


def test_what_was_typed_for_another_verb_is_kept_when_one_fails(office: Office, admin: Client) -> None:
    finding = found(office)
    typed = {"until": "2026-11-18T09:00", "owner": "Platform team", "review_at": "2026-12-16", "reason": ""}
    page = text(admin.post(f"{PAGE}{finding.pk}/remove/", typed))
    for value in ("2026-11-18T09:00", "Platform team", "2026-12-16"):
        assert f'value="{value}"' in page
    assert page.count('name="reason"') == 1

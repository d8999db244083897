"""What a page says of a request is true: Active only after AWS has said so, and an honest end."""

from datetime import timedelta

from django.test import Client

from accessrequests import workflow
from accessrequests.models import AccessRequest
from auditlog.models import Event
from jitportal.demo import organisation as company
from tests.accessrequests.conftest import Office
from tests.accessrequests.pages.conftest import Browse, text, typed


def test_an_approved_request_is_not_called_active_before_aws_confirms(office: Office, asker: Client) -> None:
    made = office.submit()
    page = text(asker.get(f"/requests/{made.pk}/"))
    assert "Approved, being set up" in page
    assert ">Active<" not in page


def test_an_active_request_says_when_it_ends_and_when_its_sessions_do(office: Office, asker: Client) -> None:
    made = office.submit()
    office.work()
    for page in (text(asker.get("/")), text(asker.get(f"/requests/{made.pk}/"))):
        assert ">Active<" in page
        assert "Mon 16 Nov 2026, 10:00 UTC" in page
        assert "Sessions already open may live until" in page
        assert "Mon 16 Nov 2026, 14:00 UTC" in page


def test_an_ended_request_says_until_when_sessions_may_live(office: Office, asker: Client) -> None:
    made = office.submit()
    office.work()
    office.pass_time(hours=1, seconds=1)
    office.pass_time(seconds=5)
    page = text(asker.get(f"/requests/{made.pk}/"))
    assert "The time was up." in page
    assert "Sessions that were open then may live until" in page
    office.moment.forward(timedelta(hours=5))
    asker.logout()
    asker.force_login(office.user(company.ADA))
    assert "Sessions that were open then are over since" in text(asker.get(f"/requests/{made.pk}/"))


def test_trouble_with_aws_is_shown_and_says_that_nothing_is_lost(office: Office, asker: Client) -> None:
    made = office.submit()
    type(made).objects.filter(pk=made.pk).update(trouble="Could not connect to the endpoint")
    for page in (text(asker.get("/")), text(asker.get(f"/requests/{made.pk}/"))):
        assert "AWS has not done it yet." in page
        assert "Could not connect to the endpoint" in page


def test_a_later_start_is_said_with_its_time(office: Office, asker: Client) -> None:
    office.submit(start=office.moment.time + timedelta(hours=3))
    page = text(asker.get("/"))
    assert "Approved, starts later" in page
    assert "in 3 hours" in page
    assert "Mon 16 Nov 2026, 12:00 UTC" in page


def test_the_timeline_tells_what_is_recorded_in_order(office: Office, asker: Client) -> None:
    made = office.approve(office.submit_production())
    office.work()
    page = text(asker.get(f"/requests/{made.pk}/"))
    said = [
        page.index(f"{company.ADA.name} asked for Developer in Production"),
        page.index(f"{company.CHIARA.name} approved it"),
        page.index(f"{company.FARID.name} approved it"),
        page.index("is active"),
    ]
    assert said == sorted(said)


def test_the_timeline_leaves_out_what_comes_between_an_approval_and_the_access(office: Office, asker: Client) -> None:
    made = office.submit()
    office.work()
    recorded = {event.action for event in Event.objects.filter(subject_id=str(made.pk))}
    assert {"grant.waiting", "grant.granting", "grant.active"} <= recorded
    page = text(asker.get(f"/requests/{made.pk}/"))
    told = page[page.index('<ol class="timeline">') :]
    assert "is active" in told
    assert "is being set up" not in told
    assert " waits" not in told


def test_the_timeline_begins_with_the_ask_whatever_was_refused_before(office: Office, asker: Client) -> None:
    sent = typed(office, ticket="lost")
    assert asker.post("/requests/new/", sent).status_code == 422
    assert asker.post("/requests/new/", {**sent, "ticket": "INC-4711"}).status_code == 302
    made = AccessRequest.objects.get()
    assert Event.objects.filter(subject_id=str(made.pk)).order_by("number")[0].action == "request.refused"
    page = text(asker.get(f"/requests/{made.pk}/"))
    assert "could not ask" not in page
    assert "asked for Developer in Production" in page


def test_what_is_being_taken_away_says_why(office: Office, asker: Client) -> None:
    made = office.submit()
    office.work()
    workflow.revoke(office.user(company.INES).pk, made.pk, "The laptop was stolen.")
    page = text(asker.get(f"/requests/{made.pk}/"))
    assert '<td data-label="Ends"><span>Revoked</span></td>' in page
    assert "Its end has come" not in page


def test_a_request_says_which_rule_set_which_limit(office: Office, asker: Client) -> None:
    page = text(asker.get(f"/requests/{office.submit_production().pk}/"))
    assert 'At most 2 hours <span class="rule">by “Production developers”</span>' in page
    assert 'At most 2 accounts at a time <span class="rule">by “Production developers”</span>' in page


def test_an_empty_page_says_what_would_be_here(browse: Browse) -> None:
    hugo = browse(company.HUGO)
    assert "You have no access now" in text(hugo.get("/"))
    assert 'href="/catalog/"' in text(hugo.get("/"))
    assert "Nothing waits for you" in text(hugo.get("/approvals/"))
    assert "You have not asked for anything yet" in text(hugo.get("/?all"))


def test_all_my_requests_come_in_pages(office: Office, asker: Client) -> None:
    for _ in range(26):
        asker.post(f"/requests/{office.submit_production().pk}/withdraw/")
    assert text(asker.get("/")).count('scope="row"') == 10
    assert text(asker.get("/?all")).count('scope="row"') == 25
    assert text(asker.get("/?all&page=2")).count('scope="row"') == 1
    for odd in ("0", "-1", "99", "x", "%00", "9" * 5000):
        assert asker.get(f"/?all&page={odd}").status_code == 200
        assert asker.get(f"/approvals/?page={odd}").status_code == 200

"""Decide, withdraw, give back, revoke: what the buttons do, and which of them are offered, follow from the verdicts."""

import re
from datetime import timedelta

import pytest
from django.core import mail
from django.test import Client

from accessrequests.models import AccessRequest, Decision
from accessrequests.notifications import outbox
from jitportal.demo import organisation as company
from jitportal.demo.directory import Person
from jitportal.demo.simulator import Fault, FaultKind
from tests.accessrequests.conftest import Office
from tests.accessrequests.pages.conftest import Browse, text


def page_of(made: AccessRequest) -> str:
    return f"/requests/{made.pk}/"


def test_two_people_approve_from_their_queues(office: Office, browse: Browse) -> None:
    made = office.submit_production()
    for person, says in (
        (company.CHIARA, "It still waits for 1 of Security"),
        (company.FARID, "It begins once AWS has confirmed"),
    ):
        client = browse(person)
        queue = text(client.get("/approvals/"))
        digest = re.search(r'name="digest" value="([0-9a-f]{64})"', queue)
        assert digest
        form = {"answer": "approve", "digest": digest[1], "back": "approvals", "comment": ""}
        answer = client.post(f"{page_of(made)}decide/", form)
        assert answer["Location"] == "/approvals/"
        after = text(client.get("/approvals/"))
        assert says in after
        assert "Nothing waits for you" in after
        assert f'href="{page_of(made)}"' in after
    assert office.again(made).status == "approved"


def test_a_card_has_all_that_a_decision_needs(office: Office, browse: Browse) -> None:
    office.approve(office.submit_production(reason="An earlier one, still running."))
    office.work()
    made = office.submit_production(reason="Replay the stuck payouts.")
    office.decide(made, company.CHIARA, comment="Known to me.")
    card = text(browse(company.FARID).get("/approvals/"))
    for said in (
        company.ADA.name,
        "Replay the stuck payouts.",
        "INC-4711",
        "1 hour",
        office.catalog.production_accounts[0].account_id,
        "Production, 4 of 4",
        "stage 2 of 2",
        "by “Production developers”",
        "Known to me.",
        "Holds already",
    ):
        assert said in card, said


def test_denying_needs_a_comment_and_keeps_nothing_back(office: Office, browse: Browse) -> None:
    made, chiara = office.submit_production(), browse(company.CHIARA)
    answer = chiara.post(f"{page_of(made)}decide/", {"answer": "deny", "digest": made.digest, "comment": " "})
    assert answer.status_code == 422
    assert "Say why; the person who asks will read it." in text(answer)
    chiara.post(f"{page_of(made)}decide/", {"answer": "deny", "digest": made.digest, "comment": "Not in the freeze."})
    assert office.again(made).status == "denied"
    assert "Not in the freeze." in text(browse(company.ADA).get(page_of(made)))


@pytest.mark.parametrize("digest", ["", "0" * 64, "x" * 500, "\x00"])
def test_a_decision_on_something_else_than_was_shown_is_not_counted(
    office: Office, browse: Browse, digest: str
) -> None:
    made = office.submit_production()
    form = {"answer": "approve", "digest": digest, "comment": "Kept comment"}
    answer = browse(company.CHIARA).post(f"{page_of(made)}decide/", form)
    assert answer.status_code == 422
    assert "Kept comment" in text(answer)
    assert f'value="{made.digest}"' in text(answer)
    assert not Decision.objects.exists()


@pytest.mark.parametrize("given", ["", "maybe", "APPROVE"])
def test_an_answer_that_is_neither_yes_nor_no_is_asked_for_again(office: Office, browse: Browse, given: str) -> None:
    made = office.submit_production()
    answer = browse(company.CHIARA).post(f"{page_of(made)}decide/", {"answer": given, "digest": made.digest})
    assert answer.status_code == 422
    assert "Choose Approve or Deny." in text(answer)


def test_a_decision_that_came_too_late_keeps_its_comment(office: Office, browse: Browse) -> None:
    made = office.submit_production()
    office.decide(made, company.EMMA, "deny", "Not now.")
    form = {"answer": "approve", "digest": made.digest, "comment": "My careful words"}
    answer = browse(company.CHIARA).post(f"{page_of(made)}decide/", form)
    assert answer.status_code == 422
    assert "Your decision was not counted." in text(answer)
    assert "It is already decided" in text(answer)
    assert "My careful words" in text(answer)


def test_nobody_decides_on_their_own_request_and_the_page_says_so(office: Office, browse: Browse) -> None:
    made, chiara = office.submit_production(company.CHIARA), browse(company.CHIARA)
    page = text(chiara.get(page_of(made)))
    assert ">Approve</button>" not in page
    assert "Nobody decides on their own request." in page
    answer = chiara.post(f"{page_of(made)}decide/", {"answer": "approve", "digest": made.digest})
    assert answer.status_code == 422
    assert "Nobody decides on their own request." in text(answer)
    assert not Decision.objects.exists()


def test_somebody_of_a_later_stage_sees_why_they_cannot_decide_yet(office: Office, browse: Browse) -> None:
    page = text(browse(company.FARID).get(page_of(office.submit_production())))
    assert "Engineering Leads decide decides at this stage, and you are not in it." in page
    assert 'value="approve"' not in page


def test_a_waiting_request_names_who_may_decide_now_and_never_who_asks(
    office: Office, asker: Client, browse: Browse
) -> None:
    made = office.submit_production()
    assert f"Now {company.CHIARA.name} or {company.EMMA.name} may decide." in text(asker.get(page_of(made)))
    office.decide(made, company.EMMA)
    assert f"Now {company.FARID.name} or {company.GRACE.name} may decide." in text(asker.get(page_of(made)))
    own = office.submit_production(company.CHIARA)
    assert f"Now {company.EMMA.name} may decide." in text(browse(company.CHIARA).get(page_of(own)))


def test_i_may_withdraw_while_it_waits_and_not_after(office: Office, asker: Client) -> None:
    made = office.submit_production()
    assert f'action="{page_of(made)}withdraw/"' in text(asker.get(page_of(made)))
    assert f'action="{page_of(made)}withdraw/"' in text(asker.get("/"))
    answer = asker.post(f"{page_of(made)}withdraw/", follow=True)
    assert "Withdrawn. Nothing was granted." in text(answer)
    again = asker.post(f"{page_of(made)}withdraw/", follow=True)
    assert "It is too late to withdraw it." in text(again)
    assert f'action="{page_of(made)}withdraw/"' not in text(again)


@pytest.mark.parametrize("address", ["/", "{page}"])
def test_im_done_says_what_it_does_before_it_does_it(office: Office, asker: Client, address: str) -> None:
    made = office.submit()
    office.work()
    page = text(asker.get(address.format(page=page_of(made))))
    opened = re.search(r"<details[^>]*> <summary[^>]*>I’m done.*?</details>", page)
    assert opened
    question, _, button = opened[0].partition("<button")
    assert "To have it again, you ask anew." in question
    assert 'Give it back<span class="visually-hidden"> (Developer in Sandbox)</span></button>' in button
    assert page.count("give-back/") == 1


def test_im_done_ends_my_access(office: Office, asker: Client) -> None:
    made = office.approve(office.submit_production())
    office.work()
    assert f'action="{page_of(made)}give-back/"' in text(asker.get("/"))
    answer = asker.post(f"{page_of(made)}give-back/", follow=True)
    assert "Being revoked" in text(answer)
    assert '<td data-label="Ends"><span>Given back</span>' in text(answer)
    assert "There is no access to end." in text(answer)
    office.pass_time(seconds=5)
    ended = text(asker.get(page_of(made)))
    assert "Given back" in ended
    assert "Sessions that were open then may live until" in ended


def test_revoking_names_what_it_does_and_asks_why(office: Office, browse: Browse) -> None:
    made = office.approve(office.submit_production(accounts=office.catalog.production_accounts[:2]))
    office.work()
    farid = browse(company.FARID)
    assert "Revoke access to 2 accounts" in text(farid.get(page_of(made)))
    assert "Say why; it is recorded." in text(farid.post(f"{page_of(made)}revoke/", {"reason": " "}))
    assert "Active" in text(farid.get(page_of(made)))
    farid.post(f"{page_of(made)}revoke/", {"reason": "The laptop was stolen."})
    office.pass_time(seconds=5)
    assert office.in_aws() == []
    page = text(browse(company.ADA).get(page_of(made)))
    revoked = (
        f"{company.FARID.name} revoked the grant on {office.catalog.production_accounts[0]}: The laptop was stolen."
    )
    assert revoked in page
    assert f"<strong>Revoked by {company.FARID.name}: The laptop was stolen.</strong>" in page
    assert revoked in text(browse(company.JONAS).get(f"/audit/?subject={made.pk}"))


def test_the_mail_about_a_revocation_names_who_and_why(office: Office, browse: Browse) -> None:
    made = office.approve(office.submit_production())
    office.work()
    browse(company.FARID).post(f"{page_of(made)}revoke/", {"reason": "The laptop was stolen."})
    office.work()
    mail.outbox.clear()
    outbox.send_due(office.moment.time)
    by_subject = {message.subject.partition(":")[0]: message.body for message in mail.outbox}
    assert f"was revoked by {company.FARID.name}." in by_subject["Revoked"]
    assert "Said: The laptop was stolen." in by_subject["Revoked"]
    assert f"Revoked by {company.FARID.name}: The laptop was stolen." in by_subject["Access has ended"]


def test_access_that_was_stopped_before_it_began_is_not_said_to_be_gone_from_aws(
    office: Office, browse: Browse
) -> None:
    made = office.approve(office.submit_production(start=office.moment.time + timedelta(days=1)))
    browse(company.FARID).post(f"{page_of(made)}revoke/", {"reason": "Not this week."})
    page = text(browse(company.ADA).get(page_of(made)))
    assert f"Revoked by {company.FARID.name}: Not this week." in page
    assert "Stopped before it began" in page
    assert "AWS confirmed that it is gone" not in page


def test_what_was_given_back_is_said_to_be_so_once(office: Office, asker: Client) -> None:
    made = office.submit()
    office.work()
    asker.post(f"{page_of(made)}give-back/")
    office.work()
    page = text(asker.get(page_of(made)))
    assert f"{company.ADA.name} gave back the grant on" in page
    assert page[: page.index("<table>")].count("Given back.") == 1


def test_a_revocation_that_aws_refuses_is_told_in_awss_words_until_it_is_done(office: Office, browse: Browse) -> None:
    made = office.approve(office.submit_production())
    office.work()
    office.simulator.faults.add(Fault(FaultKind.ACCESS_DENIED, operation="DeleteAccountAssignment"))
    browse(company.FARID).post(f"{page_of(made)}revoke/", {"reason": "The laptop was stolen."})
    office.work()
    page = text(browse(company.FARID).get(page_of(made)))
    assert "AWS has not done it yet, and is asked again until it has:" in page
    assert "AccessDenied" in page[: page.index("<dl")]
    office.simulator.faults.clear()
    office.pass_time(minutes=10)
    assert "AccessDenied" not in text(browse(company.FARID).get(page_of(made)))


def test_compliance_reads_and_sees_why_it_cannot_revoke(office: Office, browse: Browse) -> None:
    made = office.approve(office.submit_production())
    office.work()
    jonas = browse(company.JONAS)
    page = text(jonas.get(page_of(made)))
    assert '<button class="button-danger" disabled' in page
    assert "Only its approvers and admins may revoke it." in page
    answer = jonas.post(f"{page_of(made)}revoke/", {"reason": "I should like to."})
    assert answer.status_code == 422
    assert "I should like to." in text(answer)
    assert office.again(made).status == "active"


@pytest.mark.parametrize(("who", "verb"), [(company.INES, "revoke"), (company.ADA, "give-back")])
def test_whoever_ends_one_of_two_is_told_of_the_other_that_keeps_the_access(
    office: Office, browse: Browse, who: Person, verb: str
) -> None:
    ended, other = office.submit(), office.submit(reason="For another ticket, and just as long.")
    office.work()
    answer = browse(who).post(f"{page_of(ended)}{verb}/", {"reason": "Enough."}, follow=True)
    said = answer.content.decode()
    assert "The access itself stays, by another request" in said
    assert f'<a href="{page_of(other)}">' in said
    answer = browse(who).post(f"{page_of(other)}{verb}/", {"reason": "Enough."}, follow=True)
    assert "The access itself stays" not in answer.content.decode()

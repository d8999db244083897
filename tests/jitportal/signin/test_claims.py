"""What is read from a verified token, and every shape of it that is refused; no server and no database."""

from typing import Any

import pytest

from jitportal.signin import claims
from jitportal.signin.claims import Claims
from jitportal.signin.refusals import Refused, Rule

TENANT = "7d3c9a52-0b61-4e1f-9d0e-5b1f2c3d4e5f"
OTHER = "99999999-0000-4000-8000-000000000009"
ISSUER = f"https://login.microsoftonline.com/{TENANT}/v2.0"
GROUP = "b0000000-0000-4000-8000-000000000001"
ELSEWHERE = "b0000000-0000-4000-8000-000000000002"
TOKEN = {
    "iss": ISSUER,
    "tid": TENANT,
    "nonce": "n-1",
    "oid": "e0000000-0000-4000-8000-000000000001",
    "preferred_username": "erin@example.com",
    "name": "Erin Engineer",
    "email": "erin@example.com",
    "department": "Payments",
    "groups": [GROUP],
}


def test_a_good_token_is_read_whole() -> None:
    assert read() == Claims(
        tenant_id=TENANT,
        object_id="e0000000-0000-4000-8000-000000000001",
        user_name="erin@example.com",
        name="Erin Engineer",
        email="erin@example.com",
        department="Payments",
        groups=frozenset({GROUP}),
    )


def test_what_may_be_missing_may_be_missing_and_is_then_not_told() -> None:
    found = read(name=None, email=None, department=None, groups=None)
    assert (found.name, found.email, found.department, found.groups) == (
        "erin@example.com",
        None,
        None,
        frozenset(),
    )
    assert (read(email="").email, read(department=" ").department) == ("", "")


def test_whoever_is_in_no_assigned_group_has_a_token_without_groups_and_no_groups() -> None:
    assert read(groups=None).groups == frozenset()


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("Chiara\u202eissoR", "ChiaraissoR"),
        ("Erin\x00 \x1b Engineer\n", "Erin Engineer"),
        ("\u2066Erin\u2069\u200f", "Erin"),
        ("Er\u200b\u00adin\ufeff\u3164", "Erin"),
        ("Erin\ud800", "Erin"),
        ("\u200b\u200b", "erin@example.com"),
        ("\u202e \x00", "erin@example.com"),
    ],
)
def test_a_name_is_shown_without_what_cannot_be_seen(given: str, kept: str) -> None:
    assert read(name=given).name == kept


@pytest.mark.parametrize(
    "given", ["Pay\u200bments", "\u2066Payments\u2069", "Payments\x00", "Pay\u00adments", "\ufeff"]
)
def test_a_department_with_something_unseen_in_it_is_no_other_department(given: str) -> None:
    assert read(department=given).department == ""


def test_a_department_is_compared_with_single_spaces() -> None:
    assert read(department=" Payments  and\u00a0Cards ").department == "Payments and Cards"


@pytest.mark.parametrize("name", ["שרה כהן", "نجمة‌ها", "José Ångström", "山田 太郎", "क्‍ष", "O’Neill-Łoś"])
def test_a_name_in_any_script_is_kept_as_it_is(name: str) -> None:
    assert read(name=name).name == name


@pytest.mark.parametrize("idp", [ISSUER, f"https://sts.windows.net/{TENANT}/"])
def test_a_home_that_is_ours_makes_no_guest(idp: str) -> None:
    assert read(idp=idp, acct=0).object_id == TOKEN["oid"]


@pytest.mark.parametrize("idp", [f"https://sts.windows.net/{OTHER}/", "live.com", "", 7, ["x"], {"a": 1}, False])
def test_whatever_else_names_a_home_makes_a_guest(idp: object) -> None:
    refused(Rule.GUEST, "guest", idp=idp)


@pytest.mark.parametrize("acct", [1, "1", True, [], "guest"])
def test_an_account_marked_as_a_guests_is_refused(acct: object) -> None:
    refused(Rule.GUEST, "guest", acct=acct)


@pytest.mark.parametrize(
    "sign", [{"hasgroups": True}, {"hasgroups": "true"}, {"hasgroups": 1}, {"_claim_names": {"groups": "src1"}}]
)
def test_too_many_groups_to_list_are_asked_for_elsewhere_even_if_some_are_listed(sign: dict[str, Any]) -> None:
    assert read(**sign).groups == {ELSEWHERE}


def test_another_claim_that_is_kept_elsewhere_does_no_harm() -> None:
    assert read(_claim_names={"address": "src1"}).groups == {GROUP}


@pytest.mark.parametrize("nonce", [None, "", "n-2", 1, ["n-1"], "ñ"])
def test_a_token_of_another_sign_in_is_refused(nonce: object) -> None:
    refused(Rule.NONCE, "claim nonce", nonce=nonce)


def test_a_sign_in_without_a_nonce_of_its_own_believes_no_token() -> None:
    with pytest.raises(Refused):
        claims.read(
            {**TOKEN, "nonce": ""}, issuer=ISSUER, tenant_id=TENANT, nonce="", groups_elsewhere=lambda _: frozenset()
        )


@pytest.mark.parametrize("tid", [OTHER, None, TENANT.upper(), [TENANT]])
def test_another_tenant_is_refused(tid: object) -> None:
    refused(Rule.TENANT, "claim tid", tid=tid)


@pytest.mark.parametrize(
    ("claim", "value"),
    [
        ("oid", None),
        ("oid", ""),
        ("oid", 12),
        ("oid", "erin"),
        ("oid", f"{OTHER}\n"),
        ("oid", [OTHER]),
        ("preferred_username", None),
        ("preferred_username", "  "),
        ("preferred_username", 3),
        ("preferred_username", "x" * 321),
        ("name", ["Erin"]),
        ("name", "x" * 501),
        ("preferred_username", "erin\u200b@example.com"),
        ("preferred_username", "erin\x00@example.com"),
        ("preferred_username", "\u202eerin@example.com"),
        ("email", "erin\x7f@example.com"),
        ("email", {"a": 1}),
        ("email", "x" * 321),
        ("department", 4),
        ("department", "x" * 201),
        ("groups", "all"),
        ("groups", {"a": 1}),
        ("groups", [3]),
        ("groups", ["EXAMPLE\\payments"]),
        ("_claim_names", "groups"),
    ],
)
def test_a_malformed_claim_is_refused_by_its_name(claim: str, value: object) -> None:
    refused(Rule.CLAIM, f"claim {claim} ", **{claim: value})


@pytest.mark.parametrize(
    ("oid", "said"), [(TOKEN["oid"], TOKEN["oid"]), (OTHER.upper(), OTHER), ("erin", ""), (5, ""), (None, "")]
)
def test_a_refusal_names_whoever_can_be_named(oid: object, said: str) -> None:
    assert claims.object_id_in({"oid": oid}) == said


def read(**altered: Any) -> Claims:
    """The token with these claims; None leaves one out."""
    token = {name: value for name, value in (TOKEN | altered).items() if value is not None}
    return claims.read(
        token, issuer=ISSUER, tenant_id=TENANT, nonce="n-1", groups_elsewhere=lambda object_id: frozenset({ELSEWHERE})
    )


def refused(rule: Rule, words: str, **altered: Any) -> None:
    with pytest.raises(Refused) as turned_away:
        read(**altered)
    assert turned_away.value.rule == rule
    assert words in turned_away.value.reason
    assert turned_away.value.remedy


def test_app_roles_stand_among_the_groups_as_the_catalog_names_them() -> None:
    assert read(roles=["Portal.Admin", "with space"]).groups == {GROUP, "role:Portal.Admin"}
    assert read(groups=None, roles=["Portal.Admin"], _claim_names={"groups": "src1"}).groups >= {"role:Portal.Admin"}


@pytest.mark.parametrize("roles", ["Portal.Admin", [1], {"Portal.Admin": True}])
def test_roles_that_are_no_list_of_texts_are_refused(roles: Any) -> None:
    with pytest.raises(Refused, match="claim roles"):
        read(roles=roles)


def test_a_group_cannot_pass_for_a_role() -> None:
    with pytest.raises(Refused, match="claim groups"):
        read(groups=["role:Portal.Admin"])

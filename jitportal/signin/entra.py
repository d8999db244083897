"""Speaks OpenID Connect with Entra ID: allauth's client, with every token's signature verified."""

from typing import Any

from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.models import SocialAccount, SocialLogin, SocialToken
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter
from django.conf import settings
from django.http import HttpRequest

from jitportal.models import User
from jitportal.signin import tokens

PROVIDER = "entra"


class EntraOAuth2Adapter(OpenIDConnectOAuth2Adapter):  # type: ignore[misc]
    """allauth's adapter for the one provider; it believes no token unverified and asks for no userinfo."""

    def __init__(self, request: HttpRequest, provider_id: str = PROVIDER) -> None:
        super().__init__(request, provider_id)

    @property
    def openid_config(self) -> dict[str, Any]:
        """The discovery document. Raises OAuth2Error if it is another issuer's, or lacks an address."""
        try:
            config = super().openid_config
        except ValueError:
            raise OAuth2Error("The discovery document is not JSON.") from None
        needed = ("authorization_endpoint", "token_endpoint", "jwks_uri")
        if not isinstance(config, dict) or config.get("issuer") != settings.ENTRA_ISSUER:
            raise OAuth2Error("The discovery document is another issuer's.")
        if not all(isinstance(config.get(name), str) for name in needed):
            raise OAuth2Error("The discovery document lacks an endpoint.")
        return config

    @property
    def end_session_endpoint(self) -> str:
        """Where the directory ends its own session; empty if it does not say."""
        address = self.openid_config.get("end_session_endpoint", "")
        return address if isinstance(address, str) else ""

    def get_access_token_data(
        self, request: HttpRequest, app: Any, client: Any, pkce_code_verifier: str | None = None
    ) -> Any:
        """The token endpoint's answer. Raises OAuth2Error if it is not one."""
        try:
            return super().get_access_token_data(request, app, client, pkce_code_verifier=pkce_code_verifier)
        except (ValueError, KeyError, TypeError) as error:
            raise OAuth2Error("The token endpoint's answer cannot be read.") from error

    def parse_token(self, data: Any) -> SocialToken:
        """allauth wants a token to hold; the access token is good for nothing here, and is not kept."""
        return SocialToken()

    def complete_login(self, request: HttpRequest, app: Any, token: SocialToken, **kwargs: Any) -> SocialLogin:
        """The sign-in, with verified claims for the gate to read. Raises Refused if they cannot be verified.

        It is put together here and not by the provider, which reads claims that have not been checked yet.
        """
        with get_adapter().get_requests_session() as session:
            response = session.get(self.openid_config["jwks_uri"])
            response.raise_for_status()
            keys = response.json()
        claims = tokens.verified(
            kwargs["response"].get("id_token"), keys, issuer=settings.ENTRA_ISSUER, client_id=app.client_id
        )
        account = SocialAccount(provider=PROVIDER, uid=str(claims.get("oid", "")), extra_data={"id_token": claims})
        return SocialLogin(provider=self.get_provider(), user=User(), account=account)

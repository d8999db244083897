"""The groups of somebody who is in too many for a token to list: asked of Microsoft Graph, or the sign-in stops."""

from typing import Final

from jitportal.entra.errors import GraphError
from jitportal.entra.graph import Graph
from jitportal.people import known_groups
from jitportal.signin.refusals import Refused, Rule

# Somebody waits for the page.
_PATIENCE: Final = 5.0


def groups_of(object_id: str) -> frozenset[str]:
    """Object ids of those of their groups that the portal knows; hundreds of others mean nothing here.

    Raises Refused if the directory does not tell: never "no groups".
    """
    try:
        return Graph(_PATIENCE).groups_of(object_id) & known_groups()
    except GraphError as error:
        raise Refused(
            Rule.OVERAGE,
            "The account is in more than 200 directory groups, so the token does not list them, and the directory "
            f"did not tell them either: {error.message}",
            error.remedy,
        ) from error

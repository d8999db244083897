"""Sentences where there is no room for sentences, and the way into AWS."""

from django import template
from django.utils.html import format_html

from accessrequests import access_portal
from catalog.models import Account, PermissionSet

register = template.Library()


@register.filter
def phrase(text: str) -> str:
    """A single sentence without its full stop, as table cells have it; several sentences keep theirs."""
    whole = text.strip()
    return whole[:-1] if whole.endswith(".") and not whole.endswith("..") and ". " not in whole else whole


@register.simple_tag
def open_in_aws(account: Account, permission_set: PermissionSet) -> str:
    """A link that opens the account in AWS's access portal; nothing where the portal's address is not set."""
    address = access_portal.console(account, permission_set)
    if not address:
        return ""
    return format_html(
        '<a class="small" href="{}" target="_blank" rel="noopener noreferrer">Open in AWS'
        '<span class="visually-hidden">: {}, in a new window</span></a>',
        address,
        account.name,
    )

"""The rows of accessrequests: access from its asking to its end, and what a scan for drift finds."""

from accessrequests.models.access import (
    AccessRequest,
    Assignment,
    Decision,
    Grant,
    Notification,
    RequestStage,
)
from accessrequests.models.drift import Finding, ScanCursor

__all__ = [
    "AccessRequest",
    "Assignment",
    "Decision",
    "Finding",
    "Grant",
    "Notification",
    "RequestStage",
    "ScanCursor",
]

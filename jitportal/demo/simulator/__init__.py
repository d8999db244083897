"""A simulated AWS organisation behind AWS's published limits, for the embedded mode, tests and benches."""

from .app import Application
from .errors import AwsError, ReplyLostError
from .faults import Fault, FaultKind
from .limits import Limits
from .operations import AssignmentKey
from .organisation import Account, Group, Organisation, PermissionSet, User
from .server import SimulatorServer
from .simulator import Simulator

__all__ = [
    "Account",
    "Application",
    "AssignmentKey",
    "AwsError",
    "Fault",
    "FaultKind",
    "Group",
    "Limits",
    "Organisation",
    "PermissionSet",
    "ReplyLostError",
    "Simulator",
    "SimulatorServer",
    "User",
]

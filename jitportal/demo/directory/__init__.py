"""A local OpenID Connect provider that behaves like Entra ID v2.0, for the demo and for tests.

It signs people in, and tells the application of them and their groups as Microsoft Graph does; whoever makes a
`Directory` says who is in it.
"""

from jitportal.demo.directory.graph import Graph
from jitportal.demo.directory.graph_faults import Fault, FaultKind
from jitportal.demo.directory.pages import DirectoryPages
from jitportal.demo.directory.people import Group, Person
from jitportal.demo.directory.server import DirectoryServer
from jitportal.demo.directory.tenant import Directory

__all__ = ["Directory", "DirectoryPages", "DirectoryServer", "Fault", "FaultKind", "Graph", "Group", "Person"]

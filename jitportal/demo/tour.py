"""What to try in a demo, step by step; the README says the same."""

from typing import Final

STEPS: Final = (
    "Sign in as Ada Lindqvist. Ask for Production Support in Production (ticket INC-4711).",
    "In a private window, sign in as Chiara Rossi and agree; then as Farid Haddad, and agree.",
    (
        "Watch Ada's request turn active once AWS has confirmed it. “I’m done” would give it back, after a question; "
        "leave it for the next step."
    ),
    (
        "Sign in as Ines Moreau. Under Admin, Access requests, follow “See or revoke” beside Ada's request, say why, "
        "and revoke it. Ada's page says who did it and why, and when AWS confirmed that it is gone."
    ),
    (
        "Still as Ines, open Findings: Ben Okafor holds something in AWS that the portal did not give. Settle it: "
        "adopt it until a moment, remove it, or accept it."
    ),
    "Sign in as Jonas Weber. Under Audit, verify the whole record, export it as CSV, and download the checkpoints.",
    (
        "Away from the portal, verify that copy with the command that Audit shows under “Verify a copy away from the "
        "portal”; it needs Python and the one file auditlog/chain.py."
    ),
    (
        "Sign in as Daniel Novak. Ask for DevOps Engineer in Production (ticket CHG-1234): its policy demands fresh "
        "proof, so confirm it at the directory, and send the form that was kept. Emma Fischer is asked for proof when "
        "she agrees."
    ),
    (
        "Sign in as Ines Moreau again. Under Admin, Access policies, shorten what Data Analyst in Production allows, "
        "and save: the portal shows whom that concerns. Propose it; then accept it as Kirsten Dahl, for whom it waits."
    ),
    (
        "Sign in as Daniel Novak again. Ask for Database Administrator in Production, which has tickets checked, with "
        "the closed ticket INC-4460; then with INC-4720, which is open. The demo's ticket system lists all of its "
        "tickets under /tickets/."
    ),
)

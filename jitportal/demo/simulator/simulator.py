"""Simulated AWS: every call passes its faults, limits and checks, and is then answered.

What the simulator answers itself: account assignments and their operations (moto makes them at once, doubles
them and knows no status lists), and the identity store (moto lacks UserStatus, ARNs and external ids).
What moto answers behind it: Organizations, STS, instances and permission sets, which it does right.
Everything else is refused loudly. Signatures are not checked; every region reaches the one owner account.
"""

import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any
from wsgiref.types import WSGIEnvironment

from .call import Call, Reply, failure, json_params, success
from .calls_seen import CallsSeen
from .clock import Clock, MovableClock
from .errors import AwsError, ReplyLostError, access_denied, conflict, internal, not_simulated, throttled
from .faults import AFTER, BEFORE, FaultKind, Faults
from .identity_center import IdentityCenter
from .identity_store import IdentityStore
from .limits import Limiter, Limits
from .moto_backend import ANSWERED, MotoBackend
from .operations import AssignmentKey
from .organisation import Organisation
from .state import State
from .validation import validate


class Simulator:
    """IAM Identity Center, the identity store, Organizations and STS of one organisation.

    Organisation, assignments and operations outlive the process in ``state_path``; faults, limits, counts and
    a moved clock do not. Safe to use from many threads.
    """

    def __init__(
        self,
        organisation: Organisation | None = None,
        state_path: Path | None = None,
        clock: Clock = time.time,
        limits: Limits | None = None,
    ) -> None:
        """Join ``organisation`` to what ``state_path`` remembers (None: in memory only).

        ValueError if there is no organisation at all, or one of another management account; OSError if
        another process has the state file.
        """
        self.lock = threading.RLock()
        self.clock = MovableClock(clock)
        self.faults = Faults()
        self.calls = CallsSeen()
        self.limiter = Limiter(limits or Limits(), self.clock)
        self.state = State(organisation, state_path, self.clock(), self.limiter.limits.delay)
        self._identity_center = IdentityCenter(self.state, self.limiter, self.faults, self.clock)
        self._identity_store = IdentityStore(self.state)
        self._moto = MotoBackend()
        self._moto.fill(self.state.organisation)

    @property
    def organisation(self) -> Organisation:
        """The organisation as it stands."""
        return self.state.organisation

    def seed(self, organisation: Organisation) -> None:
        """Add what ``organisation`` has and ours has not; doing it again changes nothing."""
        with self.lock:
            self.reorganise(self.state.organisation.joined_by(organisation))

    def reorganise(self, organisation: Organisation) -> None:
        """Make ``organisation`` the present one, and remember it."""
        with self.lock:
            # What fell due before the change must not be judged by what comes after it.
            self.state.settle(self.clock())
            if organisation != self.state.organisation:
                self.state.organisation = organisation
                self._moto.fill(organisation)

    def change_user(self, user_name: str, **changes: Any) -> None:
        """Change fields of a user (``enabled=False``, say); KeyError if there is none."""
        with self.lock:
            self.reorganise(self.state.organisation.with_user(user_name, **changes))

    def change_account(self, account_id: str, **changes: Any) -> None:
        """Change fields of a member account (``status="SUSPENDED"``, say); KeyError if there is none."""
        with self.lock:
            self.reorganise(self.state.organisation.with_account(account_id, **changes))

    def put_assignment(self, key: AssignmentKey, *, present: bool = True) -> None:
        """Make an assignment exist or not, at once and past all limits, as somebody else in AWS would."""
        with self.lock:
            self.state.settle(self.clock())
            self.state.put_assignment(key, present=present)

    def assignments(self) -> list[AssignmentKey]:
        """Every assignment that exists now; costs no call."""
        with self.lock:
            self.state.settle(self.clock())
            return list(self.state.assignments)

    def close(self) -> None:
        """Release the state file."""
        with self.lock:
            self.state.close()

    def answer(self, call: Call, environ: WSGIEnvironment) -> Reply:
        """AWS's answer to ``call``; raises ReplyLostError where there is to be none."""
        with self.lock:
            return self._answer(call, environ)

    def _answer(self, call: Call, environ: WSGIEnvironment) -> Reply:
        query_protocol = "HTTP_X_AMZ_TARGET" not in environ
        try:
            if not query_protocol:
                call = replace(call, params=json_params(call))
            if self.faults.strike(call, frozenset({FaultKind.UNREACHABLE})):
                raise ReplyLostError
            self.calls.count(call.operation)
            self.limiter.admit(call.service)
            self._strike_before(call)
            self.state.settle(self.clock())
            reply = self._perform(call, environ)
            self._strike_after(call)
        except AwsError as error:
            self.calls.count_error(call.operation, error.code)
            return failure(call, error, query_protocol=query_protocol)
        return reply

    def _perform(self, call: Call, environ: WSGIEnvironment) -> Reply:
        handlers = {
            "sso-admin": self._identity_center.handlers,
            "identitystore": self._identity_store.handlers,
        }.get(call.service, {})
        handler = handlers.get(call.operation)
        by_moto = (call.service, call.operation) in ANSWERED
        if handler is None and not by_moto:
            raise not_simulated(call.service, call.operation)
        if call.service != "sts":
            self._check(call)
        return self._moto.answer(call, environ) if handler is None else success(call, handler(call))

    def _check(self, call: Call) -> None:
        if call.service != "organizations":
            validate(call.service, call.operation, call.params)
        if call.service == "sso-admin":
            self._identity_center.check_instance(call.params)
        elif call.service == "identitystore":
            self._identity_store.check_store(call.params)

    def _strike_before(self, call: Call) -> None:
        fault = self.faults.strike(call, BEFORE)
        if fault is None:
            return
        words = {} if fault.reason is None else {"message": fault.reason}
        match fault.kind:
            case FaultKind.THROTTLE:
                raise throttled(call.service, **words)
            case FaultKind.INTERNAL:
                raise internal(call.service, **words)
            case FaultKind.CONFLICT:
                raise conflict(**words)
            case _:
                raise access_denied(call.service, call.operation, **words)

    def _strike_after(self, call: Call) -> None:
        fault = self.faults.strike(call, AFTER)
        if fault is not None and fault.kind is FaultKind.LOST_REPLY:
            raise ReplyLostError
        if fault is not None:
            raise internal(call.service, **({} if fault.reason is None else {"message": fault.reason}))

"""The page that explains the catalog: to admins and compliance about everybody, to others about themselves."""

from typing import Any, Final, cast

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from catalog import answers
from catalog.explain_forms import MyForm, Question, ReachForm, WhoForm, WhyForm

QUESTIONS: Final[dict[str, type[Question]]] = {"who": WhoForm, "why": WhyForm, "reach": ReachForm, "me": MyForm}


@login_required
@never_cache
@require_safe
def explain(request: HttpRequest) -> HttpResponse:
    """Answers the question that the address carries; without one it shows what can be asked."""
    question = _question(request)
    form = QUESTIONS[question](request.GET if "question" in request.GET else None)
    context: dict[str, Any] = {"question": question, "form": form}
    if form.is_bound and form.is_valid():
        context |= _answer(question, form.cleaned_data, cast(int, request.user.pk)) | {"at": form.cleaned_data["at"]}
    return render(request, "catalog/explain.html", context, status=400 if form.is_bound and form.errors else 200)


def _question(request: HttpRequest) -> str:
    """Which question is asked; of whoever may not ask about others, only that about themselves."""
    reader: Any = request.user
    may_ask_about_others = reader.is_staff or reader.is_compliance
    named = request.GET.get("question") or request.GET.get("ask", "")
    question = named if named in QUESTIONS else "who" if may_ask_about_others else "me"
    if question != "me" and not may_ask_about_others:
        raise PermissionDenied("What others may ask for is for admins and for compliance.")
    return question


def _answer(question: str, given: dict[str, Any], reader_id: int) -> dict[str, Any]:
    at = given["at"]
    if question == "who":
        return {"who": answers.who_can_ask(given["role"], given["environment"], at)}
    if question == "reach":
        return {"reach": answers.reach_of_group(given["group"], at)}
    wanted = {"role": given["role"], "environment": given["environment"]}
    if question == "me":
        return {"reach": answers.why(reader_id, at, who="You are", **wanted)}
    return {"reach": answers.why(given["person"].pk, at, **wanted)}

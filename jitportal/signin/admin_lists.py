"""What an address of the admin may ask of the database: what the page offers, in a measure that it can answer."""

from typing import TYPE_CHECKING, Any, Final

from django.contrib.admin import ModelAdmin, SimpleListFilter
from django.contrib.admin.utils import get_fields_from_path, unquote
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.text import capfirst

if TYPE_CHECKING:
    _Base = ModelAdmin[Any]
else:
    _Base = ModelAdmin

MOST_WORDS: Final = 10
LONGEST_SEARCH: Final = 200
_LOOKUPS: Final = ("exact", "in", "isnull", "isempty")


class OfferedOnly(_Base):
    """Mixed into every admin class as it is registered.

    Django lets whoever opens a list filter by any lookup on its own columns: a pattern that PostgreSQL cannot read is
    an error, and `session_key__startswith` tells a secret letter by letter.
    """

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest | None = None) -> bool:
        return any(lookup in self._offered_by(each) for each in self.get_list_filter(request))  # type: ignore[arg-type]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The list under the name of what is in it, rather than what may be done with it."""
        return super().changelist_view(
            request, {"title": capfirst(self.opts.verbose_name_plural), **(extra_context or {})}
        )

    def _offered_by(self, list_filter: Any) -> set[str]:
        """The parameters that links of a filter carry."""
        if isinstance(list_filter, type) and issubclass(list_filter, SimpleListFilter):
            return {str(list_filter.parameter_name)}
        path = list_filter[0] if isinstance(list_filter, list | tuple) else str(list_filter)
        paths = [path]
        related = get_fields_from_path(self.model, path)[-1].related_model
        if related and related != "self":
            paths.append(f"{path}__{related._meta.pk.name}")
        return {path, *(f"{each}__{lookup}" for each in paths for lookup in _LOOKUPS)}

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        words = search_term[:LONGEST_SEARCH].split()[:MOST_WORDS]
        return super().get_search_results(request, queryset, " ".join(words))

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        self._refuse_strange(object_id)
        return super().history_view(request, object_id, extra_context)

    def history_form_view(self, request: HttpRequest, object_id: str, version_id: str, **options: Any) -> HttpResponse:
        """One version; only where the class below has versions."""
        self._refuse_strange(object_id)
        if not (version_id.isascii() and version_id.isdecimal()):
            raise Http404
        shown: HttpResponse = super().history_form_view(request, object_id, version_id, **options)  # type: ignore[misc]
        return shown

    def _refuse_strange(self, object_id: str) -> None:
        try:
            self.opts.pk.to_python(unquote(object_id))
        except ValidationError:
            raise Http404 from None

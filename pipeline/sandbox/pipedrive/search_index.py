"""The search index, which learns of a write some seconds late. It holds words only; hits are drawn from the records.

What of a record is searchable stands in `search_documents.py`.
"""

from collections import defaultdict, deque

Document = dict[str, str]  # field -> its text


class SearchIndex:
    """Documents by entity and id, with a directory of whole values for exact questions."""

    def __init__(self, lag: float) -> None:
        self.lag = lag
        self._waiting: deque[tuple[float, str, int, Document | None]] = deque()
        self._documents: defaultdict[str, dict[int, Document]] = defaultdict(dict)
        self._exact: defaultdict[str, defaultdict[str, set[int]]] = defaultdict(lambda: defaultdict(set))

    def note(self, now: float, entity: str, record_id: int, document: Document | None) -> None:
        """A record was written (or, with no document, deleted): to be known once the lag is over."""
        self._waiting.append((now + self.lag, entity, record_id, document))
        self.settle(now)

    def settle(self, now: float) -> None:
        """Takes in what is due."""
        while self._waiting and self._waiting[0][0] <= now:
            _, entity, record_id, document = self._waiting.popleft()
            self._replace(entity, record_id, document)

    def holding(self, entity: str, term: str, fields: set[str] | None) -> list[int]:
        """Ids whose fields contain the term, case folded, in order of id."""
        wanted = term.casefold()
        return sorted(
            record_id
            for record_id, document in self._documents[entity].items()
            if any(wanted in value.casefold() for key, value in document.items() if fields is None or key in fields)
        )

    def equal(self, entity: str, term: str, fields: set[str] | None, *, case_sensitive: bool = False) -> list[int]:
        """Ids one of whose fields is the term, in order of id."""
        wanted = term if case_sensitive else term.casefold()
        found = []
        for record_id in self._exact[entity].get(term.casefold(), ()):
            values = (v for k, v in self._documents[entity][record_id].items() if fields is None or k in fields)
            if any((value if case_sensitive else value.casefold()) == wanted for value in values):
                found.append(record_id)
        return sorted(found)

    def document(self, entity: str, record_id: int) -> Document:
        """What the index knows of a record."""
        return self._documents[entity].get(record_id, {})

    def _replace(self, entity: str, record_id: int, document: Document | None) -> None:
        exact = self._exact[entity]
        for value in self._documents[entity].pop(record_id, {}).values():
            ids = exact[value.casefold()]
            ids.discard(record_id)
            if not ids:
                del exact[value.casefold()]
        if document is None:
            return
        self._documents[entity][record_id] = document
        for value in document.values():
            exact[value.casefold()].add(record_id)

"""POST, PUT and DELETE of documents and their files."""

import base64
from typing import Any

from pipeline.sandbox.company import Company
from pipeline.sandbox.company_papers import Attachment, Document
from pipeline.sandbox.exact_online.answers import Refusal
from pipeline.sandbox.exact_online.columns_documents import DOCUMENT_TYPES
from pipeline.sandbox.exact_online.inputs import assign, checked_fields, checked_references, keep_only, require
from pipeline.sandbox.exact_online.resources import Resource
from pipeline.sandbox.exact_online.settings import Settings

DOCUMENT_FIELDS = {
    "Subject": "subject",
    "Type": "type",
    "DocumentDate": "document_date",
    "Account": "account_id",
    "Contact": "contact_id",
    "Body": "body",
    "AmountFC": "amount",
    "Currency": "currency",
    "SalesInvoiceNumber": "invoice_number",
    "SalesOrderNumber": "order_number",
}


class PaperWriter:
    """Files documents of one company."""

    def __init__(self, company: Company, resources: dict[str, Resource], settings: Settings) -> None:
        self._company, self._settings = company, settings
        self._documents, self._files = resources["documents/Documents"], resources["documents/DocumentAttachments"]

    def create_document(self, sent: dict[str, Any]) -> Document:
        """A document of today, unless it says otherwise."""
        fields = self._checked(sent)
        for name in ("Subject", "Type"):
            require(fields, name, self._settings.missing_field_status)
        company = self._company
        hid = max((row.hid for row in company.documents), default=0) + 1
        document = Document(company.new_id(), hid, fields["Subject"], fields["Type"], company.clock.today)
        if fields.get("DocumentDate") is None:
            fields.pop("DocumentDate", None)
        assign(document, fields, DOCUMENT_FIELDS)
        return company.add("documents", document)

    def update_document(self, document: Document, sent: dict[str, Any]) -> None:
        """Only the fields that were sent."""
        fields = self._checked(sent)
        for name in {"Subject", "Type"} & set(fields):
            require(fields, name, self._settings.missing_field_status)
        assign(document, fields, DOCUMENT_FIELDS)
        self._company.touch("documents", document)

    def delete_document(self, document: Document) -> None:
        """With its files; the document of an invoice stays."""
        if any(row.number == document.invoice_number for row in self._company.invoices):
            raise Refusal(500, "Kan niet verwijderen: Document - Gebruikt in: Verkoopfacturen")
        for file in [row for row in self._company.attachments if row.document is document]:
            self._company.delete("attachments", file.id)
        self._company.delete("documents", document.id)

    def create_file(self, sent: dict[str, Any]) -> Attachment:
        """A file with a document that exists."""
        fields = checked_fields(sent, self._files)
        for name in ("Attachment", "Document", "FileName"):
            require(fields, name, self._settings.missing_field_status)
        document = self._company.documents.get(fields["Document"])
        if document is None:
            raise Refusal(500, "Ongeldig: Document")
        content = base64.b64decode(fields["Attachment"])
        file = Attachment(self._company.new_id(), document, fields["FileName"], content)
        return self._company.add("attachments", file)

    def delete_file(self, file: Attachment) -> None:
        """The document stays without it."""
        self._company.delete("attachments", file.id)

    def _checked(self, sent: dict[str, Any]) -> dict[str, Any]:
        fields = checked_fields(sent, self._documents)
        keep_only(fields, DOCUMENT_FIELDS, self._documents)
        if fields.get("Type") is not None and fields["Type"] not in DOCUMENT_TYPES:
            raise Refusal(500, "Ongeldig: Type")
        tables = {"Account": self._company.accounts, "Contact": self._company.contacts}
        checked_references(fields, tables, self._settings)
        return fields

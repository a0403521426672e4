"""What the fields of documents, their types and their files are read from."""

import base64
from typing import Any

from pipeline.sandbox.company import Company
from pipeline.sandbox.company_papers import Attachment
from pipeline.sandbox.exact_online.columns_orders import common_columns, full_name, kept
from pipeline.sandbox.exact_online.resources import Columns, constant, plain
from pipeline.sandbox.exact_online.values import padded_code

DOCUMENT_TYPES = {10: "Verkoopfactuur", 20: "Inkoopfactuur", 55: "Diversen"}
FILES = "https://exact.sandbox.example/docs"


def document_columns(company: Company) -> Columns:
    """Documents: one for each invoice, and what clients have filed."""

    def account(attribute: str) -> Any:
        return lambda document: getattr(company.accounts.get(document.account_id), attribute, None)

    code = account("code")
    return {
        **kept("documents/Documents"),
        **plain(ID="id", HID="hid", Subject="subject", Type="type", DocumentDate="document_date", Body="body"),
        **plain(Account="account_id", Contact="contact_id", AmountFC="amount", Currency="currency"),
        **plain(SalesInvoiceNumber="invoice_number", SalesOrderNumber="order_number"),
        "AccountCode": lambda document: padded_code(code(document)),
        "AccountName": account("name"),
        "ContactFullName": lambda document: full_name(company.contacts.get(document.contact_id)),
        "TypeDescription": lambda document: DOCUMENT_TYPES.get(document.type),
        "HasEmptyBody": lambda document: not document.body,
        "DocumentViewUrl": lambda document: f"{FILES}/DocView.aspx?DocumentID={document.id}",
        **common_columns(company),
    }


def document_type_columns() -> Columns:
    """Types of documents; the rows are their numbers."""
    return {
        "ID": lambda number: number,
        "Description": DOCUMENT_TYPES.get,
        "DocumentIsCreatable": constant(True),
        "DocumentIsDeletable": constant(True),
        "DocumentIsUpdatable": constant(True),
        "DocumentIsViewable": constant(True),
        "TypeCategory": lambda number: 1 if number == 10 else 0,
    }


def attachment_columns(company: Company) -> Columns:
    """Files of documents. Their content stands in the regular resource only; the others lead to it."""

    def url(file: Attachment) -> str:
        return f"{FILES}/SysAttachment.aspx?ID={file.id}&_Division_={company.division}"

    return {
        **plain(ID="id", Document="document.id", FileName="file_name"),
        "FileSize": lambda file: len(file.content),
        "Attachment": lambda file: base64.b64encode(file.content).decode(),
        "Url": url,
        "AttachmentUrl": url,
        **common_columns(company),
    }

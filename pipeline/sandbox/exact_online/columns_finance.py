"""What the fields of invoices and receivables are read from. An order's payment state comes from these, not from it."""

from typing import Any

from pipeline.sandbox.company import Company
from pipeline.sandbox.company_invoicing import document_id
from pipeline.sandbox.company_ordering import cents
from pipeline.sandbox.company_papers import Invoice, InvoiceLine, Receivable
from pipeline.sandbox.exact_online.columns_orders import (
    PAYMENT_CONDITIONS,
    VAT,
    common_columns,
    line_columns,
    order_columns,
)
from pipeline.sandbox.exact_online.resources import Columns, constant, plain
from pipeline.sandbox.exact_online.settings import Settings
from pipeline.sandbox.exact_online.values import padded, padded_code

TYPE_WORDS = {8020: "Invoice", 8021: "Credit note"}
STATUS_WORDS = {10: "Draft", 20: "Open", 50: "Processed"}
JOURNAL = ("70", "Verkoopboek")
OPEN, MATCHED = 20, 50
RECEIPT = 20  # LineType of money to be received; 22 are payments to be made


def invoice_columns(company: Company, settings: Settings) -> Columns:
    """Headers. AmountFC and AmountDC include VAT, AmountFCExclVat does not."""
    of_order = order_columns(company, settings)
    shared = ("OrderedBy", "DeliverTo", "InvoiceTo", "Salesperson", "PaymentCondition", "Currency", "YourRef")
    names = [name for name in of_order if name.startswith(shared)] + ["OrderDate"]
    return {
        **{name: _through("order", of_order[name]) for name in names},
        **plain(InvoiceID="id", ID="id", InvoiceNumber="number", InvoiceDate="invoice_date", DueDate="due_date"),
        **plain(OrderNumber="order.number", Status="status", Type="type"),
        "StatusDescription": lambda invoice: STATUS_WORDS.get(invoice.status),
        "TypeDescription": lambda invoice: TYPE_WORDS.get(invoice.type),
        **plain(AmountFC="amount_incl", AmountFCExclVat="amount_excl"),
        "AmountDC": lambda invoice: cents(invoice.amount_incl * invoice.order.rate),
        "VATAmountFC": lambda invoice: cents(invoice.amount_incl - invoice.amount_excl),
        "VATAmountDC": lambda invoice: cents((invoice.amount_incl - invoice.amount_excl) * invoice.order.rate),
        "Journal": constant(JOURNAL[0]),
        "JournalDescription": constant(JOURNAL[1]),
        "AmountDiscount": constant(0),
        "AmountDiscountExclVat": constant(0),
        "Discount": constant(0),
        "LineNumber": constant(0),  # in the sync feed, this tells headers from lines
        "Warehouse": _through("order", of_order["WarehouseID"]),
        **_document(company, lambda invoice: invoice),
        **common_columns(company),
    }


def invoice_line_columns(company: Company, settings: Settings) -> Columns:
    """Lines; AmountFC is without VAT here. They lead back to the order."""
    of_line = line_columns(company, settings)
    shared = ("Item", "ItemCode", "ItemDescription", "Description", "UnitCode", "UnitDescription", "NetPrice")
    return {
        **{name: _through("order_line", of_line[name]) for name in (*shared, "UnitPrice", "Discount", "DeliveryDate")},
        **plain(ID="id", InvoiceID="invoice.id", LineNumber="number", Quantity="quantity", AmountFC="amount"),
        **plain(SalesOrder="invoice.order.id", SalesOrderNumber="invoice.order.number"),
        **plain(SalesOrderLine="order_line.id", SalesOrderLineNumber="order_line.number"),
        **plain(VATPercentage="invoice.order.vat_rate"),
        "AmountDC": lambda line: cents(line.amount * line.invoice.order.rate),
        "VATAmountFC": lambda line: cents(line.amount * line.invoice.order.vat_rate),
        "VATAmountDC": lambda line: cents(line.amount * line.invoice.order.vat_rate * line.invoice.order.rate),
        "VATCode": lambda line: padded(VAT.get(line.invoice.order.vat_rate, ("2", ""))[0], 3),
        **common_columns(company),
    }


def invoice_feed_columns(company: Company, settings: Settings) -> Columns:
    """The sync feed mixes headers and lines; a line carries its header's fields too."""
    headers, lines = invoice_columns(company, settings), invoice_line_columns(company, settings)

    def of_either(name: str) -> Any:
        of_header = headers.get(name, constant(None))
        of_line = lines.get(name) or _through("invoice", of_header)
        return lambda row: of_line(row) if isinstance(row, InvoiceLine) else of_header(row)

    return {name: of_either(name) for name in {**headers, **lines}}


def receivable_columns(company: Company, settings: Settings) -> Columns:
    """What is owed or was paid, one row for each part of an invoice."""
    sign = -1 if settings.receivables_are_negative else 1
    return {
        **_debtor(company),
        **plain(ID="id", Account="invoice.order.account_id", InvoiceNumber="invoice.number"),
        **plain(InvoiceDate="invoice.invoice_date", EntryDate="invoice.invoice_date", DueDate="invoice.due_date"),
        **plain(EntryNumber="invoice.number", OrderNumber="invoice.order.number", YourRef="invoice.order.your_ref"),
        **plain(PaymentCondition="invoice.order.payment_condition", Currency="invoice.order.currency"),
        **plain(RateFC="invoice.order.rate", LastPaymentDate="paid_on", EntryID="id", TransactionEntryID="invoice.id"),
        **_owed(sign),
        "TransactionDueDate": lambda row: row.invoice.due_date,
        "IsFullyPaid": lambda row: row.paid_on is not None,
        "Status": lambda row: OPEN if row.paid_on is None else MATCHED,
        "PaymentConditionDescription": lambda row: PAYMENT_CONDITIONS.get(row.invoice.order.payment_condition),
        "Description": _description,
        "LineType": constant(RECEIPT),
        "Journal": constant(JOURNAL[0]),
        "JournalDescription": constant(JOURNAL[1]),
        "ApprovalStatus": constant(1),
        **_document(company, lambda row: row.invoice),
        **common_columns(company),
    }


def _document(company: Company, invoice_of: Any) -> Columns:
    """The document that shows the invoice."""

    def of_document(attribute: str) -> Any:
        return lambda row: getattr(company.documents.get(document_id(invoice_of(row))), attribute, None)

    names = {"Document": "id", "DocumentNumber": "hid", "DocumentSubject": "subject"}
    return {name: of_document(attribute) for name, attribute in names.items()}


def _owed(sign: int) -> Columns:
    return {
        "AmountFC": lambda row: sign * row.amount,
        "AmountDC": lambda row: cents(sign * row.amount * row.invoice.order.rate),
        "TransactionAmountFC": lambda row: sign * row.invoice.amount_incl,
        "TransactionAmountDC": lambda row: cents(sign * row.invoice.amount_incl * row.invoice.order.rate),
    }


def _debtor(company: Company) -> Columns:
    def account(attribute: str) -> Any:
        return lambda row: getattr(company.accounts.get(row.invoice.order.account_id), attribute, None)

    code, country = account("code"), account("country")
    return {
        "AccountCode": lambda row: padded_code(code(row)),
        "AccountName": account("name"),
        "AccountCountry": lambda row: padded(country(row), 3),
    }


def open_item_columns(company: Company, settings: Settings) -> Columns:
    """Open items only; a paid invoice is simply no longer there."""
    of_receivable = receivable_columns(company, settings)
    same = ("AccountCode", "AccountName", "EntryNumber", "InvoiceDate", "InvoiceNumber", "DueDate", "YourRef")
    return {
        **{name: of_receivable[name] for name in (*same, "Description", "JournalDescription")},
        **plain(Id="id", HID="hid", AccountId="invoice.order.account_id", CurrencyCode="invoice.order.currency"),
        **plain(Amount="amount"),
        "AmountInTransit": constant(0),
        "JournalCode": constant(JOURNAL[0]),
    }


def _description(row: Receivable) -> str:
    word = "Creditnota" if row.invoice.type == 8021 else "Factuur"
    return f"{word} {row.invoice.number}"


def _through(attribute: str, read: Any) -> Any:
    """A field of the row that this one belongs to."""

    def of_owner(row: Invoice | InvoiceLine) -> Any:
        return read(getattr(row, attribute))

    return of_owner

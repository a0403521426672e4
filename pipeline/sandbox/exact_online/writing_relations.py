"""POST, PUT and DELETE of accounts, their contacts and their addresses."""

from typing import Any

from pipeline.sandbox.company import Company
from pipeline.sandbox.company_rows import Account, Address, Contact
from pipeline.sandbox.exact_online.answers import Refusal
from pipeline.sandbox.exact_online.inputs import assign, checked_fields, checked_references, keep_only, require
from pipeline.sandbox.exact_online.resources import Resource
from pipeline.sandbox.exact_online.settings import Settings

CONTACT_FIELDS = {
    "Account": "account_id",
    "FirstName": "first_name",
    "MiddleName": "middle_name",
    "LastName": "last_name",
    "Email": "email",
    "BusinessEmail": "business_email",
    "Phone": "phone",
    "BusinessPhone": "business_phone",
    "Mobile": "mobile",
    "BusinessMobile": "business_mobile",
    "JobTitleDescription": "job_title",
    "Language": "language",
    "Notes": "notes",
    "Gender": "gender",
}
ACCOUNT_FIELDS = {
    "Name": "name",
    "Code": "code",
    "Status": "status",
    "Email": "email",
    "Phone": "phone",
    "Website": "website",
    "AddressLine1": "address_line1",
    "Postcode": "postcode",
    "City": "city",
    "Country": "country",
    "AccountManager": "account_manager_id",
    "VATNumber": "vat_number",
    "ChamberOfCommerce": "chamber_of_commerce",
    "Remarks": "remarks",
    "EndDate": "end_date",
    "Blocked": "blocked",
    "StartDate": "start_date",
    "MainContact": "main_contact_id",
    "PriceList": "price_list_id",
    "PaymentConditionSales": "payment_condition",
    "DiscountSales": "discount",
}
ADDRESS_FIELDS = {
    "Account": "account_id",
    "Type": "kind",
    "AddressLine1": "address_line1",
    "Postcode": "postcode",
    "City": "city",
    "Country": "country",
    "Main": "is_main",
}


class RelationWriter:
    """Writes relations of one company the way the API lets a client do it."""

    def __init__(self, company: Company, resources: dict[str, Resource], settings: Settings) -> None:
        self._company, self._settings = company, settings
        self._contacts, self._accounts = resources["crm/Contacts"], resources["crm/Accounts"]
        self._addresses = resources["crm/Addresses"]

    def create_contact(self, sent: dict[str, Any]) -> Contact:
        """A person at an existing account; a first or a last name is needed."""
        fields = checked_fields(sent, self._contacts)
        account_id = require(fields, "Account", self._settings.missing_field_status)
        self._check_contact(fields)
        if not fields.get("FirstName") and not fields.get("LastName"):
            require(fields, "LastName", self._settings.missing_field_status)
        hid = max((contact.hid for contact in self._company.contacts), default=0) + 1
        contact = Contact(self._company.new_id(), account_id, hid, None, None)
        # one address given, both fields show it: seen on a live create
        fields.setdefault("BusinessEmail", fields.get("Email"))
        fields.setdefault("Email", fields.get("BusinessEmail"))
        assign(contact, fields, CONTACT_FIELDS)
        return self._company.add("contacts", contact)

    def update_contact(self, contact: Contact, sent: dict[str, Any]) -> None:
        """Only the fields that were sent."""
        fields = checked_fields(sent, self._contacts)
        self._check_contact(fields)
        first, last = fields.get("FirstName", contact.first_name), fields.get("LastName", contact.last_name)
        if not first and not last:
            raise Refusal(self._settings.missing_field_status, "Verplicht: LastName")
        assign(contact, fields, CONTACT_FIELDS)
        self._company.touch("contacts", contact)

    def delete_contact(self, contact: Contact) -> None:
        """A contact that an order names stays."""
        if any(order.contact_id == contact.id for order in self._company.orders):
            raise Refusal(500, "Kan niet verwijderen: Contactpersoon - Gebruikt in: Verkooporders")
        self._company.delete("contacts", contact.id)

    def create_account(self, sent: dict[str, Any]) -> Account:
        """A relation; without a code it gets the next one."""
        fields = checked_fields(sent, self._accounts)
        keep_only(fields, ACCOUNT_FIELDS, self._accounts)
        self._check_account(fields, None)
        account = Account(self._company.new_id(), None, require(fields, "Name", self._settings.missing_field_status))
        account.status = "A"
        assign(account, fields, ACCOUNT_FIELDS)
        if not account.code:
            codes = [int(row.code) for row in self._company.accounts if row.code and row.code.isdigit()]
            account.code = str(max(codes, default=10000) + 1)
        account.country = (account.country or "NL").strip()
        return self._company.add("accounts", account)

    def update_account(self, account: Account, sent: dict[str, Any]) -> None:
        """Only the fields that were sent."""
        fields = checked_fields(sent, self._accounts)
        keep_only(fields, ACCOUNT_FIELDS, self._accounts)
        if "Name" in fields:
            require(fields, "Name", self._settings.missing_field_status)
        self._check_account(fields, account)
        assign(account, fields, ACCOUNT_FIELDS)
        account.country = (account.country or "NL").strip()
        self._company.touch("accounts", account)

    def delete_account(self, account: Account) -> None:
        """An account that has orders stays."""
        if any(order.account_id == account.id for order in self._company.orders):
            raise Refusal(500, "Kan niet verwijderen: Relatie - Gebruikt in: Verkooporders")
        for contact in [row for row in self._company.contacts if row.account_id == account.id]:
            self._company.delete("contacts", contact.id)
        self._company.delete("accounts", account.id)

    def create_address(self, sent: dict[str, Any]) -> Address:
        """An address of an account; one like it that exists already is answered instead."""
        fields = self._checked_address(sent)
        account = self._company.accounts.rows[require(fields, "Account", self._settings.missing_field_status)]
        address = Address(self._company.new_id(), account.id, 1, None, None, None, account.country, is_main=False)
        assign(address, fields, ADDRESS_FIELDS)
        same = ("account_id", "kind", "address_line1", "postcode", "city", "country", "extra")
        for other in self._company.addresses:
            if all(getattr(other, name) == getattr(address, name) for name in same):
                return other
        return self._company.add("addresses", address)

    def update_address(self, address: Address, sent: dict[str, Any]) -> None:
        """Only the fields that were sent; the account's own lines follow its main visit address."""
        fields = self._checked_address(sent)
        if fields.get("Account", address.account_id) != address.account_id:
            raise Refusal(500, "Ongeldig: Relatie")
        assign(address, fields, ADDRESS_FIELDS)
        self._company.touch("addresses", address)
        account = self._company.accounts.get(address.account_id)
        if account is not None and address.kind == 1 and address.is_main:
            shown = {name: getattr(address, name) for name in ("address_line1", "postcode", "city", "country")}
            self._company.change("accounts", account.id, **shown)

    def delete_address(self, address: Address) -> None:
        """The main one of its type stays."""
        if address.is_main:
            raise Refusal(500, "Kan niet verwijderen: Adres - Hoofdadres")
        self._company.delete("addresses", address.id)

    def _checked_address(self, sent: dict[str, Any]) -> dict[str, Any]:
        fields = checked_fields(sent, self._addresses)
        keep_only(fields, ADDRESS_FIELDS, self._addresses)
        if "Account" in fields and fields["Account"] not in self._company.accounts:
            raise Refusal(500, "Ongeldig: Relatie")
        if fields.get("Type") not in (None, 1, 2, 3, 4):
            raise Refusal(500, "Ongeldig: Type")
        if fields.get("Country"):
            fields["Country"] = fields["Country"].strip()
        return fields

    def _check_contact(self, fields: dict[str, Any]) -> None:
        if "Account" in fields and fields["Account"] not in self._company.accounts:
            raise Refusal(500, "Ongeldig: Relatie")

    def _check_account(self, fields: dict[str, Any], own: Account | None) -> None:
        if fields.get("Status") not in (None, "A", "S", "P", "C"):
            raise Refusal(500, "Ongeldig: Status")
        code = (fields.get("Code") or "").strip()
        if "Code" in fields:
            fields["Code"] = code or None
        if len(code) > 18:
            raise Refusal(500, "Ongeldig: Code: maximaal 18 tekens")
        if code and any(row.code == code and row is not own for row in self._company.accounts):
            raise Refusal(500, "Bestaat reeds: Code")
        tables = {"AccountManager": self._company.salespeople, "MainContact": self._company.contacts}
        tables["PriceList"] = self._company.price_lists
        checked_references(fields, tables, self._settings)

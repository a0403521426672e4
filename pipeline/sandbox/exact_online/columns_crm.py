"""What the fields of accounts, contacts and addresses are read from."""

from typing import Any

from pipeline.sandbox.company import Company
from pipeline.sandbox.company_rows import Account, Contact
from pipeline.sandbox.exact_online.columns_orders import common_columns, full_name, kept
from pipeline.sandbox.exact_online.resources import Columns, constant, plain
from pipeline.sandbox.exact_online.values import padded, padded_code

COUNTRIES = {"NL": "Nederland", "DE": "Duitsland", "BE": "België", "GB": "Verenigd Koninkrijk"}
PAYMENT_WORDS = {"00": "Contant", "14": "Binnen 14 dagen", "30": "Binnen 30 dagen"}


def account_columns(company: Company) -> Columns:
    """Customers and suppliers. Many flags are 0 or 1, some are true or false."""
    return {
        **kept("crm/Accounts"),
        **_account_manager(company),
        **_account_terms(),
        **plain(ID="id", Name="name", Status="status", Blocked="blocked", IsSupplier="is_supplier", Type="kind"),
        "Code": lambda account: padded_code(account.code),
        "IsSales": lambda account: account.status == "C",
        **_account_address(),
        **plain(Email="email", Phone="phone", Website="website", VATNumber="vat_number", Remarks="remarks"),
        **plain(ChamberOfCommerce="chamber_of_commerce", MainContact="main_contact_id", PriceList="price_list_id"),
        **plain(StartDate="start_date", EndDate="end_date", CustomerSince="start_date", StatusSince="start_date"),
        "Language": lambda account: padded("DE-DE" if account.country == "DE" else "NL-NL", 10),
        "GlnNumber": constant(""),  # empty text is null in most fields and "" in these two
        "OINNumber": constant(""),
        **common_columns(company),
    }


def _account_manager(company: Company) -> Columns:
    def manager(account: Account) -> Any:
        return company.salespeople.get(account.account_manager_id)

    return {
        "AccountManager": lambda account: account.account_manager_id,
        "AccountManagerFullName": lambda account: person.full_name if (person := manager(account)) else None,
        "AccountManagerHID": lambda account: int(person.id[-2:]) if (person := manager(account)) else None,
    }


def _account_terms() -> Columns:
    return {
        **plain(PaymentConditionSales="payment_condition", DiscountSales="discount"),
        "PaymentConditionSalesDescription": lambda account: PAYMENT_WORDS.get(account.payment_condition),
        "CreditLineSales": constant(0),
        "CreditLinePurchase": constant(0),
        "DiscountPurchase": constant(0),
        "SalesCurrency": constant("EUR"),
        "PurchaseCurrency": constant("EUR"),
    }


def contact_columns(company: Company) -> Columns:
    """People at an account. Code is the account's code, not one of the contact."""

    def account(contact: Contact) -> Any:
        return company.accounts.get(contact.account_id)

    return {
        **kept("crm/Contacts"),
        **plain(ID="id", Account="account_id", HID="hid", FirstName="first_name", MiddleName="middle_name"),
        **plain(LastName="last_name", Email="email", BusinessEmail="business_email", Phone="phone", Mobile="mobile"),
        **plain(BusinessPhone="business_phone", BusinessMobile="business_mobile", JobTitleDescription="job_title"),
        **plain(Notes="notes", Gender="gender", IsMainContact="is_main", Person="id"),
        "FullName": full_name,
        "Language": lambda contact: padded(contact.language, 10),
        "Code": lambda contact: padded_code(getattr(account(contact), "code", None)),
        "AccountName": lambda contact: getattr(account(contact), "name", None),
        "AccountMainContact": lambda contact: getattr(account(contact), "main_contact_id", None),
        "AccountIsCustomer": lambda contact: getattr(account(contact), "status", "") == "C",
        "AccountIsSupplier": lambda contact: getattr(account(contact), "is_supplier", False),
        "Country": lambda contact: padded(getattr(account(contact), "country", None), 3),
        **common_columns(company),
    }


def address_columns(company: Company) -> Columns:
    """Addresses of accounts, by type: 1 visit, 2 postal, 3 invoice, 4 delivery."""

    def name(address: Any) -> str | None:
        return getattr(company.accounts.get(address.account_id), "name", None)

    return {
        **kept("crm/Addresses"),
        **plain(ID="id", Account="account_id", Type="kind", Main="is_main"),
        **_account_address(),
        "AccountName": name,
        **common_columns(company),
    }


def _account_address() -> Columns:
    return {
        **plain(AddressLine1="address_line1", Postcode="postcode", City="city"),
        "Country": lambda row: padded(row.country, 3),
        "CountryName": lambda row: COUNTRIES.get(row.country),
    }

"""What the fields of user roles and employees are read from; both show the salespeople."""

from pipeline.sandbox.company import Company
from pipeline.sandbox.company_rows import Salesperson
from pipeline.sandbox.exact_online.columns_orders import common_columns
from pipeline.sandbox.exact_online.resources import Columns, constant, plain


def role_columns(company: Company) -> Columns:
    """Roles of users: their GUIDs, and no e-mail address."""
    return {
        "ID": lambda person: derived_id(person, "a"),
        **plain(UserID="id", StartDate="created_ms"),
        "Role": constant(17),
        "RoleLevel": constant(2),
        "Description": constant("Verkoop"),
        **common_columns(company),
    }


def employee_columns(company: Company) -> Columns:
    """Employees: `User` is the GUID that accounts and orders carry, ID is another one."""
    return {
        "ID": lambda person: derived_id(person, "b"),
        **plain(User="id", FullName="full_name", UserFullName="full_name", FirstName="first_name"),
        **plain(MiddleName="middle_name", LastName="last_name", BusinessEmail="email"),
        "Code": lambda person: person.id[-2:].rjust(18),
        "EmployeeHID": lambda person: int(person.id[-2:], 16),
        "HID": lambda person: int(person.id[-2:], 16),
        "IsActive": constant(True),
        "ActiveEmployment": constant(1),
        "Country": constant("NL "),
        **common_columns(company),
    }


def derived_id(person: Salesperson, first: str) -> str:
    """A GUID of its own for what belongs to a person."""
    return first + person.id[1:]

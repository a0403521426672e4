"""pipeline.yaml as a typed model, with every mistake named by its place.

A new setting is a field here, with its default, and a line in pipeline.yaml. What a setting does is decided elsewhere;
credentials come from the environment (`resources.py`), never from this file.
"""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo

import yaml
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from pipeline.domain.order_stage import DEFAULT_RULES, Outcome, StatusRule, Word
from pipeline.errors import ConfigurationError

PROJECT_FOLDER = Path(__file__).resolve().parent.parent
_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_TITLE_PLACES = {"order_number", "customer_name"}


def _known_time_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError(f"'{name}' is not a time zone; write one like Europe/Amsterdam") from None
    return name


def _e_mail(address: str) -> str:
    if not re.fullmatch(r"[^@\s]+@[^@\s]+", address):
        raise ValueError(f"'{address}' is not an e-mail address")
    return address.lower()


def _title_template(template: str) -> str:
    places = set(re.findall(r"\{([^{}]*)\}", template))
    if re.search(r"[{}]", re.sub(r"\{[^{}]*\}", "", template)):
        raise ValueError("a brace stands there without its other half")
    if places - _TITLE_PLACES:
        raise ValueError(
            f"only {{order_number}} and {{customer_name}} can stand in braces, not {places - _TITLE_PLACES}"
        )
    return template


def _words(named: Any) -> list[str] | None:
    if named == "any":
        return None
    if not isinstance(named, list) or not named or not {str(word) for word in named} <= set(Word):
        raise ValueError(f"write any, or a list of {', '.join(Word)}")
    return named


EMail = Annotated[str, AfterValidator(_e_mail)]
Words = Annotated[frozenset[Word] | None, BeforeValidator(_words)]
Name = Annotated[str, Field(min_length=1, max_length=255)]


class Section(BaseModel):
    """A part of pipeline.yaml; a key it doesn't know is a mistake."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Administration(Section):
    """One set of books: a partition key, and the option in "Administratie"."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]+$")]
    source: Literal["exact_online"]
    division: Annotated[int, Field(gt=0)]
    time_zone: Annotated[str, AfterValidator(_known_time_zone)] = "Europe/Amsterdam"
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] = "EUR"


class Stages(Section):
    """The names of the three stages in Pipedrive, in their order."""

    new: Name = "Nieuw"
    backorder: Name = "Wacht op backorder"
    shipped: Name = "Verzonden"

    @model_validator(mode="after")
    def _differ(self) -> Self:
        if len({self.new, self.backorder, self.shipped}) < 3:
            raise ValueError("the three stages need three different names")
        return self


class PipedriveSettings(Section):
    """Names and limits on the Pipedrive side."""

    pipeline: Name = "Bestellingen"
    stages: Stages = Stages()
    deal_title: Annotated[str, AfterValidator(_title_template)] = "Bestelling {order_number} – {customer_name}"
    archive_after_months: Annotated[int, Field(gt=0)] | None = None
    deal_cap: Annotated[int, Field(gt=0)] | None = None
    category_amounts: bool = False
    collection_field: Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]*$")] | None = None


class StatusRuleSetting(Section):
    """One row of `status_rules`; `any` stands for every word."""

    status: Words
    delivery: Words
    invoice: Words
    then: Outcome

    def rule(self) -> StatusRule:
        """The row as the domain reads it."""
        return StatusRule(self.status, self.delivery, self.invoice, self.then)


class History(Section):
    """How far back orders are migrated."""

    months: Annotated[int, Field(ge=0, le=240)] = 12


class Budget(Section):
    """Shares of a day's tokens and calls."""

    keep_for_live: Annotated[float, Field(ge=0, lt=1)] = 0.2


class Config(Section):
    """All of pipeline.yaml."""

    administrations: Annotated[list[Administration], Field(min_length=1)]
    salespeople: dict[str, EMail] = {}
    default_owner: EMail | None = None
    pipedrive: PipedriveSettings = PipedriveSettings()
    status_rules: list[StatusRuleSetting] | None = None
    history: History = History()
    budget: Budget = Budget()
    dormant_after_days: Annotated[int, Field(gt=0)] = 180
    contacts_to_exact: bool = False
    keep_runs_days: Annotated[int, Field(ge=7)] = 30
    keep_deleted_days: Annotated[int, Field(ge=7)] = 365

    @model_validator(mode="after")
    def _one_name_one_division(self) -> Self:
        names = [administration.name for administration in self.administrations]
        divisions = [(administration.source, administration.division) for administration in self.administrations]
        if len(set(names)) < len(names) or len(set(divisions)) < len(divisions):
            raise ValueError("two administrations share a name or a division; each needs its own")
        return self

    @property
    def rules(self) -> tuple[StatusRule, ...]:
        """The status rules in force."""
        return DEFAULT_RULES if self.status_rules is None else tuple(row.rule() for row in self.status_rules)

    @property
    def owner_e_mails(self) -> Mapping[str, str]:
        """Salesperson's id in the ERP (lower case) → e-mail of the Pipedrive user."""
        return {salesperson.lower(): e_mail for salesperson, e_mail in self.salespeople.items()}

    def administration(self, name: str) -> Administration:
        """The administration of that name."""
        for administration in self.administrations:
            if administration.name == name:
                return administration
        known = ", ".join(administration.name for administration in self.administrations)
        raise ConfigurationError(f"There is no administration '{name}' in pipeline.yaml; it has: {known}.")


_SafeLoader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # in C where it is there: it is read at every start


class _Loader(_SafeLoader):
    """Refuses a key that stands twice in one section, where YAML would silently take the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [key.value for key, _ in node.value]
        for key, _ in node.value:
            if keys.count(key.value) > 1:
                raise yaml.constructor.ConstructorError(None, None, f"'{key.value}' stands there twice", key.start_mark)
        return super().construct_mapping(node, deep)


def config_path(environment: Mapping[str, str] = os.environ) -> Path:
    """Where pipeline.yaml lies: `PIPELINE_CONFIG`, else beside workspace.yaml."""
    return Path(environment.get("PIPELINE_CONFIG") or PROJECT_FOLDER / "pipeline.yaml")


def load_config(path: Path | None = None, environment: Mapping[str, str] = os.environ) -> Config:
    """The configuration in force; raises ConfigurationError with the key's place and what is wrong with it."""
    path = path or config_path(environment)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            f"Cannot read {path}: {error}. Copy pipeline.yaml there or set PIPELINE_CONFIG."
        ) from None
    try:
        content = yaml.load(text, _Loader)  # noqa: S506  (a safe loader)
    except (yaml.YAMLError, ValueError) as error:  # a ValueError for a day like 2026-13-45
        raise ConfigurationError(f"{path} is not valid YAML: {' '.join(str(error).split())}") from None
    if not isinstance(content, dict):
        raise ConfigurationError(f"{path}: expected settings such as 'administrations:', found {content!r}.")
    return _validated(_filled(content, environment, path, ""), path)


def _validated(content: dict[str, Any], path: Path) -> Config:
    try:
        return Config.model_validate(content)
    except ValidationError as error:
        mistakes = "; ".join(f"{_place(mistake['loc'])}: {_wrong(mistake)}" for mistake in error.errors())
        raise ConfigurationError(f"{path}: {mistakes}") from None


def _filled(value: Any, environment: Mapping[str, str], path: Path, place: str) -> Any:
    if isinstance(value, dict):
        return {str(key): _filled(entry, environment, path, f"{place}.{key}") for key, entry in value.items()}
    if isinstance(value, list):
        return [_filled(entry, environment, path, f"{place}.{index}") for index, entry in enumerate(value)]
    if not isinstance(value, str):
        return value
    missing = [name for name in _VARIABLE.findall(value) if name not in environment]
    if missing:
        raise ConfigurationError(f"{path}: {place.lstrip('.')}: the environment has no {' and no '.join(missing)}")
    return _VARIABLE.sub(lambda found: environment[found.group(1)], value)


def _place(location: tuple[int | str, ...]) -> str:
    return ".".join(str(part) for part in location) or "the file"


def _wrong(mistake: Any) -> str:
    if mistake["type"] == "extra_forbidden":
        return "there is no such setting"
    if mistake["type"] == "missing":
        return "is missing"
    if mistake["type"] == "model_type":
        return f"write its settings below it, or leave it out (found {mistake['input']!r})"
    return f"{mistake['msg'].removeprefix('Value error, ')} (found {mistake['input']!r})"

"""What this account calls things: ids of stages, keys of fields, ids of options and users; found by name."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Self

from pipeline.pipedrive.fields import CustomField, category_field, is_category_field


@dataclass(frozen=True)
class User:
    """Somebody who may own records."""

    user_id: int
    is_active: bool
    is_token_owner: bool = False


@dataclass
class Schema:
    """The names of one account, as far as they were found or made."""

    pipeline_id: int = 0
    stages: dict[str, int] = field(default_factory=dict)
    fields: dict[tuple[str, str], str] = field(default_factory=dict)  # (entity, name) → key
    options: dict[tuple[str, str, str], tuple[int, str]] = field(default_factory=dict)  # (…, meaning) → id, label
    users: dict[str, User] = field(default_factory=dict)  # by e-mail, lower case
    left_out: list[str] = field(default_factory=list)  # item groups whose field the plan has no room for

    def contradicts(self, known: Self) -> bool:
        """Whether something that was known is another one now, so that content written with it is wrong."""
        options = {key: option for key, (option, _) in self.options.items()}
        return (
            known.pipeline_id not in {0, self.pipeline_id}
            or any(self.stages.get(stage) != found for stage, found in known.stages.items())
            or any(
                self.fields.get(field) != code for field, code in known.fields.items() if not is_category_field(*field)
            )
            or any(self.amounts.get(group) != code for group, code in known.amounts.items())
            or any(category_field(label) in self.names_of("deal") for label in {*known.left_out} - {*self.left_out})
            or any(options.get(key) != option for key, (option, _) in known.options.items())
            or bool(known.users and known.users != self.users)
        )

    @property
    def amounts(self) -> dict[str, str]:
        """Item-group code → key of the field for its revenue; a renamed group keeps its field."""
        groups = {
            meaning: category_field(label)
            for (entity, name, meaning), (_, label) in self.options.items()
            if (entity, name) == ("deal", "Artikelgroepen")
        }
        return {code: self.fields["deal", name] for code, name in groups.items() if ("deal", name) in self.fields}

    def names_of(self, entity: str) -> set[str]:
        """The names of an entity's fields."""
        return {name for of, name in self.fields if of == entity}

    def code(self, entity: str, name: str) -> str:
        """The field's key."""
        return self.fields[entity, name]

    def option(self, entity: str, name: str, meaning: str | None) -> int | None:
        """The id of the option that stands for it; None for nothing, or for what has no option."""
        known = self.options.get((entity, name, meaning or ""))
        return known[0] if known else None

    def owner(self, e_mails: Iterable[str], *, kept: int | None = None) -> int | None:
        """The first of them who is an active user, or is `kept`; else the token's own user."""
        for e_mail in e_mails:
            user = self.users.get(e_mail)
            if user and (user.is_active or user.user_id == kept):
                return user.user_id
        return next((user.user_id for user in self.users.values() if user.is_token_owner), None)

    def lacks(self, wanted: Iterable[CustomField], stages: Iterable[str]) -> bool:
        """Whether a field, an option, its label or a stage is missing."""
        out = {category_field(group) for group in self.left_out}
        return (
            not self.users
            or not set(stages) <= set(self.stages)
            or any(self._lacks(field) for field in wanted if field.name not in out)
        )

    def _lacks(self, wanted: CustomField) -> bool:
        if wanted.has_options and not wanted.options:
            return False
        if (wanted.entity, wanted.name) not in self.fields:
            return True
        return any(self._label(wanted, meaning) != label for meaning, label in wanted.options.items())

    def _label(self, wanted: CustomField, meaning: str) -> str | None:
        known = self.options.get((wanted.entity, wanted.name, meaning))
        return known[1] if known else None


def labels(options: Iterable[Mapping]) -> dict[str, int]:
    """Label → id of a field's options as Pipedrive lists them."""
    return {str(option["label"]): int(option["id"]) for option in options}

"""pipeline.yaml: every mistake stops the start with one sentence that names its place."""

import re
from pathlib import Path

import pytest

from pipeline.config import Config, config_path, load_config
from pipeline.domain.order_stage import DEFAULT_RULES
from pipeline.errors import ConfigurationError
from pipeline.settings import Settings

ROOT = Path(__file__).resolve().parent.parent
GOOD = "administrations: [{name: nl, source: exact_online, division: 1}]\n"


def loaded(folder: Path, text: str, **environment: str) -> Config:
    (folder / "pipeline.yaml").write_text(text, "utf-8")
    return load_config(folder / "pipeline.yaml", environment)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        pytest.param("", "expected settings such as 'administrations:', found None", id="an empty file"),
        pytest.param("# nothing\n", "expected settings such as 'administrations:', found None", id="only a comment"),
        pytest.param("- nl\n", r"expected settings .* found \['nl'\]", id="a list"),
        pytest.param("nl", "expected settings .* found 'nl'", id="a word"),
        pytest.param("a: [1\n", "is not valid YAML: .*line 2", id="not YAML"),
        pytest.param("a:\n\t- 1\n", "is not valid YAML: .*line 2", id="a tab"),
        pytest.param("{}", "administrations: is missing", id="no administrations"),
        pytest.param("administrations: []", "administrations: .*at least 1 item", id="an empty list of them"),
        pytest.param(
            "administrations: nl", "administrations: .*valid list .*found 'nl'", id="a name instead of a list"
        ),
        pytest.param(GOOD + "archive: 1\n", "archive: there is no such setting", id="an unknown key"),
        pytest.param(
            GOOD + "pipedrive: {titel: x}", r"pipedrive\.titel: there is no such setting", id="an unknown key inside"
        ),
        pytest.param(
            GOOD + "pipedrive: {stages: {won: Klaar}}", r"pipedrive\.stages\.won: there is no such setting", id="deeper"
        ),
        pytest.param(
            "administrations: [{name: nl, source: exact_online, division: 1, divison: 2}]",
            r"administrations\.0\.divison: there is no such setting",
            id="an unknown key of an administration",
        ),
        pytest.param(
            "administrations: [{name: nl, source: exact_online}]",
            r"administrations\.0\.division: is missing",
            id="no division",
        ),
        pytest.param(
            GOOD.replace("1}", "one}"), r"administrations\.0\.division: .*valid integer.*found 'one'", id="a wrong type"
        ),
        pytest.param(GOOD.replace("1}", "0}"), r"administrations\.0\.division: .*greater than 0", id="division 0"),
        pytest.param(
            GOOD.replace("nl", "a/b"), r"administrations\.0\.name: .*match pattern .*found 'a/b'", id="a bad name"
        ),
        pytest.param(
            GOOD.replace("nl", "no"), r"administrations\.0\.name: .*found False", id="a name YAML takes for false"
        ),
        pytest.param(
            GOOD.replace("exact_online", "sap"), r"administrations\.0\.source: .*'exact_online'", id="a source"
        ),
        pytest.param(
            GOOD.replace("1}", "1, time_zone: Amsterdam}"),
            r"administrations\.0\.time_zone: 'Amsterdam' is not a time zone; write one like Europe/Amsterdam",
            id="an unknown time zone",
        ),
        pytest.param(
            GOOD.replace("1}", "1, time_zone: ../../etc/passwd}"), "is not a time zone", id="a time zone that is a path"
        ),
        pytest.param(GOOD.replace("1}", "1, time_zone: Europe}"), "'Europe' is not a time zone", id="half a time zone"),
        pytest.param(GOOD.replace("1}", "1, time_zone: ''}"), "'' is not a time zone", id="an empty time zone"),
        pytest.param(
            GOOD.replace("1}", "1, currency: euro}"), r"administrations\.0\.currency: .*found 'euro'", id="a currency"
        ),
        pytest.param(
            GOOD.replace("]", ", {name: nl, source: exact_online, division: 2}]"),
            "two administrations share a name or a division; each needs its own",
            id="two of one name",
        ),
        pytest.param(
            GOOD.replace("]", ", {name: be, source: exact_online, division: 1}]"),
            "two administrations share a name or a division; each needs its own",
            id="two of one division",
        ),
        pytest.param(
            GOOD + "default_owner: Jan", "default_owner: 'Jan' is not an e-mail address", id="an e-mail address"
        ),
        pytest.param(
            GOOD + "salespeople: {guid-1: jan@}",
            r"salespeople\.guid-1: 'jan@' is not an e-mail address",
            id="a salesperson",
        ),
        pytest.param(GOOD + "salespeople: {guid-1: null}", r"salespeople\.guid-1: .*found None", id="nobody"),
        pytest.param(GOOD + "salespeople: [jan@x.nl]", "salespeople: .*valid dictionary", id="a list of salespeople"),
        pytest.param(
            GOOD + 'pipedrive: {deal_title: "{number}"}',
            r"pipedrive\.deal_title: only {order_number} and {customer_name} can stand in braces, not {'number'}",
            id="a title template",
        ),
        pytest.param(
            GOOD + 'pipedrive: {deal_title: "Order {order_number"}',
            r"pipedrive\.deal_title: .*brace",
            id="a brace that is never closed",
        ),
        pytest.param(GOOD + 'pipedrive: {deal_title: "{}"}', r"pipedrive\.deal_title: only", id="empty braces"),
        pytest.param(GOOD + "pipedrive: {pipeline: ''}", r"pipedrive\.pipeline: .*at least 1 character", id="no name"),
        pytest.param(
            GOOD + "pipedrive: {stages: {new: Verzonden}}",
            r"pipedrive\.stages: the three stages need three different names",
            id="two stages of one name",
        ),
        pytest.param(
            GOOD + "pipedrive: {archive_after_months: 0}",
            r"pipedrive\.archive_after_months: .*greater than 0",
            id="0 months",
        ),
        pytest.param(
            GOOD + "pipedrive: {collection_field: 'Class 1'}", r"pipedrive\.collection_field: ", id="a field name"
        ),
        pytest.param(
            GOOD + "history: {months: -1}", r"history\.months: .*greater than or equal to 0", id="months below 0"
        ),
        pytest.param(GOOD + "history: 12", "history: .*found 12", id="a number instead of a section"),
        pytest.param(GOOD + "budget: {keep_for_live: 1}", r"budget\.keep_for_live: .*less than 1", id="all for live"),
        pytest.param(GOOD + "budget: {keep_for_live: .nan}", r"budget\.keep_for_live: ", id="not a number"),
        pytest.param(GOOD + "dormant_after_days: soon", "dormant_after_days: .*found 'soon'", id="days"),
        pytest.param(GOOD + "contacts_to_exact: maybe", "contacts_to_exact: .*found 'maybe'", id="yes or no"),
        pytest.param(
            GOOD + "status_rules: [{status: any, delivery: any, invoice: any, then: gone}]",
            r"status_rules\.0\.then: .*found 'gone'",
            id="an outcome",
        ),
        pytest.param(
            GOOD + "status_rules: [{status: any, delivery: any, invoice: any}]",
            r"status_rules\.0\.then: is missing",
            id="no outcome",
        ),
        pytest.param(
            GOOD + "status_rules: [{status: [opne], delivery: any, invoice: any, then: won}]",
            r"status_rules\.0\.status: .*opne",
            id="a status word",
        ),
        pytest.param(
            GOOD + "status_rules: [{status: [], delivery: any, invoice: any, then: won}]",
            r"status_rules\.0\.status: ",
            id="no status word",
        ),
        pytest.param(
            GOOD + "status_rules: [{status: open, delivery: any, invoice: any, then: won}]",
            r"status_rules\.0\.status: .*open",
            id="a status word that is no list",
        ),
        pytest.param(GOOD + "pipedrive:\n", "pipedrive: ", id="a section with nothing in it"),
        pytest.param(GOOD + "default_owner: ${OWNER}", "default_owner: the environment has no OWNER", id="a variable"),
        pytest.param(
            "administrations: [{name: '${A}${B}', source: exact_online, division: 1}]",
            r"administrations\.0\.name: the environment has no A and no B",
            id="two variables",
        ),
        pytest.param(GOOD + "default_owner: 2026-13-45", "default_owner|not valid YAML", id="a day there is not"),
        pytest.param(
            GOOD + "history: {months: 3}\nhistory: {months: 4}", "history", id="a key that stands there twice"
        ),
    ],
)
def test_a_mistake_is_one_sentence_with_its_place(tmp_path: Path, text: str, sentence: str):
    with pytest.raises(ConfigurationError, match=sentence) as raised:
        loaded(tmp_path, text)
    said = str(raised.value)
    assert str(tmp_path / "pipeline.yaml") in said
    assert "\n" not in said
    assert re.search(r"pydantic|frozenset|literal\[|instance of", said) is None, "words of our tools, not of the file"


def test_every_mistake_is_named_at_once(tmp_path: Path):
    with pytest.raises(ConfigurationError) as raised:
        loaded(tmp_path, "default_owner: Jan\nhistory: {months: -1}\n")
    assert all(place in str(raised.value) for place in ("administrations: ", "default_owner: ", "history.months: "))


@pytest.mark.parametrize("make", ["folder", "nothing", "latin-1"])
def test_a_file_that_cannot_be_read_is_a_sentence(tmp_path: Path, make: str):
    path = tmp_path / "pipeline.yaml"
    if make == "folder":
        path.mkdir()
    elif make == "latin-1":
        path.write_bytes(b"# \xe9\n")
    with pytest.raises(ConfigurationError, match=r"Cannot read .*Copy pipeline\.yaml there or set PIPELINE_CONFIG"):
        load_config(path, {})


def test_only_administrations_are_required_and_the_rest_is_what_the_contract_says(tmp_path: Path):
    assert loaded(tmp_path, GOOD).model_dump() == {
        "administrations": [
            {"name": "nl", "source": "exact_online", "division": 1, "time_zone": "Europe/Amsterdam", "currency": "EUR"}
        ],
        "salespeople": {},
        "default_owner": None,
        "pipedrive": {
            "pipeline": "Bestellingen",
            "stages": {"new": "Nieuw", "backorder": "Wacht op backorder", "shipped": "Verzonden"},
            "deal_title": "Bestelling {order_number} – {customer_name}",
            "archive_after_months": None,
            "deal_cap": None,
            "category_amounts": False,
            "collection_field": None,
        },
        "status_rules": None,
        "history": {"months": 12},
        "budget": {"keep_for_live": 0.2},
        "dormant_after_days": 180,
        "keep_runs_days": 30,
        "keep_deleted_days": 365,
        "contacts_to_exact": False,
    }


def test_the_shipped_file_differs_from_the_defaults_only_in_who_it_is_for(tmp_path: Path):
    shipped = load_config(ROOT / "pipeline.yaml", {}).model_dump(exclude={"administrations", "salespeople"})
    assert shipped == loaded(tmp_path, GOOD).model_dump(exclude={"administrations", "salespeople"})


def test_variables_are_filled_in_wherever_they_stand(tmp_path: Path):
    text = "administrations: [{name: '${NAME}', source: exact_online, division: '${DIVISION}'}]\n"
    config = loaded(tmp_path, text + "default_owner: ${WHO}@x.nl", NAME="be", DIVISION="77", WHO="Jan")
    assert (config.administrations[0].name, config.administrations[0].division) == ("be", 77)
    assert config.default_owner == "jan@x.nl"


def test_e_mail_addresses_and_ids_are_compared_in_small_letters(tmp_path: Path):
    config = loaded(tmp_path, GOOD + "salespeople: {6F9619FF: Jan@Example.NL}")
    assert config.owner_e_mails == {"6f9619ff": "jan@example.nl"}


def test_rules_of_ones_own_take_the_place_of_the_built_in_ones(tmp_path: Path):
    assert loaded(tmp_path, GOOD).rules == DEFAULT_RULES
    (rule,) = loaded(
        tmp_path, GOOD + "status_rules: [{status: [open], delivery: [partial, complete], invoice: any, then: shipped}]"
    ).rules
    assert (rule.status, rule.delivery, rule.invoice, rule.then) == ({"open"}, {"partial", "complete"}, None, "shipped")
    assert loaded(tmp_path, GOOD + "status_rules: []").rules == ()


def test_an_administration_is_found_by_name_or_named_as_unknown(tmp_path: Path):
    config = loaded(tmp_path, GOOD)
    assert config.administration("nl").division == 1
    with pytest.raises(ConfigurationError, match=r"no administration 'be' .* it has: nl\."):
        config.administration("be")


@pytest.mark.parametrize(
    ("environment", "path"), [({}, ROOT / "pipeline.yaml"), ({"PIPELINE_CONFIG": ""}, ROOT / "pipeline.yaml")]
)
def test_the_file_lies_beside_workspace_yaml(environment: dict[str, str], path: Path):
    assert config_path(environment) == path
    assert (path.parent / "workspace.yaml").exists()


def test_the_file_lies_where_the_environment_says(tmp_path: Path):
    assert config_path({"PIPELINE_CONFIG": str(tmp_path / "x.yaml")}) == tmp_path / "x.yaml"


# --- the environment ---


@pytest.mark.parametrize("value", [None, "", "   "], ids=["not set", "empty", "blanks"])
def test_a_variable_that_is_needed_and_missing_is_named(value: str | None):
    environment = {} if value is None else {"PIPEDRIVE_API_TOKEN": value}
    with pytest.raises(ConfigurationError, match=r"PIPEDRIVE_API_TOKEN is not set; .*\.env\.example"):
        Settings(environment).required("PIPEDRIVE_API_TOKEN")


@pytest.mark.parametrize(
    ("environment", "name", "value"),
    [
        ({}, "exact_base_url", "https://start.exactonline.nl"),
        ({"EXACT_BASE_URL": ""}, "exact_base_url", "https://start.exactonline.nl"),
        ({"EXACT_BASE_URL": "http://127.0.0.1:8001/"}, "exact_base_url", "http://127.0.0.1:8001"),
        ({"PIPEDRIVE_BASE_URL": "https://x.pipedrive.com/"}, "pipedrive_base_url", "https://x.pipedrive.com"),
        ({}, "daily_tokens", 30_000),
        ({"PIPEDRIVE_DAILY_TOKENS": ""}, "daily_tokens", 30_000),
        ({"PIPEDRIVE_DAILY_TOKENS": "210000"}, "daily_tokens", 210_000),
        ({}, "home", ROOT / ".local"),
        ({"PIPELINE_HOME": "/srv/pipeline"}, "home", Path("/srv/pipeline")),
        ({"WAREHOUSE_URL": "postgresql://x"}, "warehouse_url", "postgresql://x"),
    ],
)
def test_a_setting_of_the_environment(environment: dict[str, str], name: str, value: object):
    assert getattr(Settings(environment), name) == value


@pytest.mark.parametrize(
    ("environment", "name", "sentence"),
    [
        ({"EXACT_BASE_URL": "start.exactonline.nl"}, "exact_base_url", "EXACT_BASE_URL is .*https:// in front"),
        ({"PIPEDRIVE_BASE_URL": "x.pipedrive.com"}, "pipedrive_base_url", "PIPEDRIVE_BASE_URL is .*https:// in front"),
        ({}, "pipedrive_base_url", "PIPEDRIVE_BASE_URL is not set"),
        ({}, "warehouse_url", "WAREHOUSE_URL is not set"),
        (
            {"PIPEDRIVE_DAILY_TOKENS": "30,000"},
            "daily_tokens",
            "PIPEDRIVE_DAILY_TOKENS is '30,000'; write a whole number",
        ),
        ({"PIPEDRIVE_DAILY_TOKENS": "²"}, "daily_tokens", "write a whole number"),
    ],
)
def test_a_setting_that_is_wrong_is_a_sentence(environment: dict[str, str], name: str, sentence: str):
    with pytest.raises(ConfigurationError, match=sentence):
        getattr(Settings(environment), name)


CONTRACT = """
EXACT_BASE_URL EXACT_CLIENT_ID EXACT_CLIENT_SECRET EXACT_REFRESH_TOKEN EXACT_WEBHOOK_SECRET PIPEDRIVE_BASE_URL
PIPEDRIVE_API_TOKEN PIPEDRIVE_DAILY_TOKENS WAREHOUSE_URL PIPELINE_SECRET_KEY PUBLIC_URL ALERT_WEBHOOK_URL SMTP_URL
ALERT_EMAIL PIPELINE_HOME PIPELINE_CONFIG
"""
SET_BY_OURSELVES = {"DAGSTER_HOME"}
NAMED = re.compile(r"""["']([A-Z]+(?:_[A-Z]+)+)["']""")


def test_the_example_names_every_variable_of_the_contract_and_of_the_code():
    named = set(re.findall(r"^#?([A-Z_]+)=", (ROOT / ".env.example").read_text("utf-8"), re.MULTILINE))
    read = [ROOT / "pipeline" / name for name in ("settings.py", "entry.py", "connections.py", "config.py")]
    in_code = {name for file in read for name in NAMED.findall(file.read_text("utf-8"))}
    assert set(CONTRACT.split()) <= named
    assert {"WAREHOUSE_URL", "EXACT_CLIENT_SECRET", "PIPELINE_CONFIG"} <= in_code
    assert in_code - SET_BY_OURSELVES <= named

"""What `pipeline verify` calls things, in Dutch and English: one word or sentence for each key, in both languages.

`{…}` is filled by `verify_report.py`. Nothing is counted or laid out here.
"""

from pipeline.language import Pair, words

WORDS: dict[str, Pair] = {
    "title": ("Vooronderzoek Exact Online en Pipedrive", "Exact Online and Pipedrive, looked at beforehand"),
    "intro": (
        "Gelezen op {read_at} (UTC). Er is niets geschreven, niet in Exact Online en niet in Pipedrive.",
        "Read at {read_at} (UTC). Nothing was written, neither to Exact Online nor to Pipedrive.",
    ),
    "findings": ("Wat opvalt", "What stands out"),
    "no_findings": ("Er valt niets op.", "Nothing stands out."),
    "unseen": ("Niet gezien", "Not seen"),
    "unseen_says": (
        "De cijfers hieronder gaan over wat wel gelezen is.",
        "The figures below are about what was read.",
    ),
    "statuses": ("Statussen van orders", "Statuses of orders"),
    "statuses_says": (
        "Per combinatie van drie statussen: de regel die erover beslist en wat de deal wordt. Orders van een "
        "combinatie zonder regel wachten tot die er is.",
        "For each combination of three statuses: the rule that decides, and what becomes of the deal. Orders of a "
        "combination without a rule wait until there is one.",
    ),
    "held": ("Orders die zouden wachten", "Orders that would wait"),
    "salespeople": ("Verkopers", "Salespeople"),
    "settings": ("Voor pipeline.yaml, onder salespeople:", "For pipeline.yaml, below salespeople:"),
    "owners": ("Eigenaars van de deals", "Owners of the deals"),
    "owners_says": (
        "Verkoper van de order, anders de accountmanager van de klant, anders default_owner, anders de gebruiker van "
        "het API-token.",
        "The order's salesperson, else the customer's account manager, else default_owner, else the user of the API "
        "token.",
    ),
    "customers": ("Klanten", "Customers"),
    "customers_says": ("{name}: {mirrored} klanten komen mee.", "{name}: {mirrored} customers come along."),
    "items": ("Artikelen en artikelgroepen", "Items and item groups"),
    "items_says": (
        "{name}: {mirrored} artikelen, waarvan {ungrouped} zonder groep {ungrouped_shown}; {missing} op orders en niet "
        "in het bestand. {groups} artikelgroepen, {used} daarvan op orders; een veld heeft plaats voor {most}.",
        "{name}: {mirrored} items, {ungrouped} of them without a group {ungrouped_shown}; {missing} on orders and not "
        "in the catalogue. {groups} item groups, {used} of them on orders; a field takes {most}.",
    ),
    "alike_says": ("{name}: verschillen alleen in hoofdletters: {alike}", "{name}: differ only in capitals: {alike}"),
    "one_name_says": ("{name}: meer groepen heten {labels}", "{name}: several groups are called {labels}"),
    "orders": ("Orders", "Orders"),
    "orders_says": (
        "{name}: {orders} orders. Regels per order: de middelste {median}, 95% hoogstens {p95}, de langste {most}. "
        "Zonder regels: {without_lines}. Andere valuta: {currencies}.",
        "{name}: {orders} orders. Lines an order: the middle one {median}, 95% at most {p95}, the longest {most}. "
        "Without lines: {without_lines}. Other currencies: {currencies}.",
    ),
    "migration": ("De eerste migratie", "The first migration"),
    "migration_says": (
        "{organizations} organisaties, {persons} personen, {products} producten, {deals} deals met {rows} regels: "
        "{tokens} tokens, waarvan {setup_tokens} om in te richten. Pipedrive heeft nu {deals_there} deals en "
        "{fields_there} eigen velden; er komen {fields_to_be_made} velden bij.",
        "{organizations} organizations, {persons} persons, {products} products, {deals} deals with {rows} rows: "
        "{tokens} tokens, {setup_tokens} of them to set it up. Pipedrive has {deals_there} deals and {fields_there} "
        "custom fields now; {fields_to_be_made} fields are added.",
    ),
    "conflict_says": (
        'Veld "{field}" ({entity}) bestaat al met een ander type ({kind}): hernoem het in Pipedrive.',
        'Field "{field}" ({entity}) is there with another type ({kind}): rename it in Pipedrive.',
    ),
    "plans": ("Per abonnement van Pipedrive", "On each plan of Pipedrive"),
    "plans_says": (
        "Met {seats} actieve gebruikers. Dagen: hele dagbudgetten, zonder het deel dat voor nieuwe orders vrij blijft. "
        "Velden per artikelgroep zijn een keuze (category_amounts); een tiende van de velden blijft daarbij vrij.",
        "With {seats} active users. Days: whole days' budgets, less the share that is kept for new orders. Fields for "
        "item groups are a choice (category_amounts), which leaves a tenth of the fields free.",
    ),
    "limits": ("Limieten en klokken", "Limits and clocks"),
    "exact_says": (
        "Exact Online {name}: nog {minute_left} van {minute_limit} aanroepen deze minuut, {day_left} van {day_limit} "
        "vandaag; dit onderzoek kostte er {calls}.",
        "Exact Online {name}: {minute_left} of {minute_limit} calls left this minute, {day_left} of {day_limit} today; "
        "this look took {calls}.",
    ),
    "pipedrive_says": (
        "Pipedrive: nog {left} van {a_day} tokens vandaag; dit onderzoek kostte er {spent}.",
        "Pipedrive: {left} of {a_day} tokens left today; this look took {spent}.",
    ),
    "clock_says": (
        "De klok van {side} loopt {seconds} seconden voor op deze computer.",
        "The clock of {side} is {seconds} seconds ahead of this machine.",
    ),
    "clock_unknown": ("{side} noemt de tijd niet.", "{side} does not tell its time."),
    # columns
    "count_customers": ("Klanten", "Customers"),
    "examples": ("Voorbeelden", "Examples"),
    "rule": ("Regel", "Rule"),
    "deal": ("Deal", "Deal"),
    "e_mail": ("E-mailadres", "E-mail address"),
    "user": ("Gebruiker in Pipedrive", "User in Pipedrive"),
    "owner": ("Eigenaar", "Owner"),
    "what": ("Wat", "What"),
    "count": ("Aantal", "Count"),
    "plan": ("Abonnement", "Plan"),
    "tokens_a_day": ("Tokens per dag", "Tokens a day"),
    "days": ("Dagen", "Days"),
    "fields": ("Velden", "Fields"),
    "group_fields": ("Velden per artikelgroep", "Fields for item groups"),
    # values
    "uncovered": ("GEEN REGEL", "NO RULE"),
    "of": ("{count} van {most}", "{count} of {most}"),
    "too_many": ("te veel: {count} van {most}", "too many: {count} of {most}"),
    "left_out": ("{out} van {all} passen niet: {groups}", "{out} of {all} do not fit: {groups}"),
    "all_fit": ("alle {all} passen", "all {all} fit"),
    "never": ("nooit", "never"),
    "this_account": ("{plan} (dit account)", "{plan} (this account)"),
    "active": ("actief", "active"),
    "deactivated": ("gedeactiveerd", "deactivated"),
    "no such user": ("bestaat niet", "no such user"),
    "not in pipeline.yaml": ("niet in pipeline.yaml", "not in pipeline.yaml"),
    "not seen": ("niet gezien", "not seen"),
    "without_code": ("zonder debiteurnummer", "without a debtor code"),
    "shared_codes": ("met een debiteurnummer dat ook een ander heeft", "with a debtor code that another has too"),
    "codes_alike": ("met nummers die alleen in hoofdletters verschillen", "with codes that differ only in capitals"),
    "long_codes": ("met een nummer van 18 tekens of meer", "with a code of 18 characters or more"),
    "without_name": ("zonder naam", "without a name"),
    "without_country": ("zonder land", "without a country"),
    # findings
    "uncovered_orders": ("orders met statussen zonder regel", "orders whose statuses no rule covers"),
    "held_orders": ("orders die zouden wachten", "orders that would wait"),
    "salespeople_without_user": (
        "verkopers zonder actieve gebruiker in Pipedrive",
        "salespeople without an active user in Pipedrive",
    ),
    "customers_without_code": ("klanten zonder debiteurnummer", "customers without a debtor code"),
    "customers_shared_codes": ("klanten die een debiteurnummer delen", "customers that share a debtor code"),
    "customers_codes_alike": (
        "klanten met nummers die alleen in hoofdletters verschillen",
        "customers with codes that differ only in capitals",
    ),
    "customers_long_codes": (
        "klanten met een nummer van 18 tekens of meer",
        "customers with a code of 18 characters or more",
    ),
    "customers_without_name": ("klanten zonder naam", "customers without a name"),
    "customers_without_country": ("klanten zonder land", "customers without a country"),
    "items_without_group": ("artikelen zonder artikelgroep", "items without an item group"),
    "groups_alike": ("artikelgroepen die alleen in hoofdletters verschillen", "item groups alike but for capitals"),
    "item_codes_alike": ("artikelcodes die alleen in hoofdletters verschillen", "item codes alike but for capitals"),
    "too_many_groups": ("artikelgroepen meer dan een veld aankan", "item groups more than a field takes"),
    "orders_in_other_currencies": ("orders in andere valuta", "orders in other currencies"),
    "fields_of_another_type": ("velden die er al zijn met een ander type", "fields that are there with another type"),
    "clocks_apart": ("klokken die meer dan een minuut verschillen", "clocks more than a minute apart"),
}
said = words(WORDS)

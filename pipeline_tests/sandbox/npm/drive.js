// Drives the simulated Pipedrive with Pipedrive's own client and prints what came back, as one JSON object.
const { v1, v2 } = require("pipedrive");

const [base, apiKey] = process.argv.slice(2);
const two = new v2.Configuration({ apiKey, basePath: `${base}/api/v2` });
const one = new v1.Configuration({ apiKey, basePath: `${base}/api/v1` });
const deals = new v2.DealsApi(two);
const lines = new v2.DealProductsApi(two);
const seen = {};

async function refusal(call) {
  try {
    await call;
  } catch (error) {
    return error;
  }
  throw new Error("this should have been refused");
}

async function account() {
  seen.me = (await new v1.UsersApi(one).getCurrentUser()).data;
  seen.users = (await new v1.UsersApi(one).getUsers()).data.length;
  const field = { field_name: "Leverstatus", field_type: "enum", options: [{ label: "Open" }, { label: "Geleverd" }] };
  const made = await new v2.DealFieldsApi(two).addDealField({ AddDealFieldRequest: field });
  const key = { field_name: "Exact order-ID", field_type: "varchar" };
  const recovery = await new v2.DealFieldsApi(two).addDealField({ AddDealFieldRequest: key });
  seen.field = made.data;
  return [made.data, recovery.data.field_code];
}

async function create(status, recovery) {
  const organization = { name: "Bakker BV", address: { value: "Dorpsstraat 1, 1234 AB Utrecht" } };
  seen.organization = (await new v2.OrganizationsApi(two).addOrganization({ AddOrganizationRequest: organization })).data;
  const product = { name: "Lampion", code: "85123A", prices: [{ currency: "EUR", price: 2.5 }] };
  seen.product = (await new v2.ProductsApi(two).addProduct({ AddProductRequest: product })).data;
  const deal = {
    title: "Bestelling 1",
    org_id: seen.organization.id,
    status: "won",
    won_time: "2026-03-01T12:00:00Z",
    custom_fields: { [status.field_code]: status.options[1].id, [recovery]: "abc-1" },
  };
  seen.deal = (await deals.addDeal({ AddDealRequest: deal })).data;
  for (let number = 2; number <= 5; number++) await deals.addDeal({ AddDealRequest: { title: `Bestelling ${number}` } });
}

async function attach() {
  const row = { product_id: seen.product.id, item_price: 1.115, quantity: 3, tax_method: "none" };
  seen.line = (await lines.addDealProduct({ id: 1, AddDealProductRequest: row })).data;
  const many = { data: [{ ...row, comments: "1" }, { ...row, comments: "2" }] };
  seen.bulk = (await lines.addManyDealProducts({ id: 1, CreateManyDealProductRequest: many })).data;
  seen.rows = (await lines.getDealsProducts({ deal_ids: [1, 2, 3] })).data;
  const changed = { id: 1, product_attachment_id: seen.line.id, UpdateDealProductRequest: { quantity: 1 } };
  seen.changed = (await lines.updateDealProduct(changed)).data;
  await lines.deleteManyDealProducts({ id: 1, ids: `${seen.bulk[0].id}` });
  seen.value = (await deals.getDeal({ id: 1 })).data.value;
}

async function page() {
  seen.pages = [];
  let cursor;
  do {
    const answer = await deals.getDeals({ limit: 2, cursor, sort_by: "id", sort_direction: "desc" });
    seen.pages.push(answer.data.map((deal) => deal.id));
    cursor = answer.additional_data.next_cursor;
  } while (cursor);
}

async function searchAndChange(recovery) {
  const wanted = { term: "abc-1", entity_type: "deal", field: recovery, match: "exact" };
  seen.found = (await new v2.ItemSearchApi(two).searchItemByField(wanted)).data;
  seen.updated = (await deals.updateDeal({ id: 2, UpdateDealRequest: { title: "Bestelling 2b", org_id: null } })).data;
  const note = { content: "Betaalt altijd laat", deal_id: 1 };
  seen.note = (await new v1.NotesApi(one).addNote({ AddNoteRequest: note })).data;
  seen.deleted = (await deals.deleteDeal({ id: 5 })).data;
}

async function setUp(status) {
  const pipelines = new v2.PipelinesApi(two);
  const stages = new v2.StagesApi(two);
  seen.pipeline = (await pipelines.addPipeline({ AddPipelineRequest: { name: "Bestellingen" } })).data;
  for (const name of ["Nieuw", "Verzonden"])
    await stages.addStage({ AddStageRequest: { name, pipeline_id: seen.pipeline.id } });
  const listed = await stages.getStages({ pipeline_id: seen.pipeline.id, sort_by: "order_nr" });
  seen.stages = listed.data.map((stage) => stage.name);
  const fields = new v2.DealFieldsApi(two);
  const field_code = status.field_code;
  const added = await fields.addDealFieldOptions({
    field_code,
    AddDealFieldOptionsRequestInner: [{ label: "Deels geleverd" }],
  });
  const id = added.data[0].id;
  const renamed = await fields.updateDealFieldOptions({ field_code, UpdateDealFieldOptionsRequestInner: [{ id, label: "Half" }] });
  await fields.deleteDealFieldOptions({ field_code, DeleteDealFieldOptionsRequestInner: [{ id }] });
  const left = (await fields.getDealField({ field_code })).data.options;
  const labels = (options) => options.map((option) => option.label);
  seen.options = { added: labels(added.data), renamed: labels(renamed.data), left: labels(left) };
}

async function relate() {
  const org_id = seen.organization.id;
  const person = { name: "Jan van Dijk", org_id, emails: [{ value: "jan@bakker.example" }] };
  seen.person = (await new v2.PersonsApi(two).addPerson({ AddPersonRequest: person })).data;
  const change = { id: org_id, UpdateOrganizationRequest: { name: "Bakker Wonen BV" } };
  seen.renamed = (await new v2.OrganizationsApi(two).updateOrganization(change)).data;
  const wanted = { term: "85123a", fields: "code", exact_match: true };
  seen.products = (await new v2.ProductsApi(two).searchProducts(wanted)).data;
  const discount = { description: "Korting", amount: 10, type: "percentage" };
  seen.discount = (await deals.postAdditionalDiscount({ id: 3, AddAdditionalDiscountRequestBody: discount })).data;
  await deals.updateDeal({ id: 2, UpdateDealRequest: { is_archived: true } });
  seen.archived = (await deals.getArchivedDeals()).data.map((deal) => deal.id);
}

async function subscribe() {
  const webhooks = new v1.WebhooksApi(one);
  const wanted = { subscription_url: "https://hook.example/deals", event_action: "*", event_object: "deal", name: "x" };
  seen.webhook = (await webhooks.addWebhook({ AddWebhookRequest: wanted })).data;
  const before = (await webhooks.getWebhooks()).data.length;
  await webhooks.deleteWebhook({ id: seen.webhook.id });
  seen.webhooks = [before, (await webhooks.getWebhooks()).data.length];
}

async function refusals() {
  seen.addTime = await refusal(deals.addDeal({ AddDealRequest: { title: "x", add_time: "2020-01-01T00:00:00Z" } }));
  seen.unknown = await refusal(deals.getDeal({ id: 999 }));
  const stranger = new v2.Configuration({ apiKey: "wrong", basePath: `${base}/api/v2` });
  seen.stranger = await refusal(new v2.DealsApi(stranger).getDeals());
}

async function oauth() {
  const app = new v2.OAuth2Configuration({
    clientId: apiKey,
    clientSecret: apiKey,
    redirectUri: "http://127.0.0.1/back",
    host: base,
  });
  app.updateToken({ access_token: "old", refresh_token: apiKey, expires_in: 0, token_type: "Bearer", scope: "", api_domain: base });
  const token = await app.tokenRefresh();
  seen.bearer = { type: token.token_type, domain: token.api_domain };
  seen.byApp = (await new v2.DealsApi(app).getDeals({ limit: 1 })).data.length;
}

async function main() {
  const [status, recovery] = await account();
  await create(status, recovery);
  await attach();
  await page();
  await searchAndChange(recovery);
  await setUp(status);
  await relate();
  await subscribe();
  await refusals();
  await oauth();
  console.log(JSON.stringify(seen));
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});

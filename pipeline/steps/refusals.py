"""A write was refused: what stands in Pipedrive now, and whether something can be done about it.

People archive, delete and merge records there. What was archived comes out of the archive; what is gone is looked for
anew; for anything else the refusal stands.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from pipeline.errors import RecordsGone
from pipeline.pipedrive import present
from pipeline.pipedrive.client import PipedriveClient
from pipeline.pipedrive.schema import Schema

_READABLE_IDS = 100  # in one list


def deal_there(client: PipedriveClient, schema: Schema, *, key: str, deal_id: int) -> dict[str, Any]:
    """The deal as it stands, taken out of the archive; raises RecordsGone when it was deleted or merged."""
    deal = client.look(f"/api/v2/deals/{deal_id}")
    if deal is None:
        others = [one for one in present.searched(client, schema, "deals", key) if one.record_id != deal_id]
        raise RecordsGone(
            f"deal {deal_id} was deleted or merged by hand in Pipedrive: restore it there",
            kind="deals",
            keys=[key],
            successor=others[0].record_id if others else None,
        )
    if deal.get("is_archived"):
        take_out(client, deal_id)
    return deal


def take_out(client: PipedriveClient, deal_id: int) -> None:
    """Takes the deal out of the archive: alone, since an archived deal takes nothing else."""
    client.patch(f"/api/v2/deals/{deal_id}", {"is_archived": False})


def missing(client: PipedriveClient, kind: str, key: str, record_id: int) -> None:
    """Raises RecordsGone when that organization or product is not there."""
    if client.look(f"/api/v2/{kind}/{record_id}") is None:
        raise RecordsGone(f"{kind[:-1]} {record_id} is no longer in Pipedrive", kind=kind, keys=[key])


def missing_products(client: PipedriveClient, products: Mapping[str, int]) -> None:
    """Raises RecordsGone for those of the products that are not there."""
    there: set[int] = set()
    for ids in _in_lists(sorted(set(products.values()))):
        for page in client.pages("/api/v2/products", ids=",".join(map(str, ids))):
            there |= {int(product["id"]) for product in page if not product.get("is_deleted")}
    gone = [key for key, product_id in products.items() if product_id not in there]
    if gone:
        raise RecordsGone(f"{len(gone)} products are no longer in Pipedrive", kind="products", keys=gone)


def _in_lists(ids: list[int]) -> Iterable[list[int]]:
    return (ids[start : start + _READABLE_IDS] for start in range(0, len(ids), _READABLE_IDS))

"""`$metadata`: the entity types of one service as EDMX."""

from collections.abc import Iterable
from xml.sax.saxutils import quoteattr

from pipeline.sandbox.exact_online.resources import Resource

EDM = {
    "g": "Guid", "s": "String", "dt": "DateTime", "dbl": "Double", "i16": "Int16", "i32": "Int32", "i64": "Int64",
    "byte": "Byte", "bool": "Boolean", "bin": "Binary",
}  # fmt: skip


def edmx(resources: Iterable[Resource]) -> bytes:
    """The document, one entity type for each resource of the service."""
    types = "".join(_entity_type(resource) for resource in resources)
    return (
        '<?xml version="1.0" encoding="utf-8"?>'
        '<edmx:Edmx Version="1.0" xmlns:edmx="http://schemas.microsoft.com/ado/2007/06/edmx"><edmx:DataServices>'
        '<Schema Namespace="Exact.Web.Api.Models" xmlns="http://schemas.microsoft.com/ado/2008/09/edm">'
        f"{types}</Schema></edmx:DataServices></edmx:Edmx>"
    ).encode()


def _entity_type(resource: Resource) -> str:
    properties = "".join(
        f'<Property Name={quoteattr(name)} Type="Edm.{EDM[field.type]}" Nullable="{str(not field.is_key).lower()}"/>'
        for name, field in resource.list.fields.items()
        if not field.is_navigation
    )
    name = quoteattr(resource.path.rpartition("/")[2])
    return f"<EntityType Name={name}><Key><PropertyRef Name={quoteattr(resource.key)}/></Key>{properties}</EntityType>"

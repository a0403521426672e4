"""Pipedrive: how it is asked, what it costs, and how wanted content becomes a request; `steps/` carries it out."""

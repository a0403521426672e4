"""Every Exact Online sales order becomes a Pipedrive deal."""

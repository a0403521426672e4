"""Figures for Prometheus: read from the database at each scrape, shown as /metrics. Nothing is written here."""

"""PostgreSQL: the tables, how they are written, and what the pipeline remembers between runs."""

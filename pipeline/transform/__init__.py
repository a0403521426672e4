"""From one layer's frames to the next one's: pandas in, pandas out, one file for each table of `erp` and `crm`.

Rules live in `domain/`; reading and writing tables is done by `steps/`.
"""

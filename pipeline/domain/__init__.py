"""The rules of the business, on plain values: standard library only, no reading, no writing, no pandas."""

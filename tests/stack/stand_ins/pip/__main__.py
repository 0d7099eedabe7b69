"""`pip list --format json` of an environment without plugins."""

print("[]")

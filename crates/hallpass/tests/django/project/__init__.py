"""A Django project as many are: users with groups, an administration, tokens, keys, and addresses that are verified."""

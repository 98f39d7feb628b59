"""A Django REST back end that takes Hallpass tokens in three ways; `urls.py` has them side by side."""

"""The tables of the models as they are now: they have no history."""

from django.db import migrations
from django.db.migrations.state import ModelState

from people import models


def created(model: type) -> migrations.CreateModel:
    state = ModelState.from_model(model)
    return migrations.CreateModel(state.name, list(state.fields.items()), state.options, state.bases, state.managers)


class Migration(migrations.Migration):
    """All three; of those that the settings do not name no table is made."""

    initial = True
    dependencies = [("auth", "0012_alter_user_first_name_max_length")]
    operations = [created(model) for model in (models.UuidUser, models.DepartmentUser, models.EmailUser)]

// What the benchmark sets; all else is PocketBase's default, the `users` collection open to registration among it.
migrate((app) => {
  const settings = app.settings();
  // The load is meant to come through.
  settings.rateLimits.enabled = false;
  // Warnings and errors alone: by default a row is written for each request.
  settings.logs.minLevel = 4;
  app.save(settings);
});

"""HTTP: the JSON API and the public log. Not built yet."""

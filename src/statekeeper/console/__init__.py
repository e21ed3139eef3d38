"""The console: pages for a person who asks what happened to a session, when and why, and who may act on it."""

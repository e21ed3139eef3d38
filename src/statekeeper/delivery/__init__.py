"""How business code is told: user functions (`handlers`), HTTP `endpoints`, message `brokers`, and the `relay` of all.

Nothing is imported here: a user's callbacks file needs `registry` only, and must not load an HTTP client and a store
with it.
"""

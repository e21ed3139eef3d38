"""Message brokers as subscribers: an event published is a callback delivered.

`sender` makes the attempts, over a `link` to the broker; `nats`, `rabbit`, `kafka` and `redis` are the links, each the
client that FastStream brings with an extra of the same name. A link is imported when a broker of its kind is among the
settings, and by nobody else.
"""

"""The IDnow simulator: an issuer, seeded stories with the faults of real life, and a sender that plays them over HTTP.

It follows the provider's page "Webhook events" and knows nothing of the service that it plays to: what it expects is
what a sender can see. The demo, the tests and `statekeeper simulate` use it.
"""

"""The service's two neighbours, for practice: IDnow's side before it, and a subscriber's endpoint behind it.

The IDnow simulator is an issuer, seeded stories with the faults of real life, and a sender that plays them over HTTP.
It follows the provider's page "Webhook events" and knows nothing of the service that it plays to: what it expects is
what a sender can see. The endpoint believes and answers as a subscriber's would, on good days and bad. The demo, the
tests, `statekeeper simulate` and `statekeeper listen` use them.
"""

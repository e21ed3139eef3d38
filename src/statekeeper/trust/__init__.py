"""Who may be believed.

`compact` takes a token apart without believing it; `keys` and `keyset` read the issuer's public keys; `sources` fetches
them and `keyring` decides when; `verification` is the policy that a token must satisfy. `signing` is the way back:
our own signatures on what goes out.
"""

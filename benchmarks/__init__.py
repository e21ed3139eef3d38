"""What the service takes, beside what it could be: `python -m benchmarks`, and `python -m benchmarks.soak`.

Three contenders do the same on the same tokens, each in a process of its own, in turn and several times over, so that a
machine that slows down slows all of them: the service as it is shipped; a `peer`, the same job as it is written by hand
in an afternoon; and the `floor`, which only checks the token and keeps its bytes, in groups, with nothing between. How
much faster than the first of these two the service is, and how near to the second, says more than events per second.

Server and load have a core each, where the machine has two. Every store commits durably (WAL, `synchronous=FULL`), and
every round has a store of its own. What was answered 200 is counted again in the store when the server has ended.
"""

"""What must be right: pure functions over values.

Nothing here waits, reads a clock, draws a random number or does I/O; `now` and `jitter` are arguments. The order of
imports is `callbacks | proof → machine → snapshot → resequencer | statechart → events → errors`; `retry` stands alone.
"""

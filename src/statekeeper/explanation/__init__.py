"""What happened to a session, told to a person: pure functions over all that is known of it.

`case` is what is known, `why` says it in a sentence or two, `timeline` puts it in order, `beliefs` holds what was
believed when somebody was told beside what is known now, and `drawing` shows the path that was taken. Nothing here
waits, reads a clock or asks a store. What is said is a `Sentence`: a text that can be translated, and its values.
"""

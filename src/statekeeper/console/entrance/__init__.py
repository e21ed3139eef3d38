"""How people come in to the console and go out: the guard at its door, its pages, and the providers it trusts."""

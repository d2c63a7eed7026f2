"""The `lotus` command: one module a verb, typed arguments in, a result out. Only `cli` parses, prints and exits."""

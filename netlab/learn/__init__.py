"""The teaching walk: the same graph, operations and proofs as everywhere, one step at a time, with a person."""

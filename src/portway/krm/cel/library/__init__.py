"""Functions and operators: one declaration gives the types, the implementation and the cost of a call."""

"""JAX code that emitted programs use. Nothing here knows the compiler."""

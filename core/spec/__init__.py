"""What a user may write: tables, TOML with positions, stages, and what is wrong with them."""

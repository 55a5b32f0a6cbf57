"""The language server: what editors show of specs while they are written. Needs pygls, which `tttdit[lsp]` brings."""

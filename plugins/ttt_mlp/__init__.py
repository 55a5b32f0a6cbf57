"""The mixer `ttt-mlp`: fast weights of two layers."""

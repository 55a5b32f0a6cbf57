"""The mixer `ttt-linear`: one fast weight matrix a head."""

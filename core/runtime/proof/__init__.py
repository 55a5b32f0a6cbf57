"""The proof: what a stage's model does on torch, beside what the symbolic world believes.

steps        one training step on real tensors
comparing    the first operator, parameter or gradient where the worlds part
fakes        what custom operators' fakes promise, beside what their bodies give
holding      what one world still holds when the other has let it go
"""
